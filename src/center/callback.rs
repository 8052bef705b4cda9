//! What shows that somebody who tells of a call's outcome is the provider that was asked to place it: a text of its own
//! for each call, which nobody can make without the center's private key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac::{self, HMAC_SHA256};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use crate::controller::moment::Id;
use crate::wire::tokens::KeyProblem;

/// Makes and checks the tokens of calls. They are the same again after a restart.
pub struct CallbackTokens {
    key: hmac::Key,
}

impl CallbackTokens {
    /// Takes the text of the center's private key file.
    pub fn from_pem(private_key: &[u8]) -> Result<CallbackTokens, KeyProblem> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(private_key).map_err(|_| KeyProblem::NoPrivateKey)?;
        // The key itself only ever signs tokens.
        let derived =
            hmac::sign(&hmac::Key::new(HMAC_SHA256, der.secret_pkcs8_der()), b"sos-center callback of a call");
        Ok(CallbackTokens { key: hmac::Key::new(HMAC_SHA256, derived.as_ref()) })
    }

    /// What the provider of this call is told.
    pub fn token(&self, call: Id) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, &words(call)))
    }

    /// Whether a text is the token of this call; takes the same time for every wrong one.
    pub fn is_token(&self, call: Id, text: &str) -> bool {
        URL_SAFE_NO_PAD.decode(text).is_ok_and(|tag| hmac::verify(&self.key, &words(call), &tag).is_ok())
    }
}

fn words(call: Id) -> Vec<u8> {
    format!("call:{call}").into_bytes()
}
