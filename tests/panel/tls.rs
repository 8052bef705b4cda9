//! Requests over TLS, as bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    StreamOwned, WantsVerifier,
};
use socket2::SockRef;

use crate::installation::PANEL_PIN;
use crate::support::wait_until;

pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts one certificate.
pub struct Client {
    panel: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Client {
    /// `state_dir` is the hub's.
    pub fn new(panel: SocketAddr, state_dir: &Path) -> Client {
        let certificate = CertificateDer::from_pem_file(state_dir.join("panel-cert.pem")).expect("the certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate");
        let config = versions().with_root_certificates(roots).with_no_client_auth();
        Client { panel, config: Arc::new(config) }
    }

    /// What a panel shows, whoever made it.
    pub fn certificate(panel: SocketAddr) -> CertificateDer<'static> {
        let config = versions().dangerous().with_custom_certificate_verifier(Arc::new(Any)).with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let mut stream = StreamOwned::new(connection, TcpStream::connect(panel).expect("the panel"));
        stream.flush().expect("TLS");
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).expect("TLS");
        }
        stream.conn.peer_certificates().and_then(<[_]>::first).expect("a certificate").clone().into_owned()
    }

    /// Sends a request, and reads nothing of the answer. A body of digits lacks a byte.
    pub fn ask(&self, request: &str, cookie: &str, body: &str) -> Tls {
        let stream = TcpStream::connect(self.panel).expect("the panel");
        // What is not read is the hub's to hold.
        SockRef::from(&stream).set_recv_buffer_size(4096).expect("a small buffer");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::clone(&self.config), name).expect("a connection");
        let mut stream = StreamOwned::new(connection, stream);
        // Where there is no more room, it may have been cut off by now.
        let _ = stream.write_all(self.request(request, cookie, body).as_bytes());
        stream
    }

    /// The same again and again, as far as the hub takes it.
    pub fn ask_on(&self, request: &str, cookie: &str) -> Tls {
        let mut stream = self.ask(request, cookie, "");
        stream.sock.set_nonblocking(true).expect("a connection that does not wait");
        let request = self.request(request, cookie, "");
        while stream.write_all(request.as_bytes()).is_ok() {}
        stream
    }

    fn request(&self, request: &str, cookie: &str, body: &str) -> String {
        let panel = self.panel;
        let length = body.len() + usize::from(!body.is_empty() && body.bytes().all(|byte| byte.is_ascii_digit()));
        format!(
            "{request} HTTP/1.1\r\nHost: {panel}\r\nOrigin: https://{panel}\r\nCookie: {cookie}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    }

    pub fn head(&self, request: &str, cookie: &str, body: &str) -> String {
        let mut stream = self.ask(request, cookie, body);
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
            head.push(byte[0]);
        }
        String::from_utf8_lossy(&head).into_owned()
    }

    pub fn status(&self, request: &str, cookie: &str, body: &str) -> u16 {
        self.head(request, cookie, body).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Gives the PIN; returns the cookie.
    pub fn unlock(&self) -> String {
        let mut head = String::new();
        wait_until("the PIN is known", || {
            head = self.head("POST /pin", "", &format!("{PANEL_PIN}\n"));
            !head.starts_with("HTTP/1.1 503")
        });
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        cookie.split(';').next().expect("a cookie").to_owned()
    }
}

fn versions() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    builder.with_safe_default_protocol_versions().expect("the versions")
}

/// Takes any certificate.
#[derive(Debug)]
struct Any;

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
