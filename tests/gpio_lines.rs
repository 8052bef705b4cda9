//! The GPIO driver on real lines, through the kernel's character device.
//!
//! `SOS_HUB_TEST_GPIO_LINES` names a program that plays the world: `PROGRAM LINE` prints a line's level, `PROGRAM LINE
//! pull-up` and `PROGRAM LINE pull-down` move an input. It needs a kernel with `gpio-sim` and a chip of at least 54
//! lines of which 4, 5, 17 and 27 are free; without the variable nothing is tried.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use sos_hub::controller::input::HardwareReport;
use sos_hub::drivers::gpio::{Backend, Gpio, GpioEvent, GpioSettings, InputLine, OutputLine};

const SIREN: u32 = 17;
const LED: u32 = 27;
const HALLWAY: u32 = 4;
const BEDROOM: u32 = 5;

#[test]
fn lines_of_the_character_device() {
    let Some(world) = std::env::var_os("SOS_HUB_TEST_GPIO_LINES") else {
        println!("not run: SOS_HUB_TEST_GPIO_LINES is not set");
        return;
    };
    let world = World(world.into_string().expect("a path"));
    for active_low in [false, true] {
        println!("siren active low: {active_low}");
        the_siren_follows_and_rests_at_start_and_stop(&world, active_low);
    }
    buttons_are_heard(&world);
    a_storm_ends_in_the_right_level(&world);
    a_line_in_use_takes_nothing_else_with_it(&world);
    a_siren_line_in_use_is_driven_as_soon_as_it_is_free(&world);
    a_line_out_of_range_is_named();
}

/// Off a Raspberry Pi, where there is no chip at all.
#[test]
fn auto_without_any_chip_says_what_was_tried() {
    if std::fs::read_dir("/dev")
        .is_ok_and(|dir| dir.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("gpiochip")))
    {
        println!("not run: this machine has a GPIO chip, whose lines are not to be touched");
        return;
    }
    for (backend, words) in [
        (Backend::Auto, &["no GPIO chip in /dev", "rppal", "Unknown Raspberry Pi model"][..]),
        (Backend::Cdev, &["no GPIO chip in /dev"]),
        (Backend::Rppal, &["rppal", "Unknown Raspberry Pi model", "gpio.backend"]),
    ] {
        let (gpio, events) = start(GpioSettings { backend, ..settings() });
        let problems: Vec<_> = told_so_far(&gpio, &events).into_iter().map(problem).collect();
        let [siren, led, buttons] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(words.iter().all(|word| siren.contains(word)), "{siren}");
        assert_eq!((led, buttons), (siren, siren), "one cause, one sentence");
        gpio.stop();
    }
}

fn the_siren_follows_and_rests_at_start_and_stop(world: &World, active_low: bool) {
    let level = |asserted: bool| asserted != active_low;
    let siren = OutputLine { line: SIREN, active_low };
    let (gpio, events) = start(GpioSettings { siren, ..settings() });
    assert_eq!(world.level(SIREN), level(false));
    for asserted in [true, false, true] {
        gpio.siren(asserted);
        assert_eq!(world.level(SIREN), level(asserted));
    }
    gpio.led(true);
    assert!(world.level(LED));
    assert_eq!(told_so_far(&gpio, &events), [button(0, false), button(1, false)]);
    gpio.stop();
    if !active_low {
        // The simulated chip lets a closed line go to its pull, which is low; a Pi's kernel keeps it at rest.
        assert!(!world.level(SIREN));
    }
}

fn buttons_are_heard(world: &World) {
    let (gpio, events) = start(settings());
    told_so_far(&gpio, &events);
    world.pull(HALLWAY, false);
    assert_eq!(next(&events), button(0, true));
    world.pull(BEDROOM, true);
    assert_eq!(next(&events), button(1, true));
    world.pull(HALLWAY, true);
    assert_eq!(next(&events), button(0, false));
    world.pull(BEDROOM, false);
    assert_eq!(next(&events), button(1, false));
    gpio.stop();
}

fn a_storm_ends_in_the_right_level(world: &World) {
    let (gpio, events) = start(settings());
    told_so_far(&gpio, &events);
    for _ in 0..50 {
        world.pull(BEDROOM, true);
        world.pull(BEDROOM, false);
    }
    world.pull(BEDROOM, true);
    let told = told_so_far(&gpio, &events);
    for (turn, event) in told.iter().enumerate() {
        assert_eq!(*event, button(1, turn % 2 == 0), "only changes are told");
    }
    assert_eq!(told.last(), Some(&button(1, true)));
    println!("101 edges, {} told", told.len());
    world.pull(BEDROOM, false);
    gpio.stop();
}

