//! Bytes in and bytes out: what the hub understands, what it refuses, and what it says.

mod center;
mod commands;
mod home_assistant;
mod keys;
mod reports;
mod signals;
mod text;
mod tokens;
mod topics;
