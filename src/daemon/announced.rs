//! The topics on which this hub was ever announced to Home Assistant. An announcement is retained: when discovery is
//! switched off, or hub and prefix are renamed, what lies on the old topic has to be taken back, or a dead device stays.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;

use tracing::debug;

const FILE: &str = "home-assistant.topics";
/// Nobody renames a hub more often.
const MOST_TOPICS: usize = 8;
/// More than so many topics take.
const MAX_BYTES: u64 = 4096;

/// Finds out which topics are obsolete, hands them to `obsolete` and writes `current` down. What is obsolete stays on the
/// list until its topic comes through the sender that is returned: the broker may be away for long. Then it is forgotten,
/// as somebody else may be announced there by now.
///
/// All of it on a thread of its own: a disk that hangs must hold nobody up, and what it does not say is not taken back.
pub fn recall(
    state_dir: &Path,
    current: Option<String>,
    obsolete: impl FnOnce(Vec<String>) + Send + 'static,
) -> io::Result<Sender<String>> {
    let path = state_dir.join(FILE);
    let (taken_back, of_the_broker) = channel();
    let thread = Builder::new().name("announced".into()).stack_size(64 * 1024);
    thread.spawn(move || {
        if let Err(error) = keep(&path, current.as_deref(), obsolete, &of_the_broker) {
            debug!("{} cannot be used: {error}", path.display());
        }
    })?;
    Ok(taken_back)
}

/// Ends when nothing obsolete is left, or with the hub.
fn keep(
    path: &Path,
    current: Option<&str>,
    obsolete: impl FnOnce(Vec<String>),
    taken_back: &Receiver<String>,
) -> io::Result<()> {
    let mut text = String::new();
    match fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut old: Vec<String> = text.lines().filter(|line| current != Some(*line)).map(str::to_owned).collect();
    old.drain(..old.len().saturating_sub(MOST_TOPICS));
    obsolete(old.iter().rev().cloned().collect());
    if current.is_some_and(|current| !text.lines().any(|line| line == current)) {
        write(path, &old, current)?;
    }
    while !old.is_empty() {
        let Ok(topic) = taken_back.recv() else { break };
        let before = old.len();
        old.retain(|one| *one != topic);
        if old.len() < before {
            write(path, &old, current)?;
        }
    }
    Ok(())
}

fn write(path: &Path, old: &[String], current: Option<&str>) -> io::Result<()> {
    let kept = old.iter().rev().take(MOST_TOPICS - 1).rev().map(String::as_str).chain(current);
    let content: String = kept.map(|topic| format!("{topic}\n")).collect();
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
