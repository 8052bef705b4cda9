//! `sos-hub demo` as somebody who has just built it uses it: reads the lines, pastes them, watches, and ends it.

#![cfg(feature = "demo")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use support::mosquitto::free_port;
use support::{DEADLINE, wait_until};
use tempfile::TempDir;

#[test]
fn the_lines_to_paste_do_what_they_say() {
    let port = free_port();
    let panel = free_port();
    let mut demo = Demo::start(&["--port", &port.to_string(), "--panel-port", &panel.to_string()]);
    demo.line("nobody is called, no siren sounds");
    demo.line("ready");
    assert_eq!(demo.paste("gpio/out/17"), "0");
    assert_eq!(demo.ask_panel("/pin", &demo.pin()), "HTTP/1.1 204 No Content");
    assert!(demo.pasted("request -m police").contains(&format!("mosquitto_pub -p {port} ")));

    demo.paste("request -m police");
    demo.line("police  countdown started");
    demo.paste("cancel -n");
    demo.line("police  aborted");

    assert!(demo.paste("sos-hub request police").starts_with("Accepted."));
    demo.line("police  requested");
    assert!(demo.seen.iter().any(|line| line.contains("police  countdown ") && !line.contains("started")));
    demo.line("SIREN ON");
    demo.line("police  acknowledged");
    assert_eq!(demo.paste("gpio/out/17"), "1");
    demo.line("police  calling first contact");
    demo.paste("silence -n");
    demo.line("siren off");
    assert_eq!(demo.paste("gpio/out/17"), "0");

    // While that goes on: the button in the kitchen, held and released.
    demo.paste("gpio/in/5");
    demo.line("fire    countdown started");
    demo.paste("cancel -n");
    demo.line("fire    aborted");
    assert!(demo.paste("sos-hub status").contains("plan    active (protect_plus)"));
    let everything = demo.pasted("mosquitto_sub").to_owned();
    let retained = sh(&format!("{everything} -C 2 -W 30"));
    assert!(stdout(&retained).contains("sos/home/availability online"), "{retained:?}");
    // They may have been shown between the others.
    demo.has_shown("police  no answer");
    // The second contact is called, and then what came of it is told.
    demo.has_shown("(Ben)");
    demo.has_shown("(Ben: answered)");

    demo.signal(libc::SIGINT);
    demo.line("The demo has ended and removed");
    assert!(demo.end().success());
    assert_eq!(demo.left_behind(), [""; 0]);
}

#[test]
fn a_port_that_is_taken_is_said_and_nothing_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut demo = Demo::start(&["--port", &port.to_string()]);
    assert_eq!(demo.end().code(), Some(1));
    assert_eq!(
        demo.complaint(),
        format!("Port {port} is taken by another program: name another one with --port, or 0 for any.\n")
    );
    assert!(demo.shown.recv().is_err(), "nothing is shown");
    assert_eq!(demo.left_behind(), [""; 0]);
}

#[test]
fn a_port_of_the_panel_that_is_taken_is_said_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut demo = Demo::start(&["--port", "0", "--panel-port", &port.to_string()]);
    assert_eq!(demo.end().code(), Some(1));
    assert_eq!(
        demo.complaint(),
        format!("Port {port} is taken by another program: name another one with --panel-port, or 0 for any.\n")
    );
}

#[test]
fn where_the_usual_port_is_taken_the_lines_name_another_one() {
    // If it fails, somebody else has it, which is as good.
    let _taken = TcpListener::bind("127.0.0.1:1883");
    let mut demo = Demo::start(&[]);
    demo.line("ready");
    demo.paste("test -m siren");
    demo.line("SIREN ON");
    demo.signal(libc::SIGTERM);
    assert!(demo.end().success());
}

