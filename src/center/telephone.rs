//! The webhooks: a telephony provider is asked to call, a dispatch service to send help, and somebody is told of an
//! alarm that no operator takes. Each request travels on a thread of its own, so that none waits for a slow one.
//!
//! What matters most is what a failure means. A request whose body never left has certainly done nothing and may be made
//! again. One whose body left and that was not answered may have made a telephone ring, and is never made again.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use tracing::warn;
use ureq::http::StatusCode;
use ureq::{Agent, SendBody};

use super::callback::CallbackTokens;
use super::desk::effect::{AlertRequest, CallRequest, DispatchRequest};
use super::desk::input::{Input, Placed};
use super::wire::requests::{self, Callback};
use crate::controller::moment::{Id, Wall};
use crate::wire::tokens::Signer;

/// How many requests may be under way at once.
const MOST_THREADS: usize = 16;

/// How many of those may be alerts.
const MOST_FOR_ALERTS: usize = 4;

/// How many more of each kind may wait for their turn.
const MOST_WAITING: usize = 10_000;

/// Enough for a TLS handshake of an unoptimised build.
const STACK_BYTES: usize = 512 * 1024;

/// For the name, and again for the connection with its TLS handshake.
const CONNECT: Duration = Duration::from_secs(4);

/// For all of it.
const IN_ALL: Duration = Duration::from_secs(10);

/// Where requests go. The configuration allows `https` alone, and `http` on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TelephoneSettings {
    /// Of the telephony provider.
    pub call_url: Option<String>,
    /// Of the dispatch service.
    pub dispatch_url: Option<String>,
    /// Of whoever is told of alarms that no operator takes.
    pub alert_url: Option<String>,
    /// Where the provider reaches this center's console, without a slash at the end.
    pub callback_url: String,
}

/// Asks outside services. Dropping it lets what is under way go on.
pub struct Telephone {
    shared: Arc<Shared>,
}

/// What is asked, and for whom the answer is.
enum Errand {
    Call(Box<CallRequest>),
    Dispatch(Box<DispatchRequest>),
    Alert(Box<AlertRequest>),
}

struct Shared {
    settings: TelephoneSettings,
    signer: Arc<Signer>,
    callbacks: Arc<CallbackTokens>,
    wall: fn() -> Wall,
    agent: Agent,
    tell: Box<dyn Fn(Input) + Send + Sync>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Errand>,
    /// They go after all others: while many alarms cry at once, no call and no dispatch waits for a slow listener.
    alerts: VecDeque<Errand>,
    threads: usize,
}

impl Telephone {
    /// `tell` is called with [`Input::Placed`] and [`Input::DispatchAsked`], on the threads of the requests.
    pub fn new(
        settings: TelephoneSettings,
        signer: Arc<Signer>,
        callbacks: Arc<CallbackTokens>,
        wall: fn() -> Wall,
        tell: impl Fn(Input) + Send + Sync + 'static,
    ) -> Telephone {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            // A connection that its server has just given up looks like one that broke after the request.
            .max_idle_connections(0)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(IN_ALL))
            .user_agent(concat!("sos-center/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let line = Mutex::default();
        let shared = Shared { settings, signer, callbacks, wall, agent, tell: Box::new(tell), line };
        Telephone { shared: Arc::new(shared) }
    }

    /// Has somebody called; the outcome of the asking is told.
    pub fn place_call(&self, request: Box<CallRequest>) {
        self.run(Errand::Call(request));
    }

    /// Asks for police or fire department; the outcome of the asking is told.
    pub fn ask_dispatch(&self, request: Box<DispatchRequest>) {
        self.run(Errand::Dispatch(request));
    }

    /// Tells that nobody takes an alarm, if there is somebody to be told.
    pub fn alert(&self, request: Box<AlertRequest>) {
        if self.shared.settings.alert_url.is_some() {
            self.run(Errand::Alert(request));
        }
    }

    fn run(&self, errand: Errand) {
        let mut line = self.shared.line();
        let is_alert = matches!(errand, Errand::Alert(_));
        let (waiting, most_threads) =
            if is_alert { (&mut line.alerts, MOST_FOR_ALERTS) } else { (&mut line.waiting, MOST_THREADS) };
        if waiting.len() >= MOST_WAITING {
            drop(line);
            return self.shared.report(&errand, not_taken("more requests wait than can be made"));
        }
        waiting.push_back(errand);
        if line.threads >= most_threads {
            return;
        }
        line.threads += 1;
        drop(line);
        let shared = Arc::clone(&self.shared);
        let started = Builder::new().name("webhook".to_owned()).stack_size(STACK_BYTES).spawn(move || shared.work());
        if let Err(error) = started {
            self.shared.give_up(&error);
        }
    }
}

impl Shared {
    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs errands until none waits.
    fn work(&self) {
        loop {
            let mut line = self.line();
            let may_alert = line.threads <= MOST_FOR_ALERTS;
            let alert = |line: &mut Line| if may_alert { line.alerts.pop_front() } else { None };
            let Some(errand) = line.waiting.pop_front().or_else(|| alert(&mut line)) else {
                line.threads -= 1;
                return;
            };
            drop(line);
            let outcome = self.ask(&errand);
            self.report(&errand, outcome);
        }
    }

