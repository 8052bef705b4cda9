//! `sos-hub setup` as a person or a script uses it, with a real mosquitto, the shipped hub and the shipped center; a
//! script plays `systemctl`. [`machine`] is the computer that it is all on, the other files are the stories.

#[path = "../support/mod.rs"]
mod support;

#[path = "../end_to_end/hub_process.rs"]
#[allow(dead_code, reason = "the hub's own tests use the rest")]
mod hub_process;

mod machine;

mod asked;
mod broker;
mod files;
mod options;
mod pause;
