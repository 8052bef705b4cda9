//! What is wrong with a configuration file, and how a person is shown it.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// More than these are counted, not shown: a file that is no configuration at all has thousands.
const SHOWN: usize = 50;

/// What is wrong with one file, in the order of its lines. Its `Display` is the plain rendering.
#[derive(Debug)]
pub struct Problems {
    path: PathBuf,
    text: String,
    list: Vec<Problem>,
}

/// One thing to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub severity: Severity,
    /// Bytes of the text; `None` where the whole file is meant.
    pub place: Option<Range<usize>>,
    /// One sentence: what is wrong and what to do.
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// The hub does not start with it.
    Error,
    /// The hub starts, and a person should know.
    Warning,
}

impl Problems {
    /// `text` is what the places of the problems refer to.
    pub(super) fn new(path: &Path, text: &str, mut list: Vec<Problem>) -> Problems {
        list.sort_by_key(|problem| problem.place.as_ref().map_or(0, |place| place.start));
        list.dedup();
        Problems { path: path.to_owned(), text: without_c1(text), list }
    }

    /// The same under the name of another file, which this text is meant for.
    pub fn of(self, path: &Path) -> Problems {
        Problems { path: path.to_owned(), ..self }
    }

    /// Nothing to say: neither an error nor a warning.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the file is refused.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many warnings there are.
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    /// Makes warnings of the errors whose sentence has these words.
    pub(super) fn excuse(&mut self, words: &str) {
        for problem in self.list.iter_mut().filter(|problem| problem.sentence.contains(words)) {
            problem.severity = Severity::Warning;
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Each problem with its line and a caret under what it is about, ending with a line break; `colour` is for terminals.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut rendered = String::new();
        // Errors first: what is cut off must not be what keeps the hub from starting.
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.list.iter().partition(|problem| problem.severity == Severity::Error);
        for problem in errors.iter().chain(&warnings).take(SHOWN) {
            rendered.push_str(&self.render_one(problem, &renderer));
            rendered.push_str("\n\n");
        }
        let left = self.list.len().saturating_sub(SHOWN);
        if left > 0 {
            let _ = writeln!(rendered, "… and {left} more: correct these first.\n");
        }
        if !self.is_empty() {
            let _ = writeln!(
                rendered,
                "{}: {}, {}",
                self.path.display(),
                counted(errors.len(), "error"),
                counted(warnings.len(), "warning")
            );
        }
        rendered
    }

    fn render_one(&self, problem: &Problem, renderer: &Renderer) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let path = self.path.display().to_string();
        let title = level.primary_title(printable(&problem.sentence));
        let group: Group<'_> = match &problem.place {
            None => title.element(Origin::path(path)),
            Some(place) => {
                let line = Line::at(&self.text, place);
                title.element(
                    Snippet::source(line.text)
                        .line_start(line.number)
                        .path(path)
                        .annotation(AnnotationKind::Primary.span(line.place)),
                )
            }
        };
        renderer.render(&[group])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.render(false))
    }
}

/// The line of the text where a place begins, and the place within that line.
struct Line<'t> {
    text: &'t str,
    /// The first line is 1.
    number: usize,
    place: Range<usize>,
}

impl Line<'_> {
    fn at<'t>(text: &'t str, place: &Range<usize>) -> Line<'t> {
        let mut at = place.start.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[start..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
        // What is wrong may be the line break itself, of which nothing is shown.
        let from = (at - start).min(line.len());
        let to = place.end.saturating_sub(start).clamp(from, line.len());
        Line { text: line, number: line_number(text, at), place: from..to }
    }
}

/// The number of the line that this byte is in; the first line is 1.
pub(super) fn line_number(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The renderer shows the control characters of ASCII as pictures and lets those of Latin-1 through, one of which
/// (U+009B) begins a command to the terminal. What takes their place is as long in UTF-8, so that no caret moves.
fn without_c1(text: &str) -> String {
    text.replace(|letter| ('\u{80}'..='\u{9f}').contains(&letter), "\u{b7}")
}

/// Text of the file that a sentence repeats must not command the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let (plain, escaped) =
                if letter.is_control() { (None, Some(letter.escape_default())) } else { (Some(letter), None) };
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}
