//! Any bytes in a key's file: no key, with the reason, or one that works.

use sos_hub::wire::tokens::{Signer, Verifier};

pub fn check(data: &[u8]) {
    if let Ok(signer) = Signer::from_pem(data, "hub") {
        signer.sign(b"{}").expect("a key that was taken signs");
    }
    if let Ok(verifier) = Verifier::from_pem(data) {
        let forged = "eyJhbGciOiJFZERTQSJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                      AAAAAAAAAAAAAAAA";
        // A key of small order takes what nobody signed: whoever is given such a file trusts its author all the same.
        let _ = verifier.verify(forged.as_bytes());
    }
}
