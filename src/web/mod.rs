//! What every web site of ours stands on: the operator console, and whoever else shows pages. A site is an axum router;
//! what it stands on keeps strangers, slow clients and other sites away from it.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`server`] | a thread with a runtime of its own; bounded connections; a stop that open streams cannot hold up |
//! | [`guard`] | which Hosts are ours, which origins may change something, what browsers may do with the pages |
//! | [`hosts`] | the names and addresses that a site answers to |
//! | [`sessions`] | who is logged in, and the cookie that says so |
//! | [`attempts`] | how long to wait after wrong passwords |
//! | [`passwords`] | how passwords are kept and compared |
//! | [`assets`] | style sheets and scripts in the binary |
//! | [`events`] | server-sent events that end with the server |
//! | [`places`] | who gets a connection where there are not enough |
//! | [`held`] | a connection that leaves nothing behind where its place goes to somebody else |
//! | [`patience`] | a connection whose other side reads nothing is given up |

pub mod assets;
pub mod attempts;
pub mod events;
pub mod guard;
pub mod held;
pub mod hosts;
pub mod passwords;
pub mod patience;
pub mod places;
pub mod server;
pub mod sessions;
