//! The dialogue, up to the test that a person confirms.

use std::fs;

use rcgen::{CertificateParams, KeyPair};

use crate::machine::{ACCOUNT, Machine, Person};
use crate::support::wait_until;

/// The answers up to the tests; the rest is as it is proposed.
fn answer_everything(person: &mut Person, machine: &Machine) {
    person.answers("files of the monitoring center", &machine.path("bundle").display().to_string());
    person.answers("password at the center's broker", "");
    person.answers("What is this hub called", "home");
    person.answers("Which line switches the siren", "");
    person.answers("At which level", "");
    person.answers("Is there an LED", "27");
    person.answers("Which buttons", "hallway:22:police, bed:23:fire");
    person.answers("Which broker", "");
    person.answers("Does Home Assistant", "yes");
    person.answers("Who can open the panel", "network");
    person.answers("Which PIN", "4711");
}

#[test]
fn a_home_is_set_up_and_tested_in_one_dialogue_and_nothing_is_raised() {
    let mut machine = Machine::new();
    machine.start_center();
    let mut person = Person::start(machine.setup(&[]));
    answer_everything(&mut person, &machine);
    person.answers("Test the buttons now", "yes");
    person.asked("Press the button hallway");
    machine.press(22);
    person.types("");
    person.asked("Press the button bed");
    machine.press(22);
    person.types("");
    person.answers("Once more", "yes");
    assert!(person.said().contains("That was the button hallway"), "{}", person.said());
    person.asked("Press the button bed");
    machine.press(23);
    person.types("");
    person.answers("Test the siren now", "yes");
    person.asked("Did you hear it");
    wait_until("the siren sounds and is silent again", || machine.levels(17).ends_with(&["1".into(), "0".into()]));
    person.types("yes");
    let (status, said, errors) = person.ends();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("The monitoring center has confirmed it."), "{said}");
    let all = "All of it works. Confirmed: the buttons, the siren and the way to the center.";
    assert!(said.contains(all), "{said}");

    let check = machine.sos_hub(&["check"]);
    assert!(check.status.success(), "{check:?}");
    let status = String::from_utf8(machine.sos_hub(&["status", "--json"]).stdout).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["ready"], &status["phase"]), (&true.into(), &"idle".into()), "{status}");
    let history = machine.sos_hub(&["history", "--json"]);
    assert_eq!(String::from_utf8_lossy(&history.stdout).trim(), "[]");
    let calls = [
        "restart mosquitto.service",
        "enable sos-hub.service",
        "stop sos-hub.service guarded",
        "restart sos-hub.service",
    ];
    assert_eq!(machine.calls(), calls);
    assert_eq!(machine.guards(), [""; 0]);
}

