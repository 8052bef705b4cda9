//! What `hub.toml` may say, and how a person is told what is wrong with it.

#[path = "support/home.rs"]
mod home;
#[path = "support/problems.rs"]
mod problems;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use home::Home;
use problems::{changes, summary};
use proptest::prelude::*;
use sos_hub::config::{Clock, Config, Gpio, PanelTls, Problems};
use sos_hub::controller::settings::Press;
use sos_hub::controller::words::Service;

/// The least that a hub needs, and a button.
const LEAST: &str = r#"[hub]
id = "home"
[siren]
line = 17
[[button]]
name = "hallway"
line = 22
service = "police"
[center]
host = "127.0.0.1"
port = 1883
account = "a-1234"
hub_key_file = "hub.key"
center_key_file = "center.pub"
"#;

fn load(home: &Home, text: impl AsRef<[u8]>) -> Result<(Config, Problems), Problems> {
    Config::load(&home.write("hub.toml", text))
}

/// What is said of a text, a line each: `error 4:8 ^^ sentence`. The directory's name is cut out.
fn said(home: &Home, text: &str) -> Vec<String> {
    let problems = load(home, text).map_or_else(|problems| problems, |(_, warnings)| warnings);
    summary(home.path(), &problems)
}

#[test]
fn the_least_that_a_hub_needs_is_enough_and_all_else_has_its_default() {
    let home = Home::new();
    let (config, warnings) = load(&home, LEAST).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    assert_eq!(config.hub.id, "home");
    assert_eq!(config.hub.name, "home");
    assert_eq!(config.hub.state_dir.to_str(), Some("/var/lib/sos-hub"));
    assert_eq!(config.hub.clock, Clock::Auto);
    assert_eq!(config.gpio, Gpio::Auto);
    assert_eq!((config.siren.line, config.siren.active_low), (17, false));
    assert_eq!(config.led, None);
    assert_eq!((config.app.broker.host.as_str(), config.app.broker.port), ("127.0.0.1", 1883));
    assert!(config.app.broker.login.is_none() && config.app.broker.tls.is_none());
    assert_eq!(config.app.topic_prefix, "sos");
    assert_eq!(config.center.hub_key_file, home.path().join("hub.key"));
    assert_eq!(config.panel.listen.to_string(), "127.0.0.1:8080");
    assert!(config.panel.pin_file.is_none() && config.panel.hosts.is_empty() && config.cameras.is_empty());
    assert_eq!(config.panel.tls, PanelTls::Off);
    assert!(config.home_assistant.discovery);
    assert_eq!(config.home_assistant.prefix, "homeassistant");

    let settings = config.settings();
    assert_eq!(settings.countdown, Duration::from_secs(5));
    assert_eq!(settings.max_age, Duration::from_secs(60));
    assert_eq!(settings.siren_max, Duration::from_secs(240));
    assert_eq!(settings.heartbeat, Duration::from_secs(60));
    assert_eq!(settings.buttons.len(), 1);
    assert_eq!(settings.buttons[0].name, "hallway");
    assert_eq!(settings.buttons[0].press, Press::Request(Service::Police));
    assert_eq!(settings.buttons[0].hold, Duration::from_secs(1));
}

