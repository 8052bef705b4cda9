//! Without questions: everything by options, and again with what is there as the defaults.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::machine::{ACCOUNT, Machine};
use crate::support::wait_until;

fn errors(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn options_alone_make_a_configuration_that_check_accepts_and_a_broker_that_knows_its_users() {
    let mut machine = Machine::new();
    machine.start_center();
    let done = machine.unasked(&[
        "--id=home",
        "--siren-line=18",
        "--button=hallway:22:police",
        "--no-led",
        "--home-assistant=yes",
    ]);
    assert!(done.status.success(), "{done:?}");
    let text = machine.read("etc/hub.toml");
    let toml: toml::Table = text.parse().unwrap();
    assert_eq!(toml["siren"]["line"].as_integer(), Some(18));
    assert_eq!(toml["center"]["account"].as_str(), Some(ACCOUNT));
    assert!(text.contains("# How long a request can still be aborted"), "the shipped comments are gone: {text}");
    assert!(machine.sos_hub(&["check"]).status.success());
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("The monitoring center has confirmed it."), "{said}");
    assert!(said.contains("siren was not tested") && said.contains("buttons were not tested"), "{said}");

    for (user, file) in [("sos-app", "client-app.password"), ("homeassistant", "client-homeassistant.password")] {
        let password = machine.read(&format!("etc/{file}"));
        assert!(gets_in(&machine, user, password.trim()), "{user} is not let in");
        assert!(!gets_in(&machine, user, "guessed"), "{user} is let in with any password");
        assert!(!said.contains(password.trim()), "a password is on the screen");
    }
}

/// Whether the broker takes this user.
fn gets_in(machine: &Machine, user: &str, password: &str) -> bool {
    let mut command = std::process::Command::new("mosquitto_pub");
    command.args(["-h", "127.0.0.1", "-p", &machine.port.to_string(), "-u", user, "-P", password]);
    let done = command.args(["-t", "sos/home/cancel", "-n", "-q", "1"]).output().expect("mosquitto_pub runs");
    done.status.success()
}

#[test]
fn the_last_words_are_where_the_panel_is_and_where_its_pin_is_but_not_the_pin() {
    let machine = Machine::new();
    let last_words = |arguments: &[&str]| {
        let done = machine.unasked(&[&["--no-test"], arguments].concat());
        assert!(done.status.success(), "{done:?}");
        let said = String::from_utf8(done.stdout).unwrap();
        let pin = fs::read_to_string(machine.path("etc/panel.pin")).unwrap_or("no PIN".to_owned());
        assert!(!said.contains(pin.trim()), "the PIN is on the screen");
        said.split("While the hub runs, ").nth(1).expect("the last words").to_owned()
    };
    let said = last_words(&["--broker=local"]);
    let port = machine.panel_port;
    let address = format!("its panel is at http://127.0.0.1:{port}/ on this machine. ");
    let pin = machine.path("etc/panel.pin").display().to_string();
    assert!(said.starts_with(&address) && said.contains(&format!("is set, in {pin}.")), "{said}");
    assert!(said.contains(&format!("127.0.0.1:{}, below sos/{ACCOUNT}/.", machine.port)), "{said}");
    // It is there.
    let mut panel = None;
    wait_until("the panel is there", || {
        panel = TcpStream::connect(("127.0.0.1", port)).ok();
        panel.is_some()
    });
    let mut panel = panel.unwrap();
    write!(panel, "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    panel.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let said = last_words(&["--panel=network", "--no-pin", "--no-services"]);
    assert!(said.starts_with("its panel is at https://") && said.contains(&format!(":{port}/")), "{said}");
    assert!(!said.contains("on this machine") && said.contains("No PIN is set, so it shows and cannot act."), "{said}");
}

#[test]
fn a_second_time_what_is_there_stays_and_every_password_goes_on_working() {
    let machine = Machine::new();
    let first = machine.unasked(&["--id=home", "--button=hallway:22:police", "--no-test"]);
    assert!(first.status.success(), "{first:?}");
    let (app, own, pin) =
        (machine.read("etc/client-app.password"), machine.read("etc/app.password"), machine.read("etc/panel.pin"));
    // What a person has changed by hand.
    let text =
        machine.read("etc/hub.toml").replace("#seconds = 5", "seconds = 7").replace("#hold_ms = 1000", "hold_ms = 500");
    fs::write(machine.path("etc/hub.toml"), &text).unwrap();
    let second = machine.setup(&["--yes", "--siren-line=18", "--no-test"]).output().unwrap();
    assert!(second.status.success(), "{second:?}");
    assert_eq!(machine.read("etc/hub.toml"), text.replace("\nline = 17\n", "\nline = 18\n"));
    assert_eq!(machine.read("etc/hub.toml.old-1"), text);
    assert_eq!(machine.read("etc/client-app.password"), app);
    assert_eq!((machine.read("etc/app.password"), machine.read("etc/panel.pin")), (own, pin));
    assert!(machine.read("mosquitto/sos-home.passwd").contains("sos-hub:$7$"));
}

#[test]
fn what_will_not_do_is_refused_and_nothing_is_changed() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    let before: Vec<(std::path::PathBuf, Vec<u8>)> = crate::machine::files_below(machine.dir.path())
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    let empty = machine.path("empty").display().to_string();
    for (arguments, code, words) in [
        (&["--siren-line=28"][..], 64, "no BCM line"),
        (&["--led-line=17"][..], 64, "Line 17 is taken already"),
        (&["--button=hallway:22"][..], 64, "is no NAME:LINE:SERVICE"),
        (&["--button=a:22:police", "--button=b:22:fire"][..], 64, "Line 22 is taken already"),
        (&["--id=my home"][..], 64, "letters (a-z), digits"),
        (&["--broker-ca-file", &empty, "--broker=192.0.2.1"][..], 64, "cannot be read"),
        (&["--center", &empty][..], 64, "is not what a monitoring center gives out"),
        // Found only when everything is written: the file is no authority.
        (
            &["--broker=localhost", "--broker-ca-file", &machine.path("center.toml").display().to_string()][..],
            78,
            "holds no certificate",
        ),
    ] {
        let mut all = vec!["--yes", "--no-test", "--no-services"];
        all.extend(arguments);
        let refused = machine.setup(&all).output().unwrap();
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {refused:?}");
        assert!(errors(&refused).contains(words), "{arguments:?}: {}", errors(&refused));
        assert!(!errors(&refused).contains("candidate"), "no such file is left: {}", errors(&refused));
        let after = crate::machine::files_below(machine.dir.path());
        assert_eq!(after.len(), before.len(), "{arguments:?}: {after:?}");
        for (path, content) in &before {
            assert_eq!(&fs::read(path).unwrap(), content, "{arguments:?} changed {}", path.display());
        }
    }
}