    /// The system gives no thread: what no other thread will come to is not asked.
    fn give_up(&self, error: &io::Error) {
        let mut line = self.line();
        line.threads -= 1;
        let mut stranded = VecDeque::new();
        if line.threads == 0 {
            stranded.append(&mut line.waiting);
            stranded.append(&mut line.alerts);
        }
        drop(line);
        for errand in stranded {
            self.report(&errand, not_taken(format!("the system gives no thread ({error})")));
        }
    }

    fn ask(&self, errand: &Errand) -> Placed {
        let TelephoneSettings { call_url, dispatch_url, alert_url, .. } = &self.settings;
        let now = (self.wall)();
        let (url, key, claims) = match errand {
            Errand::Call(request) => {
                let claims = requests::call(request, &self.callback(request.call), now);
                (call_url, request.call.to_string(), claims)
            }
            Errand::Dispatch(request) => {
                // The same after a restart; another one for help that is asked for again after the end.
                let key = format!("{}-dispatch-{}", request.incident, request.received_wall.0);
                (dispatch_url, key, requests::dispatch(request, now))
            }
            Errand::Alert(request) => {
                // Never made again: each is news.
                let key = format!("{}-unattended-{}", request.incident, now.0);
                (alert_url, key, requests::unattended(request, now))
            }
        };
        let Some(url) = url else { return not_taken("the configuration names no URL for it") };
        match self.signer.sign(&claims) {
            Ok(token) => self.post(url, &key, &token),
            Err(problem) => not_taken(format!("the request could not be signed: it {problem}")),
        }
    }

    fn callback(&self, call: Id) -> Callback {
        Callback { url: format!("{}/calls/{call}", self.settings.callback_url), token: self.callbacks.token(call) }
    }

    /// The answer is its status; nothing more of it is read.
    fn post(&self, url: &str, key: &str, token: &str) -> Placed {
        let has_left = Cell::new(false);
        let mut body = Body { rest: token.as_bytes(), has_left: &has_left };
        let sent = self
            .agent
            .post(url)
            .header("Content-Type", "application/jwt")
            .header("Content-Length", token.len())
            .header("Idempotency-Key", key)
            .send(SendBody::from_reader(&mut body));
        match sent {
            Ok(answer) => judged(answer.status()),
            Err(error) if has_left.get() => Placed::Unclear { problem: format!("it gave no answer ({error})") },
            Err(error) => not_taken(format!("it cannot be reached ({error})")),
        }
    }

    fn report(&self, errand: &Errand, outcome: Placed) {
        match errand {
            Errand::Call(request) => (self.tell)(Input::Placed { call: request.call, outcome }),
            Errand::Dispatch(request) => {
                let DispatchRequest { incident, received_wall, .. } = **request;
                (self.tell)(Input::DispatchAsked { incident, received_wall, outcome });
            }
            Errand::Alert(_) => {
                if let Placed::NotTaken { problem } | Placed::Unclear { problem } = outcome {
                    warn!(topic = "unattended", "Nobody was told of an alarm that no operator takes: {problem}.");
                }
            }
        }
    }
}

/// What a service's answer means. One that is overloaded, or finds the request wrong, has done nothing; one that broke
/// while it worked may have.
fn judged(status: StatusCode) -> Placed {
    match status.as_u16() {
        200..=299 => Placed::Taken,
        503 => not_taken("it answered 503: it cannot take requests now"),
        300..=399 => not_taken(format!("it answered {status}: redirects are not followed")),
        400..=499 => not_taken(format!("it refused the request: {status}")),
        _ => Placed::Unclear { problem: format!("it answered {status}") },
    }
}

/// The problem is to be put after "the service was not asked:" or the like.
fn not_taken(problem: impl Into<String>) -> Placed {
    Placed::NotTaken { problem: problem.into() }
}

/// A request's body that remembers whether it was asked for: that is after the connection stands, TLS included.
struct Body<'a> {
    rest: &'a [u8],
    has_left: &'a Cell<bool>,
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.has_left.set(true);
        self.rest.read(buffer)
    }
}