fn a_line_in_use_takes_nothing_else_with_it(world: &World) {
    let held = hold(HALLWAY);
    let (gpio, events) = start(settings());
    let mut told = told_so_far(&gpio, &events);
    let complaint = problem(told.pop().expect("a complaint"));
    println!("{complaint}");
    assert!(["line 4", "somebody else", "gpiochip"].iter().all(|word| complaint.contains(word)), "{complaint}");
    assert_eq!(told, [button(1, false)]);
    gpio.siren(true);
    assert!(world.level(SIREN));
    drop(held);
    assert_eq!(next(&events), button(0, false));
    assert_eq!(next(&events), GpioEvent::Hardware(HardwareReport::ButtonsWork));
    gpio.stop();
}

fn a_siren_line_in_use_is_driven_as_soon_as_it_is_free(world: &World) {
    let held = hold(SIREN);
    let (gpio, events) = start(settings());
    let told = told_so_far(&gpio, &events);
    println!("{}", problem(told[0].clone()));
    assert!(matches!(&told[0], GpioEvent::Hardware(HardwareReport::SirenFailed { .. })), "{told:?}");
    assert_eq!(told[1..], [button(0, false), button(1, false)]);
    gpio.siren(true);
    drop(held);
    assert_eq!(next(&events), GpioEvent::Hardware(HardwareReport::SirenWorks));
    assert!(world.level(SIREN));
    gpio.stop();
}

fn a_line_out_of_range_is_named() {
    let siren = OutputLine { line: 99, active_low: false };
    let (gpio, events) = start(GpioSettings { siren, ..settings() });
    let complaint = problem(told_so_far(&gpio, &events).remove(0));
    println!("{complaint}");
    assert!(complaint.contains("no line 99, only 0 to 53"), "{complaint}");
    gpio.stop();
}

fn settings() -> GpioSettings {
    GpioSettings {
        backend: Backend::Auto,
        mock_dir: None,
        siren: OutputLine { line: SIREN, active_low: false },
        led: Some(OutputLine { line: LED, active_low: false }),
        buttons: vec![InputLine { line: HALLWAY, active_low: true }, InputLine { line: BEDROOM, active_low: false }],
    }
}

fn start(settings: GpioSettings) -> (Gpio, Receiver<GpioEvent>) {
    let (sender, events) = channel();
    (Gpio::start(settings, move |event| drop(sender.send(event))).expect("a thread"), events)
}

fn next(events: &Receiver<GpioEvent>) -> GpioEvent {
    events.recv_timeout(Duration::from_secs(30)).expect("something is told")
}

fn told_so_far(gpio: &Gpio, events: &Receiver<GpioEvent>) -> Vec<GpioEvent> {
    gpio.ping(0);
    std::iter::from_fn(|| Some(next(events))).take_while(|event| *event != GpioEvent::Pong(0)).collect()
}

fn button(index: usize, asserted: bool) -> GpioEvent {
    GpioEvent::Button { index, asserted }
}

fn problem(event: GpioEvent) -> String {
    match event {
        GpioEvent::Hardware(HardwareReport::SirenFailed { problem } | HardwareReport::LedFailed { problem })
        | GpioEvent::Hardware(HardwareReport::ButtonsFailed { problem }) => problem,
        other => panic!("{other:?} is no complaint"),
    }
}

/// Takes a line as another program would.
fn hold(line: u32) -> gpiocdev::Request {
    let chip = Path::new("/dev/gpiochip0");
    let mut request = gpiocdev::Request::builder();
    request.on_chip(chip).with_consumer("somebody else").with_line(line).as_input().request().expect("a free line")
}

/// The program that reads and moves the lines from outside.
struct World(String);

impl World {
    fn level(&self, line: u32) -> bool {
        let output = Command::new(&self.0).arg(line.to_string()).output().expect("the program runs");
        output.stdout.trim_ascii() == b"1"
    }

    fn pull(&self, line: u32, up: bool) {
        let pull = if up { "pull-up" } else { "pull-down" };
        assert!(Command::new(&self.0).args([&line.to_string(), pull]).status().expect("the program runs").success());
    }
}
