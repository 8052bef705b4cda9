//! What is logged arrives whole, and nobody waits for it.

use std::env;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use sos_hub::controller::effect::{LogLine, Severity};
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::drivers::logging::{self, LogGuard, Record, Sink};
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn an_event_carries_the_fields_of_its_spans_and_the_inner_one_wins() {
    let records = logged(|| {
        let outer =
            tracing::info_span!("incident", incident = "one", service = "fire", attempt = tracing::field::Empty);
        let _in_outer = outer.enter();
        let inner = tracing::info_span!("call", incident = %"two", position = 1);
        let _in_inner = inner.enter();
        outer.record("attempt", 3);
        tracing::warn!(position = 2, answer = ?Some("no"), "nobody {}", "answers");
    });
    let record = &records[0];
    assert_eq!(record.level, tracing::Level::WARN);
    assert_eq!(record.message, "nobody answers");
    assert_eq!(record.target, "logging");
    assert_eq!(record.module_path.as_deref(), Some("logging"));
    assert_eq!(record.file.as_deref(), Some(file!()));
    assert!(record.line.is_some());
    assert_eq!(record.wall, Wall(1_000));
    let fields: Vec<(&str, &str)> = record.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let expected =
        [("answer", "Some(\"no\")"), ("attempt", "3"), ("incident", "two"), ("position", "2"), ("service", "fire")];
    assert_eq!(fields, expected);
}

#[test]
fn an_event_outside_of_a_span_has_nothing_of_it() {
    let records = logged(|| {
        tracing::info_span!("incident", incident = "one").in_scope(|| tracing::info!("inside"));
        tracing::info!("outside");
    });
    assert_eq!(records[0].fields.get("incident").map(String::as_str), Some("one"));
    assert_eq!(records[1].message, "outside");
    assert!(records[1].fields.is_empty());
}

#[test]
fn a_line_of_the_controller_names_its_topic_and_its_incident() {
    let line = |severity, incident| LogLine { severity, incident, topic: "siren_on", text: "The {siren}.".to_owned() };
    let records = logged(|| {
        logging::emit(&line(Severity::Warning, Some(Id(0x2a))));
        logging::emit(&line(Severity::Info, None));
        logging::emit(&line(Severity::Debug, None));
    });
    let levels: Vec<tracing::Level> = records.iter().map(|record| record.level).collect();
    assert_eq!(levels, [tracing::Level::WARN, tracing::Level::INFO, tracing::Level::DEBUG]);
    assert_eq!(records[0].message, "The {siren}.");
    assert_eq!(records[0].fields["topic"], "siren_on");
    assert_eq!(records[0].fields["incident"], "00000000-0000-0000-0000-00000000002a");
    assert!(!records[1].fields.contains_key("incident"));
}

#[test]
fn a_long_text_is_cut_at_a_character() {
    let records = logged(|| tracing::info!(quote = "é".repeat(5_000), "{}{}", "x", "é".repeat(5_000)));
    assert_eq!(records[0].message, format!("x{}…", "é".repeat(511)));
    assert_eq!(records[0].fields["quote"], format!("{}…", "é".repeat(512)));
}

#[test]
fn a_stalled_sink_holds_nobody_up_and_the_lost_lines_are_counted() {
    let stall = Stall::new();
    stall.log("in hand");
    assert_eq!(stall.next().message, "in hand");
    for number in 1..=600 {
        stall.log(&format!("line {number}"));
    }
    assert!(!stall.guard.flush(Duration::from_millis(1)), "flush says that lines are written which are not");

    stall.end();
    for number in 1..=512 {
        assert_eq!(stall.next().message, format!("line {number}"));
    }
    let report = stall.next();
    assert_eq!(report.level, tracing::Level::WARN);
    assert!(report.message.starts_with("88 log lines"), "{}", report.message);

    stall.log("after");
    assert_eq!(stall.next().message, "after");
    assert!(stall.guard.flush(PATIENCE));
}

