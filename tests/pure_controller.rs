//! Builds the controller a second time with no standard library in scope: it decides, and can reach nothing else.
#![no_std]
#![expect(dead_code, reason = "what the controller offers is used by the hub, not here")]

extern crate alloc;

#[path = "../src/controller/mod.rs"]
mod controller;

#[test]
fn the_controller_builds_without_the_standard_library() {
    assert_eq!(controller::words::Service::parse("fire"), Some(controller::words::Service::Fire));
}
