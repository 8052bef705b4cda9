//! The browsers that know the PIN. They are remembered over restarts: after a power cut nobody should have to look for
//! the PIN before calling for help. Of each lies only a hash on the disk, beside the PIN's.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::{Hub, Site, pin, words};
use crate::controller::moment::Wall;
use crate::web::attempts::{Attempts, Lane};
use crate::web::sessions::cookie;

const COOKIE: &str = "sos_panel";
const COOKIE_SECONDS: u32 = 400 * DAY_SECONDS;
const DAY_SECONDS: u32 = 24 * 60 * 60;
const DAY_MS: i64 = DAY_SECONDS as i64 * 1000;
const IDLE_END_MS: i64 = 30 * DAY_MS;
/// Before this (2024) a clock has not been set yet, and says nothing of how long ago something was.
const CLOCK_WAS_SET: Wall = Wall(1_704_067_200_000);
const MOST_BROWSERS: usize = 200;
const LONGEST_PIN: usize = 256;

/// What a browser may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may see and act.
    Knows,
    /// It has to give the PIN first, and may see the hub's state until then.
    Stranger,
    /// There is no PIN: everybody may see, nobody may act.
    NoPin,
}

impl Standing {
    /// Whether it may see the inside of the house: cameras, history, names.
    pub fn may_see(self) -> bool {
        self != Standing::Stranger
    }

    /// As the pages' scripts know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Knows => "act",
            Standing::Stranger => "pin",
            Standing::NoPin => "never",
        }
    }
}

/// Lets browsers in that know the PIN.
pub struct Gate {
    pin_file: Option<PathBuf>,
    kept: PathBuf,
    is_secure: bool,
    attempts: Attempts<()>,
    /// One at a time: each takes much memory and time.
    hashing: Semaphore,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// Of the PIN's file, when it was read last.
    stamp: Option<Stamp>,
    /// Of the PIN.
    hash: Option<String>,
    /// By the hash of its cookie: when each was used last.
    browsers: HashMap<String, Wall>,
}

type Stamp = (u64, u64, i64, i64);

/// The file in the state directory.
#[derive(Deserialize, Serialize)]
struct Kept {
    pin: String,
    browsers: HashMap<String, i64>,
}

impl Gate {
    /// `is_secure`: all pages come by HTTPS.
    pub fn new(pin_file: Option<PathBuf>, state_dir: &Path, is_secure: bool) -> Gate {
        Gate {
            pin_file,
            kept: state_dir.join("panel-browsers.json"),
            is_secure,
            attempts: Attempts::default(),
            hashing: Semaphore::new(1),
            known: Arc::default(),
        }
    }

    /// What the browser of a request may do; that counts as using it.
    pub async fn standing(&self, headers: &HeaderMap, now: Wall) -> Standing {
        if self.pin_file.is_none() {
            return Standing::NoPin;
        }
        let Some(id) = cookie(headers, COOKIE) else { return Standing::Stranger };
        self.follow_file().await;
        let id = hash(&id);
        let mut known = self.known();
        let Some(&used) = known.browsers.get(&id) else { return Standing::Stranger };
        let is_dated = now >= CLOCK_WAS_SET;
        let idle_ms = now.0.saturating_sub(used.0);
        if is_dated && used >= CLOCK_WAS_SET && idle_ms >= IDLE_END_MS {
            known.browsers.remove(&id);
            self.keep(&known);
            return Standing::Stranger;
        }
        if is_dated && (used < CLOCK_WAS_SET || idle_ms >= DAY_MS) {
            known.browsers.insert(id, now);
            self.keep(&known);
        }
        Standing::Knows
    }

    /// Reads the PIN's file where it has changed. Another PIN ends all sessions; a file that cannot be read ends none,
    /// because somebody may need help just then.
    async fn follow_file(&self) {
        let Some(file) = self.pin_file.clone() else { return };
        if stamp(&file).is_none_or(|stamp| self.known().stamp == Some(stamp)) {
            return;
        }
        let Ok(_turn) = self.hashing.acquire().await else { return };
        let (known, kept) = (Arc::clone(&self.known), self.kept.clone());
        // If it panics the process ends.
        let _ = spawn_blocking(move || follow(&file, &kept, &known)).await;
    }

    /// Whether this is the PIN.
    async fn is_right(&self, given: String) -> bool {
        self.follow_file().await;
        let Some(right) = self.known().hash.clone() else { return false };
        let Ok(_turn) = self.hashing.acquire().await else { return false };
        spawn_blocking(move || pin::matches(&given, &right)).await.unwrap_or(false)
    }

