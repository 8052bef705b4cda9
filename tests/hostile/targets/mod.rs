//! What must be true of whatever comes in from the world: one file a place where it comes in, each with a `check` that
//! takes any bytes. The fuzzers in `fuzz/` and the tests beside this folder both call it.

mod bytes;
mod keys;

pub mod callbacks;
pub mod center_claims;
pub mod center_config;
pub mod center_rows;
pub mod center_tokens;
pub mod commands;
pub mod config;
pub mod console;
pub mod controller;
pub mod desk;
pub mod hosts;
pub mod hub_signals;
pub mod key_files;
pub mod mock_lines;
pub mod stored_rows;
pub mod text;
pub mod topics;

/// A directory in memory where there is one: what is tried here thousands of times is not the disk.
fn scratch() -> tempfile::TempDir {
    tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).expect("a directory")
}

/// What takes any bytes, and panics where a promise is broken.
pub type Check = fn(&[u8]);

/// Every place by its name, which is also that of its fuzzer and of its folder in `fuzz/corpus`.
pub const ALL: [(&str, Check); 17] = [
    ("callbacks", callbacks::check),
    ("center_claims", center_claims::check),
    ("center_config", center_config::check),
    ("center_rows", center_rows::check),
    ("center_tokens", center_tokens::check),
    ("commands", commands::check),
    ("config", config::check),
    ("console", console::check),
    ("controller", controller::check),
    ("desk", desk::check),
    ("hosts", hosts::check),
    ("hub_signals", hub_signals::check),
    ("key_files", key_files::check),
    ("mock_lines", mock_lines::check),
    ("stored_rows", stored_rows::check),
    ("text", text::check),
    ("topics", topics::check),
];
