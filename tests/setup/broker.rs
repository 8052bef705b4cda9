//! The mosquitto of this machine: whose it is, who gets in, and what is replaced.

use std::fs;
use std::process::Command;

use crate::machine::{Machine, Person};
use crate::support::mosquitto::free_port;
use crate::support::wait_until;

#[test]
fn a_broker_that_serves_others_is_neither_changed_nor_stopped() {
    let machine = Machine::new();
    fs::create_dir(machine.path("mosquitto/conf.d")).unwrap();
    fs::write(machine.path("mosquitto/conf.d/lamps.conf"), "# for the lamps\nlistener 1884\n").unwrap();
    let refused = machine.unasked(&["--broker=local"]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("lamps.conf") && errors.contains("--broker 127.0.0.1"), "{errors}");
    assert!(machine.calls().is_empty() && !machine.path("etc/hub.toml").exists());
}

#[test]
fn a_broker_that_does_not_start_with_it_is_put_back_as_it_was() {
    let machine = Machine::new();
    // It fails where it is to serve the hub, and starts without.
    let systemctl = machine.read("systemctl").replacen(
        "pid=$dir",
        "[ \"$1 $2\" = \"restart mosquitto.service\" ] && [ -f \"$dir/mosquitto/conf.d/sos-home.conf\" ] && exit 1\npid=$dir",
        1,
    );
    fs::write(machine.path("systemctl"), systemctl).unwrap();
    let failed = machine.unasked(&[]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let errors = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(errors.contains("has been taken back; it runs as before"), "{errors}");
    assert_eq!(machine.calls(), ["restart mosquitto.service", "restart mosquitto.service"]);
    assert!(!machine.path("mosquitto/conf.d/sos-home.conf").exists() && !machine.path("etc/hub.toml").exists());
}

#[test]
fn broker_files_that_differ_are_replaced_and_kept_as_copies() {
    let mut machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    let shipped = machine.read("mosquitto/conf.d/sos-home.conf");
    let changed = shipped.clone() + "max_connections 7\n";
    fs::write(machine.path("mosquitto/conf.d/sos-home.conf"), &changed).unwrap();
    let mut passwords = machine.read("mosquitto/sos-home.passwd");
    passwords.push_str("doorbell:$7$101$abc$def\n");
    fs::write(machine.path("mosquitto/sos-home.passwd"), &passwords).unwrap();
    let done = machine.unasked(&["--no-test", "--no-services"]);
    assert!(done.status.success(), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("kept as"), "{done:?}");
    assert_eq!(machine.read("mosquitto/conf.d/sos-home.conf"), shipped);
    assert_eq!(machine.read("mosquitto/conf.d/sos-home.conf.old-1"), changed);
    assert!(machine.read("mosquitto/sos-home.passwd").contains("doorbell:$7$101$abc$def\n"));
    // What the setup itself has written is no reason for a copy.
    machine.port = free_port();
    let moved = machine.unasked(&["--no-test", "--no-services"]);
    assert!(moved.status.success(), "{moved:?}");
    assert!(
        machine.read("mosquitto/conf.d/sos-home.conf").contains(&format!("\nlistener {} 127.0.0.1\n", machine.port))
    );
    assert!(!machine.path("mosquitto/conf.d/sos-home.conf.old-2").exists());
}

#[test]
fn a_person_who_keeps_the_changed_broker_files_keeps_the_hubs_login_as_well() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    let changed = machine.read("mosquitto/sos-home.acl") + "user doorbell\ntopic write sos/+/request\n";
    fs::write(machine.path("mosquitto/sos-home.acl"), &changed).unwrap();
    let app = |text: &str| text.parse::<toml::Table>().unwrap()["app"].clone();
    let before = app(&machine.read("etc/hub.toml"));
    let mut person = Person::start(machine.setup(&["--siren-line=18", "--no-services"]));
    for words in ["set up already", "files of the monitoring center", "hub called", "At which level", "LED", "buttons"]
    {
        person.answers(words, "");
    }
    person.answers("Which broker", "");
    person.answers("Home Assistant", "");
    person.answers("sos-home.acl is not what this version would write", "no");
    person.answers("Which user is the hub", "");
    person.answers("that user's password", "");
    person.answers("Who can open", "");
    person.answers("Which PIN", "");
    let (status, said, errors) = person.ends();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{said}");
    assert_eq!(machine.read("mosquitto/sos-home.acl"), changed);
    let text = machine.read("etc/hub.toml");
    assert!(text.contains("\nline = 18\n"), "{text}");
    assert_eq!(app(&text), before);
}

