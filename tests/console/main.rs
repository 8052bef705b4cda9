//! The operator console: what strangers cannot do with it, and what operators can.

#[path = "../support/browser.rs"]
mod browser;
mod center;
mod guard;
mod http;
mod logins;
mod orders;
mod pages;
mod sounding;
#[path = "../support/mod.rs"]
mod support;
