//! How fast the monitoring center is with many hubs, each figure beside the least that it could be on this machine.
//!
//! `cargo bench --bench center` takes about four minutes and wants a machine that does nothing else: broker, fleet and
//! center share it. mosquitto has to be installed. With `-- alarm heartbeats` only those are measured; `main` has all
//! the names.

mod figures;
mod fleet;
#[path = "../measure/mod.rs"]
mod measure;
mod page;
mod rig;

use fleet::Fleet;
use measure::table::Table;
use rig::Center;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |figure: &str| wanted.is_empty() || wanted.iter().any(|word| word == figure);
    let mut table = Table::default();

    let fleet = Fleet::of(1_000);
    let mut center = Center::start(&fleet);
    // First, while the queue is short enough for all of it to be shown.
    if wants("page") {
        figures::page(&center, &fleet, &mut table);
    }
    if wants("alarm") {
        figures::alarm(&center, &fleet, &mut table);
    }
    if wants("throughput") {
        figures::throughput(&center, &fleet, &mut table);
    }
    if wants("restart") {
        figures::restart(&mut center, &fleet, &mut table);
    }
    drop(center);

    if wants("heartbeats") {
        let fleet = Fleet::of(100_000);
        let center = Center::start(&fleet);
        figures::heartbeats(&center, &fleet, &mut table);
    }

    println!("\n{table}");
}
