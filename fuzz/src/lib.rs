//! What the fuzzers check: the same as `cargo test --test hostile`. A fuzzer is one line that calls one of them.

#[path = "../../tests/hostile/targets/mod.rs"]
pub mod targets;
