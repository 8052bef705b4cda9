//! An SOS hub: it asks a monitoring center for the police or the fire department, or sounds a siren, when a button is
//! pressed or an app says so.
//!
//! # The story
//!
//! *Drivers hear something → wire turns bytes into words → the controller decides → the store remembers → drivers act.*
//!
//! 1. A **driver** ([`drivers`]) hears of the world on a thread of its own: a message on one of the two MQTT links, the
//!    level of a button's line, a shutdown request.
//! 2. **Wire** ([`wire`]) turns bytes into words: topics, commands, signed tokens. What is not understood is a word too.
//! 3. The word lands in the loop's [`mailbox`]. Buttons, links and the store never wait behind messages of strangers.
//! 4. The **loop** ([`daemon::turns`]) is one thread: it waits for one input or the next deadline and hands it to the
//!    controller.
//! 5. The **controller** ([`controller`]) decides, and does nothing else: [`controller::input::Input`] in,
//!    [`controller::effect::Effect`] out. It has no clock, no thread, no file, no socket, no randomness.
//! 6. The **store** ([`store`]) commits what has to survive, on a thread of its own, and says when it is on disk. What
//!    people are told waits for that, at most a quarter of a second; the siren waits for nothing.
//! 7. Drivers act: the siren's line, the LED, a message to the home's broker, a signed signal to the center's.
//!
//! # The map
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`controller`] | what an SOS is: countdown, alarm, cancel, siren, buttons, plan, what is owed, faults, every sentence |
//! | [`wire`] | topics, commands, reports, signals, tokens: strict in, canonical out |
//! | [`store`] | incidents, signals, replies, the plan: SQLite |
//! | [`drivers`] | `mqtt`, `gpio`, `clock`, `logging`, `systemd`: each one thing of the world, none of the others |
//! | [`daemon`] | the loop, what feeds it, and what carries its effects out |
//! | [`vigil`] | when the watchdog may be fed |
//! | [`config`] | `hub.toml`: text to values, every problem at once with its line and a caret |
//! | [`center`] | the monitoring center, `sos-center`: the same shape in small, with a desk that is pure |
//! | [`panel`] | the web panel: the app in the browser, and the cameras |
//! | [`web`] | what every page of ours stands on: server, guard, sessions, attempts, assets, live events |
//! | [`wiring`] | which brokers, topics and lines the drivers are given |
//! | [`setup`] | `sos-hub setup`: questions, files, services, the test that a person confirms |
//! | [`doctor`] | `sos-hub doctor`: what is wrong, and how to mend it |
//! | [`arguments`] | the command lines of both programs |
//! | [`client`] | `sos-hub status`, `request`, `cancel`, `silence`, `test`, `history` |
//!
//! Dependencies point one way: `main` → `daemon`, `client` → `wiring` → panel, drivers, store → wire → controller → `alloc`.
//!
//! # The promises
//!
//! 1. An accepted request ends in exactly one of *aborted* or *alarm*, whatever crashes. Nothing else starts an alarm.
//! 2. *Aborted* means that the center never hears of it.
//! 3. The countdown is its length on the boot clock, whatever the wall clock or the load does. The first input that is
//!    processed wins a race with its end, and people are told which.
//! 4. The siren waits for nothing, is driven as a level from state, is never asserted by a start, and stops by itself.
//! 5. *Accepted* means committed to disk. If the disk fails, the hub acts all the same and says `durable: false`.
//! 6. *Delivered* means the center's signed ack of that `jti`. Until then a signal is owed and sent again, over crash,
//!    reboot and outage, alarms first.
//! 7. Retained, stale, repeated, forged, foreign or malformed messages start nothing, change nothing, and are answered or
//!    reported. A flood of them delays no button.
//! 8. A restart in one boot keeps the deadline. A reboot gives one fresh countdown, marked `resumed`; the next goes
//!    straight to the alarm. A sounding siren is restored for the unused part of its maximum.
//! 9. What people are told is true, and survives a power cut.
//! 10. Every fault has its restore; nothing fails in silence.

extern crate alloc;

pub mod arguments;
pub mod center;
pub mod client;
pub mod config;
pub mod controller;
pub mod daemon;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
pub mod drivers;
pub mod exit;
pub mod mailbox;
pub mod panel;
pub mod setup;
pub mod store;
pub mod vigil;
pub mod web;
pub mod wire;
pub mod wiring;
