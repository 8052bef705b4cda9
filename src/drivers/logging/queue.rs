//! Between those who log and the thread that writes: a bounded queue that drops and counts instead of blocking.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::Level;

use super::{Record, Sink};
use crate::controller::moment::Wall;

/// How many lines may wait.
const ROOM: usize = 512;

pub(super) struct Queue {
    wall: fn() -> Wall,
    state: Mutex<State>,
    arrival: Condvar,
    idle: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Record>,
    /// The writer has a record in hand.
    writing: bool,
    /// Lines that found no room or could not be written, and of which nobody has been told.
    lost: u64,
    closed: bool,
}

impl Queue {
    pub(super) fn new(wall: fn() -> Wall) -> Queue {
        Queue { wall, state: Mutex::default(), arrival: Condvar::new(), idle: Condvar::new() }
    }

    pub(super) fn push(&self, record: Record) {
        let record = Record { wall: (self.wall)(), ..record };
        let mut state = self.state();
        if state.closed {
            return;
        }
        if state.waiting.len() == ROOM {
            state.lost += 1;
        } else {
            state.waiting.push_back(record);
            // The writer is not to wake up only to wait for the lock.
            drop(state);
            self.arrival.notify_one();
        }
    }

    /// Waits at most `limit` for everything to be written; returns whether it is.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        let waited = self.idle.wait_timeout_while(self.state(), limit, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Takes no more lines; the writer ends after those that wait.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.arrival.notify_one();
    }

    /// Writes until the queue is closed: the writer's thread.
    pub(super) fn drain(&self, sink: &mut impl Sink) {
        while let Some(record) = self.next() {
            let lost = match sink.write(&record) {
                Ok(()) => self.lost_before_calm(),
                Err(_) => {
                    self.state().lost += 1;
                    continue;
                }
            };
            if lost > 0 && sink.write(&self.report(lost)).is_err() {
                self.state().lost += lost;
            }
        }
    }

    fn next(&self) -> Option<Record> {
        let mut state = self.state();
        state.writing = false;
        loop {
            if let Some(record) = state.waiting.pop_front() {
                state.writing = true;
                return Some(record);
            }
            self.idle.notify_all();
            if state.closed {
                return None;
            }
            state = self.arrival.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What was lost, once nothing waits any more: one report for a whole stall.
    fn lost_before_calm(&self) -> u64 {
        let mut state = self.state();
        if state.waiting.is_empty() { std::mem::take(&mut state.lost) } else { 0 }
    }

    fn report(&self, lost: u64) -> Record {
        let message = format!("{lost} log lines before this one are lost: what takes the log was too slow or failed");
        Record { wall: (self.wall)(), ..Record::own(Level::WARN, "log_lines_lost", message) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
