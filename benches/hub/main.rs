//! How fast and how small the hub is, each figure beside the least that it could be on this machine.
//!
//! `cargo bench --bench hub --no-default-features` measures the program as it is installed; with the default features
//! it has the demo's broker in it and is larger. It takes about three minutes and wants a machine that does nothing
//! else. mosquitto has to be installed. With `-- request siren` only those are measured; `main` has all the names.

mod center;
mod figures;
mod floors;
mod http;
mod junk;
#[path = "../measure/mod.rs"]
mod measure;
mod panel;
mod rig;

use measure::table::Table;
use rig::{Hub, Surroundings};

/// The longest countdown there is: nothing sounds before it is cancelled.
const NEVER_SOUNDS: u32 = 60;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |figure: &str| wanted.is_empty() || wanted.iter().any(|word| word == figure);
    let mut table = Table::default();
    let around = Surroundings::start();

    let mut hub = Hub::start(&around, NEVER_SOUNDS);
    if wants("idle") {
        figures::idle(&hub, &mut table);
    }
    if wants("request") {
        figures::request(&hub, &around, &mut table);
    }
    if wants("button") {
        figures::button(&hub, &around, &mut table);
    }
    if wants("panel") {
        panel::request(&hub, &mut table);
        panel::pages(&hub, &mut table);
    }
    if wants("start") {
        figures::start(&mut hub, &mut table);
    }
    drop(hub);

    if wants("long") {
        let hub = Hub::start(&around, 5);
        figures::long_countdown(&hub, &around, &mut table);
    }

    let hub = Hub::start(&around, 1);
    if wants("siren") {
        figures::siren(&hub, &around, &mut table);
    }
    if wants("flood") {
        figures::flood(&hub, &around, 2_000, &mut table);
        figures::flood(&hub, &around, 20_000, &mut table);
    }
    if wants("panel") {
        panel::flood(&hub, &around, &mut table);
    }
    if wants("size") {
        figures::size(&hub, &mut table);
    }

    println!("\n{table}");
}
