//! `sos-hub doctor` as a person or a script calls it: on a machine that was set up, and on ones with one thing wrong.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/home.rs"]
mod home;

#[path = "../end_to_end/hub_process.rs"]
#[allow(dead_code, reason = "the hub's own tests use the rest")]
mod hub_process;

#[path = "../setup/machine.rs"]
#[allow(dead_code, reason = "the tests of the setup use the rest")]
mod machine;

mod faults;
mod found;
mod looks;
