//! `sos-hub rest`: what the service manager runs after a process that could not put its lines to rest itself.

#[path = "support/home.rs"]
mod home;

use std::fs;
use std::process::{Command, Output};

use home::Home;

const MOCK: &str = r#"[hub]
id = "home"
[gpio]
backend = "mock"
mock_dir = "lines"
[siren]
line = 17
active_low = true
[led]
line = 27
[center]
host = "127.0.0.1"
port = 1883
account = "a-1234"
hub_key_file = "hub.key"
center_key_file = "center.pub"
"#;

#[test]
fn siren_and_led_are_put_to_rest() {
    let home = Home::new();
    fs::create_dir_all(home.path().join("lines/out")).unwrap();
    home.write("lines/out/17", "0");
    home.write("lines/out/27", "1");
    let done = rest(&home);
    assert_eq!((done.status.code(), &*done.stderr), (Some(0), &b""[..]));
    assert_eq!(fs::read(home.path().join("lines/out/17")).unwrap(), b"1");
    assert_eq!(fs::read(home.path().join("lines/out/27")).unwrap(), b"0");
}

#[test]
fn a_siren_that_cannot_be_put_to_rest_is_told() {
    let home = Home::new();
    fs::create_dir_all(home.path().join("lines/out/17")).unwrap();
    let done = rest(&home);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("the siren: cannot write") && said.contains("out/17"), "{said}");
}

/// A secret that is gone, or given to the running service alone, is of no importance to a siren that sounds.
#[test]
fn what_is_wrong_elsewhere_keeps_no_siren_on() {
    for elsewhere in
        [MOCK.replace("hub.key", "gone.key"), format!("{MOCK}[pannel]\n"), MOCK.replace("[hub]", "[hub]\nnaem = 3")]
    {
        let home = Home::new();
        fs::create_dir_all(home.path().join("lines/out")).unwrap();
        home.write("lines/out/17", "0");
        let done = rest_with(&home, &elsewhere);
        assert_eq!((done.status.code(), &*done.stderr), (Some(0), &b""[..]), "{elsewhere}");
        assert_eq!(fs::read(home.path().join("lines/out/17")).unwrap(), b"1", "{elsewhere}");
    }
}

/// The wrong level would sound it.
#[test]
fn what_is_wrong_with_the_siren_itself_leaves_its_line_alone() {
    for doubtful in ["active_lo = true", "active_low = 1", "active_low = tru", ""] {
        let home = Home::new();
        fs::create_dir_all(home.path().join("lines/out")).unwrap();
        home.write("lines/out/17", "1");
        let text = MOCK.replace("active_low = true", doubtful);
        let text = if doubtful.is_empty() { text.replace("line = 17", "lime = 17") } else { text };
        let done = rest_with(&home, &text);
        assert_eq!(done.status.code(), Some(78), "{doubtful}");
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains("left as they are") && said.contains("hub.toml"), "{said}");
        assert_eq!(fs::read(home.path().join("lines/out/17")).unwrap(), b"1", "{doubtful}");
    }
}

#[test]
fn a_hub_that_was_never_set_up_has_nothing_to_rest() {
    let home = Home::new_empty();
    let done = rest_with(&home, "# nothing yet\n");
    assert_eq!((done.status.code(), &*done.stderr), (Some(0), &b""[..]));
    assert!(!home.path().join("lines").exists());
}

fn rest(home: &Home) -> Output {
    rest_with(home, MOCK)
}

fn rest_with(home: &Home, text: &str) -> Output {
    let config = home.write("hub.toml", text);
    let mut rest = Command::new(env!("CARGO_BIN_EXE_sos-hub"));
    // Not that of a hub which this machine may have.
    rest.env("STATE_DIRECTORY", home.path().join("state")).args(["rest", "--config"]).arg(config).output().unwrap()
}
