//! Whose signatures the tokens bear: real ones, of keys that are the same in every run.

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
