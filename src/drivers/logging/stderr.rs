//! Records as plain lines on standard error: `INFO siren_on: The siren sounds. incident=0192…`

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use super::{Record, Sink};

pub(super) struct Stderr {
    out: Box<dyn Write>,
    /// Terminals and files do not note the time; who reads a pipe can.
    timed: bool,
}

impl Stderr {
    pub(super) fn open() -> Stderr {
        let is_terminal = io::stderr().is_terminal();
        // A descriptor of our own: a stalled write must not hold the lock that other users of standard error take.
        match io::stderr().as_fd().try_clone_to_owned().map(File::from) {
            Ok(file) => {
                let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
                Stderr { out: Box::new(file), timed: is_terminal || is_file }
            }
            Err(_) => Stderr { out: Box::new(io::stderr()), timed: is_terminal },
        }
    }
}

impl Sink for Stderr {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.out.write_all(line(record, self.timed).as_bytes())
    }
}

fn line(record: &Record, timed: bool) -> String {
    let mut line = String::new();
    if timed && let Ok(time) = jiff::Timestamp::from_millisecond(record.wall.0) {
        let _ = write!(line, "{time:.3} ");
    }
    let topic = record.fields.get("topic").map_or(&*record.target, String::as_str);
    let _ = write!(line, "{} {topic}: ", record.level);
    // A line break in a stranger's text must not look like a line of ours.
    for character in record.message.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    for (name, value) in record.fields.iter().filter(|(name, _)| **name != "topic") {
        let is_plain = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"');
        let _ = if is_plain { write!(line, " {name}={value}") } else { write!(line, " {name}={value:?}") };
    }
    line.push('\n');
    line
}