#[test]
fn what_only_mqtt_5_knows_reaches_those_who_speak_the_older_version_without_it() {
    let mut demo = Demo::start(&["--port", "0", "--panel-port", "0"]);
    demo.line("ready");
    let ports: Vec<&str> = demo.pasted("for MQTT 5").split("127.0.0.1:").skip(1).collect();
    let [older, newer] = [ports[0], ports[1]].map(|port| port.split(' ').next().unwrap());
    let property = "-V 5 -D PUBLISH user-property a b";
    let said = sh(&format!("mosquitto_pub -p {newer} {property} -r -t note -m noted"));
    assert!(said.status.success(), "{said:?}");
    let heard = sh(&format!("mosquitto_sub -p {older} -t note -C 1 -W 30"));
    assert_eq!(stdout(&heard).trim(), "noted", "{heard:?}");
    demo.signal(libc::SIGINT);
    assert!(demo.end().success());
}

#[test]
fn it_ends_when_nobody_reads_what_it_shows() {
    // After this line nothing happens that it would have to write.
    let mut demo = Demo::start_and_read_to(&["--port", "0"], "ready");
    demo.line("ready");
    assert!(demo.end().success());
    assert_eq!(demo.left_behind(), [""; 0]);
}

/// A demo under way, whose directory has a name that a shell takes apart if it can.
struct Demo {
    child: Child,
    dir: TempDir,
    shown: Receiver<String>,
    seen: Vec<String>,
}

impl Demo {
    fn start(options: &[&str]) -> Demo {
        Demo::start_and_read_to(options, "\n")
    }

    /// Like `sos-hub demo | sed '/WORDS/q'`.
    fn start_and_read_to(options: &[&str], words: &'static str) -> Demo {
        let dir = tempfile::Builder::new().prefix("it's a demo").tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sos-hub"))
            .arg("demo")
            .args(options)
            .env("TMPDIR", dir.path())
            .env_remove("SOS_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, shown) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let is_last = line.contains(words);
                if sender.send(line).is_err() || is_last {
                    return;
                }
            }
        });
        Demo { child, dir, shown, seen: Vec::new() }
    }

    /// Waits until a line with these words has been shown; each line is looked at once.
    fn line(&mut self, words: &str) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            let line = self.shown.recv_timeout(patience);
            let line = line.unwrap_or_else(|_| panic!("no line with {words:?} after {:#?}", self.seen));
            self.seen.push(line);
            if self.seen.last().is_some_and(|line| line.contains(words)) {
                return;
            }
        }
    }

    /// Waits for such a line, unless it has been shown before.
    fn has_shown(&mut self, words: &str) {
        if !self.seen.iter().any(|line| line.contains(words)) {
            self.line(words);
        }
    }

    /// What the line of the panel says: address and PIN.
    fn panel(&self) -> (String, String) {
        let line = self.seen.iter().find(|line| line.contains("in a browser, with the PIN")).expect("a panel");
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[1].trim_start_matches("http://").to_owned(), words[words.len() - 1].to_owned())
    }

    fn pin(&self) -> String {
        self.panel().1
    }

    /// Sends something to the panel as its page would; gives the first line of the answer.
    fn ask_panel(&self, path: &str, body: &str) -> String {
        let (address, _) = self.panel();
        let mut stream = TcpStream::connect(&address).expect("the panel");
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The line with these words that is there to be pasted.
    fn pasted(&self, words: &str) -> &str {
        let line = self.seen.iter().find(|line| line.starts_with("  ") && line.contains(words));
        line.unwrap_or_else(|| panic!("nothing to paste with {words:?} in {:#?}", self.seen)).trim()
    }

    /// Runs it, and says what it printed.
    fn paste(&self, words: &str) -> String {
        let output = sh(self.pasted(words));
        assert!(output.status.success(), "{output:?}");
        stdout(&output)
    }

    fn signal(&self, signal: libc::c_int) {
        // SAFETY: it touches no memory. The child was not waited for yet, so the id is still its own.
        unsafe { libc::kill(self.child.id().try_into().unwrap(), signal) };
    }

    fn end(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the demo ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn left_behind(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended, but for a test that failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sh(line: &str) -> Output {
    Command::new("sh").arg("-c").arg(line).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}
