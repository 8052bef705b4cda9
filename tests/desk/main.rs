//! What the monitoring center has to do, sentence by sentence, in virtual time: the real desk with a store, hubs,
//! operators and providers that do what a scenario says. A file holds what a reader looks for; its tests stand in the
//! order of an incident's life.

mod center;
mod paper;
mod people;

mod accounts;
mod calling;
mod crash;
mod dispatching;
mod once;
mod orders;
mod procedure;
mod restart;
mod security;
mod sentences;
mod simulated;
mod storage;
mod supervision;
mod tokens;
mod unattended;
mod updates;
mod views;
