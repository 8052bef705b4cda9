//! Hands and ears. Each driver knows one thing of the world and none of the other drivers.

pub mod clock;
pub mod gpio;
pub mod logging;
pub mod mqtt;
pub mod systemd;
