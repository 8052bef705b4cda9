//! The text of a `hub.toml`, changed line by line, so that its comments and all that nobody asked about stay.

use std::fmt::Write as _;

/// A button as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub name: String,
    pub line: u8,
    pub service: String,
    /// Only where it is set.
    pub hold_ms: Option<i64>,
    /// Only where it is set.
    pub active_low: Option<bool>,
}

/// A configuration file as lines.
pub struct Document {
    lines: Vec<String>,
}

impl Document {
    pub fn new(text: &str) -> Document {
        Document { lines: text.lines().map(str::to_owned).collect() }
    }

    pub fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Sets `key` of `[table]` to what is written as `value`: in its line, in that of the unset setting, or after the
    /// table's header.
    pub fn set(&mut self, table: &str, key: &str, value: &str) {
        let line = format!("{key} = {value}");
        let Some(section) = self.section(table) else {
            self.lines.extend([String::new(), format!("[{table}]"), line]);
            return;
        };
        let place = self.find(section.clone(), key, false).or_else(|| self.find(section.clone(), key, true));
        match place {
            Some(place) => self.lines[place] = line,
            None => self.lines.insert(section.start, line),
        }
    }

    /// Makes a comment of a setting, so that its default counts.
    pub fn unset(&mut self, table: &str, key: &str) {
        if let Some(place) = self.section(table).and_then(|section| self.find(section, key, false)) {
            self.lines[place].insert(0, '#');
        }
    }

    /// Has these buttons take the place of all that were there.
    pub fn set_buttons(&mut self, buttons: &[Button]) {
        let mut place = None;
        while let Some(header) = self.lines.iter().position(|line| is_header(line, "[[button]]")) {
            place.get_or_insert(header);
            let end = self.end_of_section(header + 1);
            self.lines.drain(header..end);
        }
        let led = || self.lines.iter().position(|line| is_header(line, "[led]"));
        let place = place.or_else(led).unwrap_or(self.lines.len());
        let mut text = String::new();
        for (position, button) in buttons.iter().enumerate() {
            let words = |text: &'static str| if position == 0 { text } else { "" };
            let hold = button.hold_ms.map_or("#hold_ms = 1000".to_owned(), |hold| format!("hold_ms = {hold}"));
            let low = button.active_low.map_or("#active_low = true".to_owned(), |low| format!("active_low = {low}"));
            // Writing into a text cannot fail.
            let _ = writeln!(
                text,
                "[[button]]\n{}name = {}\nline = {}\n{}service = {}\n{}{hold}\n{}{low}\n",
                words("# Shown as the source of the request, \"button:NAME\".\n"),
                quoted(&button.name),
                button.line,
                words(
                    "# \"police\", \"fire\", \"siren\" (nobody outside is told) or \"cancel\" (aborts a running countdown).\n"
                ),
                quoted(&button.service),
                words("# How long it must be held, 50 to 10000 milliseconds.\n"),
                words("# false for a button between its line and 3.3 V.\n"),
            );
        }
        self.lines.splice(place..place, text.lines().map(str::to_owned));
    }

    /// The lines after the header of `[table]`.
    fn section(&self, table: &str) -> Option<std::ops::Range<usize>> {
        let header = self.lines.iter().position(|line| is_header(line, &format!("[{table}]")))?;
        Some(header + 1..self.end_of_section(header + 1))
    }

    /// Where the next table begins, with the comment before it; one that is only shown counts as well.
    fn end_of_section(&self, from: usize) -> usize {
        let begins = |line: &String| line.trim_start().starts_with('[') || line.starts_with("#[");
        let next = self.lines[from..].iter().position(begins).map_or(self.lines.len(), |at| from + at);
        let is_comment = |line: &String| line.starts_with("# ");
        (from..next).rev().find(|&at| !is_comment(&self.lines[at])).map_or(from, |last| last + 1)
    }

    fn find(&self, section: std::ops::Range<usize>, key: &str, unset: bool) -> Option<usize> {
        section.into_iter().find(|&at| {
            let line = self.lines[at].as_str();
            let line = if unset { line.strip_prefix('#') } else { Some(line.trim_start()) };
            line.and_then(|line| line.strip_prefix(key)).is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    }
}

fn is_header(line: &str, header: &str) -> bool {
    line.trim()
        .strip_prefix(header)
        .is_some_and(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with('#'))
}

/// Text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../config/hub.toml");

    #[test]
    fn what_is_not_asked_about_stays_to_the_letter() {
        let mut document = Document::new(SHIPPED);
        document.set("siren", "line", "18");
        document.set("panel", "pin_file", "\"panel.pin\"");
        document.set("led", "line", "27");
        document.unset("app", "username");
        let text = document.text();
        let changed: Vec<(&str, &str)> = SHIPPED.lines().zip(text.lines()).filter(|(old, new)| old != new).collect();
        assert_eq!(
            changed,
            [
                ("line = 17", "line = 18"),
                ("#line = 27", "line = 27"),
                ("username = \"sos-hub\"", "#username = \"sos-hub\""),
                ("#pin_file = \"panel.pin\"", "pin_file = \"panel.pin\""),
            ]
        );
        assert_eq!(text.lines().count(), SHIPPED.lines().count());
    }

    #[test]
    fn buttons_take_the_place_of_those_that_were_there() {
        let button = |name: &str, line| {
            let (name, service) = (name.to_owned(), "fire".to_owned());
            Button { name, line, service, hold_ms: None, active_low: None }
        };
        let mut document = Document::new(SHIPPED);
        document.set_buttons(&[button("bed \"left\"", 5), button("door", 6)]);
        let text = document.text();
        let read: toml::Table = text.parse().unwrap();
        let names: Vec<_> =
            read["button"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["bed \"left\"", "door"]);
        assert_eq!(read["siren"]["line"].as_integer(), Some(17));
        assert!(text.contains("# As many buttons") && text.contains("#name = \"kitchen\""), "{text}");
        document.set_buttons(&[]);
        let read: toml::Table = document.text().parse().unwrap();
        assert!(!read.contains_key("button"));
        assert!(read.contains_key("led") && read.contains_key("siren"));
    }

    #[test]
    fn a_table_that_is_not_there_is_added() {
        let mut document = Document::new("[hub]\nid = \"x\"");
        document.set("panel", "tls", "\"off\"");
        document.set("hub", "name", "\"X\"");
        assert_eq!(document.text(), "[hub]\nname = \"X\"\nid = \"x\"\n\n[panel]\ntls = \"off\"\n");
    }
}
