//! A directory with everything that a `hub.toml` may name.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use tempfile::TempDir;

/// As `openssl genpkey -algorithm ed25519` writes a key, its seed all zeros.
const KEY_OF_OPENSSL: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
-----END PRIVATE KEY-----
";

/// A public key of the same length that is for another purpose.
const KEY_OF_X25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END PUBLIC KEY-----
";

pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new() -> Home {
        let home = Home::new_empty();
        let hub = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        home.write("hub.key", hub.serialize_pem());
        home.write("openssl.key", KEY_OF_OPENSSL);
        home.write("x25519.pub", KEY_OF_X25519);
        home.write("center.pub", KeyPair::generate_for(&PKCS_ED25519).unwrap().public_key_pem());
        let client = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["a-1234".to_owned()]).unwrap().self_signed(&client).unwrap();
        home.write("center-client.key", client.serialize_pem());
        home.write("broker-client.key", client.serialize_pem());
        home.write("panel-key.pem", client.serialize_pem());
        home.write("ecdsa.pub", client.public_key_pem());
        home.write("other.key", KeyPair::generate().unwrap().serialize_pem());
        home.write("broker-client.pem", certificate.pem());
        for name in ["center-client.pem", "center-ca.pem", "home-ca.pem", "camera-ca.pem", "panel-cert.pem"] {
            home.write(name, certificate.pem());
        }
        for name in ["app.password", "center.password", "broker-password", "panel.pin", "camera.password"] {
            home.write(name, "correct horse\n");
        }
        home
    }

    /// A directory with nothing in it.
    pub fn new_empty() -> Home {
        Home { dir: TempDir::new().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file that only its owner may read.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}
