//! Any bytes as `hub.toml`: every problem is told, or every value keeps its rules.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sos_hub::config::{Config, Problems};
use tempfile::TempDir;

/// As `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n";
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAO2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=\n-----END PUBLIC KEY-----\n";

/// A directory with the files that a small configuration names: one a thread, as making it costs more than reading.
fn home() -> TempDir {
    let home = super::scratch();
    for (name, content) in [("hub.key", KEY), ("center.pub", PUBLIC_KEY), ("word", "correct horse\n")] {
        fs::write(home.path().join(name), content).expect("write");
    }
    home
}

thread_local!(static HOME: TempDir = home());

pub fn check(data: &[u8]) {
    in_home(|home| check_in(home, data));
}

pub fn in_home(check: impl FnOnce(&Path)) {
    HOME.with(|home| check(home.path()));
}

fn check_in(home: &Path, data: &[u8]) {
    let file = home.join("hub.toml");
    fs::write(&file, data).expect("write");
    match Config::load(&file) {
        Ok((config, warnings)) => {
            assert_keeps_the_rules(&config);
            assert_can_be_shown(&warnings);
            // The same text gives the same again.
            let (again, _) = Config::load(&file).expect("it was good just now");
            assert_eq!(format!("{config:?}"), format!("{again:?}"));
        }
        Err(problems) => {
            assert!(!problems.to_string().is_empty());
            assert_can_be_shown(&problems);
        }
    }
}

fn assert_keeps_the_rules(config: &Config) {
    let seconds = Duration::from_secs;
    assert!((seconds(1)..=seconds(60)).contains(&config.countdown));
    assert!((seconds(1)..=seconds(3600)).contains(&config.siren.max));
    assert!(config.center.heartbeat >= seconds(1) && config.app.max_age >= seconds(1));
    let lines: Vec<u8> =
        config.buttons.iter().map(|button| button.line).chain([config.siren.line]).chain(config.led).collect();
    assert!(lines.iter().all(|line| *line <= 27), "{lines:?}");
    let mut apart = lines.clone();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), lines.len(), "no line is taken twice");
    for level in [&config.hub.id, &config.center.account] {
        assert!((1..=64).contains(&level.len()) && !level.contains(['/', '+', '#', '\0']), "{level:?}");
    }
    assert!(!config.app.topic_prefix.contains(['+', '#', '\0']));
}

/// Nothing of a stranger's file gives orders to a terminal.
pub fn assert_can_be_shown(problems: &Problems) {
    let plain = problems.render(false);
    assert!(!plain.contains(|c: char| c.is_control() && c != '\n'), "{plain:?}");
    let _ = problems.render(true);
}
