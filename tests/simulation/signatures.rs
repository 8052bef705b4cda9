//! The signatures of the tokens. In a build without optimisation Ed25519 takes a third of a millisecond each way, which
//! would be most of a run. There a keyed sum takes its place, below the very same library calls: what another key signed
//! or a byte of which was changed fails to verify all the same. `SOS_SIM_ED25519=1` has it real.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::signature::{self, Signer as Sign, Verifier as Verify};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, errors};
use sos_hub::wire::keys::{KeyPair, key_pair};
use sos_hub::wire::tokens::{Signer, Verifier};

/// The hub's, the center's and a stranger's.
const SECRETS: [[u8; 32]; 3] = [[1; 32], [2; 32], [3; 32]];

/// Everybody's keys. Made once for all runs.
pub struct Keys {
    pub hub: Pair,
    pub center: Pair,
    pub stranger: Pair,
}

pub struct Pair {
    pub signer: Signer,
    pub verifier: Verifier,
}

impl Keys {
    pub fn new() -> Keys {
        if cfg!(debug_assertions) && std::env::var_os("SOS_SIM_ED25519").is_none() {
            // An error says that it is installed already.
            let _ = SUMS.install_default();
        }
        let [hub, center, stranger] = SECRETS.map(|secret| {
            let KeyPair { private_pem, public_pem } = key_pair(&secret);
            Pair {
                signer: Signer::from_pem(private_pem.as_bytes(), "simulated").expect("a sound key"),
                verifier: Verifier::from_pem(public_pem.as_bytes()).expect("a sound key"),
            }
        });
        Keys { hub, center, stranger }
    }
}

static SUMS: CryptoProvider = CryptoProvider {
    signer_factory: |_: &Algorithm, key: &EncodingKey| -> errors::Result<Box<dyn JwtSigner>> {
        Ok(Box::new(Sum(name_of_private(key.as_bytes()))))
    },
    verifier_factory: |_: &Algorithm, key: &DecodingKey| -> errors::Result<Box<dyn JwtVerifier>> {
        Ok(Box::new(Sum(name_of_public(key.try_get_as_bytes()?))))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Which of the pairs a key belongs to.
struct Sum(u64);

/// The secret is the end of a PKCS#8 key.
fn name_of_private(der: &[u8]) -> u64 {
    der.last().copied().unwrap_or_default().into()
}

fn name_of_public(key: &[u8]) -> u64 {
    static PUBLIC: std::sync::LazyLock<Vec<Vec<u8>>> =
        std::sync::LazyLock::new(|| SECRETS.iter().map(|secret| key_pair(secret).public_pem.into_bytes()).collect());
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key);
    // The first 12 of the 44 bytes are the same for all keys, and a multiple of three.
    let ends_so = |pem: &&Vec<u8>| String::from_utf8_lossy(pem).contains(&encoded);
    PUBLIC.iter().position(|pem| ends_so(&pem)).map_or(u64::MAX, |place| u64::from(SECRETS[place][31]))
}

impl Sum {
    fn of(&self, message: &[u8]) -> Vec<u8> {
        let mut sum = 0xcbf2_9ce4_8422_2325 ^ self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for chunk in message.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            sum = (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        }
        sum.to_le_bytes().repeat(8)
    }
}

impl Sign<Vec<u8>> for Sum {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.of(message))
    }
}

impl JwtSigner for Sum {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

impl Verify<Vec<u8>> for Sum {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        if self.of(message) == *signature { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for Sum {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
