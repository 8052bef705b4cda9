//! Questions to the database that are not the writer's business, on a thread and a read-only connection of their own.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{database_path, read};
use crate::center::desk::input::Past;
use crate::center::desk::records::{AuditRecord, IncidentRecord, StoredIncident};
use crate::center::desk::words::{AccountId, Signal};
use crate::controller::moment::{Id, Wall};
use crate::store::file::sentence;

const STACK_BYTES: usize = 256 * 1024;
/// For the moment in which the database is opened or closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the console waits for a disk that hangs: what is in the desk's memory can be worked on without it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
const CACHE_KIB: u32 = 4 * 1024;
const QUESTIONS_AT_ONCE: usize = 255;

/// Somebody who may log in to the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub name: String,
    /// Of the password, as a PHC string.
    pub hash: String,
}

/// A question: asked of the database, or told why it cannot be asked.
type Question = Box<dyn FnOnce(Result<&Connection, String>) -> rusqlite::Result<()> + Send>;

/// Asks the database. Cheap to clone; its thread ends with the last one. The errors of the answers are sentences.
#[derive(Clone)]
pub struct Archive {
    questions: Sender<Question>,
}

impl Archive {
    /// Starts the thread. The database is opened with the first question, and anew after an error.
    pub fn start(state_dir: &Path) -> io::Result<Archive> {
        let (questions, asked) = channel();
        let path = database_path(state_dir);
        std::thread::Builder::new()
            .name("archive".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&asked, &path))?;
        Ok(Archive { questions })
    }

    /// What is known of a signal and of these incidents. `answer` is called on the archive's thread.
    pub fn look_up(
        &self,
        signal: Box<Signal>,
        incidents: Vec<Id>,
        answer: impl FnOnce(Box<Signal>, Result<Past, String>) + Send + 'static,
    ) {
        let (jti, account) = (signal.jti, signal.account.clone());
        self.put(
            move |database| {
                let found = incidents.iter().map(|id| read::stored_incident(database, *id));
                let incidents = found.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
                Ok(Past { signal: read::signal(database, jti, &account)?, incidents })
            },
            move |past| answer(signal, past),
        );
    }

    pub async fn operator(&self, name: &str) -> Result<Option<Operator>, String> {
        let name = name.to_owned();
        self.ask(move |database| {
            let sql = "SELECT name, password_hash FROM operator WHERE name = ?1";
            let read = |row: &rusqlite::Row<'_>| Ok(Operator { name: row.get(0)?, hash: row.get(1)? });
            database.query_row(sql, [name], read).optional()
        })
        .await
    }

    /// Whether anybody may log in.
    pub async fn has_operators(&self) -> Result<bool, String> {
        self.ask(|database| database.query_row("SELECT EXISTS (SELECT 1 FROM operator)", [], |row| row.get(0))).await
    }

    /// Of the account's verbal password, as a PHC string; `None` where none was agreed.
    pub async fn password_hash(&self, account: &AccountId) -> Result<Option<String>, String> {
        let account = account.clone();
        self.ask(move |database| {
            let sql = "SELECT password_hash FROM account WHERE id = ?1";
            database.query_row(sql, [account], |row| row.get(0)).optional().map(Option::flatten)
        })
        .await
    }

    pub async fn incident(&self, id: Id) -> Result<Option<StoredIncident>, String> {
        self.ask(move |database| read::stored_incident(database, id)).await
    }

    /// The incidents before the one that was received then and has this id, newest first.
    pub async fn past_incidents(&self, before: Option<(Wall, Id)>, limit: u32) -> Result<Vec<IncidentRecord>, String> {
        self.ask(move |database| read::past_incidents(database, before, limit)).await
    }

    /// The lines of the audit trail before this number, newest first, with their numbers.
    pub async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditRecord)>, String> {
        self.ask(move |database| read::audit(database, before, limit)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let (sender, answer) = oneshot::channel();
        self.put(question, move |found| {
            // Who asked may have gone away.
            let _ = sender.send(found);
        });
        match timeout(ANSWERED_WITHIN, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err("The center is shutting down.".to_owned())),
            Err(_) => Err("The disk does not answer.".to_owned()),
        }
    }

    fn put<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        answer: impl FnOnce(Result<T, String>) + Send + 'static,
    ) {
        let asking = move |database: Result<&Connection, String>| match database.map(question) {
            Ok(Ok(found)) => {
                answer(Ok(found));
                Ok(())
            }
            Ok(Err(error)) => {
                answer(Err(format!("The database cannot be read ({error}).")));
                Err(error)
            }
            Err(problem) => {
                answer(Err(problem));
                Ok(())
            }
        };
        // The thread lives as long as there is somebody to ask it.
        let _ = self.questions.send(Box::new(asking));
    }
}

fn run(asked: &Receiver<Question>, path: &Path) {
    let mut database: Option<Connection> = None;
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            let Ok(first) = asked.recv() else { return };
            waiting.push_back(first);
        }
        // What waits is asked of one moment of the database. Whoever asks later may know of what was written since.
        waiting.extend(asked.try_iter().take(QUESTIONS_AT_ONCE));
        let begun =
            database.take().map_or_else(|| open(path), Ok).and_then(|open| open.execute_batch("BEGIN").map(|()| open));
        let open = match begun {
            Ok(open) => open,
            Err(error) => {
                if let Some(first) = waiting.pop_front() {
                    let _ = first(Err(format!("{}.", sentence(path, "read", &error))));
                }
                continue;
            }
        };
        let mut answered = Ok(());
        while answered.is_ok()
            && let Some(question) = waiting.pop_front()
        {
            answered = question(Ok(&open));
        }
        match answered.and_then(|()| open.execute_batch("COMMIT")) {
            Ok(()) => database = Some(open),
            Err(error) => tracing::warn!("{}", sentence(path, "read", &error)),
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(&format!("PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY;"))?;
    Ok(connection)
}
