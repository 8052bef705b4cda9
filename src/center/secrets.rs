//! Passwords: how they are kept, and how one that is given is compared.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash that no secret matches, made as [`hash`] makes them: to take as long over a name that nobody has.
pub const OF_NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWF0LWFsbC4$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The argon2id hash of a secret, with a salt of its own, as a PHC string. Takes some 20 ms and 19 MiB. The error is a
/// sentence.
pub fn hash(secret: &str) -> Result<String, String> {
    let in_words = |error: &dyn std::fmt::Display| format!("The password cannot be hashed ({error}): try again.");
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| in_words(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(secret.as_bytes()).map(|hash| hash.to_string()).map_err(|error| in_words(&error))
}

/// Whether this is the secret that was hashed; `phc` is what [`hash`] gave.
pub fn matches(secret: &str, phc: &str) -> bool {
    // The costs are those of the hash.
    PasswordHash::new(phc).is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
}

/// A verbal password as it is hashed and compared: what is said on the telephone has no case and no spacing.
pub fn verbal(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_its_hash_alone_and_no_two_hashes_are_alike() {
        let (first, second) = (hash("correct horse").unwrap(), hash("correct horse").unwrap());
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second);
        assert!(matches("correct horse", &first) && matches("correct horse", &second));
        for wrong in ["", "Correct horse", "correct horse "] {
            assert!(!matches(wrong, &first), "{wrong:?}");
        }
        assert!(!matches("", "") && !matches("x", "x"));
    }

    #[test]
    fn nobodys_hash_is_read_as_one_of_ours() {
        assert!(PasswordHash::new(OF_NOBODY).is_ok());
        assert!(!matches("", OF_NOBODY));
    }

    #[test]
    fn a_verbal_password_is_what_is_heard() {
        assert_eq!(verbal("  Blue \t Whale\n"), "blue whale");
        assert_eq!(verbal("ÄPFEL"), "äpfel");
        assert_eq!(verbal(" \u{a0} "), "");
    }
}
