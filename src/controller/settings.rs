//! What the controller has to know of the configuration.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::words::Service;

#[derive(Clone, Debug)]
pub struct Settings {
    pub countdown: Duration,
    /// How old a request's `sent_at` may be.
    pub max_age: Duration,
    pub siren_max: Duration,
    pub heartbeat: Duration,
    pub buttons: Vec<ButtonSettings>,
    /// Whether there is an LED to drive.
    pub led: bool,
}

#[derive(Clone, Debug)]
pub struct ButtonSettings {
    pub name: String,
    pub press: Press,
    pub hold: Duration,
}

/// What a button is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    Request(Service),
    /// Aborts every running countdown.
    Cancel,
}
