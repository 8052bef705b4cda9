//! Any content in the mock's files: a level, or no level at all, and the siren's line rests.

use std::fs;
use std::sync::mpsc::channel;
use std::time::Duration;

use sos_hub::drivers::gpio::{Backend, Gpio, GpioEvent, GpioSettings, InputLine, OutputLine};

use super::bytes::Bytes;

/// What was in the button's file at the start, what is put there later, and what the siren's file held.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let active_low = bytes.flag();
    let mut parts = bytes.rest().split(|byte| *byte == b'|');
    let mut part = || parts.next().unwrap_or_default().to_vec();
    let (first, later, siren) = (part(), part(), part());

    let dir = super::scratch();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("in")).and_then(|()| fs::create_dir(path("out"))).expect("make them");
    fs::write(path("in/4"), &first).expect("write");
    fs::write(path("out/17"), &siren).expect("write");
    let settings = GpioSettings {
        backend: Backend::Mock,
        mock_dir: Some(dir.path().to_path_buf()),
        siren: OutputLine { line: 17, active_low: false },
        led: None,
        buttons: vec![InputLine { line: 4, active_low }],
    };
    let (sender, events) = channel();
    let gpio = Gpio::start(settings, move |event| drop(sender.send(event))).expect("a thread");
    assert_eq!(fs::read(path("out/17")).expect("read"), b"0", "a start asserts no siren");

    // A line that says nothing is at rest.
    let asserted = level(&first).unwrap_or(active_low) != active_low;
    let button = |asserted| GpioEvent::Button { index: 0, asserted };
    let next = || events.recv_timeout(Duration::from_secs(20)).expect("something is told");
    assert_eq!(next(), button(asserted));

    fs::write(path("in/4"), &later).expect("write");
    gpio.ping(1);
    let told: Vec<GpioEvent> =
        std::iter::from_fn(|| Some(next())).take_while(|one| *one != GpioEvent::Pong(1)).collect();
    let now = level(&later).map_or(asserted, |level| level != active_low);
    let expected: Vec<GpioEvent> = (now != asserted).then(|| button(now)).into_iter().collect();
    assert_eq!(told, expected);
    gpio.stop();
    assert_eq!(fs::read(path("out/17")).expect("read"), b"0");
}

/// What the README says of these files.
fn level(content: &[u8]) -> Option<bool> {
    match content.trim_ascii() {
        _ if content.len() >= 16 => None,
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    }
}
