//! Fresh Ed25519 keys, and tokens that a library would not make.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::Ed25519KeyPair;
use sos_hub::wire::tokens::{Signer, Verifier};

pub struct Keys {
    /// PKCS#8 version 2.
    pub private_pem: String,
    pub public_pem: String,
    pub pair: Ed25519KeyPair,
}

impl Keys {
    pub fn fresh() -> Keys {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(key.serialized_der()).unwrap();
        Keys { private_pem: key.serialize_pem(), public_pem: key.public_key_pem(), pair }
    }

    pub fn signer(&self) -> Signer {
        Signer::from_pem(self.private_pem.as_bytes(), "test").unwrap()
    }

    pub fn verifier(&self) -> Verifier {
        Verifier::from_pem(self.public_pem.as_bytes()).unwrap()
    }

    /// The token of these claims, signed as the hub or the center does.
    pub fn token(&self, claims: &serde_json::Value) -> String {
        self.signer().sign(claims.to_string().as_bytes()).unwrap()
    }

    /// A truly signed token of any header and payload.
    pub fn signed(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}
