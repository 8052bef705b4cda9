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

fn rest(home: &Home) -> Output {
    let config = home.write("hub.toml", MOCK);
    Command::new(env!("CARGO_BIN_EXE_sos-hub")).args(["rest", "--config"]).arg(config).output().unwrap()
}
