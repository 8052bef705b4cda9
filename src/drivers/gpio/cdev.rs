//! Lines through the kernel's GPIO character device. Every line is a request of its own, so that one that is refused
//! takes no other with it.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::chip::{Chip, chips};
use gpiocdev::line::{Bias, EdgeDetection, Value};

use super::lines::{Lines, Output, Problem};
use super::waker::Waker;

/// The labels of the chips behind a Raspberry Pi's header; there an offset is a BCM number.
const HEADER_LABELS: [&str; 3] = ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"];

const CONSUMER: &str = "sos-hub";

/// Room for edges, in words of 64 bits: 64 of the kernel's events.
const EDGE_WORDS: usize = 64 * 6;

pub(super) struct CdevLines {
    /// Why the backend that was tried first is not used; part of every message of a missing chip.
    instead_of: Option<Problem>,
    inputs: BTreeMap<usize, Input>,
}

struct Input {
    request: Request,
    place: Place,
    /// An edge was read.
    edged: bool,
    /// The line's edges can't be read any more.
    lost: Option<Problem>,
}

/// A chip that answers.
struct Found {
    chip: Chip,
    info: gpiocdev::chip::Info,
}

/// Where a line is.
#[derive(Clone)]
struct Place {
    chip: PathBuf,
    label: String,
    offset: u32,
}

impl CdevLines {
    /// Nothing is opened yet: a chip may come late or under another number, so it is looked for at each opening.
    pub(super) fn new(instead_of: Option<Problem>) -> CdevLines {
        CdevLines { instead_of, inputs: BTreeMap::new() }
    }

    /// The header's chip, whatever its number; else a line of the right name on any chip; else the only chip there is.
    fn find(&self, line: u32) -> Result<Place, Problem> {
        let (found, seen) = survey()?;
        let name = format!("GPIO{line}");
        let named = |chip: &Chip| chip.find_line_info(&name).map(|info| info.offset);
        let header = found.iter().find(|found| HEADER_LABELS.contains(&found.info.label.as_str()));
        let by_name = || found.iter().find_map(|found| named(&found.chip).map(|offset| (found, offset)));
        let only = || (seen.len() == 1).then(|| found.first()).flatten().map(|found| (found, line));
        let (Found { chip, info }, offset) = header
            .map(|found| (found, named(&found.chip).unwrap_or(line)))
            .or_else(by_name)
            .or_else(only)
            .ok_or_else(|| self.no_chip(&name, &seen))?;
        if offset >= info.num_lines {
            let (path, label, last) = (chip.path().display(), &info.label, info.num_lines.saturating_sub(1));
            return Err(format!("{path} ({label}) has no line {line}, only 0 to {last}: choose one of them"));
        }
        Ok(Place { chip: chip.path().to_path_buf(), label: info.label.clone(), offset })
    }

    /// Who holds the line; `None`: nobody.
    pub(super) fn holder(&self, line: u32) -> Result<Option<String>, Problem> {
        let place = self.find(line)?;
        let info = Chip::from_path(&place.chip).and_then(|chip| chip.line_info(place.offset));
        let info = info.map_err(|error| format!("{place} cannot be looked at: {error}"))?;
        let name = if info.consumer.is_empty() { "the kernel".to_owned() } else { info.consumer };
        Ok(info.used.then_some(name))
    }

    fn no_chip(&self, name: &str, seen: &[String]) -> Problem {
        let problem = if seen.is_empty() {
            "there is no GPIO chip in /dev: run on a Raspberry Pi".into()
        } else {
            let seen = seen.join(", ");
            format!(
                "no usable GPIO chip has a line {name}; there is {seen}: \
                 give the hub's user the group gpio, or choose another line"
            )
        };
        match &self.instead_of {
            Some(reason) => format!("{problem} ({reason})"),
            None => problem,
        }
    }
}

