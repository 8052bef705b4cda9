//! The certificate that the hub makes for itself: what phones ask of it, and what becomes of one that is no good.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sos_hub::config::PanelTls;
use sos_hub::drivers::clock;

use crate::alone::Alone;
use crate::installation::PANEL_PIN;
use crate::support::wait_until;

/// What it makes of a file's text.
type Damage<'a> = &'a dyn Fn(&str) -> String;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn home() -> Alone {
    Alone::with(Vec::new(), PanelTls::SelfMade)
}

fn read(dir: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(dir.join("state/panel-cert.pem")).expect("the certificate")
}

/// Whether a browser that trusts this certificate comes in.
fn is_served(panel: SocketAddr, certificate: &CertificateDer<'static>) -> bool {
    connect(panel, certificate).write_all(b"GET / HTTP/1.1\r\n").is_ok()
}

fn connect(panel: SocketAddr, certificate: &CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    StreamOwned::new(connection, TcpStream::connect(panel).expect("the panel"))
}

/// The answer to a request of the panel's own page over HTTPS.
fn ask(home: &Alone, request: &str, cookie: &str, body: &str) -> String {
    let (panel, length) = (home.address, body.len());
    let mut stream = connect(panel, &read(home.dir()));
    let head = format!(
        "{request} HTTP/1.1\r\nHost: {panel}\r\nOrigin: https://{panel}\r\nConnection: close\r\nCookie: {cookie}\r\n"
    );
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").expect("a request");
    let mut answer = Vec::new();
    // The panel may end the connection without the last words of TLS.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether such a browser would take it for this name then.
fn is_good(certificate: &CertificateDer<'static>, name: &str, then: SystemTime) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
    let verifier = verifier.build().expect("a verifier");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let then = UnixTime::since_unix_epoch(then.duration_since(UNIX_EPOCH).expect("a time"));
    verifier.verify_server_cert(certificate, &[], &name, &[], then).is_ok()
}

#[test]
fn what_the_hub_makes_is_what_phones_ask_for() {
    let home = home();
    let certificate = read(home.dir());
    assert!(is_served(home.address, &certificate));
    let now = UNIX_EPOCH + Duration::from_millis(clock::wall().0.unsigned_abs());
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    let machine = format!("{}.local", machine.trim());
    for name in ["localhost", "127.0.0.1", "::1", &machine] {
        // A machine whose name has dots has none of its own in the network.
        assert!(is_good(&certificate, name, now) || machine.trim_end_matches(".local").contains('.'), "{name}");
    }
    assert!(is_good(&certificate, "localhost", now - DAY / 2), "a phone's clock may be behind");
    assert!(is_good(&certificate, "localhost", now + 822 * DAY));
    assert!(!is_good(&certificate, "localhost", now + 824 * DAY), "Apple's phones take at most 825 days");
    // extKeyUsage with serverAuth alone, by their object identifiers.
    let usage = b"\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    assert!(certificate.windows(usage.len()).any(|window| window == usage), "Apple's phones want serverAuth");
}

#[test]
fn the_cookie_over_https_has_a_name_that_plain_http_does_not_need() {
    let home = home();
    let mut answer = String::new();
    wait_until("the PIN has been read", || {
        answer = ask(&home, "POST /pin", "", PANEL_PIN);
        !answer.starts_with("HTTP/1.1 503")
    });
    let line = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap_or(&answer);
    // Browsers let no page on plain HTTP replace a secure one.
    assert!(line.starts_with("__Host-sos_panel=") && line.contains("; Secure"), "{line}");
    let cookie = line.split(';').next().expect("a cookie");
    let both = format!("sos_panel=of_before; {cookie}");
    for (cookie, status) in [(cookie, "200"), (&both, "200"), ("sos_panel=of_before", "401")] {
        let answer = ask(&home, "GET /history.json", cookie, "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{cookie}: {answer}");
    }
}

#[test]
fn a_torn_certificate_or_one_without_its_key_is_made_anew() {
    let mut home = home();
    let other = KeyPair::generate().expect("a key").serialize_pem();
    let damages: [(&str, Damage); 5] = [
        ("panel-cert.pem", &|_| String::new()),
        ("panel-cert.pem", &|pem| pem[..pem.len() / 2].to_owned()),
        ("panel-key.pem", &|_| String::new()),
        ("panel-key.pem", &|pem| pem[..pem.len() / 2].to_owned()),
        ("panel-key.pem", &|_| other.clone()),
    ];
    for (name, damage) in damages {
        let before = read(home.dir());
        home = home.again(|dir| {
            let file = dir.join("state").join(name);
            let pem = fs::read_to_string(&file).expect("a file");
            fs::write(&file, damage(&pem)).expect("a file");
        });
        let now = read(home.dir());
        assert_ne!(now, before, "{name}");
        assert!(is_served(home.address, &now), "{name}");
    }
    let before = read(home.dir());
    let home = home.again(|_| {});
    assert_eq!(read(home.dir()), before, "one that is good stays");
}

#[test]
fn the_key_is_the_hubs_alone() {
    let home = home();
    let key = home.dir().join("state/panel-key.pem");
    let mode = || fs::metadata(&key).expect("the key").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    let home = home.again(|dir| {
        let key = dir.join("state/panel-key.pem");
        fs::set_permissions(key, Permissions::from_mode(0o644)).expect("another mode");
    });
    let key = home.dir().join("state/panel-key.pem");
    wait_until("it is closed again", || fs::metadata(&key).is_ok_and(|found| found.permissions().mode() & 0o077 == 0));
}

#[test]
fn a_certificate_that_ends_is_made_anew_and_one_that_has_not_begun_is_kept() {
    let names = || -> Vec<String> {
        let machine = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        let machine = machine.trim();
        ["localhost", "127.0.0.1", "::1", machine, &format!("{machine}.local")].map(str::to_owned).to_vec()
    };
    let put = |dir: &Path, from: i32, to: i32| {
        let mut params = CertificateParams::new(names()).expect("names");
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(dir.join("state/panel-cert.pem"), certificate.pem()).expect("the certificate");
        fs::write(dir.join("state/panel-key.pem"), key.serialize_pem()).expect("the key");
        certificate.der().clone()
    };
    let mut old = None;
    let home = home().again(|dir| old = Some(put(dir, 2020, 2022)));
    let renewed = read(home.dir());
    assert_ne!(Some(&renewed), old.as_ref());
    assert!(is_served(home.address, &renewed));
    // It is rather the clock of this machine that is wrong.
    let mut young = None;
    let home = home.again(|dir| young = Some(put(dir, 2090, 2092)));
    assert_eq!(Some(read(home.dir())), young);
}
