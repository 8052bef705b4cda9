//! A small HTTP/1.1 server: one thread with a runtime of its own, so that pages can neither wait for nor hold up
//! anything else in the process.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use axum::response::Redirect;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error_span, warn};

use super::held::Held;
use super::patience::Patient;
use super::places::{Place, Places};

/// For a request's head, and for the pause between two requests of one connection.
const HEAD: Duration = Duration::from_secs(15);
/// For the other side to read what it asked for.
const UNREAD: Duration = Duration::from_secs(30);
/// The least that the server under it allows: each connection may take it.
const HEAD_BYTES: usize = 8 * 1024;
const MOST_HEADERS: usize = 64;
/// Of what is written and not sent yet, before and after it is encrypted. It holds one full record.
const TLS_BUFFER_BYTES: usize = 16 * 1024;
/// What the system holds for a connection; it doubles each. What is sent here is small.
const RECEIVE_BYTES: u32 = 8 * 1024;
const SEND_BYTES: u32 = 16 * 1024;
/// What was sent and is not confirmed: a phone that has left the house says no farewell.
const GONE: Duration = Duration::from_secs(15);
/// That the system holds until they are taken.
const QUEUE: u32 = 128;
/// Out of descriptors, most likely: some must come back first.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(200);
const STACK_BYTES: usize = 1024 * 1024;
#[cfg(target_env = "gnu")]
const LARGE_BLOCK_BYTES: libc::c_int = 128 * 1024;

/// Where a site listens, and how much of it there may be.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Of the thread; at most 15 characters.
    pub name: &'static str,
    /// Port 0 is any that is free.
    pub listen: SocketAddr,
    /// Open at the same time, of those whose requests show that they were let in ([`super::places::shown_by`]).
    pub most_known: usize,
    /// Of all others, besides; a further one takes the place of another.
    pub most_strangers: usize,
    /// Jobs that block (hashes of passwords) at the same time; further ones wait.
    pub most_blocking: usize,
}

/// A server that runs until it is stopped.
pub struct Server {
    address: SocketAddr,
    ending: watch::Sender<Option<Instant>>,
    thread: JoinHandle<()>,
}

/// The address that a request comes from, among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Tells a site's own tasks that the server stops.
#[derive(Clone)]
pub struct Shutdown(watch::Receiver<Option<Instant>>);

impl Shutdown {
    /// Returns once the server stops.
    pub async fn requested(&self) {
        let mut ending = self.0.clone();
        // An error means that the server is gone: it has stopped too.
        let _ = ending.wait_for(Option::is_some).await;
    }
}

impl Server {
    /// Listens, and serves what `site` returns. `site` runs on the server's runtime, and may spawn tasks there.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on, or the system gives no thread.
    pub fn start(
        settings: ServerSettings,
        site: impl FnOnce(Shutdown) -> Router + Send + 'static,
    ) -> io::Result<Server> {
        Server::start_with(settings, None, site)
    }

    /// The same, over TLS where `tls` is given.
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn start_with(
        settings: ServerSettings,
        tls: Option<Arc<ServerConfig>>,
        site: impl FnOnce(Shutdown) -> Router + Send + 'static,
    ) -> io::Result<Server> {
        give_large_blocks_back();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(settings.most_blocking)
            .thread_stack_size(STACK_BYTES)
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            bind(settings.listen)?
        };
        let address = listener.local_addr()?;
        let (ending, ending_seen) = watch::channel(None);
        let thread = Builder::new().name(settings.name.to_owned()).stack_size(STACK_BYTES).spawn(move || {
            let _span = error_span!("web", site = settings.name).entered();
            runtime.block_on(async {
                let site = site(Shutdown(ending_seen.clone()));
                let tls = tls.map(TlsAcceptor::from);
                let serving = serve(listener, tls, site, Shutdown(ending_seen.clone()), &settings);
                tokio::select! {
                    () = serving => {}
                    () = deadline(ending_seen) => debug!("connections were open at the end, and are cut"),
                }
            });
            // A hash that is being made must not hold the end up.
            runtime.shutdown_background();
        })?;
        Ok(Server { address, ending, thread })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, ends the live streams, lets what is being answered be answered, and gives up after
    /// `within`.
    pub fn stop(self, within: Duration) {
        self.ending.send_replace(Some(Instant::now() + within));
        // If the thread panicked, that has been told already.
        let _ = self.thread.join();
    }
}

