//! The parts of the SOS hub.

extern crate alloc;

pub mod client;
pub mod config;
pub mod controller;
pub mod daemon;
#[cfg(feature = "demo")]
pub mod demo;
pub mod drivers;
pub mod exit;
pub mod mailbox;
pub mod store;
pub mod wire;
pub mod wiring;
