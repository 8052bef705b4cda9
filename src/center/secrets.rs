//! Passwords, as all our sites keep them, and those that residents say on the telephone.

pub use crate::web::passwords::{OF_NOBODY, hash, matches};

/// A verbal password as it is hashed and compared: what is said on the telephone has no case and no spacing.
pub fn verbal(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verbal_password_is_what_is_heard() {
        assert_eq!(verbal("  Blue \t Whale\n"), "blue whale");
        assert_eq!(verbal("ÄPFEL"), "äpfel");
        assert_eq!(verbal(" \u{a0} "), "");
    }
}
