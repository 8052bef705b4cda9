//! The GPIO driver through the mock's files: what a person or a script sees who plays the world.

use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use sos_hub::controller::input::HardwareReport;
use sos_hub::drivers::gpio::{Backend, Gpio, GpioEvent, GpioSettings, InputLine, OutputLine};
use tempfile::TempDir;

const SIREN: u32 = 17;
const LED: u32 = 27;
/// Active low, as buttons to ground are.
const HALLWAY: InputLine = InputLine { line: 4, active_low: true };
const BEDROOM: InputLine = InputLine { line: 5, active_low: false };

#[test]
fn a_start_makes_what_is_missing_and_tells_the_levels_of_the_buttons() {
    let rig = Rig::start(rig_settings());
    assert_eq!(rig.read("in/4"), "1");
    assert_eq!(rig.read("in/5"), "0");
    assert_eq!(rig.read("out/17"), "0");
    assert_eq!(rig.read("out/27"), "0");
    assert_eq!(rig.read("edges.csv"), "");
    assert_eq!(rig.told_so_far(), [button(0, false), button(1, false)]);
}

#[test]
fn a_start_tells_a_button_that_is_held() {
    let rig = Rig::start_in(dir_with(&[("in/4", "0\n")]), rig_settings());
    assert_eq!(rig.told_so_far(), [button(0, true), button(1, false)]);
}

#[test]
fn a_start_and_a_stop_never_assert_the_siren() {
    for held in ["1", "1\n", "0", "", "junk"] {
        let rig = Rig::start_in(dir_with(&[("out/17", held)]), rig_settings());
        assert_eq!(rig.read("out/17"), "0");
        let dir = rig.stop();
        assert_eq!(read(&dir, "out/17"), "0");
        // Silencing what an earlier run left on is a change of the line.
        let edges: &[_] = if held.starts_with('1') { &[(SIREN, 0)] } else { &[] };
        assert_eq!(edges_of(&dir), edges, "with {held:?} before");
    }
}

#[test]
fn a_siren_that_is_active_low_rests_at_one() {
    let mut settings = rig_settings();
    settings.siren.active_low = true;
    let rig = Rig::start_in(dir_with(&[("out/17", "0")]), settings);
    assert_eq!(rig.read("out/17"), "1");
    rig.gpio().siren(true);
    assert_eq!(rig.read("out/17"), "0");
    let dir = rig.stop();
    assert_eq!(read(&dir, "out/17"), "1");
    assert_eq!(edges_of(&dir), [(SIREN, 1), (SIREN, 0), (SIREN, 1)]);
}

#[test]
fn siren_and_led_are_driven_before_the_call_returns_and_a_stop_puts_them_to_rest() {
    let rig = Rig::start(rig_settings());
    rig.gpio().siren(true);
    assert_eq!(rig.read("out/17"), "1");
    rig.gpio().led(true);
    assert_eq!(rig.read("out/27"), "1");
    rig.gpio().siren(true);
    let dir = rig.stop();
    assert_eq!((read(&dir, "out/17"), read(&dir, "out/27")), ("0".into(), "0".into()));
    assert_eq!(edges_of(&dir), [(SIREN, 1), (LED, 1), (SIREN, 0), (LED, 0)]);
}

#[test]
fn a_reader_never_finds_an_output_empty() {
    let rig = Rig::start(rig_settings());
    let (gpio, path) = (rig.gpio(), rig.path("out/17"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0u32;
            while !done.load(Ordering::Relaxed) || seen == 0 {
                let text = fs::read_to_string(&path).expect("it is always there");
                assert!(text == "0" || text == "1", "found {text:?}");
                seen += 1;
            }
        });
        for turn in 0..5000 {
            gpio.siren(turn % 2 == 0);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader found only levels");
    });
}

