//! The hub stands still while its buttons are tried, and starts again whatever happens meanwhile.

use std::fs;

use crate::machine::{Machine, Person};
use crate::support::wait_until;

/// A machine whose hub runs, with buttons, and has its center.
fn running() -> Machine {
    let mut machine = Machine::new();
    machine.start_center();
    let done = machine.unasked(&["--button=hallway:22:police", "--button=bed:23:fire", "--no-test"]);
    assert!(done.status.success(), "{done:?}");
    wait_until("the hub runs", || machine.sos_hub(&["status"]).status.success());
    machine
}

fn last_call(machine: &Machine) -> Option<String> {
    machine.calls().last().cloned()
}

/// A setup whose files are written, with another line for the siren.
fn asked_about_the_buttons(machine: &Machine) -> Person {
    let mut person = Person::start(machine.setup(&["--siren-line=18"]));
    for words in ["set up already", "files of the monitoring center", "hub called", "At which level", "LED", "buttons"]
    {
        person.answers(words, "");
    }
    for words in ["Which broker", "Home Assistant", "Who can open", "Which PIN"] {
        person.answers(words, "");
    }
    person.asked("Test the buttons now");
    person
}

#[test]
fn whoever_breaks_the_test_of_the_buttons_off_leaves_a_hub_that_runs() {
    let machine = running();
    // Ctrl-C, Ctrl-\\ and Ctrl-Z.
    for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP] {
        let mut person = Person::start(machine.setup(&["--test"]));
        person.answers("Test the buttons now", "yes");
        person.asked("Press the button hallway");
        assert_eq!(last_call(&machine).as_deref(), Some("stop sos-hub.service guarded"));
        let (status, said, errors) = person.sends(signal);
        assert_eq!((status.code(), errors.as_str()), (Some(130), ""), "{signal}: {said}");
        assert_eq!(last_call(&machine).as_deref(), Some("restart sos-hub.service"), "{signal}");
        assert_eq!(machine.guards(), [""; 0], "{signal}");
    }
}

#[test]
fn a_setup_that_is_killed_leaves_a_start_of_the_hub_behind() {
    let machine = running();
    let mut person = Person::start(machine.setup(&["--test"]));
    person.answers("Test the buttons now", "yes");
    person.answers("Press the button hallway", "s");
    // One for each question, and never none.
    person.asked("Press the button bed");
    let (status, said, _) = person.sends(libc::SIGKILL);
    assert_eq!(status.code(), None, "{said}");
    assert_eq!(last_call(&machine).as_deref(), Some("stop sos-hub.service guarded"));
    let command = format!("{} start sos-hub.service", machine.path("systemctl").display());
    assert_eq!(machine.guards(), [format!("3min {command}")]);
    // What systemd does then.
    assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success());
    wait_until("the hub runs again", || machine.sos_hub(&["status"]).status.success());
}

#[test]
fn a_hub_does_not_stand_still_for_somebody_who_has_gone_away() {
    let machine = running();
    let mut person = Person::start(machine.setup(&["--test", "--answer-within=1"]));
    person.answers("Test the buttons now", "yes");
    person.asked("Press the button hallway");
    // Nothing is typed.
    person.answers("Test the siren now", "no");
    let (status, said, _) = person.ends();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("Nobody answers, so the hub is started again"), "{said}");
    assert!(said.contains("The buttons from hallway on were not tested, as nobody answered"), "{said}");
    assert!(!said.contains("Press the button bed"), "{said}");
    assert_eq!(last_call(&machine).as_deref(), Some("restart sos-hub.service"));
}

#[test]
fn an_answer_that_comes_too_late_does_not_sound_the_siren() {
    let machine = running();
    let slow =
        "while [ \"$1 $2\" = \"restart sos-hub.service\" ] && [ ! -e \"$dir/go-on\" ]; do sleep 0.02; done\npid=$dir";
    fs::write(machine.path("systemctl"), machine.read("systemctl").replacen("pid=$dir", slow, 1)).unwrap();
    let mut person = Person::at_a_terminal(&machine.setup(&["--test", "--answer-within=1"]));
    person.answers("Test the buttons now", "yes");
    person.asked("Press the button hallway");
    wait_until("the time is over", || person.said().contains("Nobody answers, so the hub is started again"));
    for (late, shown) in [("", "again.\r\n\r\n"), ("yes", "again.\r\n\r\nyes\r\n")] {
        person.types(late);
        wait_until("the terminal has it", || person.said().contains(shown));
    }
    fs::write(machine.path("go-on"), "").unwrap();
    person.answers("Test the siren now", "no");
    wait_until("the center is tested", || person.said().contains("A test signal goes to"));
    assert!(!person.said().contains("Did you hear it"), "{}", person.said());
    assert!(!machine.levels(17).contains(&"1".to_owned()), "the siren has sounded");
}

