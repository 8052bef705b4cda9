//! The shipped hub and the shipped center between two real mosquittos, told from the outside: what the hub's app sees,
//! what passes the center's broker, the center's database, and exit codes.
//!
//! [`world`] puts it all together; the hub's side is that of the hub's own end-to-end tests. The other files are the
//! stories.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/browser.rs"]
mod browser;

#[path = "../end_to_end/app.rs"]
#[allow(dead_code, reason = "the hub's own tests use the rest")]
mod app;
#[path = "../end_to_end/client.rs"]
#[allow(dead_code, reason = "the hub's own tests use the rest")]
mod client;
#[path = "../end_to_end/hub_process.rs"]
#[allow(dead_code, reason = "the hub's own tests use the rest")]
mod hub_process;
#[path = "../end_to_end/lines.rs"]
#[allow(dead_code, reason = "the hub's own tests use the rest")]
mod lines;
#[path = "../end_to_end/tokens.rs"]
#[allow(dead_code, reason = "the hub's own tests use the rest")]
mod tokens;

mod world;
use world as installation;

mod calls;
mod crashes;
mod operator;
mod provider;
mod refusals;
mod starting;
mod storage;
mod supervision;
