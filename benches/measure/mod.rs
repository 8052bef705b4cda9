//! What the benchmarks measure with.

// Each benchmark is a program of its own and uses its part of this.
#![allow(dead_code)]

pub mod clock;
pub mod daemon;
pub mod floors;
pub mod peer;
pub mod process;
#[path = "../../tests/support/mod.rs"]
pub mod support;
pub mod table;
