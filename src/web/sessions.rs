//! Who is logged in. A session is a random number that only the browser knows; here lies its hash, in memory alone, so
//! that a restart logs everybody out and a copy of the memory lets nobody in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::controller::moment::Boottime;

const ID_BYTES: usize = 32;

/// The sessions of one site. `T` is what the site keeps with each.
pub struct Sessions<T> {
    cookie: &'static str,
    idle_end: Duration,
    most: usize,
    open: Mutex<HashMap<[u8; 32], Session<T>>>,
}

struct Session<T> {
    used: Boottime,
    holder: T,
}

/// The system gave no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers; try again in a moment")]
pub struct NoRandomness;

impl<T: Clone> Sessions<T> {
    /// `cookie` names the cookie: another site on the same host must have another. A session that is not used for
    /// `idle_end` is over; of more than `most` the one that was not used for longest is.
    pub fn new(cookie: &'static str, idle_end: Duration, most: usize) -> Sessions<T> {
        Sessions { cookie, idle_end, most, open: Mutex::default() }
    }

    /// Opens a session; returns the value of `Set-Cookie` that hands it to the browser.
    ///
    /// # Errors
    ///
    /// When there are no random numbers.
    pub fn open(&self, holder: T, now: Boottime) -> Result<HeaderValue, NoRandomness> {
        let mut id = [0; ID_BYTES];
        SystemRandom::new().fill(&mut id).map_err(|_| NoRandomness)?;
        let mut open = self.sessions();
        open.retain(|_, session| now.since(session.used) < self.idle_end);
        if open.len() >= self.most
            && let Some(oldest) = open.iter().min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash)
        {
            open.remove(&oldest);
        }
        let text = URL_SAFE_NO_PAD.encode(id);
        open.insert(hash(&text), Session { used: now, holder });
        HeaderValue::from_str(&format!("{}={text}; HttpOnly; SameSite=Strict; Path=/", self.cookie))
            .map_err(|_| NoRandomness)
    }

    /// Whose session the request bears; that counts as using it.
    pub fn find(&self, headers: &HeaderMap, now: Boottime) -> Option<T> {
        let id = hash(&cookie(headers, self.cookie)?);
        let mut open = self.sessions();
        let session = open.get_mut(&id)?;
        if now.since(session.used) >= self.idle_end {
            open.remove(&id);
            return None;
        }
        session.used = now;
        Some(session.holder.clone())
    }

    /// Ends the request's session; returns the value of `Set-Cookie` that takes it from the browser.
    pub fn close(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if let Some(id) = cookie(headers, self.cookie) {
            self.sessions().remove(&hash(&id));
        }
        HeaderValue::from_str(&format!("{}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0", self.cookie)).ok()
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn sessions(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session<T>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cookie of the request.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

fn hash(id: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, id.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Boottime {
        Boottime(seconds * 1_000_000_000)
    }

    fn bearing(set_cookie: &HeaderValue) -> HeaderMap {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&format!("other=1; {pair}")).unwrap())])
    }

    #[test]
    fn a_session_lasts_while_it_is_used() {
        let sessions = Sessions::new("test", Duration::from_secs(100), 10);
        let browser = bearing(&sessions.open("ann", at(0)).unwrap());
        assert_eq!(sessions.find(&browser, at(99)), Some("ann"));
        assert_eq!(sessions.find(&browser, at(198)), Some("ann"));
        assert_eq!(sessions.find(&browser, at(298)), None);
        assert_eq!(sessions.find(&browser, at(198)), None, "what is over stays over");
    }

    #[test]
    fn a_closed_session_is_over_although_the_browser_keeps_the_cookie() {
        let sessions = Sessions::new("test", Duration::from_secs(100), 10);
        let browser = bearing(&sessions.open("ann", at(0)).unwrap());
        sessions.close(&browser);
        assert_eq!(sessions.find(&browser, at(1)), None);
    }

    #[test]
    fn sessions_are_bounded_and_the_longest_unused_one_goes() {
        let sessions = Sessions::new("test", Duration::from_secs(100), 2);
        let browsers: Vec<HeaderMap> =
            (0..3).map(|number| bearing(&sessions.open(number, at(number)).unwrap())).collect();
        let found: Vec<_> = browsers.iter().map(|browser| sessions.find(browser, at(5))).collect();
        assert_eq!(found, [None, Some(1), Some(2)]);
    }
}
