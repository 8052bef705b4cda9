//! The operator console: what strangers cannot do with it, and what operators can.

mod center;
mod guard;
mod http;
mod logins;
mod orders;
mod pages;
#[path = "../support/mod.rs"]
mod support;
