//! TLS to the center: only its own authority counts, whatever the clock says.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use crate::installation::{Installation, Setup};
use crate::support::mosquitto::{Mosquitto, free_port};

#[test]
fn a_broker_of_another_authority_is_refused_until_ours_is_named() {
    let (own, stranger) = (Authority::new(), Authority::new());
    let files = tempfile::tempdir().expect("a directory");
    let ca_file = files.path().join("ca.pem");
    stranger.write(&ca_file);
    let home = tls_home(&own, 2020, &ca_file, "auto");
    let message = home.app.fault("center_link");
    assert!(message.contains("ca_file"), "{message}");
    assert!(home.center.signals(0).is_empty(), "nothing is said to a stranger");
    own.write(&ca_file);
    home.in_use();
    home.app.accepted("request", "police");
    home.center.alarm(0);
}

#[test]
fn a_certificate_of_the_future_does_not_keep_an_alarm_back_while_the_clock_is_unset() {
    let own = Authority::new();
    let files = tempfile::tempdir().expect("a directory");
    let ca_file = files.path().join("ca.pem");
    own.write(&ca_file);
    let home = tls_home(&own, 2400, &ca_file, "auto");
    home.in_use();
    assert_eq!(home.app.state("any", |_| true)["clock"], "unsynced");
    let incident = home.app.accepted("request", "police");
    home.center.alarm(0);
    home.app.stage(&incident, "acknowledged");
    drop(home);

    // It is authenticated all the same; and a clock that is right is believed.
    Authority::new().write(&ca_file);
    let home = tls_home(&own, 2400, &ca_file, "auto");
    assert!(home.app.fault("center_link").contains("ca_file"));
    drop(home);
    own.write(&ca_file);
    let home = tls_home(&own, 2400, &ca_file, "trusted");
    let message = home.app.fault("center_link");
    assert!(message.contains("not valid yet"), "{message}");
}

#[test]
fn a_certificate_of_countless_names_is_told_of_in_a_state_that_the_homes_broker_takes() {
    let own = Authority::new();
    let files = tempfile::tempdir().expect("a directory");
    let ca_file = files.path().join("ca.pem");
    own.write(&ca_file);
    let names = (0..100).map(|number| format!("{number}.{}.example", "x".repeat(60)));
    let home = tls_home_of(&own, names.collect(), 2020, &ca_file, "auto");
    let since = home.app.mark();
    let message = home.app.fault("center_link");
    assert!(message.contains("another name (") && message.ends_with('…'), "{message}");
    home.app.accepted("silence", r#"{"id": "any"}"#);
    let breaks = home.app.client.heard(since).iter().filter(|one| one.text() == "offline").count();
    assert_eq!(breaks, 0, "the link stays");
}

/// A home whose hub reaches the center by TLS, and may not ask the kernel for the clock. The center's certificate is
/// valid from this year on.
fn tls_home(authority: &Authority, from: i32, ca_file: &Path, clock: &'static str) -> Installation {
    tls_home_of(authority, vec!["127.0.0.1".to_owned()], from, ca_file, clock)
}

/// The same with a certificate for these names, and a broker at home with the shipped one's limit.
fn tls_home_of(
    authority: &Authority,
    names: Vec<String>,
    from: i32,
    ca_file: &Path,
    clock: &'static str,
) -> Installation {
    let plain = free_port();
    let center_broker = Mosquitto::start_with(|dir| {
        let (cert, key) = (dir.join("server.pem"), dir.join("server.key"));
        authority.issue(names, from, &cert, &key);
        let (cert, key) = (cert.display(), key.display());
        format!("allow_anonymous true\ncertfile {cert}\nkeyfile {key}\nlistener {plain} 127.0.0.1")
    });
    let mut home = Installation::new(Setup {
        home: Mosquitto::start("message_size_limit 8192"),
        center_broker,
        center_port: Some(plain),
        center_keys: format!("ca_file = \"{}\"", ca_file.display()),
        clock,
        may_ask_the_clock: false,
        ..Setup::default()
    });
    home.start();
    home
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    fn write(&self, file: &Path) {
        fs::write(file, self.0.pem()).expect("the authority's file");
    }

    fn issue(&self, names: Vec<String>, from: i32, cert_file: &Path, key_file: &Path) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(names).expect("parameters");
        // With the name that is the default, it would pass for the authority itself.
        params.distinguished_name.push(DnType::CommonName, "broker");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(from + 80, 1, 1);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        fs::write(cert_file, certificate.pem()).expect("the certificate");
        fs::write(key_file, key.serialize_pem()).expect("its key");
    }
}