#[test]
fn a_button_is_heard_however_its_file_is_written() {
    let rig = Rig::start(rig_settings());
    rig.told_so_far();

    rig.write("in/4", "0");
    assert_eq!(rig.next(), button(0, true));
    rig.write("in/4", "1\n");
    assert_eq!(rig.next(), button(0, false));

    rig.write("in/.4.new", "0");
    fs::rename(rig.path("in/.4.new"), rig.path("in/4")).expect("rename over");
    assert_eq!(rig.next(), button(0, true));
    rig.write("elsewhere", "1");
    fs::rename(rig.path("elsewhere"), rig.path("in/4")).expect("rename into the directory");
    assert_eq!(rig.next(), button(0, false));

    fs::remove_file(rig.path("in/4")).expect("remove");
    rig.write("in/4", "0");
    assert_eq!(rig.next(), button(0, true));

    rig.write("in/5", "1");
    assert_eq!(rig.next(), button(1, true));
    assert_eq!(rig.told_so_far(), []);
    assert_eq!(edges_of(&rig.stop()), [(4, 0), (4, 1), (4, 0), (4, 1), (4, 0), (5, 1)]);
}

#[test]
fn what_is_no_level_changes_nothing() {
    let rig = Rig::start(rig_settings());
    rig.told_so_far();
    for text in ["", " \n", "2", "00", "0 1", "on", "-", "\u{0}", "0000000000000000000000", "               0 1"] {
        rig.write("in/4", text);
        assert_eq!(rig.told_so_far(), [], "after {text:?}");
    }
    fs::remove_file(rig.path("in/4")).expect("remove");
    assert_eq!(rig.told_so_far(), []);
    rig.write("in/9", "1");
    assert_eq!(rig.told_so_far(), [], "a line that is no button");
    rig.write("in/4", "0");
    assert_eq!(rig.next(), button(0, true), "and the next level still counts");
    assert_eq!(edges_of(&rig.stop()), [(4, 0)]);
}

#[test]
fn a_storm_of_edges_is_told_at_a_bounded_rate_and_ends_in_the_right_level() {
    let rig = Rig::start(rig_settings());
    rig.told_so_far();
    let file = fs::OpenOptions::new().write(true).open(rig.path("in/5")).expect("open");
    let began = Instant::now();
    for turn in 0..50_000 {
        file.write_all_at(if turn % 2 == 0 { b"1" } else { b"0" }, 0).expect("write");
    }
    file.write_all_at(b"1", 0).expect("write");
    let told = rig.told_so_far();
    let milliseconds = began.elapsed().as_millis();
    assert!(told.len() as u128 <= milliseconds + 2, "{} events in {milliseconds} ms", told.len());
    for (turn, event) in told.iter().enumerate() {
        assert_eq!(*event, button(1, turn % 2 == 0), "only changes are told");
    }
    assert_eq!(told.last(), Some(&button(1, true)));
}

#[test]
fn edges_carry_the_monotonic_time_of_the_change() {
    let rig = Rig::start(rig_settings());
    let before = monotonic_ns();
    rig.gpio().siren(true);
    let between = monotonic_ns();
    rig.write("in/5", "1");
    rig.wait_for(button(1, true));
    let after = monotonic_ns();
    let text = read(&rig.stop(), "edges.csv");
    let lines: Vec<_> = text.lines().collect();
    let at = |index: usize, rest: &str| -> u64 {
        let (time, what) = lines[index].split_once(',').expect("three columns");
        assert_eq!(what, rest);
        time.parse().expect("nanoseconds")
    };
    assert!((before..=between).contains(&at(0, "17,1")));
    assert!((between..=after).contains(&at(1, "5,1")));
}

#[test]
fn what_is_removed_is_made_again() {
    let rig = Rig::start(rig_settings());
    rig.gpio().siren(true);
    rig.told_so_far();

    fs::remove_file(rig.path("out/17")).expect("remove the file");
    rig.wait_until("out/17", "1");
    // Moved away first: file by file, the hub would make anew what was just removed.
    fs::rename(rig.path("out"), rig.path("away")).expect("move the directory away");
    rig.wait_until("out/17", "1");
    fs::remove_dir_all(rig.path("away")).expect("remove what was moved away");
    rig.wait_until("out/27", "0");
    fs::remove_file(rig.path("out/17")).expect("remove the file in the new directory");
    rig.wait_until("out/17", "1");
    fs::rename(rig.path("out"), rig.path("away")).expect("move the directory away");
    rig.gpio().siren(false);
    assert_eq!(rig.read("out/17"), "0");

    fs::remove_dir_all(rig.path("in")).expect("remove the inputs");
    rig.wait_until("in/4", "1");
    rig.write("in/4", "0");
    assert_eq!(rig.next(), button(0, true));

    fs::remove_file(rig.path("edges.csv")).expect("remove the edges");
    rig.gpio().siren(true);
    assert_eq!(edges_of(&rig.stop()), [(SIREN, 1), (SIREN, 0)]);
}

