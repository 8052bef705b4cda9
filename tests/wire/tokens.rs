use std::process::Command;

use proptest::prelude::*;
use ring::hmac;
use ring::signature::KeyPair;
use serde_json::{Value, json};
use sos_hub::wire::tokens::{KeyProblem, MAX_BYTES, Signer, TokenProblem, Verifier};

use crate::keys::{Keys, encode, pem};

const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT","kid":"k"}"#;
const CLAIMS: &str = r#"{"account":"a-17"}"#;

fn refused(keys: &Keys, token: impl AsRef<[u8]>) -> TokenProblem {
    keys.verifier().verify(token.as_ref()).unwrap_err()
}

fn signed_as_is(keys: &Keys, message: &str) -> String {
    format!("{message}.{}", encode(keys.pair.sign(message.as_bytes())))
}

/// PKCS#8 version 1, as OpenSSL writes it: no public part.
fn version_1(seed: &[u8; 32]) -> String {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    der.extend(seed);
    pem("PRIVATE KEY", &der)
}

fn public_pem(public: &[u8]) -> String {
    let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    der.extend(public);
    pem("PUBLIC KEY", &der)
}

#[test]
fn what_is_signed_is_verified() {
    let keys = Keys::fresh();
    let token = keys.signer().sign(CLAIMS.as_bytes()).unwrap();
    assert_eq!(keys.verifier().verify(token.as_bytes()).unwrap(), CLAIMS);
}

#[test]
fn the_header_is_the_contracts() {
    let token = Keys::fresh().signer().sign(CLAIMS.as_bytes()).unwrap();
    let header = token.split('.').next().unwrap();
    let header = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), json!({"alg": "EdDSA", "typ": "JWT", "kid": "test"}));
}

/// RFC 8037, appendix A.4: key, message and signature are given there. Its payload is no JSON, hence refused, but only
/// after its signature: one bit changed gives another answer.
#[test]
fn the_signature_is_that_of_rfc_8037() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let public = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, x).unwrap();
    let verifier = Verifier::from_pem(public_pem(&public).as_bytes()).unwrap();
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(verifier.verify(token.as_bytes()), Err(TokenProblem::NotAToken));
    let altered = token.replace(".hgyY", ".hgyZ");
    assert_eq!(verifier.verify(altered.as_bytes()), Err(TokenProblem::Signature));
}

#[test]
fn a_key_of_either_version_signs() {
    let keys = Keys::fresh();
    keys.verifier().verify(keys.signer().sign(CLAIMS.as_bytes()).unwrap().as_bytes()).unwrap();

    let seed = [7; 32];
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let signer = Signer::from_pem(version_1(&seed).as_bytes(), "k").unwrap();
    let verifier = Verifier::from_pem(public_pem(pair.public_key().as_ref()).as_bytes()).unwrap();
    assert_eq!(verifier.verify(signer.sign(CLAIMS.as_bytes()).unwrap().as_bytes()).unwrap(), CLAIMS);
}

#[test]
fn a_key_pair_of_openssl_works() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = (folder.path().join("hub.key"), folder.path().join("hub.pub"));
    let openssl =
        |arguments: &[&str]| Command::new("openssl").args(arguments).status().is_ok_and(|status| status.success());
    let made = openssl(&["genpkey", "-algorithm", "ed25519", "-out", private.to_str().unwrap()])
        && openssl(&["pkey", "-in", private.to_str().unwrap(), "-pubout", "-out", public.to_str().unwrap()]);
    if !made {
        eprintln!("no OpenSSL with Ed25519 on this computer: its keys were not tried");
        return;
    }
    let signer = Signer::from_pem(&std::fs::read(private).unwrap(), "k").unwrap();
    let verifier = Verifier::from_pem(&std::fs::read(public).unwrap()).unwrap();
    assert_eq!(verifier.verify(signer.sign(CLAIMS.as_bytes()).unwrap().as_bytes()).unwrap(), CLAIMS);
}

