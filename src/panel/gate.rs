//! Who may see and who may act: the PIN, and how a browser is let in. All of it is answered from memory.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::browsers::{Badge, Browsers};
use super::{Hub, Site, pin, words};
use crate::controller::moment::Wall;
use crate::web::attempts::{Attempts, Lane};
use crate::web::passwords;
use crate::web::places::network;
use crate::web::server::Peer;
use crate::web::sessions::cookie;

const COOKIE: &str = "sos_panel";
/// Over HTTPS: browsers let no page on plain HTTP replace a secure cookie, so the two must not have one name.
const SECURE_COOKIE: &str = "__Host-sos_panel";
const COOKIE_SECONDS: u32 = 400 * 24 * 60 * 60;
const LONGEST_PIN: usize = 256;
/// Once many guesses were wrong, whoever guesses: 144 a day, so that six digits last for years.
const GUESS_EACH: Duration = Duration::from_secs(10 * 60);
/// How long the first pages after a start wait for what the disk knows of them.
const MEMORY_PATIENCE: Duration = Duration::from_secs(5);

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

/// Who guesses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Guesser {
    From(IpAddr),
    Browser(Badge),
}

/// Lets browsers in that know the PIN.
pub struct Gate {
    has_pin: bool,
    is_secure: bool,
    attempts: Attempts<Guesser>,
    /// One at a time, so that other work that blocks has a thread.
    hashing: Arc<Semaphore>,
    browsers: Arc<Browsers>,
    is_known: watch::Receiver<bool>,
    began: Instant,
}

impl Gate {
    /// `is_secure`: all pages come by HTTPS.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(
        pin_file: Option<PathBuf>,
        state_dir: &Path,
        browsers: Arc<Browsers>,
        is_secure: bool,
    ) -> std::io::Result<Gate> {
        let has_pin = pin_file.is_some();
        let (known, is_known) = watch::channel(!has_pin);
        if let Some(file) = pin_file {
            let kept = state_dir.join("panel-browsers.json");
            browsers.write_to(kept.clone())?;
            pin::follow(file, kept, Arc::clone(&browsers), known)?;
        }
        Ok(Gate {
            has_pin,
            is_secure,
            attempts: Attempts::new(GUESS_EACH),
            hashing: Arc::new(Semaphore::new(1)),
            browsers,
            is_known,
            began: Instant::now(),
        })
    }

    /// What the browser of a request may do; that counts as using it.
    pub async fn standing(&self, headers: &HeaderMap, now: Option<Wall>) -> Standing {
        self.remembered().await;
        self.standing_of(self.badge(headers).as_ref(), now)
    }

    /// Whether it is known by now who knows the PIN: until then, a stranger may be none.
    pub fn is_sure(&self) -> bool {
        *self.is_known.borrow()
    }

    /// What the cookie of a request says of its browser.
    pub fn badge(&self, headers: &HeaderMap) -> Option<Badge> {
        self.cookie(headers).map(|id| Badge::of(&id))
    }

    /// The name of a request's browser, if it knows the PIN; that does not count as using it.
    pub fn name_of(&self, headers: &HeaderMap) -> Option<Arc<str>> {
        self.badge(headers).filter(|badge| self.browsers.contains(badge)).map(|badge| badge.name())
    }

    /// The cookie of a browser once more, so that it lasts from now on.
    pub fn cookie_again(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.set_cookie(&self.cookie(headers)?, COOKIE_SECONDS)
    }

    fn cookie(&self, headers: &HeaderMap) -> Option<String> {
        let secure = self.is_secure.then(|| cookie(headers, SECURE_COOKIE)).flatten();
        secure.or_else(|| cookie(headers, COOKIE))
    }

    /// The same of a browser with this badge, now.
    pub fn standing_of(&self, badge: Option<&Badge>, now: Option<Wall>) -> Standing {
        match badge {
            _ if !self.has_pin => Standing::NoPin,
            Some(badge) if self.browsers.knows(badge, now) => Standing::Knows,
            _ => Standing::Stranger,
        }
    }

    /// Hears when a browser may have lost its standing.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.browsers.changes()
    }

    /// Waits, in the first moment after a start alone, for what the disk knows of the PIN. One that hangs is not waited
    /// for: then nobody is known.
    async fn remembered(&self) {
        if !*self.is_known.borrow() {
            let mut is_known = self.is_known.clone();
            let _ = timeout_at(self.began + MEMORY_PATIENCE, is_known.wait_for(|known| *known)).await;
        }
    }

    /// Whether this is the PIN; `None` if that is not known.
    async fn is_right(&self, given: String) -> Option<bool> {
        self.remembered().await;
        let right = self.browsers.pin()?;
        let turn = Arc::clone(&self.hashing).acquire_owned().await.ok()?;
        let comparing = spawn_blocking(move || {
            // It goes on where whoever asked has gone.
            let _turn = turn;
            passwords::matches(&given, &right)
        });
        comparing.await.ok()
    }

    /// Lets a browser in; gives the cookie for it.
    fn admit(&self, now: Option<Wall>) -> Option<HeaderValue> {
        let mut id = [0; 32];
        SystemRandom::new().fill(&mut id).ok()?;
        let id = URL_SAFE_NO_PAD.encode(id);
        self.browsers.admit(Badge::of(&id), now);
        self.set_cookie(&id, COOKIE_SECONDS)
    }

    fn set_cookie(&self, id: &str, seconds: u32) -> Option<HeaderValue> {
        let (name, secure) = if self.is_secure { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
        let cookie = format!("{name}={id}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&cookie).ok()
    }

    /// Who knew the PIN once has a lane of its own; all others are told apart by where they come from.
    fn lane(&self, headers: &HeaderMap, peer: Peer) -> Lane<Guesser> {
        match self.badge(headers).filter(|badge| self.browsers.was_let_in(badge)) {
            Some(badge) => Lane::Known(Guesser::Browser(badge)),
            None => Lane::Name(Guesser::From(network(peer.0))),
        }
    }
}

/// `POST /pin`: the PIN as text.
pub(super) async fn enter<H: Hub>(
    State(site): State<Arc<Site<H>>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !site.gate.has_pin {
        return (StatusCode::FORBIDDEN, words::NO_PIN_FILE).into_response();
    }
    let lane = site.gate.lane(&headers, peer);
    if let Err(wait) = site.gate.attempts.begin(&lane, site.hub.now()) {
        let seconds = wait.as_secs();
        let sentence = words::slowed(seconds);
        return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, HeaderValue::from(seconds))], sentence).into_response();
    }
    let given = str::from_utf8(&body).ok().filter(|given| given.len() <= LONGEST_PIN);
    let is_right = match given {
        Some(given) => site.gate.is_right(given.trim().to_owned()).await,
        None => Some(false),
    };
    match is_right {
        Some(true) => {}
        Some(false) => return (StatusCode::FORBIDDEN, words::WRONG_PIN).into_response(),
        None => {
            site.gate.attempts.not_judged(&lane);
            return (StatusCode::SERVICE_UNAVAILABLE, words::TRY_AGAIN).into_response();
        }
    }
    site.gate.attempts.succeeded(&lane);
    match site.gate.admit(site.hub.dated()) {
        Some(cookie) => (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, words::TRY_AGAIN).into_response(),
    }
}

/// `POST /lock`: this browser forgets the PIN.
pub(super) async fn lock_browser<H: Hub>(State(site): State<Arc<Site<H>>>, headers: HeaderMap) -> Response {
    if let Some(badge) = site.gate.badge(&headers) {
        site.gate.browsers.forget(&badge);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = site.gate.set_cookie("", 0) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