#[test]
fn a_hub_that_nothing_would_start_again_is_not_stopped() {
    let machine = running();
    fs::remove_file(machine.path("systemd-run")).unwrap();
    let calls = machine.calls();
    let mut person = Person::start(machine.setup(&["--test"]));
    person.answers("Test the buttons now", "yes");
    person.answers("Test the siren now", "no");
    let (status, said, _) = person.ends();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("The buttons were not tested, and the hub not stopped"), "{said}");
    assert!(said.contains("systemd-run"), "{said}");
    assert_eq!(machine.calls(), calls);
}

fn was_written_and_the_hub_not_touched(machine: &Machine, calls_before: usize) {
    assert_eq!(machine.calls()[calls_before..], ["restart mosquitto.service", "enable sos-hub.service"]);
    assert!(machine.read("etc/hub.toml").contains("\nline = 18\n"));
}

#[test]
fn an_incident_that_begins_during_the_questions_keeps_the_hub_going_and_is_not_said_to_have_changed_nothing() {
    let machine = running();
    let calls = machine.calls();
    let mut person = asked_about_the_buttons(&machine);
    wait_until("the hub is back at the broker", || machine.sos_hub(&["status"]).status.success());
    assert!(machine.sos_hub(&["request", "siren"]).status.success());
    person.types("yes");
    let (status, said, errors) = person.ends();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(errors.contains("An incident is open, so the hub was not stopped and goes on"), "{errors}");
    assert!(errors.contains("What was written stays, and counts from the hub's next start on"), "{errors}");
    was_written_and_the_hub_not_touched(&machine, calls.len());
}

#[test]
fn a_setup_that_ends_at_a_question_after_its_files_are_written_says_from_when_on_they_count() {
    let machine = running();
    let calls = machine.calls();
    let person = asked_about_the_buttons(&machine);
    // Whoever ends it with Ctrl-C is told nothing more.
    assert!(person.said().contains("It counts from the hub's next start on"), "{}", person.said());
    // The terminal is gone.
    let (status, said, errors) = person.ends();
    assert_eq!(status.code(), Some(64), "{said}");
    assert!(errors.contains("Nobody answers"), "{errors}");
    assert!(errors.contains("What was written stays, and counts from the hub's next start on: sudo sys"), "{errors}");
    was_written_and_the_hub_not_touched(&machine, calls.len());
}

#[test]
fn an_incident_that_begins_while_the_hub_is_stopped_goes_on_at_once_in_place_of_the_test() {
    let machine = running();
    let request = "[ \"$1 $2\" = \"stop sos-hub.service\" ] && \"$dir/sos-hub\" request siren --config \"$dir/etc/hub.toml\" \
                   >>\"$dir/log\"\npid=$dir";
    fs::write(machine.path("systemctl"), machine.read("systemctl").replacen("pid=$dir", request, 1)).unwrap();
    let calls = machine.calls();
    let mut person = Person::start(machine.setup(&["--test"]));
    person.answers("Test the buttons now", "yes");
    let (status, said, errors) = person.ends();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(errors.contains("An incident is open, so the hub was started again at once"), "{errors}");
    assert!(!said.contains("Press the button"), "{said}");
    assert_eq!(machine.calls()[calls.len()..], ["stop sos-hub.service guarded", "restart sos-hub.service"]);
    assert_eq!(machine.guards(), [""; 0]);
    wait_until("the hub is back with its incident", || {
        let status = machine.sos_hub(&["status", "--json"]);
        let status: Option<serde_json::Value> = serde_json::from_slice(&status.stdout).ok();
        status.is_some_and(|status| status["incidents"].as_array().is_some_and(|incidents| incidents.len() == 1))
    });
}

#[test]
fn a_service_that_is_the_hub_of_another_file_is_left_alone() {
    let machine = Machine::new();
    let other = machine.path("other.toml").display().to_string();
    let shown =
        format!("ExecStart={{ path=/usr/bin/sos-hub ; argv[]=/usr/bin/sos-hub run --config {other} ; ignore=no }}\n");
    fs::write(machine.path("show"), shown).unwrap();
    let done = machine.unasked(&["--button=hallway:22:police"]);
    assert!(done.status.success(), "{done:?}");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains(&format!("sos-hub.service is the hub of {other}")), "{said}");
    assert_eq!(machine.calls(), ["restart mosquitto.service"]);
}

#[test]
fn buttons_that_cannot_be_heard_are_not_asked_for() {
    let machine = running();
    // No directory can be made where a file is; until then somebody may make it again.
    wait_until("a file in the directory's place", || {
        let _ = fs::remove_dir_all(machine.path("gpio/in"));
        fs::write(machine.path("gpio/in"), "").is_ok()
    });
    let mut person = Person::start(machine.setup(&["--test"]));
    person.answers("Test the buttons now", "yes");
    person.asked("Test the siren now");
    // The hub can be started again.
    fs::remove_file(machine.path("gpio/in")).unwrap();
    person.types("no");
    let (status, said, _) = person.ends();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("The buttons from hallway on cannot be heard"), "{said}");
    assert!(!said.contains("Press the button"), "{said}");
    assert_eq!(last_call(&machine).as_deref(), Some("restart sos-hub.service"));
}