#[test]
fn a_broker_that_keeps_the_events_to_itself_is_not_taken_for_a_center_that_says_nothing() {
    let mut machine = Machine::new();
    machine.start_center();
    assert!(machine.unasked(&["--no-button"]).status.success());
    let acl = machine.read("mosquitto/sos-home.acl").replacen("topic read sos/+/event\n", "", 1);
    fs::write(machine.path("mosquitto/sos-home.acl"), acl).unwrap();
    let restarted = Command::new(machine.path("systemctl")).args(["restart", "mosquitto.service"]).status();
    assert!(restarted.unwrap().success());
    wait_until("the hub is back", || machine.sos_hub(&["status"]).status.success());
    let open = machine.sos_hub(&["test", "center", "--patience=2"]);
    assert_eq!(open.status.code(), Some(1), "{open:?}");
    let errors = String::from_utf8_lossy(&open.stderr).into_owned();
    assert!(errors.contains("cannot be seen") && errors.contains("sos/a-1234/event"), "{errors}");
}

#[test]
fn a_broker_that_runs_already_is_taken_over_only_by_name() {
    let machine = Machine::new();
    // Any process stands for it.
    let pid = machine.path("mosquitto.service.pid");
    let started =
        Command::new("sh").arg("-c").arg(format!("sleep 600 >/dev/null & echo $! >'{}'", pid.display())).status();
    assert!(started.unwrap().success());
    let refused = machine.unasked(&["--no-test"]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("A mosquitto runs here already") && errors.contains("--broker local"), "{errors}");
    assert!(machine.calls().is_empty() && !machine.path("etc").exists());
    let mut person = Person::start(machine.setup(&["--center", &machine.path("bundle").display().to_string()]));
    for words in ["password at the center", "hub called", "Which line", "At which", "LED", "buttons"] {
        person.answers(words, "");
    }
    person.asked("Which broker");
    assert!(person.said().contains("It runs already: whoever uses it then needs a user"), "{}", person.said());
    let (status, ..) = person.ends();
    assert_eq!(status.code(), Some(64));
    let done = machine.unasked(&["--no-test", "--broker=local"]);
    assert!(done.status.success(), "{done:?}");
    // From then on it is the hub's.
    assert!(machine.unasked(&["--no-test"]).status.success());
}

#[test]
fn home_assistants_user_goes_with_its_password_and_its_rights() {
    let machine = Machine::new();
    let set_up = |whether: &str| machine.unasked(&[whether, "--no-test", "--no-services"]);
    let rights = || machine.read("mosquitto/sos-home.acl").contains("\nuser homeassistant\n");
    let password = || machine.read("mosquitto/sos-home.passwd").contains("homeassistant:");
    assert!(set_up("--home-assistant=yes").status.success());
    assert!(rights() && password());
    assert!(set_up("--panel=local").status.success());
    assert!(rights() && password() && machine.path("etc/client-homeassistant.password").exists());
    assert!(set_up("--home-assistant=no").status.success());
    assert!(!rights() && !password() && !machine.path("etc/client-homeassistant.password").exists());
    assert!(machine.read("mosquitto/sos-home.passwd").contains("sos-app:"));
    assert!(!machine.path("mosquitto/sos-home.acl.old-1").exists());
}
