//! Reads a TOML file into typed values and collects every problem on the way. It knows nothing of the keys: a schema
//! asks for them, and what it has not asked for is unknown. What cannot be read is replaced by a placeholder, which
//! never gets out: a file with an error yields no configuration.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::files;
use super::nearest::nearest;
use super::problem::{Problem, Problems, Severity, line_number};
use super::source;

/// Reads the file at `path` with `schema`. The problems of a success are warnings.
pub fn read<T>(path: &Path, schema: impl FnOnce(&Table) -> T) -> Result<(T, Problems), Problems> {
    let (value, problems) = judge(path, schema)?;
    if problems.has_errors() { Err(problems) } else { Ok((value, problems)) }
}

/// As [`read`], for somebody who may not read the secrets: files that this user may not read are warnings, and are left
/// out of the value.
pub fn read_as_stranger<T>(path: &Path, schema: impl FnOnce(&Table) -> T) -> Result<(T, Problems), Problems> {
    let (value, mut problems) = judge(path, schema)?;
    problems.excuse(files::UNREADABLE);
    if problems.has_errors() { Err(problems) } else { Ok((value, problems)) }
}

/// The value, with placeholders where something is wrong, and what is wrong.
fn judge<T>(path: &Path, schema: impl FnOnce(&Table) -> T) -> Result<(T, Problems), Problems> {
    let text = source::load(path)?;
    let mended = source::mend(&text);
    let tree = DeTable::parse_recoverable(&mended.text).0;
    // Relative to the file, wherever the command was called.
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let dir = whole.parent().unwrap_or(Path::new("/"));
    let reader = Reader::new(&text, dir, !mended.problems.is_empty());
    let root = Table::new(&reader, "", Some(tree.get_ref()), None);
    let value = schema(&root);
    root.refuse_unknown_keys();
    let mut list = mended.problems;
    if !mended.hopeless {
        list.append(&mut reader.problems.borrow_mut());
    }
    Ok((value, Problems::new(path, &text, list)))
}

/// Every text value of the file at `path`, with its table and key, whatever is wrong with the file otherwise; tables in a
/// list have the list's name.
pub fn words(path: &Path) -> Vec<(String, String, String)> {
    let text = source::load(path).unwrap_or_default();
    let tree = DeTable::parse_recoverable(&text).0;
    let mut words = Vec::new();
    let mut take = |table: &str, entries: &DeTable| {
        for (key, value) in entries.iter() {
            if let DeValue::String(value) = value.get_ref() {
                words.push((table.to_owned(), key.get_ref().to_string(), value.to_string()));
            }
        }
    };
    for (name, value) in tree.get_ref().iter() {
        match value.get_ref() {
            DeValue::Table(entries) => take(name.get_ref(), entries),
            DeValue::Array(list) => {
                for entry in list.iter() {
                    if let DeValue::Table(entries) = entry.get_ref() {
                        take(name.get_ref(), entries);
                    }
                }
            }
            _ => {}
        }
    }
    words
}

/// What `schema` reads of the file at `path`, if nothing is wrong with that part: tables that it does not ask for may hold
/// what they like.
pub fn read_part<T>(path: &Path, schema: impl FnOnce(&Table) -> T) -> Option<T> {
    let text = source::load(path).ok()?;
    // Broken syntax could be hiding one of the settings that matter here.
    let tree = DeTable::parse(&text).ok()?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let reader = Reader::new(&text, whole.parent().unwrap_or(Path::new("/")), false);
    let read = schema(&Table::new(&reader, "", Some(tree.get_ref()), None));
    let refused = reader.problems.borrow().iter().any(|problem| problem.severity == Severity::Error);
    (!refused).then_some(read)
}

/// Every key that `schema` asks for, as `table.key`, sorted.
pub fn keys<T>(schema: impl FnOnce(&Table) -> T) -> Vec<String> {
    let reader = Reader::new("", Path::new(""), false);
    schema(&Table { mute: true, ..Table::new(&reader, "", None, None) });
    let mut keys = reader.keys.into_inner();
    keys.sort();
    keys
}

