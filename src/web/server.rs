//! A small HTTP/1.1 server: one thread with a runtime of its own, so that pages can neither wait for nor hold up
//! anything else in the process.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error_span, warn};

use super::patience::Patient;

/// For a request's head, and for the pause between two requests of one connection.
const HEAD: Duration = Duration::from_secs(15);
/// For the other side to read what it asked for.
const UNREAD: Duration = Duration::from_secs(30);
/// The least that the server under it allows: each connection may take it.
const HEAD_BYTES: usize = 8 * 1024;
const MOST_HEADERS: usize = 64;
/// Of what is written and not sent yet, before and after it is encrypted. It holds one full record.
const TLS_BUFFER_BYTES: usize = 16 * 1024;
/// For each direction of a connection; the system doubles it.
const SYSTEM_BUFFER_BYTES: u32 = 16 * 1024;
/// That the system holds until they are taken.
const QUEUE: u32 = 128;
/// Out of descriptors, most likely: some must come back first.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(200);
const STACK_BYTES: usize = 1024 * 1024;

/// Where a site listens, and how much of it there may be.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Of the thread; at most 15 characters.
    pub name: &'static str,
    /// Port 0 is any that is free.
    pub listen: SocketAddr,
    /// Open at the same time; further ones wait in the system's queue.
    pub most_connections: usize,
    /// Of these from one address, so that one machine cannot take all of them; further ones are cut off.
    pub most_of_an_address: usize,
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

/// Listens with small buffers, which connections inherit: the kernel's own would be most of what a connection takes.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(SYSTEM_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SYSTEM_BUFFER_BYTES)?;
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
    let room = Arc::new(Semaphore::new(settings.most_connections));
    let peers = Arc::<Peers>::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let room = Arc::clone(&room).acquire_owned().await;
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.requested() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let visit = Visit { site: site.clone(), peer: Peer(peer.ip()), shutdown: shutdown.clone() };
                if let Some(place) = peers.enter(peer.ip(), settings.most_of_an_address) {
                    let connection = greeted(stream, tls.clone(), visit);
                    connections.spawn(async move {
                        connection.await;
                        drop((place, room));
                    });
                }
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

/// How many connections each address has.
#[derive(Default)]
struct Peers(Mutex<HashMap<IpAddr, usize>>);

/// One of them; goes with this.
struct Place {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Peers {
    fn enter(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Place> {
        let mut peers = self.counts();
        let count = peers.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { peers: Arc::clone(self), address })
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut peers = self.peers.counts();
        if let Some(count) = peers.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                peers.remove(&self.address);
            }
        }
    }
}

/// What a connection is served with.
struct Visit {
    site: Router,
    peer: Peer,
    shutdown: Shutdown,
}

async fn greeted(stream: TcpStream, tls: Option<TlsAcceptor>, visit: Visit) {
    // What is said here is small, and people wait for it.
    if let Err(error) = stream.set_nodelay(true) {
        debug!("a connection was gone at once: {error}");
        return;
    }
    let Some(tls) = tls else { return connection(stream, visit).await };
    let greeting = async {
        // TLS begins with this byte; whoever writes HTTP instead is told where to go.
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(1) if first[0] != HANDSHAKE => Greeted::Plain(stream),
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
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    Plain(TcpStream),
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
    let Visit { site, peer, shutdown } = visit;
    let io = TokioIo::new(Patient::new(stream, UNREAD));
    let site = TowerToHyperService::new(site);
    let site = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
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
