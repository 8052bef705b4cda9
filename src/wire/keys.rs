//! Key pairs for tokens, as the text of PEM files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use super::tokens::KeyProblem;

/// What stands before the 32 bytes of a private key in PKCS#8 version 1 (RFC 8410), the form that OpenSSL writes.
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// What stands before the 32 bytes of a public key in SPKI (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 key pair.
pub struct KeyPair {
    /// PKCS#8, not encrypted.
    pub private_pem: String,
    /// SPKI.
    pub public_pem: String,
}

/// The key pair that these 32 bytes are the secret of; they must be random, and nobody else's.
pub fn key_pair(secret: &[u8; 32]) -> KeyPair {
    let pair = Ed25519KeyPair::from_seed_unchecked(secret).expect("every 32 bytes are a secret of Ed25519");
    KeyPair {
        private_pem: pem("PRIVATE KEY", &PKCS8, secret),
        public_pem: pem("PUBLIC KEY", &SPKI, pair.public_key().as_ref()),
    }
}

/// The public half (SPKI in PEM) of a private key: PKCS#8 in PEM, of version 1 (OpenSSL's) or 2.
pub fn public_pem(private_pem: &[u8]) -> Result<String, KeyProblem> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(private_pem).map_err(|_| KeyProblem::NoPrivateKey)?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
    let pair = pair.map_err(|_| KeyProblem::NotEd25519)?;
    Ok(pem("PUBLIC KEY", &SPKI, pair.public_key().as_ref()))
}

/// Both kinds fit in one line of PEM's 64 characters.
fn pem(label: &str, before: &[u8], key: &[u8]) -> String {
    let base64 = STANDARD.encode([before, key].concat());
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tokens::{Signer, Verifier};

    #[test]
    fn what_the_private_key_signs_the_public_one_verifies_and_no_other() {
        let (ours, other) = (key_pair(&[7; 32]), key_pair(&[8; 32]));
        let token = Signer::from_pem(ours.private_pem.as_bytes(), "k").unwrap().sign(br#"{"a":1}"#).unwrap();
        let verify = |pair: &KeyPair| Verifier::from_pem(pair.public_pem.as_bytes()).unwrap().verify(token.as_bytes());
        assert_eq!(verify(&ours).unwrap(), r#"{"a":1}"#);
        assert!(verify(&other).is_err());
    }

    #[test]
    fn the_pair_is_the_one_of_rfc_8410() {
        // Its sections 10.1 and 10.3.
        let pair = key_pair(b"\xd4\xee\x72\xdb\xf9\x13\x58\x4a\xd5\xb6\xd8\xf1\xf7\x69\xf8\xad\x3a\xfe\x7c\x28\xcb\xf1\xd4\xfb\xe0\x97\xa8\x8f\x44\x75\x58\x42");
        assert!(pair.private_pem.contains("\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"));
        assert_eq!(public_pem(pair.private_pem.as_bytes()).unwrap(), pair.public_pem);
        assert!(pair.public_pem.contains("\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"));
    }
}
