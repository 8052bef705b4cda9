//! From a name to a byte stream that can be trusted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use super::problem::{self, Broker};
use super::{LinkSettings, tls};
use crate::controller::input::LinkProblem;

/// For the name look-up. The system asks the second name server when the first has been silent for five seconds, and the
/// third after as long again: whoever gives up before that never hears the one that answers.
const LOOK_UP: Duration = Duration::from_secs(20);
/// For TCP and TLS together.
const DIAL: Duration = Duration::from_secs(5);
/// How long one address has before the next is tried beside it (RFC 8305): a network whose IPv6 leads nowhere must not
/// keep us from an IPv4 that works.
const HEAD_START: Duration = Duration::from_millis(250);
/// More addresses than this of one name are not tried.
const MOST_ADDRESSES: usize = 6;
/// What the system holds of a flood until it is read; it doubles this. Left alone it would take megabytes of ours.
const RECEIVE_BYTES: usize = 64 * 1024;

/// TCP or TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// A broker that was reached.
pub struct Dialled {
    pub stream: Box<dyn Stream>,
    /// With TLS: the certificate by which it has shown who it is.
    pub shown: Option<CertificateDer<'static>>,
}

/// Connects to the broker; with TLS it has shown who it is.
pub async fn dial(settings: &LinkSettings) -> Result<Dialled, LinkProblem> {
    let broker = Broker { host: &settings.host, port: settings.port };
    let tls = match &settings.tls {
        None => None,
        Some(tls) => Some((
            TlsConnector::from(Arc::new(tls::client_config(tls, &settings.clock_trusted)?)),
            ServerName::try_from(settings.host.clone()).map_err(|_| problem::of_server_name(broker))?,
        )),
    };
    let addresses = timeout(LOOK_UP, lookup_host((settings.host.as_str(), settings.port)))
        .await
        .map_err(|_| problem::of_endless_look_up(broker))?
        .map_err(|error| problem::of_look_up(&error, broker))?
        .take(MOST_ADDRESSES);
    let connected = timeout(DIAL, async {
        let tcp = connect_to_any(addresses).await.map_err(|error| problem::of_io(&error, broker))?;
        let Some((connector, name)) = tls else { return Ok(Dialled { stream: Box::new(tcp), shown: None }) };
        let tls = connector.connect(name, tcp).await.map_err(|error| problem::of_handshake(&error, broker))?;
        let shown = tls.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
        Ok(Dialled { stream: Box::new(tls), shown })
    });
    connected.await.unwrap_or_else(|_| Err(problem::of_time_out(broker)))
}

/// The first address that answers.
async fn connect_to_any(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    for (position, address) in (0..).zip(addresses) {
        attempts.spawn(async move {
            sleep(HEAD_START * position).await;
            let tcp = TcpStream::connect(address).await?;
            // What is said here is small and urgent.
            tcp.set_nodelay(true)?;
            SockRef::from(&tcp).set_recv_buffer_size(RECEIVE_BYTES)?;
            io::Result::Ok(tcp)
        });
    }
    let mut error = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    while let Some(attempt) = attempts.join_next().await {
        match attempt? {
            Ok(tcp) => return Ok(tcp),
            Err(refused) => error = refused,
        }
    }
    Err(error)
}
