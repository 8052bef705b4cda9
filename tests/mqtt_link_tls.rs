//! The MQTT link's TLS, against a real mosquitto.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use sos_hub::controller::input::LinkProblemKind;
use sos_hub::drivers::mqtt::{ClientCertificate, LinkSettings, TlsSettings};
use support::link::{settings, start};
use support::mosquitto::{Mosquitto, free_port};

#[test]
fn tls_takes_the_pinned_authority_alone() {
    let own = Authority::new();
    let stranger = Authority::new();
    let broker = tls_broker(&own, valid(), "");
    let ca_file = broker.dir().join("hub-ca.pem");
    stranger.write(&ca_file);
    let (_link, heard) = start(tls_settings(broker.port(), ca_file.clone(), true));
    let problem = heard.down();
    assert_eq!(problem.kind, LinkProblemKind::Tls);
    assert!(problem.detail.contains("unknown issuer"), "{}", problem.detail);
    own.write(&ca_file);
    heard.up();
}

#[test]
fn tls_wants_the_certificate_to_be_for_the_host() {
    let authority = Authority::new();
    let broker = tls_broker(&authority, Leaf { name: "elsewhere.example", ..valid() }, "");
    let (_link, heard) = start(tls_settings(broker.port(), broker.dir().join("ca.pem"), false));
    let problem = heard.down();
    assert_eq!(problem.kind, LinkProblemKind::Tls);
    assert!(problem.detail.contains("elsewhere.example"), "{}", problem.detail);
}

#[test]
fn mutual_tls_shows_our_certificate() {
    let authority = Authority::new();
    let broker = tls_broker(&authority, valid(), "require_certificate true\nuse_identity_as_username true\n");
    let ca_file = broker.dir().join("ca.pem");
    let (_without, heard) = start(tls_settings(broker.port(), ca_file.clone(), true));
    assert!(matches!(heard.down().kind, LinkProblemKind::Tls | LinkProblemKind::Unreachable));

    let (cert_file, key_file) = (broker.dir().join("client.pem"), broker.dir().join("client.key"));
    authority.issue(&Leaf { name: "hub.example", ..valid() }, &cert_file, &key_file);
    let client = Some(ClientCertificate { cert_file, key_file });
    let tls = Some(TlsSettings { ca_file, client });
    let (_with, heard) = start(LinkSettings { tls, client_id: "with".into(), ..settings(broker.port()) });
    heard.up();
}

#[test]
fn an_expired_certificate_is_refused_whatever_the_clock() {
    let authority = Authority::new();
    let broker = tls_broker(&authority, Leaf { years: (2001, 2002), ..valid() }, "");
    for clock_trusted in [true, false] {
        let (_link, heard) = start(tls_settings(broker.port(), broker.dir().join("ca.pem"), clock_trusted));
        let problem = heard.down();
        assert_eq!(problem.kind, LinkProblemKind::Tls);
        assert!(problem.detail.contains("expired"), "{}", problem.detail);
    }
}

#[test]
fn a_certificate_of_the_future_is_taken_only_while_the_clock_is_not_trusted() {
    let authority = Authority::new();
    let broker = tls_broker(&authority, Leaf { years: (2400, 2401), ..valid() }, "");
    let (_link, heard) = start(tls_settings(broker.port(), broker.dir().join("ca.pem"), false));
    heard.up();
    let (_link, heard) = start(tls_settings(broker.port(), broker.dir().join("ca.pem"), true));
    let problem = heard.down();
    assert_eq!(problem.kind, LinkProblemKind::Tls);
    assert!(problem.detail.contains("not valid yet"), "{}", problem.detail);
}

#[test]
fn a_certificate_of_the_future_still_needs_the_pinned_authority_and_the_name() {
    let (own, stranger) = (Authority::new(), Authority::new());
    for (issuer, name, said) in
        [(&stranger, "127.0.0.1", "unknown issuer"), (&own, "elsewhere.example", "elsewhere.example")]
    {
        let broker = tls_broker(issuer, Leaf { years: (2400, 2401), name }, "");
        let ca_file = broker.dir().join("hub-ca.pem");
        own.write(&ca_file);
        let (_link, heard) = start(tls_settings(broker.port(), ca_file, false));
        let problem = heard.down();
        assert_eq!(problem.kind, LinkProblemKind::Tls);
        assert!(problem.detail.contains(said), "{}", problem.detail);
    }
}

#[test]
fn an_unusable_file_is_a_problem_of_the_configuration_that_names_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let ca_file = dir.path().join("ca.pem");
    fs::write(&ca_file, "no certificate").expect("the CA file");
    let (_link, heard) = start(tls_settings(free_port(), ca_file.clone(), true));
    let problem = heard.down();
    assert_eq!(problem.kind, LinkProblemKind::Configuration);
    assert!(problem.detail.contains(&ca_file.display().to_string()), "{}", problem.detail);
}

// Certificates.

struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Leaf {
    name: &'static str,
    years: (i32, i32),
}

fn valid() -> Leaf {
    Leaf { name: "127.0.0.1", years: (2020, 2090) }
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA"))
    }

    fn write(&self, file: &Path) {
        fs::write(file, self.0.pem()).expect("the CA file");
    }

    fn issue(&self, leaf: &Leaf, cert_file: &Path, key_file: &Path) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![leaf.name.to_owned()]).expect("parameters");
        // With the name that is the default, it would pass for the authority itself.
        params.distinguished_name.push(DnType::CommonName, leaf.name);
        params.not_before = date_time_ymd(leaf.years.0, 1, 1);
        params.not_after = date_time_ymd(leaf.years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        fs::write(cert_file, certificate.pem()).expect("the certificate file");
        fs::write(key_file, key.serialize_pem()).expect("the key file");
    }
}

fn tls_broker(authority: &Authority, leaf: Leaf, lines: &str) -> Mosquitto {
    Mosquitto::start_with(|dir| {
        let file = |name: &str| dir.join(name);
        authority.write(&file("ca.pem"));
        authority.issue(&leaf, &file("server.pem"), &file("server.key"));
        format!(
            "allow_anonymous true\ncafile {}\ncertfile {}\nkeyfile {}\n{lines}",
            file("ca.pem").display(),
            file("server.pem").display(),
            file("server.key").display()
        )
    })
}

fn tls_settings(port: u16, ca_file: PathBuf, clock_trusted: bool) -> LinkSettings {
    LinkSettings {
        tls: Some(TlsSettings { ca_file, client: None }),
        clock_trusted: Arc::new(move || clock_trusted),
        ..settings(port)
    }
}
