//! The certificate for HTTPS: of a file, or one of our own making. One that is torn, does not go with its key, lacks a
//! name or comes to its end is made anew, while the panel runs as well.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore, ServerConfig};

use super::keeper::machine_name;
use crate::config::PanelTls;
use crate::controller::moment::Wall;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Phones of Apple take no certificate that is good for more than 825 days.
const GOOD_FOR: Duration = DAY.saturating_mul(824);
/// One that ends sooner is made anew.
const LEFT: Duration = DAY.saturating_mul(30);
/// A phone's clock may be behind.
const BEFORE: Duration = DAY;

/// The wall clock, and whether it may be believed.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub wall: Wall,
    pub is_set: bool,
}

/// What the server shows.
#[derive(Debug)]
pub struct Certificate {
    source: Source,
    shown: RwLock<Arc<CertifiedKey>>,
}

#[derive(Debug)]
enum Source {
    Files { cert_file: PathBuf, key_file: PathBuf },
    SelfMade { state_dir: PathBuf, names: Vec<String>, address: Option<IpAddr> },
}

impl Certificate {
    /// What the configuration asks for; `None`: plain HTTP.
    ///
    /// # Errors
    ///
    /// Why there is none, as the end of a sentence.
    pub fn new(
        tls: &PanelTls,
        listen: SocketAddr,
        hosts: &[String],
        state_dir: &Path,
        now: Now,
    ) -> Result<Option<Arc<Certificate>>, String> {
        let source = match tls {
            PanelTls::Off => return Ok(None),
            PanelTls::Files { cert_file, key_file } => {
                Source::Files { cert_file: cert_file.clone(), key_file: key_file.clone() }
            }
            PanelTls::SelfMade => Source::SelfMade {
                state_dir: state_dir.to_owned(),
                names: names(listen, hosts),
                address: if listen.ip().is_unspecified() { address_of_this_machine() } else { None },
            },
        };
        let shown = RwLock::new(source.load(now)?);
        let certificate = Certificate { source, shown };
        certificate.tell();
        Ok(Some(Arc::new(certificate)))
    }

    /// The settings of a server that shows it.
    ///
    /// # Errors
    ///
    /// Why TLS cannot be set up, as the end of a sentence.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, String> {
        let resolver = Arc::clone(self) as Arc<dyn ResolvesServerCert>;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_no_client_auth().with_cert_resolver(resolver));
        config.map(Arc::new).map_err(|error| format!("TLS cannot be set up ({error})"))
    }

    /// SHA-256 of the certificate as browsers show it, with colons.
    pub fn fingerprint(&self) -> String {
        self.shown().cert.first().map(fingerprint).unwrap_or_default()
    }

    /// Shows what is in the files now, where that is another one; one of our own that comes to its end is made anew.
    pub fn renew(&self, now: Now) {
        // What it shows counts, not what is in the directory: where that cannot be written, the one shown is good still.
        if let Source::SelfMade { names, .. } = &self.source
            && is_good(&self.shown(), names, now).is_ok()
        {
            return;
        }
        match self.source.load(now) {
            Ok(loaded) if loaded.cert != self.shown().cert => {
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = loaded;
                self.tell();
            }
            Ok(_) => {}
            Err(problem) => tracing::warn!("the panel goes on with the certificate that it has: {problem}"),
        }
    }

    fn tell(&self) {
        if matches!(self.source, Source::SelfMade { .. }) {
            let fingerprint = self.fingerprint();
            tracing::info!(topic = "panel", "The panel's certificate has the SHA-256 fingerprint {fingerprint}.");
        }
    }

    fn shown(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }
}

impl Source {
    fn load(&self, now: Now) -> Result<Arc<CertifiedKey>, String> {
        match self {
            Source::Files { cert_file, key_file } => read(cert_file, key_file),
            Source::SelfMade { state_dir, names, address } => {
                let (cert_file, key_file) = (state_dir.join("panel-cert.pem"), state_dir.join("panel-key.pem"));
                let is_first = !cert_file.exists() && !key_file.exists();
                let problem = match read(&cert_file, &key_file).map(|found| (is_good(&found, names, now), found)) {
                    Ok((Ok(()), found)) => {
                        close(&key_file);
                        return Ok(found);
                    }
                    Ok((Err(problem), _)) | Err(problem) => problem,
                };
                if !is_first {
                    tracing::warn!("the panel makes a new certificate, which browsers ask about once more: {problem}");
                }
                let (made, cert_pem, key_pem) = make(names, *address, now.wall)?;
                // The key first: a certificate without its key is seen, and made again.
                let written = write(&key_file, &key_pem).and_then(|()| write(&cert_file, &cert_pem));
                if let Err(error) = written {
                    let dir = state_dir.display();
                    tracing::warn!("the panel's certificate lasts until a restart: {dir} cannot be written ({error})");
                }
                Ok(made)
            }
        }
    }
}