#[test]
fn the_button_thread_answers_a_ping() {
    let (sender, events) = channel();
    let dir = tempfile::tempdir().expect("a directory");
    let mut settings = rig_settings();
    settings.mock_dir = Some(dir.path().into());
    let gpio = Gpio::start(settings, move |event| {
        let _ = sender.send((event, std::thread::current().name().map(String::from)));
    });
    let gpio = gpio.expect("a thread");
    gpio.ping(7);
    let pong = events.iter().find(|(event, _)| *event == GpioEvent::Pong(7));
    assert_eq!(pong, Some((GpioEvent::Pong(7), Some("gpio".into()))));
    gpio.stop();
    assert_eq!(events.iter().count(), 0, "and nobody is left who could speak");
}

#[test]
fn a_mock_without_its_directory_says_which_key_is_missing() {
    let rig = Rig::start_with(rig_settings(), None);
    let problem = "gpio.backend is \"mock\" but there is no gpio.mock_dir: set it to a directory".to_string();
    let expected = [
        HardwareReport::SirenFailed { problem: problem.clone() },
        HardwareReport::LedFailed { problem: problem.clone() },
        HardwareReport::ButtonsFailed { problem },
    ];
    assert_eq!(rig.told_so_far(), expected.map(GpioEvent::Hardware));
}

#[test]
fn what_cannot_be_opened_is_tried_again_and_gets_the_level_that_was_asked_for() {
    let dir = dir_with(&[("gpio", "a file where the directory should be")]);
    let rig = Rig::start_with(rig_settings(), Some(dir.path().join("gpio").as_path()));
    let told = rig.told_so_far();
    assert!(
        matches!(
            told.as_slice(),
            [
                GpioEvent::Hardware(HardwareReport::SirenFailed { problem }),
                GpioEvent::Hardware(HardwareReport::LedFailed { .. }),
                GpioEvent::Hardware(HardwareReport::ButtonsFailed { .. }),
            ] if problem.contains("/gpio") && problem.contains("gpio.mock_dir")
        ),
        "{told:?}"
    );
    rig.gpio().siren(true);
    fs::remove_file(dir.path().join("gpio")).expect("remove the file");
    let expected = [
        GpioEvent::Hardware(HardwareReport::SirenWorks),
        GpioEvent::Hardware(HardwareReport::LedWorks),
        button(0, false),
        button(1, false),
        GpioEvent::Hardware(HardwareReport::ButtonsWork),
    ];
    assert_eq!(expected.clone().map(|_| rig.next()), expected);
    assert_eq!(read(&dir, "gpio/out/17"), "1");
    rig.stop();
}

#[test]
fn one_bad_button_takes_nothing_else_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(dir.path().join("in/4")).expect("a directory where the file should be");
    let rig = Rig::start_in(dir, rig_settings());
    let told = rig.told_so_far();
    assert_eq!(told[0], button(1, false));
    assert!(
        matches!(&told[1..], [GpioEvent::Hardware(HardwareReport::ButtonsFailed { problem })] if problem.contains("in/4")),
        "{told:?}"
    );
    rig.gpio().siren(true);
    assert_eq!(rig.read("out/17"), "1");
    rig.write("in/5", "1");
    assert_eq!(rig.next(), button(1, true));

    fs::remove_dir(rig.path("in/4")).expect("remove the directory");
    assert_eq!(rig.next(), button(0, false));
    assert_eq!(rig.next(), GpioEvent::Hardware(HardwareReport::ButtonsWork));
}

#[test]
fn what_still_fails_is_not_told_again() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["out/17", "in/4"] {
        fs::create_dir_all(dir.path().join(name)).expect("a directory where the file should be");
    }
    let rig = Rig::start_in(dir, rig_settings());
    let told = rig.told_so_far();
    assert!(matches!(&told[0], GpioEvent::Hardware(HardwareReport::SirenFailed { .. })), "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
    // That the button works shows that everything was tried again.
    fs::remove_dir(rig.path("in/4")).expect("remove the directory");
    assert_eq!(rig.next(), button(0, false));
    assert_eq!(rig.next(), GpioEvent::Hardware(HardwareReport::ButtonsWork));
}

