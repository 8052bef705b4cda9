//! Logging in and out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::html;
use ring::hmac;

use super::address::{Page, field};
use super::{Site, address, layout, unavailable};
use crate::center::secrets;
use crate::center::store::Operator;
use crate::drivers::clock;
use crate::web::attempts::Lane;
use crate::web::sessions::cookie;
use crate::wire::text;

/// The cookie of a browser that an operator has logged in with before.
const KNOWN: &str = "sos_center_known";
const KNOWN_SECONDS: u32 = 180 * 24 * 60 * 60;
const LONGEST_NAME: usize = 64;
const LONGEST_PASSWORD: usize = 1024;

/// Whose session it is.
#[derive(Clone)]
pub struct Holder {
    pub name: Arc<str>,
    /// Of the password that was right then: another one since ends the session.
    hash: Arc<str>,
}

impl Site {
    /// The operator of a request. One who was removed or given another password since is none any more; a store that
    /// does not answer locks nobody out.
    pub(super) async fn operator(&self, headers: &HeaderMap) -> Option<Holder> {
        let holder = self.sessions.find(headers, clock::boottime())?;
        match self.archive.operator(&holder.name).await {
            Ok(Some(operator)) if *operator.hash == *holder.hash => Some(holder),
            Ok(_) => {
                self.sessions.close(headers);
                None
            }
            Err(_) => Some(holder),
        }
    }

    /// Whether a secret is the one of the hash. Takes long on purpose; one at a time.
    pub(super) async fn matches(&self, secret: String, hash: String) -> bool {
        let Ok(_turn) = self.hashing.acquire().await else { return false };
        tokio::task::spawn_blocking(move || secrets::matches(&secret, &hash)).await.unwrap_or(false)
    }
}

/// `GET /login`
pub async fn page(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    let next = query.as_deref().and_then(|query| query.strip_prefix("next=")).and_then(address::decoded);
    form(&site, StatusCode::OK, None, "", next.as_deref()).await
}

/// `GET /session`: whether the browser is logged in, for a page whose stream broke off.
pub async fn session(State(site): State<Arc<Site>>, headers: HeaderMap) -> StatusCode {
    if site.operator(&headers).await.is_some() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}

/// `POST /login`
pub async fn login(State(site): State<Arc<Site>>, headers: HeaderMap, body: Bytes) -> Response {
    let name = text::tidy(&field(&body, "name").unwrap_or_default(), LONGEST_NAME);
    let password = field(&body, "password").unwrap_or_default();
    let next = field(&body, "next");
    let operator = match site.archive.operator(&name).await {
        Ok(operator) => operator,
        Err(problem) => return unavailable(&problem),
    };
    let is_known = operator.as_ref().is_some_and(|operator| is_known(&headers, operator));
    let lane = if is_known { Lane::Known(name.clone()) } else { Lane::Name(name.clone()) };
    if let Err(wait) = site.attempts.begin(&lane, clock::boottime()) {
        return slowed(&site, wait, &name, next.as_deref()).await;
    }
    let is_right = password.len() <= LONGEST_PASSWORD && is_right(&site, operator.as_ref(), password).await;
    let Some(operator) = operator.filter(|_| is_right) else {
        site.office.audit("console", format!("Refused a log-in as \u{201c}{name}\u{201d}."));
        let problem = "The name or the password is wrong.";
        return form(&site, StatusCode::FORBIDDEN, Some(problem), &name, next.as_deref()).await;
    };
    site.attempts.succeeded(&lane);
    let holder = Holder { name: operator.name.as_str().into(), hash: operator.hash.as_str().into() };
    match site.sessions.open(holder, clock::boottime()) {
        Ok(cookie) => {
            site.office.audit(format!("operator {}", operator.name), "Logged in.");
            let mut response = Redirect::to(&after_login(next.as_deref())).into_response();
            response.headers_mut().append(SET_COOKIE, cookie);
            if let Some(known) = known(&operator) {
                response.headers_mut().append(SET_COOKIE, known);
            }
            response
        }
        Err(problem) => unavailable(&problem.to_string()),
    }
}

/// `POST /logout`
pub async fn logout(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    if let Some(holder) = site.sessions.find(&headers, clock::boottime()) {
        site.office.audit(format!("operator {}", holder.name), "Logged out.");
    }
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = site.sessions.close(&headers) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// A name that does not exist takes as long as one that does: how long it takes must not tell who is an operator.
async fn is_right(site: &Site, operator: Option<&Operator>, password: String) -> bool {
    match operator {
        Some(operator) => site.matches(password, operator.hash.clone()).await,
        None => {
            site.matches(password, secrets::OF_NOBODY.to_owned()).await;
            false
        }
    }
}

/// Where a log-in leads: only to a page of ours.
fn after_login(next: Option<&str>) -> String {
    next.and_then(Page::at).unwrap_or(Page::Queue).address()
}

/// A browser is known by a code that only somebody with the operator's hash can make: nothing has to be kept, and a new
/// password makes all browsers unknown.
fn known(operator: &Operator) -> Option<HeaderValue> {
    let code = URL_SAFE_NO_PAD.encode(hmac::sign(&key(operator), operator.name.as_bytes()));
    let attributes = format!("HttpOnly; SameSite=Strict; Path=/login; Max-Age={KNOWN_SECONDS}");
    HeaderValue::from_str(&format!("{KNOWN}={code}; {attributes}")).ok()
}

fn is_known(headers: &HeaderMap, operator: &Operator) -> bool {
    cookie(headers, KNOWN)
        .and_then(|code| URL_SAFE_NO_PAD.decode(code).ok())
        .is_some_and(|code| hmac::verify(&key(operator), operator.name.as_bytes(), &code).is_ok())
}

fn key(operator: &Operator) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, format!("known browser {}", operator.hash).as_bytes())
}

async fn slowed(site: &Site, wait: Duration, name: &str, next: Option<&str>) -> Response {
    let seconds = wait.as_secs();
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let problem = format!("Too many wrong passwords. Wait {seconds} {unit}, then try again.");
    let mut response = form(site, StatusCode::TOO_MANY_REQUESTS, Some(&problem), name, next).await;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

async fn form(site: &Site, status: StatusCode, problem: Option<&str>, name: &str, next: Option<&str>) -> Response {
    let nobody = site.archive.has_operators().await == Ok(false);
    let main = html! {
        h1 { "Log in" }
        @if nobody {
            div.banner.note {
                "There is no operator yet. Make the first one on this machine:"
                pre { code { "sudo -u sos-center sos-center operator add NAME" } }
            }
        }
        @if let Some(problem) = problem { p.banner.bad role="alert" { (problem) } }
        form.login method="post" action="/login" {
            input type="hidden" name="next" value=(after_login(next));
            label for="name" { "Name" }
            input #name type="text" name="name" value=(name) required autofocus[name.is_empty()] maxlength=(LONGEST_NAME)
                autocomplete="username" autocapitalize="off" spellcheck="false";
            label for="password" { "Password" }
            input #password type="password" name="password" required autofocus[!name.is_empty()]
                maxlength=(LONGEST_PASSWORD) autocomplete="current-password";
            button type="submit" { "Log in" }
        }
    };
    (status, super::html(layout::stranger("Log in – sos-center", main))).into_response()
}
