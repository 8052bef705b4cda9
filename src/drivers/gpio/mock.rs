//! Lines that are files: `in/<line>` is written by whoever plays the world, `out/<line>` and `edges.csv` by the hub.
//! Levels are `0` and `1`, electrical.

mod files;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};

use self::files::{Edges, MockOutput, create_input, read_level};
use super::lines::{Lines, Output, Problem};
use super::waker::Waker;

/// How often the notices are read in a row before the levels are looked at; each time there are about a hundred.
const READS_AT_ONCE: usize = 16;

pub(super) struct MockLines {
    dir: PathBuf,
    inotify: Inotify,
    inputs_watch: Option<WatchDescriptor>,
    outputs_watch: Option<WatchDescriptor>,
    edges: Arc<Edges>,
    inputs: BTreeMap<usize, MockInput>,
}

struct MockInput {
    line: u32,
    path: PathBuf,
    rest: bool,
    level: bool,
}

impl MockLines {
    pub(super) fn open(dir: &Path) -> Result<MockLines, Problem> {
        for part in [dir.join("in"), dir.join("out")] {
            make_dir(&part)?;
        }
        let inotify = Inotify::init().map_err(|error| format!("cannot watch {}: {error}", dir.display()))?;
        let edges = Arc::new(Edges::open(dir.join("edges.csv"))?);
        let (inputs_watch, outputs_watch) = (None, None);
        Ok(MockLines { dir: dir.into(), inotify, inputs_watch, outputs_watch, edges, inputs: BTreeMap::new() })
    }

    /// Watches what is not watched, and makes what is missing there; whether there was such a thing, for then the files
    /// have to be read again.
    fn watch(&mut self) -> Result<bool, Problem> {
        let mut watches = self.inotify.watches();
        let mut anew = false;
        if self.inputs_watch.is_none() {
            let dir = self.dir.join("in");
            make_dir(&dir)?;
            for MockInput { path, rest, .. } in self.inputs.values() {
                create_input(path, *rest).map_err(|error| cannot("make", path, &error))?;
            }
            let mask = WatchMask::MODIFY | WatchMask::CREATE | WatchMask::MOVED_TO | GONE;
            self.inputs_watch = Some(watches.add(&dir, mask).map_err(|error| cannot("watch", &dir, &error))?);
            anew = true;
        }
        if self.outputs_watch.is_none() {
            // Nobody is to write here; what is removed all the same is made again. A directory that is missing is made
            // with the next output that is driven.
            let mask = WatchMask::DELETE | WatchMask::MOVED_FROM | WatchMask::MOVED_TO | GONE;
            self.outputs_watch = watches.add(self.dir.join("out"), mask).ok();
            anew |= self.outputs_watch.is_some();
        }
        Ok(anew)
    }

    /// Takes every notice that has come. A directory that was removed or replaced is watched anew.
    fn take_notices(&mut self) -> io::Result<()> {
        let mut gone = Vec::new();
        let mut overflow = false;
        let mut buffer = [0; 4096];
        for _ in 0..READS_AT_ONCE {
            match self.inotify.read_events(&mut buffer) {
                Ok(notices) => {
                    for notice in notices {
                        overflow |= notice.mask.contains(EventMask::Q_OVERFLOW);
                        if notice.mask.intersects(EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::IGNORED) {
                            gone.push(notice.wd);
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        for watch in [&mut self.inputs_watch, &mut self.outputs_watch] {
            if let Some(descriptor) = watch.take_if(|descriptor| overflow || gone.contains(descriptor)) {
                // It fails if the kernel has already done so.
                let _ = self.inotify.watches().remove(descriptor);
            }
        }
        Ok(())
    }
}

impl Lines for MockLines {
    fn name(&self) -> &'static str {
        "mock"
    }

    fn open_output(&mut self, line: u32, rest: bool) -> Result<Box<dyn Output>, Problem> {
        Ok(Box::new(MockOutput::open(&self.dir, line, rest, Arc::clone(&self.edges))?))
    }

    fn open_input(&mut self, index: usize, line: u32, rest: bool) -> Result<(), Problem> {
        let path = self.dir.join("in").join(line.to_string());
        self.watch()?;
        create_input(&path, rest).map_err(|error| cannot("make", &path, &error))?;
        let level = read_level(&path).map_err(|error| cannot("read", &path, &error))?.unwrap_or(rest);
        self.inputs.insert(index, MockInput { line, path, rest, level });
        Ok(())
    }

    fn close_input(&mut self, index: usize) {
        self.inputs.remove(&index);
    }

    fn level(&mut self, index: usize) -> Result<bool, Problem> {
        let input = self.inputs.get_mut(&index).ok_or("the line is not open")?;
        let read = read_level(&input.path).map_err(|error| cannot("read", &input.path, &error))?;
        if let Some(level) = read.filter(|level| *level != input.level) {
            input.level = level;
            self.edges.note(input.line, level);
        }
        Ok(input.level)
    }

    /// A file says what its level is, not that it was another one.
    fn take_edges(&mut self, _index: usize) -> bool {
        false
    }

    fn wait(&mut self, waker: &Waker, patience: Option<Duration>) -> Result<(), Problem> {
        if self.watch()? {
            return Ok(());
        }
        waker
            .wait(&[self.inotify.as_fd()], patience)
            .and_then(|_| self.take_notices())
            .map_err(|error| format!("cannot hear of changes in {}: {error}", self.dir.display()))
    }
}

/// The directory itself went away.
const GONE: WatchMask = WatchMask::DELETE_SELF.union(WatchMask::MOVE_SELF).union(WatchMask::ONLYDIR);

fn make_dir(dir: &Path) -> Result<(), Problem> {
    std::fs::create_dir_all(dir).map_err(|error| cannot("make the directory", dir, &error))
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Problem {
    format!("cannot {what} {}: {error}; let the hub's user write there, or change gpio.mock_dir", path.display())
}
