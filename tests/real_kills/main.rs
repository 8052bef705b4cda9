//! The shipped hub, the shipped center and real mosquittos, killed, frozen and robbed of their disk at moments that nobody chose.
//!
//! [`rounds`] is the heart: round after round, requests, presses and cancels meet `kill -9`; then all is healed, and what
//! can be seen from the outside is compared with what was asked for. [`plan`] draws a round from a seed, [`lane`] carries
//! it out, [`ledger`] judges the hub by what the app was told, [`auditor`] the center by its [`books`] and by the wire.
//! [`office`] is the center, [`console`] its operator. The other files are single disasters of the hub, with the tests'
//! own center.

#[path = "../support/mod.rs"]
mod support;

#[path = "../end_to_end/app.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod app;
#[path = "../end_to_end/center.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod center;
#[path = "../end_to_end/client.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod client;
#[path = "../end_to_end/hub_process.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod hub_process;
#[path = "../end_to_end/installation.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod installation;
#[path = "../end_to_end/lines.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod lines;
#[path = "../end_to_end/tokens.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod tokens;

mod auditor;
mod books;
mod clock;
mod console;
mod disks;
mod half_open;
mod hangs;
mod lane;
mod ledger;
mod office;
mod plan;
mod rounds;
mod wreckage;