impl Lines for CdevLines {
    fn name(&self) -> &'static str {
        "cdev"
    }

    fn open_output(&mut self, line: u32, rest: bool) -> Result<Box<dyn Output>, Problem> {
        let place = self.find(line)?;
        let request = place.builder().as_output(Value::from(rest)).request().map_err(|error| place.refused(&error))?;
        Ok(Box::new(CdevOutput { request, place }))
    }

    fn open_input(&mut self, index: usize, line: u32, rest: bool) -> Result<(), Problem> {
        let place = self.find(line)?;
        let pull = if rest { Bias::PullUp } else { Bias::PullDown };
        let request = |pull: Option<Bias>| {
            place.builder().as_input().with_edge_detection(EdgeDetection::BothEdges).with_bias(pull).request()
        };
        let request = request(Some(pull)).or_else(|refused| {
            let request = request(None)?;
            tracing::warn!(line, "{place} has no pull of its own ({refused}): it needs a resistor to its rest level");
            Ok(request)
        });
        let request = request.map_err(|error: gpiocdev::Error| place.refused(&error))?;
        self.inputs.insert(index, Input { request, place, edged: false, lost: None });
        Ok(())
    }

    fn close_input(&mut self, index: usize) {
        self.inputs.remove(&index);
    }

    fn level(&mut self, index: usize) -> Result<bool, Problem> {
        let input = self.inputs.get(&index).ok_or("the line is not open")?;
        match &input.lost {
            Some(problem) => Err(problem.clone()),
            None => input.request.lone_value().map(bool::from).map_err(|error| input.place.broken(&error)),
        }
    }

    fn take_edges(&mut self, index: usize) -> bool {
        self.inputs.get_mut(&index).is_some_and(|input| std::mem::take(&mut input.edged))
    }

    fn wait(&mut self, waker: &Waker, patience: Option<Duration>) -> Result<(), Problem> {
        let fds: Vec<_> = self.inputs.values().map(|input| input.request.as_fd()).collect();
        let readable = waker.wait(&fds, patience).map_err(|error| format!("poll failed: {error}"))?;
        for (input, _) in self.inputs.values_mut().zip(readable).filter(|(_, readable)| *readable) {
            // One read, which can't block: what it leaves ends the next wait at once.
            let mut edges = [0; EDGE_WORDS];
            input.edged = true;
            if let Err(error) = input.request.read_edge_events_into_slice(&mut edges) {
                input.lost = Some(input.place.broken(&error));
            }
        }
        Ok(())
    }
}

struct CdevOutput {
    request: Request,
    place: Place,
}

impl Output for CdevOutput {
    fn drive(&mut self, level: bool) -> Result<(), Problem> {
        self.request.set_lone_value(Value::from(level)).map_err(|error| self.place.broken(&error))
    }
}

impl Place {
    fn builder(&self) -> gpiocdev::request::Builder {
        let mut builder = Request::builder();
        builder.on_chip(&self.chip).with_consumer(CONSUMER).with_line(self.offset);
        builder
    }

    /// The kernel did not give the line.
    fn refused(&self, error: &gpiocdev::Error) -> Problem {
        let info = Chip::from_path(&self.chip).and_then(|chip| chip.line_info(self.offset));
        match info {
            Ok(info) if info.used => {
                let holder = if info.consumer.is_empty() { "the kernel" } else { &info.consumer };
                format!("{self} is in use by {holder:?}: end that, or choose another line ({error})")
            }
            _ => format!("{self} cannot be opened: {error}; choose another line or check the system's GPIO setup"),
        }
    }

    /// A line that was open does not work any more.
    fn broken(&self, error: &gpiocdev::Error) -> Problem {
        format!("{self} stopped working: {error}; it is being opened again")
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} of {} ({})", self.offset, self.chip.display(), self.label)
    }
}

/// Every chip that can be asked, and in words every chip there is.
fn survey() -> Result<(Vec<Found>, Vec<String>), Problem> {
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    for path in chips().map_err(|error| format!("cannot look for GPIO chips in /dev: {error}"))? {
        match Chip::from_path(&path).and_then(|chip| chip.info().map(|info| (chip, info))) {
            Ok((chip, info)) => {
                seen.push(format!("{} ({})", path.display(), info.label));
                found.push(Found { chip, info });
            }
            Err(error) => seen.push(format!("{} ({error})", path.display())),
        }
    }
    Ok((found, seen))
}
