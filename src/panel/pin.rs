//! The PIN: how it is kept in memory, and how one that is given is compared.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The argon2id hash of a PIN as a PHC string; `None` if the system gives no random numbers. Takes much time and 19 MiB,
/// for its moment.
pub fn hash(pin: &str) -> Option<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(pin.as_bytes()).ok().map(|hash| hash.to_string());
    give_memory_back();
    hash
}

/// Whether this is the PIN that was hashed; compares in constant time.
pub fn matches(pin: &str, phc: &str) -> bool {
    let matches =
        PasswordHash::new(phc).is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok());
    give_memory_back();
    matches
}

/// The allocator of glibc keeps what was freed once it has seen a large block come and go; the hub has not 19 MiB to
/// spare.
fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
