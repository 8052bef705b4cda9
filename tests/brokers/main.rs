//! The shipped broker files, in a real mosquitto: who may say and hear what.
//!
//! mosquitto 2.0 grants every subscription and filters at delivery, and it drops a forbidden MQTT 3.1.1 publication
//! without a word. So everything here is judged by what is delivered. [`world`] starts a broker with exactly the shipped
//! files and one user more, who may do all: through it the tests see what came of a publication.

#[path = "../support/mod.rs"]
mod support;

mod certificates;
mod world;

mod center;
mod home;