    /// Lets a browser in; gives the cookie for it.
    fn admit(&self, now: Wall) -> Option<HeaderValue> {
        let mut id = [0; 32];
        SystemRandom::new().fill(&mut id).ok()?;
        let id = URL_SAFE_NO_PAD.encode(id);
        let mut known = self.known();
        if known.browsers.len() >= MOST_BROWSERS
            && let Some(oldest) = known.browsers.iter().min_by_key(|(_, used)| **used).map(|(id, _)| id.clone())
        {
            known.browsers.remove(&oldest);
        }
        known.browsers.insert(hash(&id), now);
        self.keep(&known);
        self.set_cookie(&id, COOKIE_SECONDS)
    }

    fn set_cookie(&self, id: &str, seconds: u32) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={id}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&cookie).ok()
    }

    fn keep(&self, known: &Known) {
        keep(&self.kept, known);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

/// `POST /pin`: the PIN as text.
pub(super) async fn enter<H: Hub>(State(site): State<Arc<Site<H>>>, body: Bytes) -> Response {
    if site.gate.pin_file.is_none() {
        return (StatusCode::FORBIDDEN, words::NO_PIN_FILE).into_response();
    }
    let lane = Lane::Name(());
    if let Err(wait) = site.gate.attempts.begin(&lane, site.hub.now()) {
        let seconds = wait.as_secs();
        let sentence = words::slowed(seconds);
        return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, HeaderValue::from(seconds))], sentence).into_response();
    }
    let given = str::from_utf8(&body).ok().filter(|given| given.len() <= LONGEST_PIN);
    let is_right = match given {
        Some(given) => site.gate.is_right(given.trim().to_owned()).await,
        None => false,
    };
    if !is_right {
        return (StatusCode::FORBIDDEN, words::WRONG_PIN).into_response();
    }
    site.gate.attempts.succeeded(&lane);
    match site.gate.admit(site.hub.wall()) {
        Some(cookie) => (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, words::TRY_AGAIN).into_response(),
    }
}

/// `POST /lock`: this browser forgets the PIN.
pub(super) async fn lock_browser<H: Hub>(State(site): State<Arc<Site<H>>>, headers: HeaderMap) -> Response {
    if let Some(id) = cookie(&headers, COOKIE) {
        let mut known = site.gate.known();
        if known.browsers.remove(&hash(&id)).is_some() {
            site.gate.keep(&known);
        }
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = site.gate.set_cookie("", 0) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn follow(file: &Path, kept: &Path, known: &Mutex<Known>) {
    let (Some(stamp), Ok(text)) = (stamp(file), fs::read_to_string(file)) else { return };
    let pin = text.trim();
    let is_first = lock(known).stamp.is_none();
    let before = if is_first { read(kept) } else { None };
    let hash_before = before.as_ref().map(|kept| kept.pin.clone()).or_else(|| lock(known).hash.clone());
    let is_same = !pin.is_empty() && hash_before.as_ref().is_some_and(|hash| pin::matches(pin, hash));
    let hash = if is_same {
        hash_before
    } else if pin.is_empty() {
        None
    } else {
        pin::hash(pin)
    };
    let mut known = lock(known);
    known.stamp = Some(stamp);
    known.hash = hash;
    if !is_same {
        known.browsers.clear();
        keep(kept, &known);
    } else if let Some(before) = before {
        known.browsers = before.browsers.into_iter().map(|(id, used)| (id, Wall(used))).collect();
    }
}

/// When the file changed last; `None` if it cannot be looked at.
fn stamp(file: &Path) -> Option<Stamp> {
    fs::metadata(file).ok().map(|found| (found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}

fn read(kept: &Path) -> Option<Kept> {
    serde_json::from_slice(&fs::read(kept).ok()?).ok()
}

/// Writes the file anew. Where that fails, the browsers are known until the next restart.
fn keep(file: &Path, known: &Known) {
    let browsers = known.browsers.iter().map(|(id, used)| (id.clone(), used.0)).collect();
    let kept = Kept { pin: known.hash.clone().unwrap_or_default(), browsers };
    let beside = file.with_extension("new");
    let write = || {
        let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        new.write_all(&serde_json::to_vec(&kept)?)?;
        new.sync_all()?;
        fs::rename(&beside, file)
    };
    if let Err(error) = write() {
        tracing::warn!("the panel's browsers are forgotten at the next restart: {} ({error})", file.display());
    }
}

fn hash(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, id.as_bytes()))
}

/// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
