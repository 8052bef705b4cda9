//! The whole story at the console: an operator in a browser, the shipped center and hub, two real brokers, and a person
//! at a button.

use std::io::Write;
use std::process::Stdio;

use crate::browser::Browser;
use crate::lines::{POLICE_BUTTON, SIREN};
use crate::support::wait_until;
use crate::world::{CONTACTS, Setup, World};

const NAME: &str = "olivia";
const PASSWORD: &str = "correct horse battery";

/// Hub and center run, and the operator sees the empty queue.
fn story() -> (World, Browser) {
    let calls = "[call]\nmode = \"operator\"\nring_seconds = 600\n".to_owned();
    let mut world = World::new(&Setup { calls, ..Setup::default() });
    world.add_operator(NAME, PASSWORD);
    world.add_button(POLICE_BUTTON, "police", 5);
    world.start_center();
    world.start_hub();
    let browser = Browser::start();
    browser.open(&world.console("/"));
    browser.fill("input[name=name]", NAME);
    browser.fill("input[name=password]", PASSWORD);
    browser.press("Log in");
    browser.wait_for_text_in("#connection", "Live");
    browser.wait_for_text("No open incidents");
    browser.run("window.marked = true");
    (world, browser)
}

/// Somebody presses the button; returns once the siren sounds, the alarm is on the page, and its incident is open.
fn press_and_open(world: &World, browser: &Browser) -> String {
    world.lines.press(POLICE_BUTTON);
    let started = world.app.event(0, "countdown_started");
    world.lines.release(POLICE_BUTTON);
    let incident = started["incident"].as_str().expect("an incident").to_owned();
    world.app.event(0, "siren_on");
    world.lines.siren_is(1);
    assert!(world.app.events(0).iter().filter(|event| event["type"] == "countdown").count() >= 4, "five seconds");
    browser.wait_for_text_in(".incident.police", "Family Privatus");
    browser.wait_for_title("(1) ALARM");
    assert_eq!(browser.run("return window.marked"), true, "the page was loaded again");
    world.stage(&incident, "acknowledged");
    browser.click_on("a[data-row]");
    browser.wait_for_text_in(".headline", "1 Elm Street");
    browser.wait_for_text_in("#connection", "Live");
    incident
}

/// Every step that the app was told of, in order, each once.
fn told(world: &World, incident: &str, stages: &[&str]) {
    for stage in stages {
        world.stage(incident, stage);
    }
    let mut told = world.stages(incident);
    told.dedup();
    assert_eq!(told, stages);
}

#[test]
fn nobody_answers_and_help_is_sent() {
    let (world, browser) = story();
    let incident = press_and_open(&world, &browser);
    browser.press("Call first contact");
    browser.wait_for_text_in(".call", CONTACTS[0]);
    world.stage(&incident, "calling_first_contact");
    assert_eq!(world.lines.output(SIREN), Some(1));
    browser.press("No answer");
    browser.press("Dispatch");
    browser.press("Call next contact");
    browser.wait_for_text_in(".call", CONTACTS[1]);
    browser.press("No answer");
    wait_until("the call is over", || !browser.has(".call"));
    browser.press("Call next contact");
    browser.wait_for_text_in(".call", CONTACTS[2]);
    browser.press("Answered");
    wait_until("the call is over", || !browser.has(".call"));
    browser.press("Close");
    browser.wait_for_text_in(".headline", "Closed");
    told(
        &world,
        &incident,
        &["acknowledged", "calling_first_contact", "no_answer", "dispatched", "calling_other_contacts", "closed"],
    );
    world.lines.siren_is(0);
    browser.open(&world.console("/"));
    browser.wait_for_text_in(".ended", "Family Privatus");
    browser.open(&world.console("/audit"));
    browser.wait_for_text_in("main", &format!("operator {NAME}"));
}

#[test]
fn the_first_contact_confirms() {
    let (world, browser) = story();
    let incident = press_and_open(&world, &browser);
    browser.press("Call first contact");
    browser.press("Confirmed");
    browser.press("Dispatch");
    browser.press("Close");
    browser.wait_for_text_in(".headline", "Closed");
    told(&world, &incident, &["acknowledged", "calling_first_contact", "confirmed", "dispatched", "closed"]);
}

#[test]
fn the_first_contact_cancels_with_the_password() {
    let (world, browser) = story();
    let incident = press_and_open(&world, &browser);
    browser.press("Call first contact");
    browser.fill("#password", "Blue Whale");
    browser.press("Cancelled by contact");
    browser.wait_for_text_in(".headline", "Cancelled by the contact");
    told(&world, &incident, &["acknowledged", "calling_first_contact", "cancelled_by_contact"]);
    world.lines.siren_is(0);
}

#[test]
fn the_first_contact_has_the_wrong_password() {
    let (world, browser) = story();
    let incident = press_and_open(&world, &browser);
    browser.press("Call first contact");
    browser.fill("#password", "grey whale");
    browser.press("Cancelled by contact");
    browser.press("Dispatch");
    browser.wait_for_text_in(".headline", "Help is on its way");
    let dispatched = world.stage(&incident, "dispatched");
    assert_eq!(dispatched["note"], "wrong_password", "{dispatched}");
    assert_eq!(world.lines.output(SIREN), Some(1));
}

#[test]
fn an_incident_goes_on_at_its_step_after_the_center_was_killed() {
    let (mut world, browser) = story();
    let incident = press_and_open(&world, &browser);
    browser.press("Call first contact");
    world.stage(&incident, "calling_first_contact");
    let before = world.console("");
    world.kill_center();
    browser.wait_for_text_in("#stale", "Not connected");
    world.start_center();
    wait_until("the address of the new console", || world.console("") != before);
    browser.open(&world.console(&format!("/incidents/{incident}")));
    browser.fill("input[name=name]", NAME);
    browser.fill("input[name=password]", PASSWORD);
    browser.press("Log in");
    browser.wait_for_text_in(".headline", "Calling the first contact");
    browser.press("Confirmed");
    browser.press("Dispatch");
    world.stage(&incident, "dispatched");
}

impl World {
    /// The console's address, as the center's log tells it, and then this path.
    fn console(&self, path: &str) -> String {
        const BEFORE: &str = "the console is at http://";
        let mut address = None;
        wait_until("the console's address", || {
            let log = self.center_log();
            address = log.rfind(BEFORE).map(|at| log[at + BEFORE.len()..].split('/').next().unwrap_or("").to_owned());
            address.is_some()
        });
        format!("http://{}{path}", address.unwrap_or_default())
    }

    fn add_operator(&self, name: &str, password: &str) {
        let mut command = self.sos_center(&["operator", "add", name]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("sos-center runs");
        writeln!(child.stdin.take().expect("its input"), "{password}").expect("the password is read");
        assert!(child.wait().expect("sos-center ends").success());
    }
}
