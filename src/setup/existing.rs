//! The settings that are there already: the defaults of the questions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Failure;
use super::document::Button;
use crate::config::{Config, DEFAULT_STATE_DIR};

/// The file as it is shipped.
pub const SHIPPED: &str = include_str!("../../config/hub.toml");

/// A configuration file as it was found.
pub struct Existing {
    /// What is changed: its own text, or the shipped one.
    pub text: String,
    /// Somebody has set it up: it is not overwritten unasked.
    pub is_set_up: bool,
    /// Of a file that is set up.
    values: Table,
    dir: PathBuf,
}

impl Existing {
    /// `fresh`: its settings do not count.
    pub fn read(path: &Path, fresh: bool) -> Result<Existing, Failure> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let there = match fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let problem = format!("{} may not be read by this user: run the setup with sudo.", path.display());
                return Err(Failure::Failed(problem));
            }
            Err(error) => {
                let problem = format!("{} cannot be read ({error}): name another with --config FILE.", path.display());
                return Err(Failure::Failed(problem));
            }
        };
        let is_set_up = there.as_deref().is_some_and(|text| text != SHIPPED.as_bytes()) && Config::is_set_up(path);
        let text = there.filter(|_| is_set_up && !fresh).map(String::from_utf8).transpose().map_err(|_| {
            Failure::Configuration(format!(
                "{} is not UTF-8 text: mend it as `sos-hub check` says, or begin anew with --fresh.",
                path.display()
            ))
        })?;
        let text = text.unwrap_or_else(|| SHIPPED.to_owned());
        let values = if is_set_up && !fresh {
            text.parse::<Table>().map_err(|error| {
                Failure::Configuration(format!(
                    "{} is not valid TOML ({}): mend it as `sos-hub check` says, or begin anew with --fresh.",
                    path.display(),
                    error.message()
                ))
            })?
        } else {
            Table::new()
        };
        Ok(Existing { text, is_set_up, values, dir })
    }

    pub fn word(&self, table: &str, key: &str) -> Option<String> {
        self.value(table, key)?.as_str().map(str::to_owned)
    }

    pub fn number<T: TryFrom<i64>>(&self, table: &str, key: &str) -> Option<T> {
        T::try_from(self.value(table, key)?.as_integer()?).ok()
    }

    pub fn is_true(&self, table: &str, key: &str) -> bool {
        self.value(table, key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The home's broker of a hub that is set up, also where only the default says it.
    pub fn app_host(&self) -> Option<String> {
        let host = || self.word("app", "host").unwrap_or_else(|| "127.0.0.1".to_owned());
        (!self.values.is_empty()).then(host)
    }

    /// Where the hub keeps its memory.
    pub fn state_dir(&self) -> PathBuf {
        self.file("hub", "state_dir").unwrap_or_else(|| PathBuf::from(DEFAULT_STATE_DIR))
    }

    /// A file that a setting names, whole.
    pub fn file(&self, table: &str, key: &str) -> Option<PathBuf> {
        self.word(table, key).map(|name| self.dir.join(name))
    }

    /// `None`: nobody has said so far which buttons there are.
    pub fn buttons(&self) -> Option<Vec<Button>> {
        if self.values.is_empty() {
            return None;
        }
        let Some(list) = self.values.get("button").and_then(Value::as_array) else { return Some(Vec::new()) };
        let button = |entry: &Value| {
            Some(Button {
                name: entry.get("name")?.as_str()?.to_owned(),
                line: u8::try_from(entry.get("line")?.as_integer()?).ok()?,
                service: entry.get("service")?.as_str()?.to_owned(),
                hold_ms: entry.get("hold_ms").and_then(Value::as_integer),
                active_low: entry.get("active_low").and_then(Value::as_bool),
            })
        };
        Some(list.iter().filter_map(button).collect())
    }

    fn value(&self, table: &str, key: &str) -> Option<&Value> {
        self.values.get(table)?.get(key)
    }
}
