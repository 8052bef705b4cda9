//! A camera's HTTP: its address, how the hub logs in, and one request at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HOST, LOCATION, RANGE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::{Camera, Login};

/// For a connection, and for the head of the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// For a whole picture or playlist.
const WHOLE: Duration = Duration::from_secs(10);
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A camera that speaks HTTP.
pub struct Source {
    host: String,
    port: u16,
    is_https: bool,
    address: String,
    /// In the address itself, as `user:password`.
    userinfo: Option<String>,
    login: Option<Login>,
    ca_file: Option<PathBuf>,
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
        let userinfo = uri.authority()?.as_str().rsplit_once('@').map(|(userinfo, _)| userinfo.to_owned());
        Some(Source {
            host: uri.host()?.to_owned(),
            port: uri.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            is_https,
            address: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            userinfo,
            login: camera.login.clone(),
            ca_file: camera.ca_file.clone(),
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

    /// Asks for an address of the camera. The error is a sentence.
    pub async fn get(&self, address: &str, range: Option<&HeaderValue>) -> Result<Answer, String> {
        let request = self.request(address, range)?;
        let answer = timeout(PATIENCE, self.answered(request)).await;
        answer.unwrap_or_else(|_| Err("The camera does not answer.".to_owned()))
    }

    async fn answered(&self, request: Request<Body>) -> Result<Answer, String> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await;
        let stream = stream.map_err(|error| format!("The camera cannot be reached ({error})."))?;
        if !self.is_https {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| format!("The camera's name cannot be checked ({error})."))?;
        let config = tls(self.ca_file.as_deref().unwrap_or(Path::new(SYSTEM_AUTHORITIES)))?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        exchange(stream.map_err(|error| format!("The camera's certificate is not trusted ({error})."))?, request).await
    }

    fn request(&self, address: &str, range: Option<&HeaderValue>) -> Result<Request<Body>, String> {
        let authority = format!("{}:{}", self.host, self.port);
        let mut request = Request::get(address).header(HOST, authority).header(USER_AGENT, "sos-hub");
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        if let Some(credentials) = self.credentials()? {
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)));
        }
        request.body(Body::empty()).map_err(|error| format!("The camera's address cannot be asked for ({error})."))
    }

    fn credentials(&self) -> Result<Option<String>, String> {
        let Some(Login { username, password_file }) = &self.login else { return Ok(self.userinfo.clone()) };
        let Some(file) = password_file else { return Ok(Some(format!("{username}:"))) };
        let password = fs::read_to_string(file)
            .map_err(|error| format!("The camera's password file {} cannot be read ({error}).", file.display()))?;
        Ok(Some(format!("{username}:{}", password.trim_end_matches(['\r', '\n']))))
    }
}

impl Answer {
    /// The body, if it is no larger than this.
    pub async fn whole(self, most: usize) -> Result<Bytes, String> {
        match timeout(WHOLE, to_bytes(self.body, most)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(format!("The camera's answer broke off or is too large ({error}).")),
            Err(_) => Err("The camera's answer takes too long.".to_owned()),
        }
    }

    /// The body piece by piece.
    pub fn pieces(self) -> BodyDataStream {
        self.body.into_data_stream()
    }
}

async fn exchange<S>(stream: S, request: Request<Body>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| format!("The camera does not speak HTTP as it should ({error}).");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
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

fn tls(authorities: &Path) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(authorities)
        .map_err(|error| format!("The authorities in {} cannot be read ({error}).", authorities.display()))?;
    roots.add_parsable_certificates(found.flatten());
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| format!("TLS cannot be set up ({error})."))
}
