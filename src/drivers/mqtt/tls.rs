//! TLS with a pinned authority, which works before the clock is set.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};

use super::problem::{configuration, read_file};
use super::{ClientCertificate, TlsSettings};
use crate::controller::input::LinkProblem;

/// A leaf and the authorities between it and the root; each can have a later beginning than the one before.
const LONGEST_CHAIN: usize = 8;

type ClockTrusted = Arc<dyn Fn() -> bool + Send + Sync>;

/// Reads the files and puts the configuration of one connection together.
pub fn client_config(settings: &TlsSettings, clock_trusted: &ClockTrusted) -> Result<ClientConfig, LinkProblem> {
    let provider = Arc::new(ring::default_provider());
    let verifier =
        Verifier { inner: pinned_verifier(&settings.ca_file, &provider)?, clock_trusted: Arc::clone(clock_trusted) };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| configuration(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match &settings.client {
        None => Ok(builder.with_no_client_auth()),
        Some(ClientCertificate { cert_file, key_file }) => {
            let chain = read_certificates("client certificate", cert_file)?;
            let key = PrivateKeyDer::from_pem_slice(&read_file("client key", key_file)?).map_err(|error| {
                configuration(format!(
                    "the client key file {} holds no private key in PEM: {error}",
                    key_file.display()
                ))
            })?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                configuration(format!(
                    "the client key in {} cannot be used with the certificate in {}: {error}",
                    key_file.display(),
                    cert_file.display()
                ))
            })
        }
    }
}

fn pinned_verifier(ca_file: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, LinkProblem> {
    let unusable = |error: &dyn std::fmt::Display| {
        configuration(format!("the CA file {} is unusable: {error}", ca_file.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates("CA", ca_file)? {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| unusable(&error))
}

/// All certificates of a PEM file, at least one.
fn read_certificates(what: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, LinkProblem> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read_file(what, file)?).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(configuration(format!("the {what} file {} holds no certificate in PEM", file.display())))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(configuration(format!("the {what} file {} is damaged: {error}", file.display()))),
    }
}

/// The ordinary verifier, but for one thing: a machine without a clock chip starts in the past, and an alarm cannot
/// wait for the clock. So while the clock is not trusted, a certificate that is not valid *yet* is judged as of its
/// first moment. Issuer, signatures and name count all the same, and one that has expired by our clock stays refused.
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    clock_trusted: ClockTrusted,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |time| self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, time);
        let mut verdict = verify(now);
        for _ in 0..LONGEST_CHAIN {
            match verdict {
                Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }))
                    if !(self.clock_trusted)() =>
                {
                    verdict = verify(not_before);
                }
                _ => break,
            }
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}
