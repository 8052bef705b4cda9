//! A camera's HTTP: its address, how the hub logs in, and one request at a time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HOST, LOCATION, RANGE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_stream::StreamExt;

use super::access::{Access, Known, Ways};
use super::memory::{Buffer, Full, Memory};
use crate::config::Camera;

/// For a connection, and for the head of the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// For a whole picture or playlist.
const WHOLE: Duration = Duration::from_secs(10);
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The largest buffer of a connection to a camera.
const BUFFER_BYTES: usize = 64 * 1024;
/// What the system holds of a connection until it is read; it doubles this. Left alone it would take megabytes of ours.
const RECEIVE_BYTES: usize = 64 * 1024;

/// A camera that speaks HTTP.
pub struct Source {
    host: String,
    port: u16,
    is_https: bool,
    address: String,
    access: Access,
}

/// A camera's answer, its body still to come.
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub content_range: Option<HeaderValue>,
    body: Body,
}

impl Source {
    /// `None` if the camera speaks something else.
    pub fn new(camera: &Camera) -> Option<Source> {
        let uri: Uri = camera.url.parse().ok()?;
        let is_https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return None,
        };
        let (host, port) = (uri.host()?.to_owned(), uri.port_u16().unwrap_or(if is_https { 443 } else { 80 }));
        let access = Access::new(Ways {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            userinfo: uri.authority()?.as_str().rsplit_once('@').map(|(userinfo, _)| userinfo.to_owned()),
            login: camera.login.clone(),
            authorities: is_https.then(|| camera.ca_file.clone().unwrap_or(SYSTEM_AUTHORITIES.into())),
        });
        Some(Source {
            host,
            port,
            is_https,
            address: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            access,
        })
    }

    /// Path and query.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn names_a_playlist(&self) -> bool {
        let path = self.address.split('?').next().unwrap_or_default();
        path.to_ascii_lowercase().ends_with(".m3u8")
    }

    /// Path and query of another address that the camera names, seen from `base`; `None` if that is another machine,
    /// with which the hub has nothing to do.
    pub fn resolved(&self, base: &str, named: &str) -> Option<String> {
        let directory = base.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |(before, _)| before);
        let path = if let Some((scheme, rest)) = named.split_once("://") {
            let scheme_is_ours = scheme.eq_ignore_ascii_case(if self.is_https { "https" } else { "http" });
            let uri: Uri = format!("{scheme}://{rest}").parse().ok()?;
            let port = uri.port_u16().unwrap_or(if self.is_https { 443 } else { 80 });
            let is_ours = scheme_is_ours && uri.host() == Some(&self.host) && port == self.port;
            is_ours.then(|| uri.path_and_query().map_or("/", |path| path.as_str()).to_owned())?
        } else if named.starts_with("//") {
            return None;
        } else if named.starts_with('/') {
            named.to_owned()
        } else {
            format!("{directory}/{named}")
        };
        path.parse::<Uri>().is_ok().then_some(path)
    }

    /// Asks for an address of the camera. The error is a sentence. `lookups`: see [`Access::known`].
    pub async fn get(
        &self,
        address: &str,
        range: Option<&HeaderValue>,
        lookups: &Arc<Semaphore>,
    ) -> Result<Answer, String> {
        let answer = timeout(PATIENCE, async {
            let known = self.access.known(lookups).await?;
            let answer = self.answered(&known, self.request(address, range, &known)?).await;
            answer.inspect_err(|_| self.access.forget(&known))
        });
        answer.await.unwrap_or_else(|_| Err("The camera does not answer.".to_owned()))
    }

    async fn answered(&self, known: &Known, request: Request<Body>) -> Result<Answer, String> {
        let stream = connect(&known.addresses).await;
        let stream = stream.map_err(|error| format!("The camera cannot be reached ({error})."))?;
        let Some(tls) = &known.tls else { return exchange(stream, request).await };
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| format!("The camera's name cannot be checked ({error})."))?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
        exchange(stream.map_err(|error| format!("The camera's certificate is not trusted ({error})."))?, request).await
    }

    fn request(&self, address: &str, range: Option<&HeaderValue>, known: &Known) -> Result<Request<Body>, String> {
        let authority = format!("{}:{}", self.host, self.port);
        let mut request = Request::get(address).header(HOST, authority).header(USER_AGENT, "sos-hub");
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        if let Some(authorization) = &known.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.body(Body::empty()).map_err(|error| format!("The camera's address cannot be asked for ({error})."))
    }
}

impl Answer {
    /// The body, if it is no larger than this.
    pub async fn whole(self, most: usize, memory: &Memory) -> Result<Buffer, String> {
        let mut buffer = memory.buffer(most);
        let mut pieces = self.pieces();
        let gathered = timeout(WHOLE, async {
            while let Some(piece) = pieces.next().await {
                let piece = piece.map_err(|error| format!("The camera's answer broke off ({error})."))?;
                buffer.push(&piece).map_err(too_large)?;
            }
            Ok(buffer)
        });
        gathered.await.unwrap_or_else(|_| Err("The camera's answer takes too long.".to_owned()))
    }

    /// The body piece by piece.
    pub fn pieces(self) -> BodyDataStream {
        self.body.into_data_stream()
    }
}

/// What is told of a buffer that is full, as a sentence.
pub fn too_large(full: Full) -> String {
    match full {
        Full::Buffer => "The camera's pictures are too large: have it give smaller ones.".to_owned(),
        Full::Memory => {
            "All cameras together give more than the hub has memory for: have them give smaller pictures.".to_owned()
        }
    }
}

async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                SockRef::from(&stream).set_recv_buffer_size(RECEIVE_BYTES)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn exchange<S>(stream: S, request: Request<Body>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| format!("The camera does not speak HTTP as it should ({error}).");
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(BUFFER_BYTES).handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with the answer's body, or when nobody wants that any more; then its outcome is of no interest.
    tokio::spawn(async move { drop(connection.await) });
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    let text = |headers: &HeaderMap| {
        headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
    };
    match status {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err("The camera refuses the user name or the password.".to_owned());
        }
        _ if answer.headers().contains_key(LOCATION) => {
            return Err("The camera's picture has moved: give its new address.".to_owned());
        }
        _ => return Err(format!("The camera answers {status}.")),
    }
    let content_type = match answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
        // A boundary is not the same in other letters.
        Some(kind) if text(answer.headers()).starts_with("multipart/") => {
            format!("multipart/{}", kind.get("multipart/".len()..).unwrap_or_default())
        }
        _ => text(answer.headers()),
    };
    let content_range = answer.headers().get(CONTENT_RANGE).cloned();
    Ok(Answer { status, content_type, content_range, body: Body::new(answer.into_body()) })
}