#[test]
fn what_is_no_key_is_refused_with_a_reason() {
    let keys = Keys::fresh();
    let ec = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let private = |text: &str| Signer::from_pem(text.as_bytes(), "k").err();
    let public = |text: &str| Verifier::from_pem(text.as_bytes()).err();
    assert_eq!(private(""), Some(KeyProblem::NoPrivateKey));
    assert_eq!(private(&keys.public_pem), Some(KeyProblem::NoPrivateKey));
    assert_eq!(private(&ec.serialize_pem()), Some(KeyProblem::NotEd25519));
    assert_eq!(private(&pem("PRIVATE KEY", b"junk")), Some(KeyProblem::NotEd25519));
    assert_eq!(public("junk"), Some(KeyProblem::NoPublicKey));
    assert_eq!(public(&keys.private_pem), Some(KeyProblem::NoPublicKey));
    assert_eq!(public(&ec.public_key_pem()), Some(KeyProblem::NotEd25519));
    assert_eq!(public(&public_pem(&[1; 31])), Some(KeyProblem::NotEd25519));
    assert_eq!(public(&public_pem(&[1; 33])), Some(KeyProblem::NotEd25519));
}

#[test]
fn the_kid_is_neither_required_nor_trusted() {
    let (keys, stranger) = (Keys::fresh(), Keys::fresh());
    for header in [r#"{"alg":"EdDSA"}"#, r#"{"alg":"EdDSA","kid":"someone else's","extra":1}"#] {
        assert_eq!(keys.verifier().verify(keys.signed(header, CLAIMS).as_bytes()).unwrap(), CLAIMS);
    }
    assert_eq!(refused(&keys, stranger.signed(HEADER, CLAIMS)), TokenProblem::Signature);
}

/// A key that a token brings along is not the expected one.
#[test]
fn a_key_in_the_header_is_not_used() {
    let (keys, stranger) = (Keys::fresh(), Keys::fresh());
    let x = encode(stranger.pair.public_key().as_ref());
    let header = json!({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}}).to_string();
    assert_eq!(refused(&keys, stranger.signed(&header, CLAIMS)), TokenProblem::Signature);
}

#[test]
fn no_other_algorithm_is_believed() {
    let keys = Keys::fresh();
    // Even with a true signature of the true key.
    for algorithm in ["HS256", "RS256", "ES256", "PS512"] {
        assert_eq!(
            refused(&keys, keys.signed(&format!(r#"{{"alg":"{algorithm}"}}"#), CLAIMS)),
            TokenProblem::Algorithm
        );
    }
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"eddsa"}"#, r#"{"alg":null}"#, "{}", r#"{"typ":"JWT"}"#, "[]", ""] {
        assert_eq!(refused(&keys, keys.signed(header, CLAIMS)), TokenProblem::NotAToken, "{header}");
    }
    let twice = r#"{"alg":"EdDSA","alg":"EdDSA"}"#;
    assert_eq!(refused(&keys, keys.signed(twice, CLAIMS)), TokenProblem::NotAToken);
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(CLAIMS));
    assert_eq!(refused(&keys, unsigned), TokenProblem::NotAToken);
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let keys = Keys::fresh();
    for secret in [keys.public_pem.as_bytes(), keys.pair.public_key().as_ref()] {
        for algorithm in ["HS256", "EdDSA"] {
            let message = format!("{}.{}", encode(json!({"alg": algorithm}).to_string()), encode(CLAIMS));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            let expected = if algorithm == "EdDSA" { TokenProblem::Signature } else { TokenProblem::Algorithm };
            assert_eq!(refused(&keys, format!("{message}.{}", encode(tag))), expected);
        }
    }
}

#[test]
fn a_header_that_asks_for_the_unknown_is_refused() {
    let keys = Keys::fresh();
    for header in [
        r#"{"alg":"EdDSA","crit":["exp"]}"#,
        r#"{"alg":"EdDSA","crit":[]}"#,
        r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"EdDSA","typ":"JOSE"}"#,
    ] {
        assert_eq!(refused(&keys, keys.signed(header, CLAIMS)), TokenProblem::Header, "{header}");
    }
}

