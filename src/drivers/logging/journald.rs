//! Records in the systemd journal, with their fields: `journalctl SOS_INCIDENT=…` shows what belongs to an incident.

use std::io;

use systemd_journal_logger::JournalLog;
use tracing::Level;

use super::{Record, Sink};

/// Keeps our names apart from the journal's own.
const FIELD_PREFIX: &str = "SOS_";

pub(super) struct Journal {
    log: JournalLog,
}

impl Journal {
    pub(super) fn connect() -> io::Result<Journal> {
        Ok(Journal { log: JournalLog::new()? })
    }
}

impl Sink for Journal {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let fields: Vec<(String, &str)> =
            record.fields.iter().map(|(name, value)| (format!("{FIELD_PREFIX}{name}"), value.as_str())).collect();
        self.log.journal_send(
            &log::Record::builder()
                .level(level(record.level))
                .target(&record.target)
                .args(format_args!("{}", record.message))
                .module_path(record.module_path.as_deref())
                .file(record.file.as_deref())
                .line(record.line)
                .key_values(&fields.as_slice())
                .build(),
        )
    }
}

fn level(level: Level) -> log::Level {
    match level {
        Level::ERROR => log::Level::Error,
        Level::WARN => log::Level::Warn,
        Level::INFO => log::Level::Info,
        Level::DEBUG => log::Level::Debug,
        Level::TRACE => log::Level::Trace,
    }
}
