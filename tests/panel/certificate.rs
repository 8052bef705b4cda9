//! The certificate that the hub makes for itself: what phones ask of it, and what becomes of one that is no good.

use std::fs::{self, Permissions};
use std::io::Write;
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
use crate::http::{get, unlock};
use crate::installation::PANEL_PIN;
use crate::support::wait_until;
use crate::tls::Client;

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
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut stream = StreamOwned::new(connection, TcpStream::connect(panel).expect("the panel"));
    stream.write_all(b"GET / HTTP/1.1\r\n").is_ok()
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

#[test]
fn a_certificate_of_1970_is_made_anew_as_soon_as_the_clock_is_set() {
    let since_1970 = clock::wall().0 / (24 * 60 * 60 * 1000);
    let home = Alone::unset(-since_1970, |dir| fs::create_dir(dir.join("state")).expect("a directory"));
    let old = read(home.dir());
    let now = || UNIX_EPOCH + Duration::from_millis(clock::wall().0.unsigned_abs());
    assert!(!is_good(&old, "localhost", now()));
    home.hub.set_the_clock();
    let new = read(home.dir());
    assert!(is_good(&new, "localhost", now()));
    assert!(is_served(home.address, &new));
}

#[test]
fn where_nothing_can_be_written_the_certificate_is_looked_at_and_stays_the_same() {
    // A file instead of the directory keeps root out too.
    let home = Alone::unset(0, |dir| fs::write(dir.join("state"), "").expect("a file"));
    let shown = Client::certificate(home.address);
    home.hub.set_the_clock();
    assert_eq!(Client::certificate(home.address), shown);
}

#[test]
fn the_cookie_over_https_is_another_one_and_for_https_alone() {
    let home = home();
    let client = Client::new(home.address, &home.dir().join("state"));
    let mut head = String::new();
    wait_until("the PIN has been read", || {
        head = client.head("POST /pin", "", &format!("{PANEL_PIN}\n"));
        !head.starts_with("HTTP/1.1 503")
    });
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    assert!(cookie.starts_with("__Host-sos_panel="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/;", "Secure"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let pair = cookie.split(';').next().expect("a pair").to_owned();
    assert_eq!(client.status("GET /history.json", &pair, ""), 200);
    let renamed = pair.replace("__Host-", "");
    assert_eq!(client.status("GET /history.json", &renamed, ""), 200, "who was let in before there was HTTPS stays in");
    // Without HTTPS the browser sends no secure cookie, and lets no page replace it: there it has another name.
    let plain = Alone::start();
    let cookie = unlock(plain.address);
    assert!(cookie.starts_with("sos_panel="), "{cookie}");
    let both = format!("__Host-sos_panel=old; {cookie}");
    assert_eq!(get(plain.address, "/history.json", &both).status, 200);
}