#[test]
fn every_key_is_taken() {
    let home = Home::new();
    let text = r#"
hub = { id = "h", name = "Our home", state_dir = "state", clock = "trusted" }
gpio = { backend = "mock", mock_dir = "/gpio" }
siren = { line = 4, active_low = true, max_seconds = 1 }
led.line = 0
countdown.seconds = 60
panel = { listen = "[::1]:1", pin_file = "panel.pin", hosts = ["sos.example"], tls_cert_file = "panel-cert.pem", tls_key_file = "panel-key.pem" }
home_assistant = { discovery = false, prefix = "ha/x" }
[[button]]
name = "käfig"
line = 27
service = "cancel"
hold_ms = 50
active_low = false
[app]
host = "broker.local"
port = 65535
username = "u"
password_file = "app.password"
ca_file = "home-ca.pem"
topic_prefix = "a/b"
max_age_seconds = 86400
[center]
host = "::1"
port = 1
account = "A_1"
hub_key_file = "openssl.key"
center_key_file = "center.pub"
username = "a"
password_file = "center.password"
ca_file = "center-ca.pem"
client_cert_file = "center-client.pem"
client_key_file = "center-client.key"
heartbeat_seconds = 1
[[camera]]
name = "Door"
url = "https://cam.local:8443/x?y=z@w"
username = "viewer"
password_file = "camera.password"
ca_file = "camera-ca.pem"
"#;
    let (config, warnings) = load(&home, text).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let within = |name: &str| home.path().join(name);
    assert_eq!(config.hub.state_dir, within("state"));
    assert_eq!(config.hub.clock, Clock::Trusted);
    assert_eq!(config.gpio, Gpio::Mock("/gpio".into()));
    assert_eq!((config.siren.line, config.siren.active_low, config.siren.max), (4, true, Duration::from_secs(1)));
    assert_eq!(config.led, Some(0));
    assert_eq!(config.buttons[0].press, Press::Cancel);
    assert!(!config.buttons[0].active_low);
    let app = &config.app.broker;
    assert_eq!((app.host.as_str(), app.port), ("broker.local", 65535));
    assert_eq!(app.login.as_ref().unwrap().password_file, Some(within("app.password")));
    assert_eq!(app.tls.as_ref().unwrap().ca_file, within("home-ca.pem"));
    let client = config.center.broker.tls.as_ref().unwrap().client.as_ref().unwrap();
    assert_eq!(client.cert_file, within("center-client.pem"));
    assert_eq!(client.key_file, within("center-client.key"));
    assert_eq!(config.panel.pin_file, Some(within("panel.pin")));
    assert_eq!(config.panel.hosts, ["sos.example"]);
    let (cert_file, key_file) = (within("panel-cert.pem"), within("panel-key.pem"));
    assert_eq!(config.panel.tls, PanelTls::Files { cert_file, key_file });
    assert_eq!(config.cameras[0].url, "https://cam.local:8443/x?y=z@w");
    assert_eq!(config.cameras[0].login.as_ref().unwrap().password_file, Some(within("camera.password")));
    assert_eq!(config.cameras[0].ca_file, Some(within("camera-ca.pem")));
    assert!(!config.home_assistant.discovery);
}

#[test]
fn each_problem_is_shown_with_its_line_and_a_caret() {
    let home = Home::new();
    let text = LEAST.replace("line = 17", "\tline\t= 71 # the relay").replace("port = 1883\n", "");
    let rendered = load(&home, &text).unwrap_err().to_string().replace(&home.path().display().to_string(), "DIR");
    assert_eq!(
        rendered,
        "\
error: siren.line must be a BCM line from 0 to 27: take the GPIO number, not the number of the pin
 --> DIR/hub.toml:4:9
  |
4 |     line    = 71 # the relay
  |               ^^

error: center.port is missing: add port = 8883 under [center]
 --> DIR/hub.toml:9:1
  |
9 | [center]
  | ^^^^^^^^

DIR/hub.toml: 2 errors, 0 warnings
"
    );
}

#[test]
fn a_wrong_value_is_pointed_at_with_what_to_do() {
    let home = Home::new();
    home.write("empty", "\n");
    for case in changes(LEAST, include_str!("data/wrong_values.txt")) {
        assert_eq!(said(&home, &case.text), [case.expected], "with {}", case.text);
        assert!(load(&home, &case.text).is_err(), "with {}", case.text);
    }
}

#[test]
fn what_is_doubtful_is_a_warning_and_no_refusal() {
    let home = Home::new();
    let key = home.write("open.key", fs::read(home.path().join("hub.key")).unwrap());
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    home.write("short.pin", "47110\n");
    for case in changes(LEAST, include_str!("data/doubtful_values.txt")) {
        assert_eq!(said(&home, &case.text), [case.expected], "with {}", case.text);
        assert!(load(&home, &case.text).is_ok(), "with {}", case.text);
    }
}