#[test]
fn a_hub_that_is_not_ready_is_not_said_to_work() {
    let mut machine = Machine::new();
    machine.add_account_with("a-5678", "lonely", &[]);
    machine.start_center();
    let lonely = machine.path("lonely").display().to_string();
    let done = machine.setup(&["--yes", "--no-button", "--center", &lonely]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(said.contains("The monitoring center has confirmed it."), "{said}");
    let missing = "The hub is not ready. The monitoring center still lacks an emergency contact of this account. Tell";
    assert!(said.contains(missing), "{said}");
}

#[test]
fn a_hub_with_an_open_incident_is_left_alone() {
    let mut machine = Machine::new();
    machine.start_center();
    assert!(machine.unasked(&["--button=hallway:22:police"]).status.success());
    assert!(machine.sos_hub(&["request", "siren"]).status.success());
    let calls = machine.calls();
    let refused = machine.unasked(&["--siren-line=18"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(errors(&refused).contains("An incident is open, so nothing was changed"), "{}", errors(&refused));
    assert_eq!(machine.calls(), calls);
    assert!(machine.read("etc/hub.toml").contains("\nline = 17\n"));
}

#[test]
fn the_setup_that_a_center_left_unfinished_is_taken_over() {
    let machine = Machine::new();
    fs::create_dir(machine.path("etc")).unwrap();
    // As the center's own instructions have it put there.
    for name in ["hub.toml", "hub.key", "center.pub"] {
        fs::copy(machine.path("bundle").join(name), machine.path("etc").join(name)).unwrap();
    }
    let done = machine.setup(&["--yes", "--broker=local", "--no-test", "--no-services"]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(machine.sos_hub(&["check"]).status.success());
    let toml: toml::Table = machine.read("etc/hub.toml").parse().unwrap();
    assert_eq!(toml["hub"]["id"].as_str(), Some(ACCOUNT));
    assert_eq!(toml["app"]["username"].as_str(), Some("sos-hub"));
}

#[test]
fn a_broker_that_only_the_default_names_keeps_its_login() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    // As somebody has it who set the broker up by hand: the shipped file leaves the host to its default.
    let text = machine.read("etc/hub.toml").replacen("\nhost = \"127.0.0.1\"\n", "\n#host = \"127.0.0.1\"\n", 1);
    fs::write(machine.path("etc/hub.toml"), &text).unwrap();
    fs::remove_file(machine.path("mosquitto/conf.d/sos-home.conf")).unwrap();
    let again = machine.setup(&["--yes", "--siren-line=18", "--no-test", "--no-services"]).output().unwrap();
    assert!(again.status.success(), "{again:?}");
    let app = machine.read("etc/hub.toml").parse::<toml::Table>().unwrap()["app"].clone();
    assert_eq!(app.get("username").and_then(|name| name.as_str()), Some("sos-hub"));
    assert_eq!(app.get("password_file").and_then(|file| file.as_str()), Some("app.password"));
}

#[test]
fn a_hub_whose_broker_is_away_is_left_alone_while_its_incident_is_open() {
    let mut machine = Machine::new();
    machine.start_center();
    assert!(machine.unasked(&["--button=hallway:22:police"]).status.success());
    assert!(machine.sos_hub(&["request", "siren"]).status.success());
    let stopped = std::process::Command::new(machine.path("systemctl")).args(["stop", "mosquitto.service"]).status();
    assert!(stopped.unwrap().success());
    let calls = machine.calls();
    let refused = machine.setup(&["--test"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(errors(&refused).contains("An incident is open, so the hub was not stopped"), "{}", errors(&refused));
    assert_eq!(machine.calls(), calls);
}

#[test]
fn buttons_keep_what_nobody_was_asked_about() {
    let machine = Machine::new();
    let options = ["--no-test", "--no-services"];
    let first = [&["--button=hallway:22:police", "--button=bed:23:fire"], &options[..]].concat();
    assert!(machine.unasked(&first).status.success());
    let text = machine.read("etc/hub.toml").replacen("#hold_ms = 1000\n", "hold_ms = 500\n", 1);
    let text =
        text.replacen("#active_low = true", "active_low = false", 1).replacen("#hold_ms = 1000", "hold_ms = 700", 1);
    fs::write(machine.path("etc/hub.toml"), &text).unwrap();
    // Named as they are they stay to the letter.
    assert!(machine.setup(&[&["--yes"][..], &first[..]].concat()).output().unwrap().status.success());
    assert_eq!(machine.read("etc/hub.toml"), text);
    // One has another line, the other another name, and one is new.
    let second = ["--yes", "--button=porch:23:fire", "--button=hallway:5:police", "--button=attic:6:siren"];
    assert!(machine.setup(&[&second[..], &options].concat()).output().unwrap().status.success());
    let toml: toml::Table = machine.read("etc/hub.toml").parse().unwrap();
    let settings = |button: &toml::Value| {
        let value = |key: &str| button.get(key).cloned();
        let hold = value("hold_ms").and_then(|hold| hold.as_integer());
        let low = value("active_low").and_then(|low| low.as_bool());
        (value("name").unwrap().as_str().unwrap().to_owned(), hold, low)
    };
    let read: Vec<_> = toml["button"].as_array().unwrap().iter().map(settings).collect();
    let expected = [("porch", Some(700), None), ("hallway", Some(500), Some(false)), ("attic", None, None)];
    assert_eq!(read, expected.map(|(name, hold, low)| (name.to_owned(), hold, low)));
}

#[test]
fn a_hub_that_does_not_start_with_it_is_put_back_as_it_was() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test"]).status.success());
    let before = machine.read("etc/hub.toml");
    let systemctl = machine.read("systemctl").replacen(
        "pid=$dir",
        "[ \"$1 $2\" = \"restart sos-hub.service\" ] && grep -q '^line = 18' \"$dir/etc/hub.toml\" && exit 1\npid=$dir",
        1,
    );
    fs::write(machine.path("systemctl"), systemctl).unwrap();
    let calls = machine.calls();
    let failed = machine.setup(&["--yes", "--siren-line=18", "--no-test"]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert!(errors(&failed).contains("has been taken back; the hub runs as before"), "{}", errors(&failed));
    assert_eq!(machine.read("etc/hub.toml"), before);
    assert!(!machine.path("etc/hub.toml.old-1").exists());
    let expected = ["mosquitto", "sos-hub", "mosquitto", "sos-hub"].map(|name| format!("restart {name}.service"));
    let restarts: Vec<_> =
        machine.calls()[calls.len()..].iter().filter(|call| call.starts_with("re")).cloned().collect();
    assert_eq!(restarts, expected);
}

#[test]
fn a_file_that_is_no_text_is_told_as_that_and_replaced_when_asked_to() {
    let machine = Machine::new();
    fs::create_dir(machine.path("etc")).unwrap();
    let latin: &[u8] = b"[hub]\nid = \"home\"\nname = \"Caf\xe9\"\n";
    fs::write(machine.path("etc/hub.toml"), latin).unwrap();
    let refused = machine.unasked(&["--no-test", "--no-services"]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    assert!(errors(&refused).contains("is not UTF-8 text"), "{}", errors(&refused));
    let done = machine.unasked(&["--fresh", "--no-test", "--no-services"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(fs::read(machine.path("etc/hub.toml.old-1")).unwrap(), latin);
    assert!(machine.sos_hub(&["check"]).status.success());
}