#[test]
fn a_certificate_among_the_centers_files_stands_in_for_the_password() {
    let machine = Machine::new();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![ACCOUNT.to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    let toml = machine.read("bundle/hub.toml").replace("#ca_file = \"center-ca.pem\"", "ca_file = \"center-ca.pem\"");
    for (name, text) in [
        ("hub.toml", toml),
        ("center-ca.pem", certificate.clone()),
        ("center-client.pem", certificate),
        ("center-client.key", key.serialize_pem()),
    ] {
        fs::write(machine.path("bundle").join(name), text).unwrap();
    }
    let set_up = |center: &str| {
        let mut person = Person::start(machine.setup(&["--no-test", "--no-services"]));
        if center == "bundle" {
            person.answers("files of the monitoring center", &machine.path("bundle").display().to_string());
        } else {
            person.answers("set up already", "");
            person.answers("files of the monitoring center", &machine.path(center).display().to_string());
            person.answers("password at the center's broker", "");
        }
        for words in
            ["hub called", "Which line", "At which", "LED", "buttons", "broker", "Home Assistant", "panel", "PIN"]
        {
            person.answers(words, "");
        }
        let (status, said, errors) = person.ends();
        assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{said}");
        said
    };
    let said = set_up("bundle");
    assert!(!said.contains("password at the center's broker"), "{said}");
    // The one that is there stays with the same account's files, unless the center has gone over to passwords.
    for name in ["center-client.pem", "center-client.key"] {
        fs::remove_file(machine.path("bundle").join(name)).unwrap();
    }
    fs::rename(machine.path("bundle"), machine.path("again")).unwrap();
    let said = set_up("again");
    assert!(said.contains("Empty: there is none, the certificate stays"), "{said}");
    assert!(machine.path("etc/center-client.pem").exists());
    // Whoever has one all the same can give it.
    fs::write(machine.path("word"), "secret\n").unwrap();
    let (word, again) = (machine.path("word").display().to_string(), machine.path("again").display().to_string());
    let options = ["--yes", "--no-test", "--no-services", "--center", &again, "--center-password-file", &word];
    assert!(machine.setup(&options).output().unwrap().status.success());
    assert_eq!(machine.read("etc/center.password"), "secret\n");
}

#[test]
fn what_nobody_confirmed_is_said_at_the_end_with_what_to_do() {
    let machine = Machine::new();
    let mut person = Person::start(machine.setup(&[]));
    answer_everything(&mut person, &machine);
    person.answers("Test the buttons now", "yes");
    person.answers("Press the button hallway", "s");
    person.answers("Press the button bed", "");
    person.answers("Once more", "no");
    person.answers("Test the siren now", "yes");
    person.answers("Did you hear it", "no");
    person.answers("Once more", "no");
    // No center runs.
    let (status, said, _) = person.ends();
    assert_eq!(status.code(), Some(1), "{said}");
    let open = said.split("Left to do:").nth(1).expect("a list");
    for words in [
        "hallway was not tested",
        "bed was not seen: check its wire on line 23",
        "siren was not heard",
        "The monitoring center has not confirmed the test yet. No word came within 20 s",
    ] {
        assert!(open.contains(words), "{words}: {open}");
    }
}

#[test]
fn a_button_that_reads_as_pressed_is_told_and_not_waited_for() {
    let mut machine = Machine::new();
    machine.start_center();
    fs::create_dir_all(machine.path("gpio/in")).unwrap();
    fs::write(machine.path("gpio/in/22"), "0").unwrap();
    let mut person = Person::start(machine.setup(&["--center", &machine.path("bundle").display().to_string()]));
    for words in [
        "password at the center",
        "hub called",
        "Which line",
        "At which",
        "LED",
        "buttons",
        "broker",
        "Home Assistant",
        "panel",
        "PIN",
    ] {
        person.answers(words, "");
    }
    person.answers("Test the buttons now", "");
    person.answers("Test the siren now", "no");
    let (status, said, _) = person.ends();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("hallway reads as pressed while nobody presses it: check its wire and pull-up on line 22"),
        "{said}"
    );
}

#[test]
fn an_answer_that_will_not_do_is_asked_for_again_at_once() {
    let mut machine = Machine::new();
    machine.start_center();
    let mut person = Person::start(machine.setup(&["--center", &machine.path("bundle").display().to_string()]));
    person.answers("password at the center's broker", "");
    let long = format!("{}:22:police", "x".repeat(33));
    for (question, wrong, complaint, right) in [
        ("What is this hub called", "my home", "will not do", "home"),
        ("Which line switches the siren", "28", "no BCM line", "17"),
        ("At which level", "loud", "Answer high or low", "high"),
        ("Is there an LED", "17", "is taken already", "none"),
        ("Which buttons", &long, "is too long", "none"),
        ("Which broker", "mqtt://broker", "leave out what comes before", "local"),
        ("Does Home Assistant", "perhaps", "Answer yes or no", "no"),
        ("Who can open the panel", "all", "Answer local or network", "local"),
        ("Which PIN", "123", "at least 4 characters", "4711"),
    ] {
        person.answers(question, wrong);
        person.asked(question);
        assert!(person.said().contains(complaint), "{question}: {}", person.said());
        person.types(right);
    }
    person.answers("Test the siren now", "yes");
    // The Enter key alone confirms nothing.
    person.answers("Did you hear it", "");
    person.answers("Did you hear it", "yes");
    let (status, said, errors) = person.ends();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{said}");
}

#[test]
fn no_button_is_said_to_work_where_there_is_none() {
    let mut machine = Machine::new();
    machine.start_center();
    assert!(machine.unasked(&["--no-button", "--no-test"]).status.success());
    let mut person = Person::start(machine.setup(&["--test"]));
    person.answers("Test the siren now", "yes");
    person.answers("Did you hear it", "yes");
    let (status, said, errors) = person.ends();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("All of it works. Confirmed: the siren and the way to the center."), "{said}");
}

#[test]
fn nobody_at_the_terminal_is_told_what_to_name_instead() {
    let machine = Machine::new();
    let output = machine.setup(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("run it in a terminal, or with --yes"), "{errors}");
    assert!(!machine.path("etc").join("hub.toml").exists());
}
