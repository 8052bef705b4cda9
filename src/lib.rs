//! The parts of the SOS hub.

extern crate alloc;

pub mod config;
pub mod controller;
pub mod drivers;
pub mod mailbox;
pub mod store;
pub mod wire;
