//! The words at the start of the demo: what runs where, and what to paste.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;

use super::broker::Ports;
use super::files::{Files, HALLWAY, KITCHEN, OPERATOR};

/// The whole text.
pub fn welcome(files: &Files, ports: Ports, panel: u16, console: SocketAddr) -> String {
    let pin = &files.pin;
    let Ports { v4, v5 } = ports;
    let port = if v4 == 1883 { String::new() } else { format!(" -p {v4}") };
    let hub = program();
    let config = shell(files.config().as_os_str());
    let press = |line| {
        let file = shell(files.input(line).as_os_str());
        format!("echo 0 > {file}; sleep 1.5; echo 1 > {file}")
    };
    let (hallway, kitchen) = (press(HALLWAY), press(KITCHEN));
    let siren = shell(files.siren().as_os_str());
    let dir = files.dir().display();
    let password = &files.password;
    format!(
        r"
This is a demo: nobody is called, no siren sounds, nothing leaves this computer.

  panel    http://127.0.0.1:{panel} in a browser, with the PIN {pin}
  broker   127.0.0.1:{v4} for MQTT 3.1.1, 127.0.0.1:{v5} for MQTT 5
  hub      the real one, with files in place of buttons, siren and LED
  center   the real one with simulated calls; its console is http://{console}/
           log in as {OPERATOR} with {password}
  files    {dir}

Ask for help from another terminal: 5 seconds to cancel, then siren and alarm.

  mosquitto_pub{port} -t sos/home/request -m police
  mosquitto_pub{port} -t sos/home/request -m fire
  mosquitto_pub{port} -t sos/home/request -m siren
  mosquitto_pub{port} -t sos/home/cancel -n
  mosquitto_pub{port} -t sos/home/silence -n
  mosquitto_pub{port} -t sos/home/test -m siren
  mosquitto_sub{port} -t 'sos/home/#' -v

Or without mosquitto_pub; cancel, silence, test and history are there as well.

  {hub} request police --config {config}
  {hub} status --config {config}

Hold a button for a moment (hallway: police, kitchen: fire); read the siren. Line 6 is a button that cancels.

  {hallway}
  {kitchen}
  cat {siren}

Ctrl-C ends the demo and removes its files. Here is what happens:

"
    )
}

/// How to call this program from another terminal.
fn program() -> String {
    let typed = std::env::args_os().next().unwrap_or_default();
    let is_found_by_name = Path::new(&typed).components().count() == 1;
    match std::env::current_exe() {
        Ok(path) if !is_found_by_name => shell(path.as_os_str()),
        _ => shell(&typed),
    }
}

/// The word as a shell reads it.
fn shell(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+,:@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
