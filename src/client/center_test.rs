//! A test of the way to the monitoring center: the hub sends it, and the center's word on it is waited for.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Errand, Failure, Talk, print, talk};
use crate::config::Config;
use crate::controller::words::TestKind;
use crate::drivers::mqtt::Subscription;
use crate::wiring;

/// The faults that say why the center's word does not come, the most telling one first.
const CAUSES: [&str; 2] = ["center_link", "center_silent"];
/// The fault that says that the center takes nothing of this hub. Its signals stay owed.
const REFUSED: &str = "center_refused";

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The hub has sent nothing; its own sentence.
    NotSent(String),
    /// The center has the signal on its disk; the hub's sentence on that.
    Confirmed(String),
    /// The center does not take it, and why.
    Refused(String),
    /// Nothing was heard in time; what is known of the reason, and what to look at.
    Unconfirmed(String),
}

/// Has a test signal sent and prints what came of it, as text or as the hub's reply with the verdict in `center`:
/// `confirmed`, `refused` or `unconfirmed`.
///
/// # Errors
///
/// Everything but a confirmed test.
pub fn ask(config: &Config, patience: Duration, json: bool) -> Result<(), Failure> {
    let on_its_way = |said: &str| {
        if !json {
            print(said);
        }
    };
    let (mut reply, verdict) = run(config, patience, on_its_way)?;
    let (word, said) = match &verdict {
        Verdict::NotSent(said) => (None, said.clone()),
        Verdict::Confirmed(said) => (Some("confirmed"), said.clone()),
        Verdict::Refused(said) => (Some("refused"), said.clone()),
        Verdict::Unconfirmed(said) => (Some("unconfirmed"), said.clone()),
    };
    if json {
        if let Some(word) = word {
            reply["center"] = word.into();
            reply["message"] = said.as_str().into();
        }
        print(&reply.to_string());
    } else if matches!(verdict, Verdict::Confirmed(_)) {
        print(&said);
    }
    match verdict {
        Verdict::Confirmed(_) => Ok(()),
        Verdict::NotSent(said) | Verdict::Refused(said) => Err(Failure::Refused(said)),
        Verdict::Unconfirmed(said) => Err(Failure::Unconfirmed(said)),
    }
}

/// Has a test signal sent and waits up to `patience` for the center's word on it: the hub's reply, and the verdict.
/// `on_its_way` is given what the hub says when it has accepted.
///
/// # Errors
///
/// When the hub does not answer. A refusal is an answer.
pub fn run(config: &Config, patience: Duration, on_its_way: impl FnOnce(&str)) -> Result<(Value, Verdict), Failure> {
    let mut settings = wiring::visitor_link(config);
    let topic = wiring::app_topics(config).event();
    // A broker that keeps it from the hub's user does not keep the test from being sent.
    settings.optional.push(Subscription { topic, wants_retained: false });
    talk(config, settings, |talk, link| {
        let (reply, said) = talk.run(link, &Errand::Test(TestKind::Center))?;
        if reply["outcome"] != "accepted" {
            return Ok((reply, Verdict::NotSent(said)));
        }
        on_its_way(&said);
        talk.deadline = Instant::now() + patience;
        let verdict = match talk.events.verdict.take() {
            Some(verdict) => verdict,
            None => match talk.hear(|talk, _| talk.events.verdict.take()) {
                Ok(verdict) => verdict,
                Err(Failure::Silent) => talk.without_its_word(patience),
                Err(failure) => return Err(failure),
            },
        };
        Ok((reply, verdict))
    })
}

/// What the hub's events have said of a test since it was asked for.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// There were any: the hub says at once that a test is on its way.
    pub any: bool,
    verdict: Option<Verdict>,
}

impl Events {
    pub fn heard(&mut self, payload: &[u8]) {
        self.any = true;
        let Ok(event) = serde_json::from_slice::<Value>(payload) else { return };
        let message = || event["message"].as_str().unwrap_or_default().to_owned();
        let verdict = match event["confirmed"].as_bool().filter(|_| event["type"] == "test") {
            Some(true) => Verdict::Confirmed(message()),
            Some(false) => Verdict::Refused(message()),
            None => return,
        };
        self.verdict.get_or_insert(verdict);
    }
}

impl Talk {
    /// What is known of a test of which nothing was heard, and what to look at.
    fn without_its_word(&self, patience: Duration) -> Verdict {
        if let Some(said) = self.fault(REFUSED) {
            return Verdict::Refused(said.to_owned());
        }
        Verdict::Unconfirmed(if self.events.any {
            let cause = CAUSES.iter().find_map(|code| self.fault(code)).map(|said| format!("{said} "));
            format!(
                "The monitoring center has not confirmed the test yet. {}No word came within {} s, and the hub goes on \
                 sending the test: look at `sudo sos-hub doctor` and at `journalctl -u sos-hub`.",
                cause.unwrap_or_default(),
                patience.as_secs()
            )
        } else {
            format!(
                "Whether the monitoring center has confirmed the test cannot be seen, as the home's broker hands out no \
                 events: let the hub's user read {}, as in the shipped sos-home.acl.",
                self.topics.event()
            )
        })
    }

    /// What the state says of a fault.
    fn fault(&self, code: &str) -> Option<&str> {
        let faults = self.state.as_ref()?["faults"].as_array()?;
        faults.iter().find(|fault| fault["code"] == code)?["message"].as_str()
    }
}
