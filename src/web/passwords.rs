//! Passwords and PINs: how they are kept, and how one that is given is compared.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// As good as 19 MiB and two passes, which a hub under attack has not to spare.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
const LANES: u32 = 1;

/// A hash that no secret matches, made as [`hash`] makes them: to take as long over a name that nobody has.
pub const OF_NOBODY: &str =
    "$argon2id$v=19$m=7168,t=5,p=1$bm9ib2R5LWF0LWFsbC4$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Two at once would take twice the memory, and a Pi has not the processors for it.
static TURN: Mutex<()> = Mutex::new(());

/// The argon2id hash of a secret, with a salt of its own, as a PHC string. Takes some 20 ms (several times that on a Pi)
/// and 7 MiB, one call after the other. The error is a sentence.
pub fn hash(secret: &str) -> Result<String, String> {
    let in_words = |error: &dyn std::fmt::Display| format!("The password cannot be hashed ({error}): try again.");
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| in_words(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    in_turn(|| argon2.hash_password(secret.as_bytes()).map(|hash| hash.to_string()).map_err(|error| in_words(&error)))
}

/// Whether this is the secret that was hashed; `phc` is what [`hash`] gave. Takes as long and as much.
pub fn matches(secret: &str, phc: &str) -> bool {
    // The costs are those of the hash.
    PasswordHash::new(phc)
        .is_ok_and(|hash| in_turn(|| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok()))
}

fn in_turn<T>(work: impl FnOnce() -> T) -> T {
    // A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_its_hash_alone_and_no_two_hashes_are_alike() {
        let (first, second) = (hash("correct horse").unwrap(), hash("correct horse").unwrap());
        assert!(first.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{first}");
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
}
