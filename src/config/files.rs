//! The files that a configuration names: whether they are there, may be read and hold what is wanted. What they hold
//! is not kept: it is read again where it is used, so that a renewed certificate needs no restart.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ring::signature::Ed25519KeyPair;
use rustls::RootCertStore;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::reader::Value;

/// The bundle of all public authorities has a quarter of it.
const LIMIT: u64 = 1024 * 1024;

/// What is said of a file that is there for other users.
pub(super) const UNREADABLE: &str = "which this user may not read";

/// What comes before the 32 bytes of an Ed25519 public key in SPKI (RFC 8410).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 private key, PKCS#8 in PEM.
pub fn ed25519_private_key(value: &Value) -> Result<PathBuf, String> {
    let path = value.input_path()?;
    let advice = "make one with `openssl genpkey -algorithm ed25519`";
    let key = section(&path, SectionKind::PrivateKey, "PRIVATE KEY", advice)?;
    match Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key) {
        Ok(_) => Ok(path),
        Err(_) => Err(format!("names {}, which is no Ed25519 key: {advice}", path.display())),
    }
}

/// An Ed25519 public key, SPKI in PEM.
pub fn ed25519_public_key(value: &Value) -> Result<PathBuf, String> {
    let path = value.input_path()?;
    let advice = "take the center.pub that the monitoring center gave out";
    let key = section(&path, SectionKind::PublicKey, "PUBLIC KEY", advice)?;
    if key.len() == ED25519_SPKI.len() + 32 && key.starts_with(&ED25519_SPKI) {
        Ok(path)
    } else {
        Err(format!("names {}, which is no Ed25519 key: {advice}", path.display()))
    }
}

/// Certificates in PEM that a broker's certificate is checked against.
pub fn authorities(value: &Value) -> Result<PathBuf, String> {
    let path = value.input_path()?;
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(certificates(&path)?);
    if usable == 0 {
        return Err(format!("names {}, which holds no certificate that can be used: export it again", path.display()));
    }
    Ok(path)
}

/// The certificate in PEM, with its chain, that a broker is shown.
pub fn certificate(value: &Value) -> Result<PathBuf, String> {
    let path = value.input_path()?;
    certificates(&path)?;
    Ok(path)
}

/// The private key in PEM that belongs to such a certificate.
pub fn private_key(value: &Value) -> Result<PathBuf, String> {
    let path = value.input_path()?;
    key_of(&path)?;
    Ok(path)
}

/// Whether certificate and key, each good in itself, belong together.
pub fn belong_together(certificate: &Path, key: &Path) -> Result<(), String> {
    let provider = rustls::crypto::ring::default_provider();
    let shown = certificate.display();
    match CertifiedKey::from_der(certificates(certificate)?, key_of(key)?, &provider) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(format!("doesn't go with the certificate {shown}: take the key that it was made for"))
        }
        Err(error) => Err(format!("can't be used with the certificate {shown} ({error}): have both made again")),
    }
}

/// A file with one line of text: a password, a PIN.
pub fn secret(value: &Value) -> Result<PathBuf, String> {
    let path = value.input_path()?;
    let bytes = read(&path)?;
    let text = str::from_utf8(&bytes).unwrap_or_default();
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.contains(['\n', '\0']) {
        return Err(format!("names {}, which must hold the secret as one line of UTF-8 text", path.display()));
    }
    Ok(path)
}

/// How many characters the secret in a file has.
pub fn length_of_secret(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.trim().chars().count())
}

/// Whether something that is no directory is in a directory's place. The hub runs without it and says so; a missing one
/// is made.
pub fn is_no_directory(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_dir())
}

/// Whether every user of the machine may read it.
pub fn is_open_to_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    found.ok().filter(|list| !list.is_empty()).ok_or_else(|| {
        format!("names {}, which holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", path.display())
    })
}

fn key_of(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| {
        format!("names {}, which holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", path.display())
    })
}

/// The first section of this kind in a PEM file.
fn section(path: &Path, wanted: SectionKind, label: &str, advice: &str) -> Result<Vec<u8>, String> {
    let bytes = read(path)?;
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(&bytes).flatten();
    sections
        .find(|(kind, _)| *kind == wanted)
        .map(|(_, der)| der)
        .ok_or_else(|| format!("names {}, which holds no -----BEGIN {label}----- in PEM: {advice}", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let refuse = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("names {shown}, which does not exist: put the file there or correct the path")
        }
        io::ErrorKind::PermissionDenied => {
            format!("names {shown}, {UNREADABLE}: try with sudo; the service's own user has to read it")
        }
        _ => format!("names {shown}, which can't be read ({error}): correct that or the path"),
    };
    // Looked at first: to open a pipe would wait for a writer.
    if !fs::metadata(path).map_err(refuse)?.is_file() {
        return Err(format!("names {shown}, which is no plain file: correct the path"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes)).map_err(refuse)?;
    if bytes.len() as u64 > LIMIT {
        return Err(format!("names {shown}, which is larger than {} KiB: correct the path", LIMIT / 1024));
    }
    Ok(bytes)
}
