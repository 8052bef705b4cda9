//! The browsers that know the PIN. They are remembered over restarts: after a power cut nobody should have to look for
//! the PIN before calling for help. What counts lies in memory, and no request waits for the disk; a thread of its own
//! writes it down, of each browser only a hash, beside the PIN's.

use std::collections::{HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::controller::moment::Wall;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// As long as browsers keep a cookie: nobody takes up a phone once a month to stay known for the day of an emergency.
const IDLE_END_MS: i64 = 400 * DAY_MS;
/// Before this (2024) a clock has not been set yet, and says nothing of how long ago something was.
const CLOCK_WAS_SET: Wall = Wall(1_704_067_200_000);
/// For what was used while nobody knew the date.
const UNDATED: Wall = Wall(0);
const MOST_BROWSERS: usize = 200;
/// Of those that knew the PIN once; the oldest go first.
const MOST_FORMER: usize = 600;
/// A disk that could not be written is tried again after this.
const AGAIN: Duration = Duration::from_secs(60);
const STACK_BYTES: usize = 256 * 1024;

/// What a browser's cookie hashes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Badge(String);

impl Badge {
    pub fn of(cookie: &str) -> Badge {
        Badge(URL_SAFE_NO_PAD.encode(digest(&SHA256, cookie.as_bytes())))
    }

    /// What tells it from others.
    pub fn name(&self) -> Arc<str> {
        self.0.as_str().into()
    }
}

/// The browsers, shared by requests, the PIN's thread and the writer.
pub struct Browsers {
    known: Mutex<Known>,
    to_write: Condvar,
    written: Condvar,
    /// Says to open pages that a browser may have lost its standing.
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct Known {
    /// Of the PIN; `None` before there was one.
    hash: Option<String>,
    /// When each was used last.
    browsers: HashMap<Badge, Wall>,
    /// Those of them that were used while nobody knew the date, since the start.
    undated: HashSet<Badge>,
    /// Those that knew the PIN once, the latest last.
    former: Vec<Badge>,
    /// Grows with each change that is to be kept.
    revision: u64,
    written: u64,
    ends: bool,
}

/// The file in the state directory.
#[derive(Deserialize, Serialize)]
struct Kept {
    pin: String,
    browsers: HashMap<String, i64>,
    #[serde(default)]
    former: Vec<String>,
}

impl Known {
    /// The one that was used longest ago.
    fn oldest(&self) -> Option<Badge> {
        let used = |badge: &Badge, used: Wall| (self.undated.contains(badge), used);
        self.browsers.iter().min_by_key(|(badge, at)| used(badge, **at)).map(|(badge, _)| badge.clone())
    }

    /// It has to give the PIN again, in a lane of its own.
    fn expel(&mut self, badge: &Badge) {
        self.undated.remove(badge);
        if self.browsers.remove(badge).is_some() {
            self.former.push(badge.clone());
            self.bound();
        }
    }

    fn bound(&mut self) {
        let too_many = self.former.len().saturating_sub(MOST_FORMER);
        self.former.drain(..too_many);
    }
}

impl Default for Browsers {
    fn default() -> Browsers {
        Browsers {
            known: Mutex::default(),
            to_write: Condvar::new(),
            written: Condvar::new(),
            changes: watch::Sender::default(),
        }
    }
}

impl Browsers {
    /// Whether this browser knows the PIN; that counts as using it. `now` is `None` while the clock may be wrong: then
    /// nobody is forgotten, and who was here is not forgotten once the clock is right either.
    pub fn knows(&self, badge: &Badge, now: Option<Wall>) -> bool {
        let mut known = self.known();
        let Some(&used) = known.browsers.get(badge) else { return false };
        let Some(now) = now else {
            if !known.undated.contains(badge) {
                known.undated.insert(badge.clone());
            }
            return true;
        };
        let idle_ms = now.0.saturating_sub(used.0);
        let was_dated = !known.undated.remove(badge) && used >= CLOCK_WAS_SET;
        if was_dated && idle_ms >= IDLE_END_MS {
            known.expel(badge);
            self.keep(&mut known);
            return false;
        }
        if !was_dated || !(0..DAY_MS).contains(&idle_ms) {
            known.browsers.insert(badge.clone(), now);
            self.keep(&mut known);
        }
        true
    }

    /// Whether it is one of them at the moment.
    pub fn contains(&self, badge: &Badge) -> bool {
        self.known().browsers.contains_key(badge)
    }

    /// Whether it knows the PIN, or knew it once.
    pub fn was_let_in(&self, badge: &Badge) -> bool {
        let known = self.known();
        known.browsers.contains_key(badge) || known.former.contains(badge)
    }

    /// `now` is `None` while the clock may be wrong.
    pub fn admit(&self, badge: Badge, now: Option<Wall>) {
        let mut known = self.known();
        if known.browsers.len() >= MOST_BROWSERS
            && let Some(oldest) = known.oldest()
        {
            known.expel(&oldest);
        }
        known.former.retain(|former| *former != badge);
        if now.is_none() {
            known.undated.insert(badge.clone());
        }
        known.browsers.insert(badge, now.unwrap_or(UNDATED));
        self.keep(&mut known);
    }

    pub fn forget(&self, badge: &Badge) {
        let mut known = self.known();
        known.undated.remove(badge);
        if known.browsers.remove(badge).is_some() {
            self.keep(&mut known);
            self.changes.send_replace(());
        }
    }

    /// The hash of the PIN.
    pub fn pin(&self) -> Option<String> {
        self.known().hash.clone()
    }

    /// Another PIN ends all sessions.
    pub fn another_pin(&self, hash: String) {
        let mut known = self.known();
        known.hash = Some(hash);
        known.undated.clear();
        let former = std::mem::take(&mut known.browsers);
        known.former.extend(former.into_keys());
        known.bound();
        self.keep(&mut known);
        self.changes.send_replace(());
    }

    /// Hears when a browser may have lost its standing.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Takes over what was kept before the restart.
    pub fn remember(&self, file: &Path) {
        let kept = match fs::read(file) {
            Ok(bytes) => serde_json::from_slice::<Kept>(&bytes).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => Err(error.to_string()),
        };
        match kept {
            Ok(kept) => {
                let mut known = self.known();
                known.hash = Some(kept.pin).filter(|hash| !hash.is_empty());
                known.browsers = kept.browsers.into_iter().map(|(id, used)| (Badge(id), Wall(used))).collect();
                known.former = kept.former.into_iter().map(Badge).collect();
            }
            Err(error) => tracing::warn!(
                "the panel has forgotten who knows the PIN, which has to be given again: {} cannot be read ({error})",
                file.display()
            ),
        }
    }

    /// Starts the thread that writes down what changes. What cannot be written is known until the next restart.
    pub fn write_to(self: &Arc<Self>, file: PathBuf) -> io::Result<()> {
        let browsers = Arc::clone(self);
        let writing = move || {
            let mut was_told = false;
            while let Some((kept, revision)) = browsers.next_to_write() {
                match write(&file, &kept) {
                    Ok(()) => {
                        was_told = false;
                        browsers.known().written = revision;
                        browsers.written.notify_all();
                    }
                    Err(error) => {
                        let file = file.display();
                        if !was_told {
                            tracing::warn!("a restart would forget the panel's new browsers: {file} ({error})");
                        }
                        was_told = true;
                        if !browsers.pause(revision) {
                            return;
                        }
                    }
                }
            }
        };
        Builder::new().name("panel-writer".into()).stack_size(STACK_BYTES).spawn(writing).map(|_| ())
    }

    /// Lets the writer end; gives it this long for what is not on the disk yet.
    pub fn end(&self, within: Duration) {
        let mut known = self.known();
        known.ends = true;
        self.to_write.notify_all();
        let unwritten = |known: &mut Known| known.written < known.revision;
        drop(self.written.wait_timeout_while(known, within, unwritten));
    }

    /// Waits for a change; `None` at the end.
    fn next_to_write(&self) -> Option<(Kept, u64)> {
        let nothing_new = |known: &mut Known| known.written == known.revision && !known.ends;
        let known = self.to_write.wait_while(self.known(), nothing_new).unwrap_or_else(PoisonError::into_inner);
        if known.written == known.revision {
            return None;
        }
        let kept = Kept {
            pin: known.hash.clone().unwrap_or_default(),
            browsers: known.browsers.iter().map(|(badge, used)| (badge.0.clone(), used.0)).collect(),
            former: known.former.iter().map(|badge| badge.0.clone()).collect(),
        };
        Some((kept, known.revision))
    }

    /// After a failure: waits for the next change, or until it is time to try again; `false` at the end.
    fn pause(&self, revision: u64) -> bool {
        let nothing_new = |known: &mut Known| known.revision == revision && !known.ends;
        let paused = self.to_write.wait_timeout_while(self.known(), AGAIN, nothing_new);
        !paused.unwrap_or_else(PoisonError::into_inner).0.ends
    }

    fn keep(&self, known: &mut Known) {
        known.revision += 1;
        self.to_write.notify_all();
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the file anew, so that a power cut leaves the old or the new.
fn write(file: &Path, kept: &Kept) -> io::Result<()> {
    let beside = file.with_extension("new");
    let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    new.write_all(&serde_json::to_vec(kept)?)?;
    new.sync_all()?;
    fs::rename(&beside, file)
}
