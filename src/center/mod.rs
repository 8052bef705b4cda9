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
//! | [`office`] | how the console reaches the desk |
//! | [`accounts`] | the command line's side: accounts, operators, what a hub is given |
//! | [`key`], [`secrets`], [`nudge`] | the center's key, passwords, how a running center hears of changes |

pub mod accounts;
pub mod desk;
pub mod key;
pub mod nudge;
pub mod office;
pub mod run;
pub mod secrets;
pub mod store;
