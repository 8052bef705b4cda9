//! The text of a configuration file: how it is read, and what is left of it where its syntax is broken.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::problem::{Problem, Problems, Severity};

/// A configuration file is a few KiB; a larger one is the wrong file.
const LIMIT: u64 = 256 * 1024;

/// The text of the file, or why it is none.
pub(super) fn load(path: &Path) -> Result<String, Problems> {
    let refuse = |text: &str, place: Option<Range<usize>>, sentence: String| {
        Problems::new(path, text, vec![Problem { severity: Severity::Error, place, sentence }])
    };
    let bytes = load_bytes(path).map_err(|sentence| refuse("", None, sentence))?;
    let text = String::from_utf8(bytes).map_err(|problem| {
        let at = problem.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(problem.as_bytes());
        let place = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
        refuse(&text, Some(place), "this is not UTF-8 text: save the file as UTF-8".to_owned())
    })?;
    if let Some(at) = text.find('\0') {
        let sentence = "here are NUL bytes, as a power cut may leave them: restore the file from a copy".to_owned();
        return Err(refuse(&text, Some(at..at + 1), sentence));
    }
    Ok(text)
}

/// Whether nothing is set: there is no file, or it holds nothing but comments. One that cannot be read is for [`load`] to
/// complain of.
pub(super) fn is_unset(path: &Path) -> bool {
    let is_comment = |line: &[u8]| line.is_empty() || line.starts_with(b"#");
    match std::fs::metadata(path) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(_) => load_bytes(path)
            .is_ok_and(|text| text.split(|byte| *byte == b'\n').all(|line| is_comment(line.trim_ascii()))),
    }
}

fn load_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let outcome = File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    match outcome {
        Ok(_) if bytes.len() as u64 > LIMIT => Err(format!(
            "the file is larger than {} KiB, so it can't be the right one: name another with --config FILE",
            LIMIT / 1024
        )),
        Ok(_) => Ok(bytes),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound => format!(
                "there is no configuration at {}: copy the example there or name another with --config FILE",
                path.display()
            ),
            io::ErrorKind::PermissionDenied => {
                format!("{} may not be read by this user: try with sudo, or change its owner or mode", path.display())
            }
            io::ErrorKind::IsADirectory => {
                format!("{} is a directory: name the file in it with --config FILE", path.display())
            }
            _ => format!("{} can't be read ({error}): correct that or name another with --config FILE", path.display()),
        }),
    }
}

/// A text in which whatever is left is valid.
pub(super) struct Mended {
    /// The text with blanks in place of its broken lines, all else where it was.
    pub text: String,
    /// What was wrong with those lines.
    pub problems: Vec<Problem>,
    /// Too much is broken for the rest to mean anything.
    pub hopeless: bool,
}

/// Takes the broken lines out: what the parser makes of them is a guess, and no ground for complaints, and it overlooks
/// whole lines after some of them.
pub(super) fn mend(text: &str) -> Mended {
    let mut bytes = text.as_bytes().to_vec();
    let errors = DeTable::parse_recoverable(text).1;
    let mut places: Vec<_> = errors.iter().filter_map(|error| error.span()).collect();
    let problems = errors.iter().map(|error| Problem {
        severity: Severity::Error,
        place: error.span(),
        sentence: format!("this is not valid TOML: {}", advice(error.message())),
    });
    let mut mended = Mended { text: text.to_owned(), problems: problems.collect(), hopeless: false };
    for _ in 0..4 {
        if places.is_empty() {
            return mended;
        }
        for place in &places {
            let broken = broken_part(&bytes, place);
            bytes[broken].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        mended.text = String::from_utf8_lossy(&bytes).into_owned();
        places = DeTable::parse_recoverable(&mended.text).1.iter().filter_map(|error| error.span()).collect();
    }
    mended.hopeless = !places.is_empty();
    mended
}

/// The lines that an error touches; from a header on up to the next one, as no one knows whose keys those are.
fn broken_part(bytes: &[u8], place: &Range<usize>) -> Range<usize> {
    let from = place.start.min(bytes.len());
    let to = place.end.clamp(from, bytes.len());
    let start = bytes[..from].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line_end =
        |at: usize| bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |found| at + found);
    let is_header = |line: &[u8]| line.trim_ascii_start().starts_with(b"[");
    let mut end = line_end(to);
    if is_header(&bytes[start..end]) {
        while end < bytes.len() && !is_header(&bytes[end + 1..line_end(end + 1)]) {
            end = line_end(end + 1);
        }
    }
    start..end
}

/// The parser's words, with what to do where they leave that open.
fn advice(message: &str) -> String {
    match message {
        "duplicate key" => "this is set a second time: keep one of the two".to_owned(),
        "string values must be quoted, expected literal string" => {
            "text needs quotes around it, and every key a value".to_owned()
        }
        "key with no value, expected `=`" => "this key has no value: write key = value".to_owned(),
        other => other.to_owned(),
    }
}
