//! An authority of the test's own, and what it has signed.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sos_hub::drivers::mqtt::ClientCertificate;

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    pub fn write(&self, path: &Path) -> PathBuf {
        fs::write(path, self.0.pem()).expect("the authority's certificate");
        path.to_owned()
    }

    /// A certificate with this common name, for this machine, as `dir/NAME.pem` with its key beside it.
    pub fn issue(&self, common_name: &str, dir: &Path, name: &str) -> ClientCertificate {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, common_name);
        let key = KeyPair::generate().expect("a key");
        let (cert_file, key_file) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        fs::write(&cert_file, params.signed_by(&key, &self.0).expect("a certificate").pem()).expect("the certificate");
        fs::write(&key_file, key.serialize_pem()).expect("the certificate's key");
        ClientCertificate { cert_file, key_file }
    }
}