#[test]
fn a_token_has_three_parts_in_canonical_base64() {
    let keys = Keys::fresh();
    let token = keys.signed(HEADER, CLAIMS);
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{token}") };
    // The last character of 64 bytes carries four bits that must be zero: its successor decodes to the same bytes.
    let last = signature.chars().last().unwrap();
    let sloppy = format!("{}{}", &signature[..85], char::from_u32(last as u32 + 1).unwrap());
    for wrong in [
        format!("{header}.{claims}"),
        format!("{token}.{signature}"),
        format!(".{token}"),
        format!("{header}.{claims}.{signature}=="),
        format!("{token}\n"),
        format!(" {token}"),
        // Truly signed, white space and padding included.
        signed_as_is(&keys, &format!("{header}.{claims} ")),
        signed_as_is(&keys, &format!("{header}.{claims}\n")),
        signed_as_is(&keys, &format!("{header}=.{claims}=")),
        signed_as_is(&keys, &format!("{header}.{header}.{claims}")),
        format!("{header}.{claims}.{sloppy}"),
        format!("{header}.{claims}.\u{e9}"),
        "..".into(),
        "".into(),
    ] {
        assert_eq!(refused(&keys, &wrong), TokenProblem::NotAToken, "{wrong}");
    }
    for wrong in [format!("{header}.{claims}."), format!("{header}.{claims}.{}", &signature[..84])] {
        assert_eq!(refused(&keys, &wrong), TokenProblem::Signature, "{wrong}");
    }
}

#[test]
fn a_token_of_any_size_is_answered() {
    let keys = Keys::fresh();
    let long = |length: usize| keys.signed(HEADER, &json!({"note": "x".repeat(length)}).to_string());
    assert!(keys.verifier().verify(long(5_000).as_bytes()).is_ok());
    assert_eq!(refused(&keys, long(100_000)), TokenProblem::TooLarge);
    let (largest, next) =
        (5_900..6_200).map(|length| (long(length), long(length + 1))).find(|(_, next)| next.len() > MAX_BYTES).unwrap();
    assert_eq!(largest.len(), MAX_BYTES);
    assert!(keys.verifier().verify(largest.as_bytes()).is_ok());
    assert_eq!(refused(&keys, next), TokenProblem::TooLarge);
    assert_eq!(refused(&keys, ".".repeat(8_000)), TokenProblem::NotAToken);
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(2_000), "]".repeat(2_000));
    let _ = keys.verifier().verify(keys.signed(HEADER, &deep).as_bytes());
    let deep_header = format!(r#"{{"alg":"EdDSA","x":{}{}}}"#, "[".repeat(2_000), "]".repeat(2_000));
    assert_eq!(refused(&keys, keys.signed(&deep_header, CLAIMS)), TokenProblem::NotAToken);
}

#[test]
fn claims_are_a_json_object() {
    let keys = Keys::fresh();
    for wrong in ["", "[]", "\"x\"", "{", "{} {}", "[1,2,3,4,5]", "null"] {
        assert_eq!(refused(&keys, keys.signed(HEADER, wrong)), TokenProblem::NotAToken, "{wrong}");
        assert_eq!(keys.signer().sign(wrong.as_bytes()), Err(TokenProblem::NotAToken), "{wrong}");
    }
}

/// Whether a token is still good depends on a clock, which is not judged here.
#[test]
fn times_and_audiences_are_left_to_the_controller() {
    let keys = Keys::fresh();
    for claims in [json!({"exp": 1}), json!({"exp": 1.5, "nbf": 4e9}), json!({"aud": "x", "iss": "y", "sub": "z"})] {
        let token = keys.token(&claims);
        assert_eq!(keys.verifier().verify(token.as_bytes()).unwrap(), claims.to_string());
    }
}

proptest! {
    #[test]
    fn any_claims_survive_the_way_there_and_back(note in any::<String>(), number in any::<u64>()) {
        let keys = Keys::fresh();
        let claims = json!({"note": note, "number": number}).to_string();
        let token = keys.signer().sign(claims.as_bytes()).unwrap();
        prop_assert_eq!(keys.verifier().verify(token.as_bytes()).unwrap(), claims);
    }

    #[test]
    fn one_changed_byte_spoils_a_token(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let keys = Keys::fresh();
        let mut token = keys.signed(HEADER, CLAIMS).into_bytes();
        let place = place.index(token.len());
        prop_assume!(token[place] != byte);
        token[place] = byte;
        prop_assert!(keys.verifier().verify(&token).is_err());
    }

    #[test]
    fn no_bytes_cause_a_panic(junk in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Signer::from_pem(&junk, "k").is_ok();
        let _ = Verifier::from_pem(&junk).is_ok();
        prop_assert!(Keys::fresh().verifier().verify(&junk).is_err());
    }
}