#[test]
fn broken_syntax_hides_no_other_problem_and_makes_none_up() {
    let home = Home::new();
    let text = "\
[hub]
id = home
id = \"x\"
nmae = \"x\"
[siren
line = 17
[center]
host = \"127.0.0.1
port = 18 83
port
acount = \"a-1234\"
hub_key_file = 3
[led]
line = 40
";
    assert_eq!(
        said(&home, text),
        [
            "error 2:6 ^^^^ this is not valid TOML: text needs quotes around it, and every key a value",
            "error 3:1 ^^ this is not valid TOML: this is set a second time: keep one of the two",
            "error 4:1 ^^^^ hub.nmae is not a known key: did you mean name?",
            "error 5:7 ^ this is not valid TOML: unclosed table, expected `]`",
            "error 8:18 ^ this is not valid TOML: invalid basic string, expected `\"`",
            "error 9:8 ^^^^^ this is not valid TOML: text needs quotes around it, and every key a value",
            "error 10:5 ^ this is not valid TOML: this key has no value: write key = value",
            "error 11:1 ^^^^^^ center.acount is not a known key: did you mean account?",
            "error 12:16 ^ center.hub_key_file must be text in quotes, not a number",
            "error 14:8 ^^ led.line must be a BCM line from 0 to 27: take the GPIO number, not the number of the pin",
        ]
    );
}

#[test]
fn an_empty_file_is_told_everything_that_is_required() {
    let home = Home::new();
    let said = said(&home, "");
    for key in [
        "hub.id",
        "siren.line",
        "center.host",
        "center.port",
        "center.account",
        "center.hub_key_file",
        "center.center_key_file",
    ] {
        assert_eq!(said.iter().filter(|line| line.contains(&format!(" {key} is missing: add "))).count(), 1, "{key}");
    }
    assert_eq!(said.iter().filter(|line| line.starts_with("error")).count(), 7);
}

#[test]
fn a_file_that_sets_something_is_set_up_however_badly() {
    let home = Home::new();
    for nothing in ["", "\n\n", "# words\n  #id = \"home\"\n\t\r\n", "#"] {
        assert!(!Config::is_set_up(&home.write("hub.toml", nothing)), "{nothing:?}");
    }
    for something in ["[hub]", "# words\nid", "\0", "\u{a0}"] {
        assert!(Config::is_set_up(&home.write("hub.toml", something)), "{something:?}");
    }
    assert!(!Config::is_set_up(&home.path().join("missing.toml")));
    // A person has to look at what is there.
    assert!(Config::is_set_up(home.path()));
}

/// The credentials are in the environment, which is a process's own: so the program itself is asked.
#[test]
fn a_credential_comes_before_the_file_of_the_same_name() {
    let (home, credentials) = (Home::new(), Home::new_empty());
    fs::rename(home.path().join("hub.key"), credentials.path().join("hub.key")).unwrap();
    let config = home.write("hub.toml", LEAST);
    let check = |credentials: Option<&Path>| {
        let mut check = Command::new(env!("CARGO_BIN_EXE_sos-hub"));
        check.args(["check", "--config"]).arg(&config).env_remove("CREDENTIALS_DIRECTORY");
        let output = check.envs(credentials.map(|dir| ("CREDENTIALS_DIRECTORY", dir))).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (without, said) = check(None);
    assert!(without == Some(78) && said.contains("hub.key, which does not exist"), "{said}");
    let (with, said) = check(Some(credentials.path()));
    assert_eq!(with, Some(0), "{said}");
    // What is no credential is looked for where it always was.
    fs::copy(credentials.path().join("hub.key"), home.path().join("hub.key")).unwrap();
    fs::remove_file(credentials.path().join("hub.key")).unwrap();
    let (elsewhere, said) = check(Some(credentials.path()));
    assert_eq!(elsewhere, Some(0), "{said}");
}

#[test]
fn a_table_of_the_wrong_kind_is_one_problem() {
    let home = Home::new();
    assert_eq!(
        said(&home, &LEAST.replace("[siren]", "[[siren]]")),
        ["error 3:1 ^^^^^^^^^ siren is a table: write [siren] in a line of its own"]
    );
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let home = Home::new();
    let bad_utf8 = load(&home, b"[hub]\r\nid = \"\xff\"\r\n").unwrap_err();
    assert_eq!(summary(home.path(), &bad_utf8), ["error 2:7 ^ this is not UTF-8 text: save the file as UTF-8"]);
    let sentence = "here are NUL bytes, as a power cut may leave them: restore the file from a copy";
    assert_eq!(said(&home, "[hub]\n\0\0\0\0"), [format!("error 2:1 ^ {sentence}")]);
    let large = load(&home, "#".repeat(10_000_000)).unwrap_err().to_string();
    assert!(large.contains("larger than 256 KiB"), "{large}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_what_to_do() {
    let home = Home::new();
    let missing = Config::load(&home.path().join("nothing.toml")).unwrap_err().to_string();
    assert!(missing.contains("there is no configuration at ") && missing.contains("/nothing.toml: "), "{missing}");
    assert!(missing.contains("--config FILE"), "{missing}");
    let directory = Config::load(home.path()).unwrap_err().to_string();
    assert!(directory.contains("is a directory: name the file in it"), "{directory}");
}

#[test]
fn a_file_of_thousands_of_problems_shows_the_first_and_counts_the_rest() {
    let home = Home::new();
    let rendered = load(&home, "x\n".repeat(20_000)).unwrap_err().to_string();
    assert!(rendered.len() < 20_000, "{}", rendered.len());
    assert!(rendered.contains("… and "), "{rendered}");
}

#[test]
fn a_fault_in_the_line_break_itself_is_shown_at_the_end_of_its_line() {
    let home = Home::new();
    for text in ["[hub]\nid = \"home\"\r\r\r\r\n", "\r\r\r", "[siren]\r\r\nline = 17\r\r\r\r\nx\r\r\r\n"] {
        let rendered = load(&home, text).unwrap_err().to_string();
        assert!(rendered.contains("this is not valid TOML"), "{rendered}");
    }
}

#[test]
fn nothing_of_the_file_commands_the_terminal() {
    let home = Home::new();
    let rendered =
        load(&home, "\"\\u001b[31m\" = 1\n[hub]\nid = \"\u{1b}[31m\"\nstate_dir = \"\\u001b\"\n").unwrap_err();
    assert!(!rendered.to_string().contains('\u{1b}'), "{rendered}");
    assert!(rendered.to_string().contains("\\u{1b}[31m is not a known"), "{rendered}");
    assert!(rendered.render(true).contains("\u{1b}["));
    // To a terminal of eight bits U+009B is the same as escape and bracket.
    let rendered = load(&home, "[hub]\nid = \"\u{9b}31m\"\nst\u{85}ate = 1\n").unwrap_err().to_string();
    assert!(!rendered.contains(|letter: char| letter.is_control() && letter != '\n'), "{rendered:?}");
    assert!(rendered.contains("id = \"\u{b7}31m\""), "{rendered}");
}

#[test]
fn colour_changes_no_word() {
    let home = Home::new();
    let problems = load(&home, "[hub]\nid = 3\n").unwrap_err();
    let mut plain = String::new();
    let mut coloured = problems.render(true);
    while let Some(start) = coloured.find('\u{1b}') {
        plain.push_str(&coloured[..start]);
        let end = coloured[start..].find('m').unwrap() + start + 1;
        coloured.drain(..end);
    }
    plain.push_str(&coloured);
    assert_eq!(plain, problems.render(false));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let home = Home::new_empty();
        let _ = load(&home, &bytes).map_err(|problems| problems.render(true));
    }

    /// Pieces of real files, in any order, get further than noise does.
    #[test]
    fn no_pieces_make_it_panic(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let home = Home::new_empty();
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        let _ = load(&home, &text).map_err(|problems| problems.render(true));
    }
}

const PIECES: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "=",
    " = ",
    "\n",
    "\r\n",
    "\"",
    "\"\"\"",
    "'",
    "'''",
    ".",
    ",",
    "{",
    "}",
    "#",
    "\\",
    "\t",
    "é",
    "\u{feff}",
    "[hub]\n",
    "[[button]]\n",
    "[center]\n",
    "[siren]\n",
    "id",
    "line",
    "host",
    "hub_key_file",
    "name",
    "port",
    "button",
    "camera",
    "url",
    "service",
    "17",
    "-1",
    "0x1f",
    "1e400",
    "inf",
    "1979-05-27",
    "true",
    "\"home\"",
    "\"mock\"",
    "\"..\"",
    "\"http://x\"",
];
