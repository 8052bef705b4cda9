//! What the hub has to do, sentence by sentence, in virtual time: the real controller with a disk, two links, lines and
//! people that do what a scenario says. A file holds what a reader looks for; its tests stand in the order of an
//! incident's life.

mod disk;
mod hub;
mod people;
mod seen;

mod buttons;
mod cancel;
mod center;
mod countdown;
mod crash;
mod faults;
mod floods;
mod further_cries;
mod ids;
mod led;
mod messages;
mod outbox;
mod plan;
mod request;
mod restart;
mod siren;
mod storage;
mod supervision;
