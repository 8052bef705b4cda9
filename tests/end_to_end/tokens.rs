//! Keys and compact JWS (RFC 7515, RFC 8037) of the tests' own, so that a mistake of the hub's is not made twice.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

/// An Ed25519 key.
pub struct Key {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl Key {
    pub fn generate() -> Key {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).expect("randomness");
        Key { seed, pair: Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key") }
    }

    /// From PKCS#8 as OpenSSL writes it.
    pub fn from_pem(pem: &str) -> Key {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = BASE64_STANDARD.decode(body).expect("a PEM file");
        let seed: [u8; 32] = der[16..48].try_into().expect("a seed");
        Key { seed, pair: Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key") }
    }

    /// PKCS#8 as OpenSSL writes it (RFC 8410).
    pub fn private_pem(&self) -> String {
        pem("PRIVATE KEY", &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20], &self.seed)
    }

    /// SPKI.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0], self.public())
    }

    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with_header(&json!({"alg": "EdDSA", "typ": "JWT", "kid": "center"}), claims)
    }

    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", part(header), part(claims));
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes())))
    }
}

/// The claims of a token as the contract wants it, signed by the owner of this public key; or what is wrong with it.
pub fn verify(token: &[u8], public: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(token).map_err(|_| "no UTF-8")?;
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err(format!("{} parts", parts.len())) };
    let bytes = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|error| format!("{part}: {error}"));
    let object = |part: &str| serde_json::from_slice::<Value>(&bytes(part)?).map_err(|error| error.to_string());
    let said = object(header)?;
    if said["alg"] != "EdDSA" || said["typ"] != "JWT" || !said["kid"].is_string() {
        return Err(format!("the header {said}"));
    }
    let signed = &text[..header.len() + 1 + claims.len()];
    UnparsedPublicKey::new(&ED25519, public)
        .verify(signed.as_bytes(), &bytes(signature)?)
        .map_err(|_| "the signature".to_owned())?;
    object(claims)
}

/// The same token with one claim changed and the signature left as it was.
pub fn altered(token: &str, claim: &str, value: Value) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[1]).expect("base64")).expect("claims");
    claims[claim] = value;
    format!("{}.{}.{}", parts[0], part(&claims), parts[2])
}

/// A token that says of itself that it needs no signature.
pub fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(claims))
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn pem(label: &str, prefix: &[u8], key: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode([prefix, key].concat()))
}
