//! Questions to the person at the terminal, each with its reason and its default. Nobody is asked with `--yes`.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::time::Instant;

use super::Failure;

/// Wrong answers after which nobody seems to be there who understands.
pub const PATIENCE: usize = 5;
/// More of a line is no answer.
const LONGEST_LINE: usize = 4096;

/// Who answers.
#[derive(Clone, Copy)]
pub struct Dialogue {
    pub asks: bool,
    /// Until when; `None`: there is no hurry.
    pub until: Option<Instant>,
}

/// One question.
pub struct Question<'a> {
    pub question: &'a str,
    /// One line: why it matters, or how to find the answer.
    pub why: &'a str,
    /// The option that answers it.
    pub option: &'a str,
}

impl Dialogue {
    /// Says something to the person.
    pub fn say(&self, text: impl Display) {
        // A reader that has gone away is no problem of the setup.
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// What the option says, else what is answered, else the default; `rule` makes a value of it or says, as a whole
    /// sentence, why it is none. `None`: there is no default.
    pub fn text<T>(
        &self,
        question: &Question,
        given: Option<&str>,
        default: Option<&str>,
        rule: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let usage = |problem: String| Failure::Usage(format!("{}: {problem}", question.option));
        if let Some(given) = given {
            return rule(given).map_err(usage);
        }
        if !self.asks {
            let Some(default) = default else {
                return Err(Failure::Usage(format!("Nobody is asked, so name it with {}.", question.option)));
            };
            return rule(default).map_err(usage);
        }
        for _ in 0..PATIENCE {
            self.say(format_args!("\n{}\n  {}", question.question, question.why));
            let answer = self.line(&default.map_or("  > ".to_owned(), |default| format!("  [{default}] > ")))?;
            let answer = if answer.is_empty() { default.unwrap_or_default() } else { &answer };
            match rule(answer) {
                Ok(value) => return Ok(value),
                Err(problem) => self.say(format_args!("  {problem}")),
            }
        }
        Err(Failure::Usage(format!("That question stays open. Answer it with {}.", question.option)))
    }

    /// Yes or no; without a default somebody has to say it.
    pub fn whether(
        &self,
        question: &Question,
        given: Option<bool>,
        default: impl Into<Option<bool>>,
    ) -> Result<bool, Failure> {
        let word = |yes: bool| if yes { "yes" } else { "no" };
        self.text(question, given.map(word), default.into().map(word), |answer| match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("Answer yes or no.".to_owned()),
        })
    }

    /// A secret, typed twice without being shown; empty: none was given.
    pub fn secret(&self, question: &Question) -> Result<String, Failure> {
        if !self.asks {
            return Ok(String::new());
        }
        self.say(format_args!("\n{}\n  {}", question.question, question.why));
        if !io::stdin().is_terminal() {
            return self.line("  > ");
        }
        for _ in 0..PATIENCE {
            let unread = |error: io::Error| Failure::Failed(format!("The terminal cannot be read ({error})."));
            let first = rpassword::prompt_password("  > ").map_err(unread)?;
            if first.is_empty() || rpassword::prompt_password("  The same again > ").map_err(unread)? == first {
                return Ok(first);
            }
            self.say("  The two differ: once more.");
        }
        Err(Failure::Usage(format!("That question stays open. Answer it with {}.", question.option)))
    }

    /// Throws away what was typed and not read yet, at a terminal: it answers an earlier question, or none.
    pub fn forget_what_was_typed(&self) {
        // SAFETY: takes no memory. What is no terminal refuses it, and keeps every line for its question.
        let _ = unsafe { libc::tcflush(libc::STDIN_FILENO, libc::TCIFLUSH) };
    }

    /// Waits for the Enter key, or for a line.
    ///
    /// # Errors
    ///
    /// [`Failure::NoAnswer`] when the time is over.
    pub fn line(&self, prompt: &str) -> Result<String, Failure> {
        let unread = |error: io::Error| Failure::Failed(format!("The terminal cannot be read ({error})."));
        let mut out = io::stdout();
        let _ = write!(out, "{prompt}").and_then(|()| out.flush());
        // Byte by byte, past the buffer of the standard library: what lay there nobody could wait for.
        let mut terminal = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(unread)?);
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            self.wait_for(&terminal)?;
            match terminal.read(&mut byte) {
                Ok(0) if line.is_empty() => {
                    return Err(Failure::Usage(
                        "Nobody answers: run it in a terminal, or with --yes and an option for each answer.".to_owned(),
                    ));
                }
                Ok(0) => break,
                Ok(_) if byte == *b"\n" => break,
                Ok(_) if line.len() < LONGEST_LINE => line.extend(byte),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unread(error)),
            }
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }

    /// Returns when there is something to read.
    fn wait_for(&self, terminal: &File) -> Result<(), Failure> {
        let Some(until) = self.until else { return Ok(()) };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::NoAnswer);
            }
            let milliseconds = libc::c_int::try_from(left.as_millis()).unwrap_or(libc::c_int::MAX).max(1);
            let mut ready = libc::pollfd { fd: terminal.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: `ready` is one entry, and the file stays open meanwhile.
            if unsafe { libc::poll(&raw mut ready, 1, milliseconds) } > 0 {
                return Ok(());
            }
        }
    }
}

/// The secret in the first line of a file that an option names.
pub fn first_line_of(option: &str, path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::Usage(format!("{option} {} cannot be read ({error}): correct the path.", path.display()))
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(Failure::Usage(format!("{option} {} has no first line: write the secret in it.", path.display()))),
    }
}
