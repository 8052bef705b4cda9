//! The mock's files themselves.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::cannot;
use crate::drivers::gpio::lines::{Output, Problem};

/// An output as a file of one byte, which is overwritten in place: a reader never finds it empty.
pub(super) struct MockOutput {
    line: u32,
    path: PathBuf,
    file: File,
    /// What the file holds.
    level: bool,
    edges: Arc<Edges>,
}

impl MockOutput {
    /// Puts the file to `rest`, whatever it held. That is an edge if it held the other level.
    pub(super) fn open(dir: &Path, line: u32, rest: bool, edges: Arc<Edges>) -> Result<MockOutput, Problem> {
        let path = dir.join("out").join(line.to_string());
        let held = read_level(&path).ok().flatten();
        let file = put(&path, rest).map_err(|error| cannot("write", &path, &error))?;
        if held == Some(!rest) {
            edges.note(line, rest);
        }
        Ok(MockOutput { line, path, file, level: rest, edges })
    }
}

impl Output for MockOutput {
    fn drive(&mut self, level: bool) -> Result<(), Problem> {
        let written = if !is_at(&self.file, &self.path) {
            put(&self.path, level).map(|file| self.file = file)
        } else if level != self.level {
            self.file.write_all_at(digit(level), 0)
        } else {
            return Ok(());
        };
        written.map_err(|error| cannot("write", &self.path, &error))?;
        if level != self.level {
            self.level = level;
            self.edges.note(self.line, level);
        }
        Ok(())
    }
}

/// `edges.csv`.
pub(super) struct Edges {
    path: PathBuf,
    file: Mutex<File>,
}

impl Edges {
    pub(super) fn open(path: PathBuf) -> Result<Edges, Problem> {
        let file = append(&path).map_err(|error| cannot("write", &path, &error))?;
        Ok(Edges { path, file: Mutex::new(file) })
    }

    /// To be called right when the line has changed: the time is taken here. One write a line, so that the lines of
    /// two threads never mix.
    pub(super) fn note(&self, line: u32, level: bool) {
        let entry = format!("{},{line},{}\n", monotonic_ns(), u8::from(level));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let at_hand = if is_at(&file, &self.path) { Ok(()) } else { append(&self.path).map(|anew| *file = anew) };
        if let Err(error) = at_hand.and_then(|()| file.write_all(entry.as_bytes())) {
            tracing::warn!("{}", cannot("write", &self.path, &error));
        }
    }
}

/// Makes an input at its rest level; one that is there stays as it is.
pub(super) fn create_input(path: &Path, rest: bool) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(digit(rest)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The level that a file holds; `None` if it is missing or holds anything else, as while somebody is writing it.
pub(super) fn read_level(path: &Path) -> io::Result<Option<bool>> {
    // Without waiting: a pipe of that name must not hold up the thread.
    let mut file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = [0; 16];
    let length = file.read(&mut text)?;
    Ok(match text[..length].trim_ascii() {
        // There may be more than was read.
        _ if length == text.len() => None,
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    })
}

/// Makes a file hold this level and nothing else, its directory too if that is missing. At no moment is there an empty
/// file: one that is there is overwritten, one that is not comes into its place complete.
fn put(path: &Path, level: bool) -> io::Result<File> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => {
            file.write_all_at(digit(level), 0)?;
            file.set_len(1)?;
            return Ok(file);
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = dir.with_file_name(format!(".out-{name}.new"));
    let file = File::create(&draft)?;
    file.write_all_at(digit(level), 0)?;
    std::fs::rename(&draft, path)?;
    Ok(file)
}

fn append(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    OpenOptions::new().append(true).create(true).open(path)
}

/// Whether the open file is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn digit(level: bool) -> &'static [u8] {
    if level { b"1" } else { b"0" }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "an edge is stamped where it is made, with the clock the file promises")]
fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec that lives through the call; this clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