#[test]
fn a_siren_that_fails_in_use_is_told_once_and_works_again_at_its_level() {
    let rig = Rig::start(rig_settings());
    rig.told_so_far();
    // A directory in the file's place, from one moment to the next.
    symlink("/", rig.path("directory")).expect("link");
    fs::rename(rig.path("directory"), rig.path("out/17")).expect("put it in place");
    rig.gpio().siren(true);
    let failed = rig.next();
    assert!(
        matches!(&failed, GpioEvent::Hardware(HardwareReport::SirenFailed { problem }) if problem.contains("out/17"))
    );
    for asserted in [false, true] {
        rig.gpio().siren(asserted);
    }
    assert_eq!(rig.told_so_far(), []);
    fs::remove_file(rig.path("out/17")).expect("remove the link");
    assert_eq!(rig.next(), GpioEvent::Hardware(HardwareReport::SirenWorks));
    assert_eq!(rig.read("out/17"), "1");
}

fn rig_settings() -> GpioSettings {
    GpioSettings {
        backend: Backend::Mock,
        mock_dir: None,
        siren: OutputLine { line: SIREN, active_low: false },
        led: Some(OutputLine { line: LED, active_low: false }),
        buttons: vec![HALLWAY, BEDROOM],
    }
}

fn button(index: usize, asserted: bool) -> GpioEvent {
    GpioEvent::Button { index, asserted }
}

/// A driver on a directory of its own.
struct Rig {
    gpio: Option<Gpio>,
    events: Receiver<GpioEvent>,
    dir: TempDir,
}

impl Rig {
    fn start(settings: GpioSettings) -> Rig {
        Rig::start_in(tempfile::tempdir().expect("a directory"), settings)
    }

    fn start_in(dir: TempDir, settings: GpioSettings) -> Rig {
        let path = dir.path().to_path_buf();
        Rig { dir, ..Rig::start_with(settings, Some(&path)) }
    }

    fn start_with(settings: GpioSettings, mock_dir: Option<&Path>) -> Rig {
        let (sender, events) = channel();
        let settings = GpioSettings { mock_dir: mock_dir.map(Path::to_path_buf), ..settings };
        let gpio = Gpio::start(settings, move |event| drop(sender.send(event))).expect("a thread");
        Rig { gpio: Some(gpio), events, dir: tempfile::tempdir().expect("a directory") }
    }

    fn gpio(&self) -> &Gpio {
        self.gpio.as_ref().expect("it is stopped only by value")
    }

    fn stop(self) -> TempDir {
        self.gpio.expect("it is stopped only once").stop();
        self.dir
    }

    fn next(&self) -> GpioEvent {
        self.events.recv_timeout(Duration::from_secs(20)).expect("something is told")
    }

    fn wait_for(&self, event: GpioEvent) {
        while self.next() != event {}
    }

    /// Everything told up to now: the lines have been looked at again when the pong comes.
    fn told_so_far(&self) -> Vec<GpioEvent> {
        self.gpio().ping(0);
        std::iter::from_fn(|| Some(self.next())).take_while(|event| *event != GpioEvent::Pong(0)).collect()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        read(&self.dir, name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("write");
    }

    fn wait_until(&self, name: &str, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while fs::read_to_string(self.path(name)).ok().as_deref() != Some(text) {
            assert!(Instant::now() < deadline, "{name} does not become {text:?}");
            std::thread::yield_now();
        }
    }
}

fn dir_with(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("make it");
        fs::write(path, text).expect("write");
    }
    dir
}

fn read(dir: &TempDir, name: &str) -> String {
    fs::read_to_string(dir.path().join(name)).expect(name)
}

/// Line and level of each edge, in their order.
fn edges_of(dir: &TempDir) -> Vec<(u32, u8)> {
    let number = |text: &str| text.parse::<u32>().expect("a number");
    let edge = |line: &str| {
        let columns: Vec<_> = line.split(',').collect();
        assert_eq!(columns.len(), 3, "{line:?}");
        (number(columns[1]), number(columns[2]) as u8)
    };
    read(dir, "edges.csv").lines().map(edge).collect()
}

#[expect(clippy::disallowed_methods, reason = "the clock that edges.csv promises is the one to compare with")]
fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec that lives through the call.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) }, 0);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
