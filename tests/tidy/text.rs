//! The repository's files as text, and the paths that their code names.

use std::fs;
use std::path::Path;

/// A text file of the repository.
pub struct File {
    /// From the repository's root, as in `src/main.rs`.
    pub name: String,
    pub text: String,
}

/// What a path in the code leads to.
#[derive(Debug, PartialEq)]
pub enum Named {
    /// In this crate, from its root.
    Ours(Vec<String>),
    /// In a library, its name first; or just a local name.
    Foreign(Vec<String>),
}

/// All text files in or below a place; `""` is the whole repository, without what is built or hidden.
pub fn files(place: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut places = vec![root.join(place)];
    while let Some(place) = places.pop() {
        let name = place.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if name == "target" || name.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        if place.is_dir() {
            places.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(text) = fs::read_to_string(&place) {
            found.push(File { name, text });
        }
    }
    assert!(!found.is_empty(), "nothing to check in {place:?}");
    found
}

impl File {
    pub fn is_rust(&self) -> bool {
        self.name.ends_with(".rs")
    }

    /// Whether it is this module (`src/wire` is also `src/wire.rs`), or lies in this folder.
    pub fn is_in(&self, place: &str) -> bool {
        self.name.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
    }

    /// The module that it is, from the crate's root.
    pub fn module(&self) -> Vec<String> {
        let name = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        let parts = name.split('/').filter(|part| !["lib", "main", "mod"].contains(part));
        parts.map(str::to_owned).collect()
    }

    /// The lines of its inline test module.
    pub fn unit_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let start = self.text.find(UNIT_TESTS).unwrap_or(self.text.len());
        let before = self.text[..start].lines().count();
        self.text[start..].lines().enumerate().map(move |(index, line)| (before + index + 1, line))
    }

    /// Every path that its code names, comments and inline tests aside, with its line.
    pub fn named(&self) -> Vec<(usize, Named)> {
        if !self.is_rust() {
            return Vec::new();
        }
        let code = self.text.split(UNIT_TESTS).next().unwrap_or_default();
        let tokens = tokens(code);
        let mut paths = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let is_named = tokens[at].is_name()
                && (tokens.get(at + 1).is_some_and(|next| next.text == "::")
                    || at > 0 && ["use", "crate"].contains(&tokens[at - 1].text));
            if is_named {
                at = follow(&tokens, at, &[], &mut paths);
            } else {
                at += 1;
            }
        }
        let module = self.module();
        paths.into_iter().map(|(line, path)| (line, resolve(&path, &module))).collect()
    }
}

const UNIT_TESTS: &str = "#[cfg(test)]\nmod tests {";

#[derive(Clone, Copy)]
struct Token<'a> {
    line: usize,
    text: &'a str,
}

impl Token<'_> {
    fn is_name(self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Names, `::` and single other characters.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.split("//").next().unwrap_or_default().trim_start();
        while let Some(first) = rest.chars().next() {
            let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match first {
                _ if name > 0 => name,
                ':' if rest.starts_with("::") => 2,
                other => other.len_utf8(),
            };
            tokens.push(Token { line: index + 1, text: &rest[..length] });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// Follows the path, or the tree of paths in braces, that goes on at `at` after `before`; returns where it ends.
fn follow<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    before: &[&'a str],
    paths: &mut Vec<(usize, Vec<&'a str>)>,
) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        if token.text == "{" && !path.is_empty() {
            at += 1;
            while tokens.get(at).is_some_and(|token| token.text != "}") {
                at = if tokens[at].is_name() || tokens[at].text == "*" {
                    follow(tokens, at, &path, paths)
                } else {
                    at + 1
                };
            }
            return at + 1;
        }
        if !token.is_name() && token.text != "*" {
            break;
        }
        path.push(token.text);
        at += 1;
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            break;
        }
        at += 1;
    }
    paths.push((tokens[at - 1].line, path));
    at
}

fn resolve(path: &[&str], module: &[String]) -> Named {
    let own = |start: &[String], rest: &[&str]| {
        let rest = rest.iter().filter(|part| **part != "self").map(|part| (*part).to_owned());
        Named::Ours(start.iter().cloned().chain(rest).collect())
    };
    match path {
        ["crate", rest @ ..] => own(&[], rest),
        ["self", "super", rest @ ..] | ["super", rest @ ..] => {
            let more = rest.iter().take_while(|part| **part == "super").count();
            own(&module[..module.len().saturating_sub(more + 1)], &rest[more..])
        }
        ["self", rest @ ..] => own(module, rest),
        _ => Named::Foreign(path.iter().map(|part| (*part).to_owned()).collect()),
    }
}

/// What breaks a rule, with its place.
#[derive(Default)]
pub struct Findings(Vec<String>);

impl Findings {
    pub fn add(&mut self, file: &File, line: usize, problem: &str) {
        self.0.push(format!("{}:{line}: {problem}", file.name));
    }

    pub fn add_all(&mut self, file: &File, problem: &str, breaks: impl Fn(&str) -> bool) {
        for (index, _) in file.text.lines().enumerate().filter(|(_, line)| breaks(line)) {
            self.add(file, index + 1, problem);
        }
    }

    pub fn are_none(self) {
        assert!(self.0.is_empty(), "\n{}\n", self.0.join("\n"));
    }
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let file = File {
        name: "src/drivers/gpio/mock.rs".to_owned(),
        text: "use super::super::{clock, mqtt::{self, Link as Other}}; // crate::daemon\n\
               use std::{fs, time::Duration};\n\
               use tokio;\n\
               extern crate alloc;\n\
               fn f(x: &crate::wire::Topic) { self::g::<u8>(super::h()); x.y }\n\
               #[cfg(test)]\nmod tests {\n use super::*;\n}\n"
            .to_owned(),
    };
    let ours = |line, path: &str| (line, Named::Ours(path.split("::").map(str::to_owned).collect()));
    let foreign = |line, path: &str| (line, Named::Foreign(path.split("::").map(str::to_owned).collect()));
    let expected = [
        ours(1, "drivers::clock"),
        ours(1, "drivers::mqtt"),
        ours(1, "drivers::mqtt::Link"),
        foreign(2, "std::fs"),
        foreign(2, "std::time::Duration"),
        foreign(3, "tokio"),
        foreign(4, "alloc"),
        ours(5, "wire::Topic"),
        ours(5, "drivers::gpio::mock::g"),
        ours(5, "drivers::gpio::h"),
    ];
    let named = file.named();
    for path in &expected {
        assert!(named.contains(path), "{path:?} is missing in {named:?}");
    }
    assert!(!named.iter().any(|(_, path)| matches!(path, Named::Ours(path) if path.contains(&"daemon".to_owned()))));
    assert!(!named.iter().any(|(line, _)| *line > 5), "{named:?}");
    assert_eq!(file.unit_tests().map(|(line, _)| line).collect::<Vec<_>>(), [6, 7, 8, 9]);
}
