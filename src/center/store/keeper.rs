//! Moves the log into the database beside the writer, on a thread and a connection of its own, so that no alarm waits
//! for it.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::{Connection, OpenFlags};

use super::database::checkpoint;
use crate::store::file::sentence;

const STACK_BYTES: usize = 256 * 1024;

/// Ends with the value, after the work at hand.
pub struct Keeper {
    wishes: SyncSender<()>,
}

impl Keeper {
    pub fn start(path: &Path) -> io::Result<Keeper> {
        let (wishes, wished) = sync_channel(1);
        let path = path.to_path_buf();
        std::thread::Builder::new()
            .name("store-keeper".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&wished, &path))?;
        Ok(Keeper { wishes })
    }

    /// Asks for it; returns at once.
    pub fn tidy(&self) {
        // A full channel says that it has been asked for already.
        let _ = self.wishes.try_send(());
    }
}

fn run(wished: &Receiver<()>, path: &Path) {
    let mut connection = None;
    while wished.recv().is_ok() {
        let done = match connection.take() {
            Some(open) => Ok(open),
            None => open(path),
        };
        // The log only grows meanwhile; what keeps the writer from writing, the writer says.
        match done.and_then(|open| checkpoint(&open, "PASSIVE").map(|()| open)) {
            Ok(open) => connection = Some(open),
            Err(error) => tracing::warn!("{}", sentence(path, "tidied up", &error)),
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -64;")?;
    Ok(connection)
}
