//! The certificate for HTTPS: of a file, or one of our own making.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::keeper::machine_name;
use crate::config::PanelTls;

/// What the server shows.
pub struct Tls {
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate as browsers show it, with colons.
    pub fingerprint: String,
}

/// What the configuration asks for; `None`: plain HTTP. The error ends a sentence.
pub fn server_config(
    tls: &PanelTls,
    listen: SocketAddr,
    hosts: &[String],
    state_dir: &Path,
) -> Result<Option<Tls>, String> {
    let (cert_file, key_file) = match tls {
        PanelTls::Off => return Ok(None),
        PanelTls::Files { cert_file, key_file } => (cert_file.clone(), key_file.clone()),
        PanelTls::SelfMade => {
            let (cert_file, key_file) = (state_dir.join("panel-cert.pem"), state_dir.join("panel-key.pem"));
            if !(cert_file.exists() && key_file.exists()) {
                make(&cert_file, &key_file, listen, hosts)?;
            }
            (cert_file, key_file)
        }
    };
    let unreadable = |file: &Path, error: &dyn std::fmt::Display| format!("{} cannot be used: {error}", file.display());
    let chain: Result<Vec<CertificateDer>, _> =
        CertificateDer::pem_file_iter(&cert_file).and_then(|certificates| certificates.collect());
    let chain = chain.map_err(|error| unreadable(&cert_file, &error))?;
    let Some(first) = chain.first() else { return Err(unreadable(&cert_file, &"it holds no certificate")) };
    let fingerprint = fingerprint(first);
    let key = PrivateKeyDer::from_pem_file(&key_file).map_err(|error| unreadable(&key_file, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unreadable(&cert_file, &error))?;
    if *tls == PanelTls::SelfMade {
        tracing::info!(topic = "panel", "The panel's certificate has the SHA-256 fingerprint {fingerprint}.");
    }
    Ok(Some(Tls { config: Arc::new(config), fingerprint }))
}

/// Without an end that anybody sees: nobody renews it, and the clock of a machine without a clock chip says nothing.
fn make(cert_file: &Path, key_file: &Path, listen: SocketAddr, hosts: &[String]) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("no certificate can be made ({error})");
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !listen.ip().is_unspecified() {
        names.push(listen.ip().to_string());
    }
    names.extend(machine_name().into_iter().flat_map(|name| [format!("{name}.local"), name]));
    names.extend(hosts.iter().cloned());
    names.sort();
    names.dedup();
    let mut params = CertificateParams::new(names).map_err(|error| failed(&error))?;
    params.distinguished_name.push(DnType::CommonName, "sos-hub panel");
    let key = KeyPair::generate().map_err(|error| failed(&error))?;
    let certificate = params.self_signed(&key).map_err(|error| failed(&error))?;
    write(key_file, &key.serialize_pem()).and_then(|()| write(cert_file, &certificate.pem())).map_err(|error| {
        let dir = cert_file.parent().unwrap_or(cert_file);
        format!("its certificate cannot be written into {} ({error})", dir.display())
    })
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()
}

fn fingerprint(certificate: &CertificateDer) -> String {
    let hash = digest(&SHA256, certificate);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}
