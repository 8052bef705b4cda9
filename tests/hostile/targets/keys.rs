//! The keys of hub and center: always the same, so that an input means the same in every run.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sos_hub::wire::tokens::{Signer, Verifier};

/// What stands before the 32 bytes of the seed in a PKCS#8 key of version 1, and of the key in an SPKI.
const PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

const SEED: [u8; 32] = [7; 32];

static PAIR: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&SEED).expect("any 32 bytes are a seed"));

fn pem(label: &str, start: &[u8], key: &[u8]) -> Vec<u8> {
    let der = STANDARD.encode([start, key].concat());
    format!("-----BEGIN {label}-----\n{der}\n-----END {label}-----\n").into_bytes()
}

pub fn signer() -> &'static Signer {
    static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::from_pem(&private_key_pem(), "center").expect("a key"));
    &SIGNER
}

pub fn verifier() -> &'static Verifier {
    static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::from_pem(&public_key_pem()).expect("a key"));
    &VERIFIER
}

/// As a file holds it.
pub fn private_key_pem() -> Vec<u8> {
    pem("PRIVATE KEY", PKCS8, &SEED)
}

/// As a file holds it.
pub fn public_key_pem() -> Vec<u8> {
    pem("PUBLIC KEY", SPKI, PAIR.public_key().as_ref())
}

/// Whether these are three parts in base64url of which the last is the signature of the others: told without the code
/// under test.
pub fn is_signed(token: &[u8]) -> bool {
    let Some(dot) = token.iter().rposition(|byte| *byte == b'.') else { return false };
    let (message, signature) = (&token[..dot], &token[dot + 1..]);
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let parts = message.split(|byte| *byte == b'.');
    parts.count() == 2 && UnparsedPublicKey::new(&ED25519, PAIR.public_key()).verify(message, &signature).is_ok()
}
