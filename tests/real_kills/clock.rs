//! The wall clock is stepped by ten years while the hub runs. The kernel's other clocks go on as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::installation::{Installation, Setup};
use crate::lane::RIGHT_AFTER;
use crate::lines::monotonic;

const COUNTDOWN: Duration = Duration::from_secs(3);

#[test]
fn the_alarm_comes_at_its_time_whatever_the_wall_clock_does() {
    let clock = WallClock::new();
    let mut home = Installation::running(clock.setup());
    let year = |home: &Installation| {
        let mark = home.app.mark();
        home.app.ask("cancel", r#"{"incident": "nobody"}"#);
        home.app.event(mark, "refused")["at"].as_str().and_then(|at| at[..4].parse().ok()).unwrap_or(0)
    };
    let now: i32 = year(&home);

    let before = monotonic();
    let police = home.app.accepted("request", r#"{"service": "police", "id": "p"}"#);
    let after = monotonic();
    home.app.event_that(0, "countdown", |event| event["remaining"].as_u64().is_some_and(|left| left < 3));
    clock.step("+3653d");
    assert!((now + 9..=now + 11).contains(&year(&home)), "the clock was not stepped");
    home.app.event_that(0, "countdown", |event| event["remaining"].as_u64().is_some_and(|left| left < 2));
    clock.step("-3653d");
    let siren = home.lines.siren_edge(0);
    assert_eq!(siren.level, 1);
    assert!(siren.at >= before + COUNTDOWN && siren.at < after + COUNTDOWN + RIGHT_AFTER, "{:?}", siren.at - before);
    assert!((now - 11..=now - 9).contains(&year(&home)), "the clock was not stepped");
    let alarm = home.center.alarm(0);
    assert_eq!(alarm["incident"], police.as_str(), "{alarm}");
    assert!(alarm["age_ms"].as_u64().is_some_and(|age| age < 30_000), "{alarm}");
    home.app.stage(&police, "acknowledged");

    // A plan whose time seems to be over is no reason to refuse, and what was accepted once is known.
    clock.step("+3653d");
    home.app.state("the plan is doubtful", |state| state["plan"]["standing"] == "unconfirmed");
    assert_eq!(home.app.accepted("request", r#"{"service": "police", "id": "p"}"#), police);
    let fire = home.app.accepted("request", "fire");
    clock.step("-3653d");
    home.kill();
    home.start();
    home.app.stage(&fire, "acknowledged");
    home.center.has_all();
    let incidents: Vec<Value> = home.center.calls(0).iter().map(|signal| signal["incident"].clone()).collect();
    assert_eq!(incidents, [police, fire], "each once");
}

/// What the hub believes to be the time of day.
struct WallClock {
    dir: tempfile::TempDir,
}

impl WallClock {
    fn new() -> WallClock {
        let clock = WallClock { dir: tempfile::tempdir().expect("a directory") };
        clock.step("+0d");
        clock
    }

    /// To this much before or after the real time.
    fn step(&self, offset: &str) {
        let draft = self.dir.path().join("draft");
        fs::write(&draft, offset).expect("the clock's file");
        fs::rename(draft, self.file()).expect("the clock's file");
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("offset")
    }

    fn setup(&self) -> Setup {
        let environment = vec![
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // Time steps do not move CLOCK_MONOTONIC and CLOCK_BOOTTIME, but the library would.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        Setup { countdown_seconds: 3, clock: "trusted", environment, ..Setup::default() }
    }
}

/// Where Debian puts it, whatever the machine.
fn library() -> PathBuf {
    let dirs = fs::read_dir(Path::new("/usr/lib")).expect("/usr/lib").flatten();
    dirs.map(|dir| dir.path().join("faketime/libfaketime.so.1"))
        .find(|file| file.is_file())
        .expect("libfaketime is not installed: run `sudo apt-get install libfaketime`")
}
