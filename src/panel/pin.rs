//! The PIN's file, and the thread that follows it: what is written there counts from then on, without a restart.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;

use inotify::{EventMask, Inotify, WatchMask};
use tokio::sync::watch;

use super::browsers::Browsers;
use crate::web::passwords;

const STACK_BYTES: usize = 512 * 1024;

/// Inode, size, and when its content and what is allowed with it changed last, in seconds and nanoseconds.
type Stamp = (u64, u64, [i64; 4]);

/// Starts the thread. It remembers first what is kept of the time before the restart, and says in `is_known` when the
/// PIN that counts is known. It ends with the process.
pub fn follow(
    file: PathBuf,
    kept: PathBuf,
    browsers: Arc<Browsers>,
    is_known: watch::Sender<bool>,
) -> std::io::Result<()> {
    let following = move || {
        browsers.remember(&kept);
        // Watched before it is read, so that nothing slips between the two.
        let mut watch = watch(&file)
            .inspect_err(|error| {
                let file = file.display();
                tracing::warn!("another PIN in {file} counts from the next restart on: it cannot be watched ({error})");
            })
            .ok();
        let (mut is_named, mut seen) = (true, None);
        loop {
            // What it leads to may have changed as well, if it is a link.
            let stamp = stamp(&file);
            if is_named || stamp != seen {
                take(&file, &browsers);
            }
            seen = stamp;
            is_known.send_replace(true);
            let mut buffer = [0; 4096];
            let Some(watch) = &mut watch else { return };
            is_named = match watch.read_events_blocking(&mut buffer) {
                Ok(events) => {
                    let mut is_gone = false;
                    let is_named = events.fold(false, |is_named, event| {
                        is_gone |= event.mask.contains(EventMask::IGNORED);
                        is_named || event.name == file.file_name()
                    });
                    if is_gone {
                        let file = file.display();
                        tracing::warn!("another PIN counts from the next restart on: the directory of {file} is gone");
                        return;
                    }
                    is_named
                }
                Err(error) => {
                    tracing::warn!("another PIN counts from the next restart on: its file is not watched ({error})");
                    return;
                }
            };
        }
    };
    Builder::new().name("panel-pin".into()).stack_size(STACK_BYTES).spawn(following).map(|_| ())
}

/// Of the directory: the file itself may be replaced.
fn watch(file: &Path) -> std::io::Result<Inotify> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inotify = Inotify::init()?;
    inotify.watches().add(dir, WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::CREATE | WatchMask::ATTRIB)?;
    Ok(inotify)
}

/// Takes the PIN that the file holds. Where it holds none (an editor may have emptied it, and be about to write), the one
/// before stays: somebody may need help just then.
fn take(file: &Path, browsers: &Browsers) {
    let stays = |why: &dyn std::fmt::Display| {
        tracing::warn!("the PIN stays what it was: {} holds no new one ({why})", file.display());
    };
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return stays(&error),
    };
    let pin = text.trim();
    if pin.is_empty() || pin.contains(['\n', '\0']) {
        return stays(&"it must be one line of text");
    }
    if browsers.pin().is_some_and(|hash| passwords::matches(pin, &hash)) {
        return;
    }
    match passwords::hash(pin) {
        Ok(hash) => browsers.another_pin(hash),
        Err(error) => stays(&error),
    }
}

/// When the file changed last; `None` if it cannot be looked at.
fn stamp(file: &Path) -> Option<Stamp> {
    fs::metadata(file).ok().map(|found| {
        (found.ino(), found.size(), [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()])
    })
}
