//! The command lines of the two programs, in the library so that their manual pages and completions are made from them.

pub mod center;
pub mod hub;