/// The error ends a sentence.
fn read(cert_file: &Path, key_file: &Path) -> Result<Arc<CertifiedKey>, String> {
    let unusable = |file: &Path, error: &dyn std::fmt::Display| format!("{} cannot be used: {error}", file.display());
    let chain: Result<Vec<CertificateDer>, _> =
        CertificateDer::pem_file_iter(cert_file).and_then(|certificates| certificates.collect());
    let chain = chain.map_err(|error| unusable(cert_file, &error))?;
    if chain.is_empty() {
        return Err(unusable(cert_file, &"it holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| unusable(key_file, &error))?;
    let certified = CertifiedKey::from_der(chain, key, &default_provider());
    certified.map(Arc::new).map_err(|error| unusable(cert_file, &error))
}

/// Whether a browser that trusts it would take it, for each name and for some time yet. While the clock is not set,
/// nothing is known of its time.
fn is_good(found: &CertifiedKey, names: &[String], now: Now) -> Result<(), String> {
    let in_words = |error: &dyn std::fmt::Display| format!("the old one is not good ({error})");
    let first = found.cert.first().ok_or_else(|| in_words(&"it is empty"))?;
    let mut roots = RootCertStore::empty();
    roots.add(first.clone()).map_err(|error| in_words(&error))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider())).build();
    let verifier = verifier.map_err(|error| in_words(&error))?;
    let then = UnixTime::since_unix_epoch(since_epoch(now.wall).saturating_add(LEFT));
    for name in names {
        let Ok(name) = ServerName::try_from(name.as_str()) else { continue };
        match verifier.verify_server_cert(first, &[], &name, &[], then) {
            Ok(_) => {}
            Err(rustls::Error::InvalidCertificate(error)) if is_about_time(&error, now) => {}
            Err(error) => return Err(in_words(&error)),
        }
    }
    Ok(())
}

/// Whether the clock of this machine is the likelier to be wrong.
fn is_about_time(error: &CertificateError, now: Now) -> bool {
    match error {
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => true,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => !now.is_set,
        _ => false,
    }
}

/// The certificate, and it and its key in PEM.
fn make(names: &[String], address: Option<IpAddr>, now: Wall) -> Result<(Arc<CertifiedKey>, String, String), String> {
    let failed = |error: &dyn std::fmt::Display| format!("no certificate can be made ({error})");
    let mut names = names.to_vec();
    names.extend(address.map(|address| address.to_string()));
    names.sort();
    names.dedup();
    let mut params = CertificateParams::new(names).map_err(|error| failed(&error))?;
    params.distinguished_name.push(DnType::CommonName, "sos-hub panel");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(now).saturating_sub(BEFORE);
    params.not_after = params.not_before + GOOD_FOR;
    let key = KeyPair::generate().map_err(|error| failed(&error))?;
    let certificate = params.self_signed(&key).map_err(|error| failed(&error))?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let certified = CertifiedKey::from_der(vec![certificate.der().clone()], private, &default_provider());
    Ok((Arc::new(certified.map_err(|error| failed(&error))?), certificate.pem(), key.serialize_pem()))
}

/// The names and addresses that it must be good for.
fn names(listen: SocketAddr, hosts: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !listen.ip().is_unspecified() {
        names.push(listen.ip().to_string());
    }
    names.extend(machine_name().into_iter().flat_map(|name| [format!("{name}.local"), name]));
    names.extend(hosts.iter().cloned());
    names
}

/// The one that others in the network know, as far as this machine does. Another one later makes no new certificate: the
/// name stays.
pub(super) fn address_of_this_machine() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the kernel is asked which way it would take.
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn since_epoch(now: Wall) -> Duration {
    Duration::from_millis(u64::try_from(now.0).unwrap_or(0))
}

/// The old file or the new one, and never a part of it.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let dir = file.parent().unwrap_or(file);
    fs::create_dir_all(dir)?;
    let beside = file.with_extension("new");
    // One that was left behind keeps its mode.
    let _ = fs::remove_file(&beside);
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(&beside, file)?;
    fs::File::open(dir)?.sync_all()
}

/// The key is the hub's alone, whoever put it there.
fn close(key_file: &Path) {
    let is_open = fs::metadata(key_file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if is_open && let Err(error) = fs::set_permissions(key_file, Permissions::from_mode(0o600)) {
        tracing::warn!("others can read {}: it cannot be closed ({error})", key_file.display());
    }
}

fn fingerprint(certificate: &CertificateDer) -> String {
    let hash = digest(&SHA256, certificate);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_anew_before_its_end_while_the_panel_runs() {
        let dir = tempfile::tempdir().unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        let wall = |number: u64| Wall(1_800_000_000_000 + (DAY.as_millis() as i64) * number as i64);
        let day = |number| Now { wall: wall(number), is_set: true };
        let made = Certificate::new(&PanelTls::SelfMade, listen, &[], dir.path(), day(0)).unwrap().unwrap();
        let first = made.fingerprint();
        made.renew(day(790));
        assert_eq!(made.fingerprint(), first);
        // A clock that was lost says nothing, nor does one that nobody has set.
        made.renew(Now { wall: Wall(0), is_set: true });
        made.renew(Now { wall: wall(795), is_set: false });
        assert_eq!(made.fingerprint(), first);
        made.renew(day(795));
        assert_ne!(made.fingerprint(), first);
        let again = Certificate::new(&PanelTls::SelfMade, listen, &[], dir.path(), day(795)).unwrap().unwrap();
        assert_eq!(again.fingerprint(), made.fingerprint());
        let other = Certificate::new(&PanelTls::SelfMade, listen, &["sos.example".to_owned()], dir.path(), day(795));
        assert_ne!(other.unwrap().unwrap().fingerprint(), made.fingerprint(), "it lacks a name");
    }
}