#[test]
fn lines_that_could_not_be_written_are_counted_too() {
    struct Broken {
        written: u32,
        out: Sender<String>,
    }
    impl Sink for Broken {
        fn write(&mut self, record: &Record) -> io::Result<()> {
            self.written += 1;
            if self.written <= 3 {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            self.out.send(record.message.clone()).map_err(io::Error::other)
        }
    }
    let (out, messages) = channel();
    let (layer, guard) = logging::start(|| Wall(0), || Broken { written: 0, out }).unwrap();
    with_default(tracing_subscriber::registry().with(layer), || {
        for number in 1..=4 {
            tracing::info!("line {number}");
        }
    });
    assert!(guard.flush(PATIENCE));
    assert_eq!(messages.recv_timeout(PATIENCE).unwrap(), "line 4");
    let report = messages.recv_timeout(PATIENCE).unwrap();
    assert!(report.starts_with("3 log lines"), "{report}");
}

#[test]
fn the_end_writes_what_waits() {
    let (out, records) = channel();
    let (layer, guard) = logging::start(|| Wall(0), || Forward(out)).unwrap();
    with_default(tracing_subscriber::registry().with(layer), || {
        for number in 0..400 {
            tracing::info!(number, "line");
        }
    });
    drop(guard);
    assert_eq!(records.try_iter().count(), 400);
}

#[test]
fn on_a_pipe_lines_are_plain() {
    if !is_child() {
        let errors = errors_of(child("on_a_pipe_lines_are_plain").env_remove("SOS_LOG").stderr(Stdio::piped()));
        let expected = "INFO siren_on: The siren sounds. incident=00000000-0000-0000-0000-000000000007\n\
                        WARN library::part: a library complains incident=a\n\
                        WARN sos_hub: one\\n\\u{1b}two incident=a note=\"x y\"\n";
        assert_eq!(errors, expected);
        return;
    }
    let _guard = logging::init(|| Wall(0)).unwrap();
    let text = "The siren sounds.".to_owned();
    logging::emit(&LogLine { severity: Severity::Info, incident: Some(Id(7)), topic: "siren_on", text });
    let _inside = tracing::info_span!(target: "sos_hub", "incident", incident = "a").entered();
    log::warn!(target: "library::part", "a library complains");
    log::error!(target: "rumqttc::v5::state", "an outage, which the link tells of in its own words");
    log::info!(target: "library::part", "a library chatters");
    tracing::info!(target: "library::part", "a library chatters");
    tracing::debug!(target: "sos_hub", "not at this level");
    tracing::warn!(target: "sos_hub", note = "x y", "one\n\u{1b}two");
}

#[test]
fn in_a_file_lines_have_their_time() {
    if !is_child() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let status = child("in_a_file_lines_have_their_time").stderr(file.reopen().unwrap()).status().unwrap();
        assert!(status.success());
        let errors = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(errors, "2026-11-22T10:00:00.250Z WARN sos_hub: late\n");
        return;
    }
    let _guard = logging::init(|| Wall(1_795_341_600_250)).unwrap();
    tracing::warn!(target: "sos_hub", "late");
}

#[test]
fn the_level_is_the_one_asked_for() {
    if !is_child() {
        let run = |setting| errors_of(child("the_level_is_the_one_asked_for").env("SOS_LOG", setting));
        let [own_warning, own_info] = ["WARN sos_hub: w\n", "INFO sos_hub: i\n"];
        let [own_debug, library_warning] = ["DEBUG sos_hub: d\n", "WARN library: w\n"];
        let library_info = "INFO library: i\n";
        assert_eq!(run(""), [own_warning, own_info, library_warning].concat());
        assert_eq!(run("debug"), [own_warning, own_info, own_debug, library_warning].concat());
        assert_eq!(run("warn"), [own_warning, library_warning].concat());
        assert_eq!(run("error"), "");
        assert_eq!(run("off"), "");
        assert_eq!(run("library=info,sos_hub=warn"), [own_warning, library_warning, library_info].concat());
        let complaint = run("verbose");
        assert!(complaint.contains("SOS_LOG=\"verbose\" means nothing"), "{complaint}");
        assert!(complaint.ends_with(&[own_warning, own_info, library_warning].concat()), "{complaint}");
        return;
    }
    let _guard = logging::init(|| Wall(0)).unwrap();
    tracing::warn!(target: "sos_hub", "w");
    tracing::info!(target: "sos_hub", "i");
    tracing::debug!(target: "sos_hub", "d");
    log::warn!(target: "library", "w");
    log::info!(target: "library", "i");
}

