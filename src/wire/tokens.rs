//! Signed tokens: compact JWS (RFC 7515) with Ed25519 (RFC 8037), and no other algorithm. Times within a token are not
//! judged here: the hub's clock may be wrong, and only the controller knows whether to believe it.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier as Verify};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use serde_json::value::RawValue;

use super::text::json;

/// The largest token that is looked at, in bytes.
pub const MAX_BYTES: usize = 8192;

/// Why a text is no key for tokens. To be put after the file's name: "/etc/sos-hub/hub.key holds no …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("holds no unencrypted PKCS#8 private key in PEM; make one with `openssl genpkey -algorithm ed25519`")]
    NoPrivateKey,
    #[error("holds no public key in PEM; draw it from the private one with `openssl pkey -pubout`")]
    NoPublicKey,
    #[error("holds a key, but not a sound Ed25519 one; make one with `openssl genpkey -algorithm ed25519`")]
    NotEd25519,
}

/// Why a text is no token of the expected signer. To be put after "the token".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    #[error("is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("is not a compact JWS whose header and claims are JSON objects")]
    NotAToken,
    #[error("is not signed with EdDSA")]
    Algorithm,
    #[error("does not carry the signature of the expected key")]
    Signature,
    #[error("has a header that asks for something unknown (crit or typ)")]
    Header,
}

/// Signs with one private key.
pub struct Signer {
    pair: Ed25519KeyPair,
    /// Encoded, with the dot after it: the same for every token.
    header: String,
}

impl Signer {
    /// Takes the text of a PEM file with a PKCS#8 key of version 1 (OpenSSL's) or 2. `kid` names the key to people who
    /// look into a token; nobody trusts it.
    pub fn from_pem(pem: &[u8], kid: &str) -> Result<Signer, KeyProblem> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| KeyProblem::NoPrivateKey)?;
        // Of version 1, which has no public part to compare with, or 2.
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map_err(|_| KeyProblem::NotEd25519)?;
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        Ok(Signer { pair, header: URL_SAFE_NO_PAD.encode(json(&header)) + "." })
    }

    /// The token of these claims, a JSON object.
    pub fn sign(&self, claims: &[u8]) -> Result<String, TokenProblem> {
        let claims: &RawValue = serde_json::from_slice(claims).map_err(|_| TokenProblem::NotAToken)?;
        if !claims.get().starts_with('{') {
            return Err(TokenProblem::NotAToken);
        }
        // The library would read the key anew, and draw its public part, for each of thousands a second.
        let mut token = self.header.clone();
        URL_SAFE_NO_PAD.encode_string(claims.get(), &mut token);
        let signature = self.pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// Verifies what one public key's owner has signed. Small: a center holds one for each of its accounts.
#[derive(Clone)]
pub struct Verifier {
    key: [u8; KEY_BYTES],
}

const KEY_BYTES: usize = 32;

impl Verifier {
    /// Takes the text of a PEM file with a public key (SPKI).
    pub fn from_pem(pem: &[u8]) -> Result<Verifier, KeyProblem> {
        /// What stands before the 32 bytes of a key: RFC 8410 leaves no choice.
        const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| KeyProblem::NoPublicKey)?;
        let key = der.strip_prefix(&ED25519_SPKI).ok_or(KeyProblem::NotEd25519)?;
        Ok(Verifier { key: key.try_into().map_err(|_| KeyProblem::NotEd25519)? })
    }

    /// The claims of a token that the key's owner has signed: the text of a JSON object.
    pub fn verify(&self, token: &[u8]) -> Result<String, TokenProblem> {
        if token.len() > MAX_BYTES {
            return Err(TokenProblem::TooLarge);
        }
        install_provider();
        let key = DecodingKey::from_ed_der(&self.key);
        let data = jsonwebtoken::decode::<Box<RawValue>>(token, &key, &VALIDATION).map_err(problem)?;
        if data.header.crit.is_some() || data.header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(TokenProblem::Header);
        }
        let claims = data.claims.get();
        if !claims.starts_with('{') {
            return Err(TokenProblem::NotAToken);
        }
        Ok(claims.to_owned())
    }
}

/// The signature alone is judged.
static VALIDATION: LazyLock<Validation> = LazyLock::new(|| {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
});

fn problem(error: Error) -> TokenProblem {
    match error.kind() {
        ErrorKind::InvalidSignature => TokenProblem::Signature,
        ErrorKind::InvalidAlgorithm => TokenProblem::Algorithm,
        _ => TokenProblem::NotAToken,
    }
}

/// The token library takes its cryptography from the process. This is ring's, which TLS uses as well, and Ed25519
/// alone.
fn install_provider() {
    static RING: CryptoProvider = CryptoProvider {
        // Only the verifying half of the library is used.
        signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
        verifier_factory: |algorithm, key| {
            if *algorithm != Algorithm::EdDSA {
                return Err(ErrorKind::InvalidAlgorithm.into());
            }
            Ok(Box::new(Ed25519Verifier(key.try_get_as_bytes()?.to_vec())))
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    // An error says that it is installed already.
    let _ = RING.install_default();
}

struct Ed25519Verifier(Vec<u8>);

impl Verify<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
