//! One connection after the other, with a pause between them.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::debug;

use super::connection::{Connection, End};
use super::extras::{Doubt, Extras};
use super::outbox::Outbox;
use super::problem::{self, Broker};
use super::{LinkSettings, Listener};
use crate::controller::input::{LinkChange, LinkProblem, LinkProblemKind};

const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
/// While the broker is away: its coming back must be noticed within seconds, and an attempt costs little.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// When somebody has to mend something first, and the attempts may cost the broker a handshake or look like guessing.
const LONGEST_PAUSE_REFUSED: Duration = Duration::from_secs(10);
/// Two clients of one identity must not throw each other out at speed: half of this at least.
const PAUSE_TAKEN_OVER: Duration = Duration::from_secs(10);
/// A connection that stood this long was a good one.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);
/// A broker that takes us at once and closes without a word before this, twice in a row, has most likely another client
/// of our client id: mosquitto 2.0.11 does not say so. One that was restarted would have refused us in between.
const SHORT_LIFE: Duration = Duration::from_secs(60);

/// Runs the link until its end is asked for and done, or its time is over.
pub async fn run(
    settings: &LinkSettings,
    listener: &impl Listener,
    outbox: &Outbox,
    ending: watch::Receiver<Option<Instant>>,
) {
    select! {
        () = time_is_over(ending.clone()) => {}
        () = connect_for_ever(settings, listener, outbox, ending) => {}
    }
}

async fn connect_for_ever(
    settings: &LinkSettings,
    listener: &impl Listener,
    outbox: &Outbox,
    mut ending: watch::Receiver<Option<Instant>>,
) {
    let broker = Broker { host: &settings.host, port: settings.port };
    let mut told: Option<LinkProblem> = None;
    let mut failures = 0;
    let mut cut_short = 0;
    let mut extras = Extras::new();
    loop {
        let mut up_since = None;
        let on_up = || {
            up_since = Some(Instant::now());
            listener.changed(LinkChange::Up);
        };
        let end = Connection::new(settings, listener, outbox, &extras).run(on_up, &mut ending).await;
        let End::Broken { mut problem, over } = end else { return };
        let stood = up_since.map(|since| since.elapsed());
        let over = if problem::may_be_over_the_last(&problem, broker) { over } else { Doubt::Nothing };
        extras.ended(over, stood.is_some(), broker);
        if stood.is_some() {
            told = None;
        }
        if stood.is_some_and(|stood| stood >= GOOD_CONNECTION) {
            failures = 0;
        }
        cut_short = match (over, stood) {
            _ if problem != problem::of_closing(broker) => 0,
            (Doubt::Nothing, Some(stood)) => 1 + if stood < SHORT_LIFE { cut_short } else { 0 },
            (Doubt::Nothing, None) => 0,
            // It may have been over that as well as for another client.
            _ => cut_short,
        };
        if cut_short > 1 {
            problem = problem::of_repeated_closing(broker);
        }
        let pause = pause(failures, problem.kind, random_fraction());
        failures += 1;
        debug!(?pause, kind = ?problem.kind, "no connection: {}", problem.detail);
        if told.as_ref() != Some(&problem) {
            listener.changed(LinkChange::Down(problem.clone()));
            told = Some(problem);
        }
        select! {
            () = sleep(pause) => {}
            _ = ending.wait_for(Option::is_some) => return,
        }
    }
}

/// Resolves when the time that was given for the end is over, at once if the link was dropped without one.
async fn time_is_over(mut ending: watch::Receiver<Option<Instant>>) {
    let deadline = ending.wait_for(Option::is_some).await.ok().and_then(|deadline| *deadline);
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}

/// How long to wait after this many failures in a row. `fraction` (0 to 1) spreads the clients of one broker.
fn pause(failures: u32, kind: LinkProblemKind, fraction: f64) -> Duration {
    use LinkProblemKind as Kind;
    let (shortest, longest) = match kind {
        Kind::Unreachable | Kind::Stalled => (SHORTEST_PAUSE, LONGEST_PAUSE),
        Kind::Credentials | Kind::Tls | Kind::Subscription | Kind::Protocol | Kind::Configuration => {
            (SHORTEST_PAUSE, LONGEST_PAUSE_REFUSED)
        }
        Kind::TakenOver => (PAUSE_TAKEN_OVER, PAUSE_TAKEN_OVER),
    };
    let doubled = shortest.saturating_mul(1 << failures.min(10));
    doubled.min(longest).mul_f64(0.5 + fraction / 2.0)
}

/// Between 0 and 1. The standard library's hash keys are random enough to spread retries.
fn random_fraction() -> f64 {
    f64::from(RandomState::new().build_hasher().finish() as u32) / f64::from(u32::MAX)
}