/// The allocator of glibc gives a large block back to the system at once, until it has seen one come and go: then it keeps
/// such blocks for the next time. What a password's hash took for a moment would be lost to the connections, so it is told
/// to stay at what it begins with.
fn give_large_blocks_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes a number of the allocator's, at any time from any thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
    }
}

/// Listens with small buffers: the kernel's own would be most of what a connection takes. Connections inherit them, and
/// the time after which they are over.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(RECEIVE_BYTES)?;
    socket.set_send_buffer_size(SEND_BYTES)?;
    SockRef::from(&socket).set_tcp_user_timeout(Some(GONE))?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Returns when the time for stopping is over.
async fn deadline(mut ending: watch::Receiver<Option<Instant>>) {
    let end = ending.wait_for(Option::is_some).await.ok().and_then(|end| *end);
    let forever = std::future::pending::<()>();
    let _ = timeout_at(end.unwrap_or_else(Instant::now).into(), forever).await;
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    site: Router,
    shutdown: Shutdown,
    settings: &ServerSettings,
) {
    let places = Places::new(settings.most_strangers, settings.most_known);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.requested() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let place = places.enter(peer.ip());
                let (site, shutdown) = (site.clone(), shutdown.clone());
                let visit = Visit { site, peer: Peer(peer.ip()), place: Arc::clone(&place), shutdown };
                let connection = greeted(stream, tls.clone(), visit);
                connections.spawn(async move {
                    tokio::select! {
                        () = place.lost() => debug!("a connection is cut off for another one"),
                        () = connection => {}
                    }
                });
                // Who was cut off for this one goes before the next one comes.
                yield_now().await;
            }
            Err(error) => {
                warn!("cannot take a connection: {error}");
                sleep(AFTER_FAILED_ACCEPT).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// What a connection is served with.
struct Visit {
    site: Router,
    peer: Peer,
    place: Arc<Place>,
    shutdown: Shutdown,
}

async fn greeted(stream: TcpStream, tls: Option<TlsAcceptor>, visit: Visit) {
    // What is said here is small, and people wait for it.
    if let Err(error) = stream.set_nodelay(true) {
        debug!("a connection was gone at once: {error}");
        return;
    }
    let stream = Held::new(stream, Arc::clone(&visit.place));
    let Some(tls) = tls else { return connection(stream, visit).await };
    let greeting = async {
        // TLS begins with this byte; whoever writes HTTP instead is told where to go.
        match stream.first_byte().await {
            Ok(Some(first)) if first != HANDSHAKE => Greeted::Plain(stream),
            Ok(_) => tls
                .accept_with(stream, |tls| tls.set_buffer_limit(Some(TLS_BUFFER_BYTES)))
                .await
                .map_or_else(Greeted::Broken, |stream| Greeted::Tls(Box::new(stream))),
            Err(error) => Greeted::Broken(error),
        }
    };
    match timeout(HEAD, greeting).await {
        Ok(Greeted::Tls(stream)) => connection(stream, visit).await,
        Ok(Greeted::Plain(stream)) => connection(stream, Visit { site: to_https(), ..visit }).await,
        Ok(Greeted::Broken(error)) => debug!("no TLS came about: {error}"),
        Err(_) => debug!("no TLS came about in time"),
    }
}

/// How a connection to a port with TLS begins.
enum Greeted {
    Tls(Box<tokio_rustls::server::TlsStream<Held>>),
    Plain(Held),
    Broken(io::Error),
}

/// The content type of a TLS handshake record.
const HANDSHAKE: u8 = 22;

/// What is said to those who come without TLS: the same address, with it. The host is what they gave themselves.
fn to_https() -> Router {
    Router::new().fallback(async |headers: HeaderMap, uri: Uri| {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Redirect::temporary(&format!("https://{host}{path}"))
    })
}

async fn connection<S>(stream: S, visit: Visit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Visit { site, peer, place, shutdown } = visit;
    let io = TokioIo::new(Patient::new(stream, UNREAD));
    let site = TowerToHyperService::new(site);
    let site = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(Arc::clone(&place));
        site.call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .serve_connection(io, site);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = shutdown.requested() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        debug!("a connection broke off: {error}");
    }
}
