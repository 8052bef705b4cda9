//! What was found, as people and scripts read it.

use std::fmt::Write as _;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// An SOS works; somebody should know.
    Warn,
    /// An SOS may not work.
    Fail,
}

/// One line of the list.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at: one word, the same for ever.
    pub check: &'static str,
    pub verdict: Verdict,
    /// A whole sentence.
    pub message: String,
    /// What to do: a command, or a sentence.
    pub mend: Option<String>,
}

impl Finding {
    pub fn ok(check: &'static str, message: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Ok, message: message.into(), mend: None }
    }

    pub fn warn(check: &'static str, message: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Warn, message: message.into(), mend: Some(mend.into()) }
    }

    pub fn fail(check: &'static str, message: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Fail, message: message.into(), mend: Some(mend.into()) }
    }
}

/// The list, in the order in which it was looked.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

#[derive(Serialize)]
struct Report<'a> {
    verdict: Verdict,
    findings: &'a [Finding],
}

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    pub fn append(&mut self, other: Findings) {
        self.list.extend(other.list);
    }

    pub fn fail(&self) -> bool {
        self.verdict() == Verdict::Fail
    }

    /// That of the worst.
    fn verdict(&self) -> Verdict {
        self.list.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
    }

    /// `{"verdict": "ok" | "warn" | "fail", "findings": [{"check", "verdict", "message", "mend"}]}`
    pub fn json(&self) -> String {
        serde_json::json!(Report { verdict: self.verdict(), findings: &self.list }).to_string()
    }

    /// A line each, and below it what to do.
    pub fn text(&self, colour: bool) -> String {
        let mut text = String::new();
        for Finding { check, verdict, message, mend } in &self.list {
            let (word, code) = match verdict {
                Verdict::Ok => ("ok  ", "32"),
                Verdict::Warn => ("warn", "33"),
                Verdict::Fail => ("FAIL", "31;1"),
            };
            let word = if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
            // Writing into a text cannot fail.
            let _ = writeln!(text, "{word}  {check:<13}  {}", printable(message));
            if let Some(mend) = mend {
                let _ = writeln!(text, "{:21}→ {}", "", printable(mend));
            }
        }
        let count = |wanted| self.list.iter().filter(|finding| finding.verdict == wanted).count();
        let _ =
            write!(text, "\n{} fail, {} warn, {} ok", count(Verdict::Fail), count(Verdict::Warn), count(Verdict::Ok));
        text
    }
}

/// What others said must not command the terminal.
fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}
