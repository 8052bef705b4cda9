//! The wires: the mock GPIO's files, as a person with a button and ears meets them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::wait_until;

pub const SIREN: u32 = 17;
pub const POLICE_BUTTON: u32 = 22;
pub const CANCEL_BUTTON: u32 = 23;

/// A line's change: when (`CLOCK_MONOTONIC`), and to which electrical level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub at: Duration,
    pub line: u32,
    pub level: u8,
}

pub struct Lines {
    dir: PathBuf,
}

impl Lines {
    pub fn new(dir: &Path) -> Lines {
        Lines { dir: dir.to_owned() }
    }

    /// Closes a button's contact (they are active low).
    pub fn press(&self, line: u32) {
        self.set(line, "0");
    }

    pub fn release(&self, line: u32) {
        self.set(line, "1");
    }

    /// Also before the hub's first start.
    fn set(&self, line: u32, level: &str) {
        let dir = self.dir.join("in");
        fs::create_dir_all(&dir).expect("the inputs");
        fs::write(dir.join(line.to_string()), level).expect("an input");
    }

    /// The electrical level of an output; `None` before the hub has made it.
    pub fn output(&self, line: u32) -> Option<u8> {
        let text = fs::read_to_string(self.dir.join("out").join(line.to_string())).ok()?;
        text.trim().parse().ok()
    }

    /// As a relay that was left so by a process that is dead.
    pub fn leave_output(&self, line: u32, level: u8) {
        fs::write(self.dir.join("out").join(line.to_string()), level.to_string()).expect("an output");
    }

    pub fn edges(&self, line: u32) -> Vec<Edge> {
        let text = fs::read_to_string(self.dir.join("edges.csv")).unwrap_or_default();
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        complete.lines().map(edge).filter(|edge| edge.line == line).collect()
    }

    /// The siren's changes so far, as levels.
    pub fn siren_levels(&self) -> Vec<u8> {
        self.edges(SIREN).iter().map(|edge| edge.level).collect()
    }

    /// Waits until the siren's line is at this level.
    pub fn siren_is(&self, level: u8) {
        wait_until(&format!("the siren's line at {level}"), || self.output(SIREN) == Some(level));
    }

    /// Waits for the siren's edge of this number, from 0.
    pub fn siren_edge(&self, number: usize) -> Edge {
        wait_until(&format!("edge {number} of the siren"), || self.edges(SIREN).len() > number);
        self.edges(SIREN)[number]
    }
}

fn edge(text: &str) -> Edge {
    let fields: Vec<u64> = text.split(',').map(|field| field.parse().expect("a number in edges.csv")).collect();
    let [at_ns, line, level] = fields[..] else { panic!("edges.csv has the line {text}") };
    Edge { at: Duration::from_nanos(at_ns), line: line as u32, level: level as u8 }
}

/// `CLOCK_MONOTONIC` now.
#[expect(clippy::disallowed_methods, reason = "the clock that edges.csv promises is the one to compare with")]
pub fn monotonic() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec that lives through the call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
