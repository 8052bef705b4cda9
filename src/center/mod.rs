//! The reference monitoring center: it takes the signals of many hubs, works each alarm's call procedure, and shows its
//! operators what to do next.
//!
//! It has the shape of the hub, in small. *The link hears a signal → [`wire`] verifies it → the [`desk`] decides → the
//! [`store`] remembers → acks, updates, calls and the console's pages go out.*
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`desk`] | pure: what an alarm goes through, who is called, what is said to which hub, what an operator may do |
//! | [`wire`] | pure: signals read, acks, updates and plans written |
//! | [`store`] | accounts, incidents, signals, calls, the audit trail: SQLite, and nobody else knows SQL |
//! | [`run`] | `sos-center run`: the loop, what starts with it and what ends it |
//! | [`ears`], `hands` | from the broker to the loop; from the loop to everything else |
//! | [`telephone`], [`callback`] | webhooks: who is asked to call or to send help, and who may say what came of it |
//! | [`console`], [`office`] | the operators' pages, and how they reach the desk |
//! | [`accounts`] | the command line's side: accounts, operators, what a hub is given |
//! | [`key`], [`secrets`], [`nudge`] | the center's key, passwords, how a running center hears of changes |

pub mod accounts;
pub mod callback;
pub mod console;
pub mod desk;
pub mod ears;
mod hands;
pub mod key;
pub mod nudge;
pub mod office;
pub mod run;
pub mod secrets;
pub mod store;
pub mod telephone;
pub mod wire;
