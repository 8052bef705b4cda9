//! How much memory somebody can make the hub take through its panel: all that takes much, at once.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::installation::{Installation, PANEL_PIN, Setup};
use crate::support::wait_until;

/// Beyond the quiet hub, which takes 8 MiB as it is installed. At 64 MiB systemd ends it.
const MOST_KIB: u64 = 44 * 1024;

type Tls = StreamOwned<ClientConnection, TcpStream>;

#[test]
fn all_that_takes_memory_at_once_takes_less_than_the_hub_has() {
    let (pictures, video) = (camera(), camera());
    let cameras: String = (0..8)
        .map(|number| {
            format!("[[camera]]\nname = \"P{number}\"\nurl = \"http://127.0.0.1:{pictures}/{number}.mjpg\"\n")
        })
        .chain((0..4).map(|number| {
            format!("[[camera]]\nname = \"V{number}\"\nurl = \"http://127.0.0.1:{video}/{number}.m3u8\"\n")
        }))
        .collect();
    let mut home = Installation::new(Setup {
        panel_keys: format!("tls = \"self-made\"\n{cameras}"),
        countdown_seconds: 30,
        ..Setup::default()
    });
    let pid = home.start_without_waiting().pid();
    home.in_use();
    let panel = home.panel();
    let certificate = home.state_dir().join("panel-cert.pem");
    wait_until("the certificate", || fs::metadata(&certificate).is_ok() && TcpStream::connect(panel).is_ok());
    let client = Client::new(panel, CertificateDer::from_pem_file(&certificate).expect("the certificate"));
    let quiet = kib(pid, "VmRSS");

    let cookie = client.unlock();
    let mut open: Vec<Tls> = Vec::new();
    // Pages, of browsers that know the PIN and of others; more than there is room for, so that none is left.
    for number in 0..160 {
        open.push(client.ask("GET /updates", if number < 100 { &cookie } else { "" }, ""));
    }
    // Pictures, playlists and pieces of video that nobody reads.
    for number in 0..40 {
        open.push(client.ask(&format!("GET /cameras/{}/picture", number % 8), &cookie, ""));
    }
    for number in 0..8 {
        open.push(client.ask(&format!("GET /cameras/{}/playlist.m3u8", 8 + number % 4), &cookie, ""));
    }
    // Bodies that do not come to their end.
    for _ in 0..40 {
        open.push(client.ask("POST /pin", "", &"1".repeat(4000)));
    }
    let guesses = (0..10).filter(|_| client.status("POST /pin", "", "000000\n") == 403).count();
    assert!(guesses > 0, "a PIN is compared meanwhile");
    let most = kib(pid, "VmHWM");
    println!("{} connections: {quiet} KiB before, {most} KiB at most, {} KiB now", open.len(), kib(pid, "VmRSS"));
    assert!(most - quiet < MOST_KIB, "{most} KiB, {quiet} KiB of them before");
    let phase = client.status("POST /commands/request", &cookie, r#"{"service": "police", "id": "x"}"#);
    assert_eq!(phase, 200, "and help can be asked for");
}

/// A number of the kernel's about a process.
fn kib(pid: i32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

struct Client {
    panel: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Client {
    fn new(panel: SocketAddr, certificate: CertificateDer<'static>) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Client { panel, config: Arc::new(config) }
    }

    /// Sends a request, and reads nothing of the answer. A body that says so ends with a line break; others lack a byte.
    fn ask(&self, request: &str, cookie: &str, body: &str) -> Tls {
        let stream = TcpStream::connect(self.panel).expect("the panel");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::clone(&self.config), name).expect("a connection");
        let mut stream = StreamOwned::new(connection, stream);
        let panel = self.panel;
        let length = body.len() + usize::from(!body.is_empty() && body.starts_with('1'));
        let head = format!(
            "{request} HTTP/1.1\r\nHost: {panel}\r\nOrigin: https://{panel}\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("a request");
        stream
    }

    fn head(&self, request: &str, cookie: &str, body: &str) -> String {
        let mut stream = self.ask(request, cookie, body);
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
            head.push(byte[0]);
        }
        String::from_utf8_lossy(&head).into_owned()
    }

    fn status(&self, request: &str, cookie: &str, body: &str) -> u16 {
        self.head(request, cookie, body).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    fn unlock(&self) -> String {
        let head = self.head("POST /pin", "", PANEL_PIN);
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        cookie.split(';').next().expect("a cookie").to_owned()
    }
}

/// One that gives the largest pictures, the longest playlists and pieces of video without end.
fn camera() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a camera's port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // The hub may go at any time.
            thread::spawn(move || drop(serve(stream)));
        }
    });
    port
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = [0; 2048];
    let length = stream.read(&mut head)?;
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.ends_with(".m3u8") {
        let line = format!("#EXTINF:2,\n{}.ts\n", "x".repeat(50));
        let body = format!("#EXTM3U\n{}", line.repeat(490));
        let kind = "application/vnd.apple.mpegurl";
        let length = body.len();
        return write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
    }
    write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")?;
    let picture = vec![7; 1_000_000];
    loop {
        write!(stream, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len())?;
        stream.write_all(&picture)?;
        crate::support::pace(Duration::from_millis(100));
    }
}
