//! An operator at the center's console, who goes on working while the center is killed.

use std::thread;
use std::time::Duration;

use ureq::Agent;

use crate::books::Books;
use crate::office::{OPERATOR, Office, PASSWORD};
use crate::plan::Dice;
use crate::support::{DEADLINE, pace};

/// After this a process is killed that was told to do something: while it is at it.
const AT_IT_MS: u64 = 15;

/// What came of the operator's work on one incident.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worked {
    pub buttons: u64,
    /// How often the center died over one of them.
    pub deaths: u64,
}

/// Presses what an operator presses whose first contact does not answer, to the incident's end. What the console said to
/// have done is done, also if the center died over the next thing.
pub fn work(office: &mut Office, incident: &str, dice: &mut Dice) -> Worked {
    let mut worked = Worked::default();
    let mut session = Session::log_in(office);
    loop {
        let case = Books::open(&office.database()).case(incident).expect("the incident is in the books");
        let button = match (case.step.as_str(), case.is_calling, case.called) {
            ("waiting", ..) => "call_first_contact",
            ("calling_first", ..) => "no_answer",
            ("dispatch_due", ..) => "dispatch",
            ("dispatched", true, _) => "answered",
            ("dispatched", false, 1) => "call_next_contact",
            ("dispatched", ..) => "close",
            _ => return worked,
        };
        let body = format!("button={button}&step={}", case.step_number);
        worked.buttons += 1;
        let dies = dice.below(5) == 0;
        let done = if dies {
            worked.deaths += 1;
            let after = Duration::from_millis(dice.between(0, AT_IT_MS));
            let pressed = thread::scope(|scope| {
                let pressed = scope.spawn(|| session.press(incident, &body));
                pace(after);
                office.kill();
                pressed.join().expect("an operator")
            });
            office.start();
            session = Session::log_in(office);
            pressed
        } else {
            session.press(incident, &body)
        };
        let now = Books::open(&office.database()).case(incident).expect("the incident is in the books");
        match done {
            Some(true) => {
                assert!(now.step_number > case.step_number, "the console did {button}, the books have {now:?}")
            }
            Some(false) => panic!("{button} was refused at {case:?}"),
            None => assert!(dies, "the console does not answer"),
        }
        // A button whose answer was lost may be pressed again: it counts for the step that it was shown at.
        if dies && now.step_number > case.step_number {
            assert_eq!(session.press(incident, &body), Some(false), "{button} was done twice");
        }
    }
}

struct Session {
    agent: Agent,
    site: String,
    cookie: String,
}

impl Session {
    fn log_in(office: &Office) -> Session {
        let agent = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(DEADLINE))
            .build()
            .into();
        let site = format!("http://127.0.0.1:{}", office.console_port());
        let mut session = Session { agent, site, cookie: String::new() };
        let password = PASSWORD.replace(' ', "+");
        let body = format!("name={OPERATOR}&password={password}&next=%2F");
        let answer = session.post("/login", &body).expect("the console answers");
        assert_eq!(answer.status(), 303, "the log-in");
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        session.cookie = cookies.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ");
        session
    }

    /// Whether the console has done it; nothing if it has not said.
    fn press(&self, incident: &str, body: &str) -> Option<bool> {
        let answer = self.post(&format!("/incidents/{incident}/orders"), body)?;
        match answer.status().as_u16() {
            303 => Some(true),
            409 => Some(false),
            // It is on its way down.
            503 => None,
            other => panic!("{body}: {other}"),
        }
    }

    fn post(&self, path: &str, body: &str) -> Option<ureq::http::Response<ureq::Body>> {
        let request = self.agent.post(format!("{}{path}", self.site)).header("Origin", &self.site);
        let request = request.header("Cookie", &self.cookie);
        request.header("Content-Type", "application/x-www-form-urlencoded").send(body).ok()
    }
}
