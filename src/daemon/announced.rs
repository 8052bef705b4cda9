//! The topics on which this hub was ever announced to Home Assistant. An announcement is retained: when discovery is
//! switched off, or hub and prefix are renamed, what lies on the old topic has to be taken back, or a dead device stays.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::Builder;

use tracing::debug;

const FILE: &str = "home-assistant.topics";
/// Nobody renames a hub more often.
const MOST_TOPICS: usize = 8;
/// More than so many topics take.
const MAX_BYTES: u64 = 4096;

/// Finds out which topics are obsolete, hands them to `obsolete` and writes `current` down. All of it on a thread of its
/// own: a disk that hangs must hold nobody up, and what it does not say is not taken back.
pub fn recall(
    state_dir: &Path,
    current: Option<String>,
    obsolete: impl FnOnce(Vec<String>) + Send + 'static,
) -> io::Result<()> {
    let path = state_dir.join(FILE);
    let thread = Builder::new().name("announced".into()).stack_size(64 * 1024);
    thread.spawn(move || {
        if let Err(error) = update(&path, current, obsolete) {
            debug!("{} cannot be used: {error}", path.display());
        }
    })?;
    Ok(())
}

fn update(path: &PathBuf, current: Option<String>, obsolete: impl FnOnce(Vec<String>)) -> io::Result<()> {
    let mut text = String::new();
    match fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let old: Vec<&str> = text.lines().filter(|line| current.as_deref() != Some(*line)).collect();
    obsolete(old.iter().rev().take(MOST_TOPICS).map(|&topic| topic.to_owned()).collect());
    // It stays on the list for ever: the broker may have been away when it was taken back.
    let is_new = current.as_deref().is_some_and(|current| !text.lines().any(|line| line == current));
    let Some(current) = current.filter(|_| is_new) else { return Ok(()) };
    let kept = old.iter().rev().take(MOST_TOPICS - 1).rev().copied().chain([current.as_str()]);
    let content: String = kept.map(|topic| format!("{topic}\n")).collect();
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