struct Reader<'t> {
    text: &'t str,
    dir: &'t Path,
    /// The syntax is broken somewhere, so that a key that is not found may only have been overlooked.
    torn: bool,
    problems: RefCell<Vec<Problem>>,
    keys: RefCell<Vec<String>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, dir: &'t Path, torn: bool) -> Reader<'t> {
        Reader { text, dir, torn, problems: RefCell::default(), keys: RefCell::default() }
    }

    fn note(&self, severity: Severity, place: Option<Range<usize>>, sentence: String) {
        self.problems.borrow_mut().push(Problem { severity, place, sentence });
    }
}

/// One table of the file, the file itself or an entry of an array of tables. One that is absent reads as empty.
pub struct Table<'r> {
    reader: &'r Reader<'r>,
    /// `center`; empty for the file itself.
    name: &'r str,
    entries: Option<&'r DeTable<'r>>,
    header: Option<Range<usize>>,
    asked: RefCell<Vec<&'static str>>,
    /// It is an entry of `[[name]]`.
    listed: bool,
    /// Nothing is said to be missing: it stands for something that could not be read at all.
    mute: bool,
}

impl<'r> Table<'r> {
    fn new(
        reader: &'r Reader<'r>,
        name: &'r str,
        entries: Option<&'r DeTable<'r>>,
        header: Option<Range<usize>>,
    ) -> Table<'r> {
        Table { reader, name, entries, header, asked: RefCell::default(), listed: false, mute: false }
    }

    /// The table `[key]`.
    pub fn table<T>(&self, key: &'static str, schema: impl FnOnce(&Table) -> T) -> T {
        let found = self.value(key);
        let entries = found.as_ref().and_then(|value| match value.toml {
            DeValue::Table(entries) => Some(entries),
            _ => {
                self.error(key, format!("is a table: write [{key}] in a line of its own"));
                None
            }
        });
        let mute = self.mute || (found.is_some() && entries.is_none());
        let header = found.as_ref().map(|value| value.place.clone());
        let table = Table { mute, ..Table::new(self.reader, key, entries, header) };
        let read = schema(&table);
        table.refuse_unknown_keys();
        read
    }

    /// The tables `[[key]]`, in their order.
    pub fn tables<T>(&self, key: &'static str, schema: impl Fn(&Table) -> T) -> Vec<T> {
        let found = self.value(key);
        if self.mute {
            schema(&Table { mute: true, ..Table::new(self.reader, key, None, None) });
        }
        let Some(value) = found else { return Vec::new() };
        let DeValue::Array(entries) = value.toml else {
            self.error(key, format!("may come more than once: write [[{key}]] with two brackets"));
            return Vec::new();
        };
        let mut list = Vec::new();
        for entry in entries.iter() {
            let DeValue::Table(table) = entry.get_ref() else {
                self.error(key, format!("is a list of tables: write [[{key}]] before each"));
                return Vec::new();
            };
            let table = Table { listed: true, ..Table::new(self.reader, key, Some(table), Some(entry.span())) };
            list.push(schema(&table));
            table.refuse_unknown_keys();
        }
        list
    }

    /// The tables of the table `[key]`, whose names the file is free to choose; `None` where `[key]` is absent. `name`
    /// judges a name, and `example` shows how an entry may be written.
    pub fn named_tables<T>(
        &self,
        key: &'static str,
        example: &str,
        name: impl Fn(&str) -> Result<(), String>,
        schema: impl Fn(&Table) -> T,
    ) -> Option<Vec<(String, T)>> {
        let found = self.value(key);
        if self.mute {
            schema(&Table { mute: true, ..Table::new(self.reader, &self.path(&format!("{key}.*")), None, None) });
        }
        let value = found?;
        let DeValue::Table(entries) = value.toml else {
            self.error(key, format!("is a table: write [{key}] in a line of its own"));
            return Some(Vec::new());
        };
        let mut list = Vec::new();
        for (word, entry) in entries.iter() {
            let word: &str = word.get_ref();
            let path = format!("{}.{}", self.path(key), word.chars().take(64).collect::<String>());
            let refuse = |problem: String| {
                self.reader.note(Severity::Error, Some(entry.span()), format!("{path} {problem}"));
            };
            if let Err(problem) = name(word) {
                refuse(problem);
            } else if let DeValue::Table(table) = entry.get_ref() {
                let table = Table::new(self.reader, &path, Some(table), Some(entry.span()));
                list.push((word.to_owned(), schema(&table)));
                table.refuse_unknown_keys();
            } else {
                refuse(format!("must be a table: write {word} = {example}"));
            }
        }
        Some(list)
    }

    /// The value of `key`, if it is there and keeps the rule.
    pub fn optional<T>(&self, key: &'static str, rule: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let value = self.value(key)?;
        match rule(&value) {
            Ok(read) => Some(read),
            Err(problem) => {
                self.error(key, problem);
                None
            }
        }
    }

    /// The value of `key`, or the default where it is not there.
    pub fn or<T>(&self, key: &'static str, default: T, rule: impl FnOnce(&Value) -> Result<T, String>) -> T {
        self.optional(key, rule).unwrap_or(default)
    }

    /// The value of `key`, which must be there. `example` shows how it may be written.
    pub fn required<T: Default>(
        &self,
        key: &'static str,
        example: &str,
        rule: impl FnOnce(&Value) -> Result<T, String>,
    ) -> T {
        let read = self.optional(key, rule);
        if self.lacks(key) {
            let sentence = format!("{}: add {key} = {example} under {}", self.missing(key), self.title());
            self.reader.note(Severity::Error, self.header.clone(), sentence);
        }
        read.unwrap_or_default()
    }

    /// Whether the file sets `key`, well or badly.
    pub fn has(&self, key: &str) -> bool {
        self.entries.is_some_and(|entries| entries.contains_key(key))
    }

    /// Whether the file certainly leaves `key` out.
    pub fn lacks(&self, key: &str) -> bool {
        !self.has(key) && !self.reader.torn && !self.mute
    }

    /// `problem` goes on from the key's name: "must be …".
    pub fn error(&self, key: &str, problem: impl AsRef<str>) {
        self.report(Severity::Error, key, problem.as_ref());
    }

    /// As [`Table::error`], for what keeps nothing from working. Nothing is said of what is refused anyway.
    pub fn warn(&self, key: &str, problem: impl AsRef<str>) {
        self.report(Severity::Warning, key, problem.as_ref());
    }

    /// Where `key` is set, `other` must be, too: `reason` says why.
    pub fn needs(&self, key: &'static str, other: &'static str, reason: &str) {
        if self.has(key) && self.lacks(other) {
            self.error(key, format!("needs {other} beside it: {reason}"));
        }
    }

    /// Points at the key's value, else at the header, else at the whole file.
    fn report(&self, severity: Severity, key: &str, problem: &str) {
        let place = self.entries.and_then(|entries| entries.get(key)).map(|value| value.span());
        let place = place.or(self.header.clone());
        let refused = |other: &Problem| other.severity == Severity::Error && other.place == place;
        if severity == Severity::Warning && self.reader.problems.borrow().iter().any(refused) {
            return;
        }
        self.reader.note(severity, place, format!("{} {problem}", self.path(key)));
    }

    fn value(&self, key: &'static str) -> Option<Value<'r>> {
        self.asked.borrow_mut().push(key);
        self.reader.keys.borrow_mut().push(self.path(key));
        let value = self.entries?.get(key)?;
        Some(Value { toml: value.get_ref(), place: value.span(), path: self.path(key), reader: self.reader })
    }

    fn refuse_unknown_keys(&self) {
        let asked = self.asked.borrow();
        for (key, value) in self.entries.into_iter().flat_map(|entries| entries.iter()) {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let kind = if matches!(value.get_ref(), DeValue::Table(_)) { "table" } else { "key" };
            let advice = match nearest(name, &asked) {
                Some(known) => {
                    // It is there, under another name.
                    let missing = |other: &Problem| {
                        other.place == self.header && other.sentence.starts_with(&format!("{}:", self.missing(known)))
                    };
                    self.reader.problems.borrow_mut().retain(|other| !missing(other));
                    format!("did you mean {known}?")
                }
                None => format!("remove it, or take one of {}", asked.join(", ")),
            };
            let shown: String = self.path(name).chars().take(80).collect();
            let sentence = format!("{shown} is not a known {kind}: {advice}");
            self.reader.note(Severity::Error, Some(key.span()), sentence);
        }
    }

    fn missing(&self, key: &str) -> String {
        format!("{} is missing", self.path(key))
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn title(&self) -> String {
        if self.listed { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

/// One value of the file. Its readers answer with the value or with what is wrong, as in "must be …".
pub struct Value<'r> {
    toml: &'r DeValue<'r>,
    place: Range<usize>,
    path: String,
    reader: &'r Reader<'r>,
}

impl Value<'_> {
    pub fn text(&self) -> Result<&str, String> {
        self.toml.as_str().ok_or_else(|| format!("must be text in quotes, not {}", self.kind()))
    }

    pub fn boolean(&self) -> Result<bool, String> {
        self.toml.as_bool().ok_or_else(|| format!("must be true or false, not {}", self.kind()))
    }

    /// A whole number; one beyond 64 bits reads as the nearest end.
    pub fn number(&self) -> Result<i64, String> {
        let DeValue::Integer(digits) = self.toml else {
            return Err(format!("must be a whole number, not {}", self.kind()));
        };
        let beyond = if digits.as_str().starts_with('-') { i64::MIN } else { i64::MAX };
        Ok(i64::from_str_radix(digits.as_str(), digits.radix()).unwrap_or(beyond))
    }

    /// A list, each of whose entries keeps the rule.
    pub fn list<T>(&self, rule: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
        let DeValue::Array(entries) = self.toml else {
            return Err(format!("must be a list in [brackets], not {}", self.kind()));
        };
        let read = entries.iter().enumerate().map(|(index, entry)| {
            let path = self.path.clone();
            let value = Value { toml: entry.get_ref(), place: entry.span(), path, reader: self.reader };
            rule(&value).map_err(|problem| format!("is a list whose entry {} {problem}", index + 1))
        });
        read.collect()
    }

    /// A path; a relative one begins at the directory of the configuration file.
    pub fn file_path(&self) -> Result<PathBuf, String> {
        let text = self.text()?;
        if text.is_empty() {
            return Err("must not be empty: write a path or remove the line".to_owned());
        }
        if text.contains('\0') {
            return Err("must not hold a NUL character: no path does".to_owned());
        }
        if text == "~" || text.starts_with("~/") {
            return Err("starts with ~, which only a shell understands: write the whole path".to_owned());
        }
        Ok(self.reader.dir.join(text))
    }

    /// The path of a file that is read. A credential of the service manager with the name of a relative one comes first:
    /// so one file serves the service, which may not read secrets where they lie, and root, who may.
    pub fn input_path(&self) -> Result<PathBuf, String> {
        let path = self.file_path()?;
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY").zip(self.text().ok());
        let credential = credential.map(|(dir, name)| Path::new(&dir).join(name));
        Ok(credential.filter(|credential| credential.is_file()).unwrap_or(path))
    }

    fn kind(&self) -> &'static str {
        match self.toml {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a decimal point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}

/// Values that may each be used once in a file.
pub struct Unique<T> {
    taken: RefCell<Vec<(T, String, usize)>>,
}

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Unique { taken: RefCell::default() }
    }
}

impl<T: Clone + PartialEq> Unique<T> {
    /// Takes what a rule has read, unless it was taken before.
    pub fn claim(&self, item: T, value: &Value) -> Result<T, String> {
        let mut taken = self.taken.borrow_mut();
        if let Some((_, path, at)) = taken.iter().find(|(other, ..)| *other == item) {
            let line = line_number(value.reader.text, *at);
            return Err(format!("is the same as {path} on line {line}: each needs its own"));
        }
        taken.push((item.clone(), value.path.clone(), value.place.start));
        Ok(item)
    }
}
