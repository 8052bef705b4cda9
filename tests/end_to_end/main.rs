//! The shipped binary between two real mosquittos, told from the outside: topics, lines, files and exit codes.
//!
//! The center and the app of these tests are not the hub's own code: the center signs its tokens by itself, and the app
//! is `mosquitto_pub` (MQTT 3.1.1) and a plain MQTT 5 client. Every test has brokers, ports and directories of its own
//! and ends only what it started.
//!
//! [`installation`] puts a home together; [`app`], [`center`], [`lines`] and [`hub_process`] are its parts, and
//! [`client`] is what app and center speak through. The other files are the stories.

#[path = "../support/mod.rs"]
mod support;

mod app;
mod center;
mod client;
mod hub_process;
mod installation;
mod lines;
mod tokens;

mod brokers;
mod buttons;
mod cancelling;
mod commands;
mod help;
mod junk;
mod plan;
mod replies;
mod restarts;
mod siren;
mod storage;
mod tls;
mod trust;