#[test]
fn a_stalled_standard_error_holds_nobody_up() {
    if !is_child() {
        let mut running = Killed(child("a_stalled_standard_error_holds_nobody_up").spawn().unwrap());
        let output = running.0.stdout.take().unwrap();
        assert!(reads_within_patience(output, "all is logged"), "the child waits for its standard error");
        let errors = running.0.stderr.take().unwrap();
        assert!(
            reads_within_patience(errors, "log lines before this one are lost"),
            "nobody is told of the lost lines"
        );
        return;
    }
    let guard = logging::init(|| Wall(0)).unwrap();
    for _ in 0..10_000 {
        tracing::info!(target: "sos_hub", "{}", "x".repeat(200));
    }
    println!("all is logged");
    guard.flush(PATIENCE);
}

#[test]
fn a_panic_is_a_line_of_the_log() {
    if !is_child() {
        let errors = errors_of(&mut child("a_panic_is_a_line_of_the_log"));
        assert!(errors.starts_with("ERROR panic: thread loop panicked at tests/logging.rs:"), "{errors}");
        assert!(errors.ends_with(" out of luck\n"), "{errors}");
        return;
    }
    let _guard = logging::init(|| Wall(0)).unwrap();
    let panicked = thread::Builder::new().name("loop".to_owned()).spawn(|| panic!("out of luck")).unwrap().join();
    assert!(panicked.is_err());
}

/// The records of what `speak` logs.
fn logged(speak: impl FnOnce()) -> Vec<Record> {
    let (out, records) = channel();
    let (layer, guard) = logging::start(|| Wall(1_000), || Forward(out)).unwrap();
    with_default(tracing_subscriber::registry().with(layer), speak);
    assert!(guard.flush(PATIENCE));
    records.try_iter().collect()
}

struct Forward(Sender<Record>);

impl Sink for Forward {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.0.send(record.clone()).map_err(io::Error::other)
    }
}

/// A log whose sink shows the record in its hand, but takes none until the stall ends.
struct Stall {
    guard: LogGuard,
    dispatch: tracing::Dispatch,
    shown: Receiver<Record>,
    end: Arc<Barrier>,
}

impl Stall {
    fn new() -> Stall {
        struct Stalled {
            show: Sender<Record>,
            end: Option<Arc<Barrier>>,
        }
        impl Sink for Stalled {
            fn write(&mut self, record: &Record) -> io::Result<()> {
                self.show.send(record.clone()).map_err(io::Error::other)?;
                if let Some(end) = self.end.take() {
                    end.wait();
                }
                Ok(())
            }
        }
        let (show, shown) = channel();
        let end = Arc::new(Barrier::new(2));
        let at_sink = Some(Arc::clone(&end));
        let (layer, guard) = logging::start(|| Wall(0), || Stalled { show, end: at_sink }).unwrap();
        Stall { guard, dispatch: tracing_subscriber::registry().with(layer).into(), shown, end }
    }

    fn log(&self, message: &str) {
        tracing::dispatcher::with_default(&self.dispatch, || tracing::info!("{message}"));
    }

    fn next(&self) -> Record {
        self.shown.recv_timeout(PATIENCE).unwrap()
    }

    fn end(&self) {
        self.end.wait();
    }
}

const CHILD: &str = "SOS_HUB_TEST_CHILD";

/// Whether this is the process that a test of the same name started: a log is set once in a process.
fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

fn child(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(CHILD, "1").env_remove("SOS_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn errors_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A child that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether `wanted` comes out of `stream` within the patience.
fn reads_within_patience(mut stream: impl Read + Send + 'static, wanted: &'static str) -> bool {
    let (found, finding) = channel();
    thread::spawn(move || {
        let (mut text, mut chunk) = (String::new(), [0; 4096]);
        while let Ok(length @ 1..) = stream.read(&mut chunk) {
            text.push_str(&String::from_utf8_lossy(&chunk[..length]));
            if text.contains(wanted) {
                let _ = found.send(());
                return;
            }
        }
    });
    finding.recv_timeout(PATIENCE).is_ok()
}
