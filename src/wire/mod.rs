//! Between bytes and the controller's words: strict in, canonical out. Nothing here can reach a clock, a thread, a
//! file, a socket or randomness; keys come in as text.

pub mod center;
pub mod commands;
pub mod home_assistant;
pub mod keys;
pub mod reports;
pub mod signals;
pub mod text;
pub mod tokens;
pub mod topics;
