//! What `docs/proof.md` and the patches in `tests/sabotage` name is there: tests, guards, and places to take them out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many things go wrong in the field.
const CASES: usize = 41;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// One guard to take out.
struct Sabotage {
    name: String,
    sentence: String,
    holds: String,
    /// As `BINARY NAME`.
    test: String,
    file: String,
    /// The lines that each hunk finds, and those that it leaves.
    hunks: Vec<(Vec<String>, Vec<String>)>,
}

fn sabotages() -> Vec<Sabotage> {
    let entries = fs::read_dir(root().join("tests/sabotage")).expect("the patches");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| sabotage(file)).collect()
}

fn sabotage(file: &Path) -> Sabotage {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(file).expect("a patch");
    let (header, diff) = text.split_once("\n--- a/").unwrap_or_else(|| panic!("{name} changes nothing"));
    let field = |key: &str| {
        let line = header.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("{name} does not say {key}")).to_owned()
    };
    let mut hunks: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for line in diff.lines().skip(2) {
        match (line.chars().next(), hunks.last_mut()) {
            (Some('@'), _) => hunks.push(Default::default()),
            (Some('-'), Some((before, _))) => before.push(line[1..].to_owned()),
            (Some('+'), Some((_, after))) => after.push(line[1..].to_owned()),
            (Some(' '), Some((before, after))) => {
                before.push(line[1..].to_owned());
                after.push(line[1..].to_owned());
            }
            _ => panic!("{name}: not a line of a patch: {line:?}"),
        }
    }
    let (holds, test) = (field("holds: "), field("test: "));
    Sabotage {
        name,
        sentence: header.lines().next().unwrap_or_default().to_owned(),
        holds,
        test,
        file: diff.lines().next().unwrap_or_default().to_owned(),
        hunks,
    }
}

/// Whether the source of this test, `BINARY NAME`, has a function of that name in the module of that name.
fn assert_is_a_test(said: &str, by: &str) {
    let (binary, path) = said.split_once(' ').unwrap_or_else(|| panic!("{by}: {said:?} is no BINARY NAME"));
    let (modules, function) = path.rsplit_once("::").unwrap_or(("", path));
    let places = if modules.is_empty() {
        vec![format!("tests/{binary}.rs"), format!("tests/{binary}/main.rs")]
    } else {
        vec![format!("tests/{binary}/{}.rs", modules.replace("::", "/"))]
    };
    let text: String = places.iter().filter_map(|place| fs::read_to_string(root().join(place)).ok()).collect();
    assert!(text.contains(&format!("fn {function}(")), "{by}: there is no test {said} (looked in {places:?})");
}

#[test]
fn each_guard_can_still_be_taken_out() {
    for Sabotage { name, file, hunks, .. } in sabotages() {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        assert!(!hunks.is_empty(), "{name} changes nothing");
        for (before, after) in hunks {
            assert_ne!(before, after, "{name} changes nothing");
            let found = lines.windows(before.len()).filter(|window| *window == before).count();
            assert_eq!(found, 1, "{name}.patch does not apply to {file} any more: {before:#?}");
        }
    }
}

#[test]
fn each_guard_names_what_it_holds_and_a_test_that_is_there() {
    for Sabotage { name, sentence, holds, test, .. } in sabotages() {
        assert!(sentence.ends_with('.') && sentence.len() < 120, "{name}: {sentence:?} is no sentence");
        assert!(holds.starts_with("promise "), "{name} holds {holds:?}");
        assert_is_a_test(&test, &name);
    }
}

#[test]
fn each_promise_has_guards() {
    let held: BTreeSet<u32> = sabotages()
        .iter()
        .map(|one| one.holds["promise ".len()..].split(',').next().unwrap().parse().expect(&one.name))
        .collect();
    assert!(held.into_iter().eq(1..=10), "a promise without a guard is only a word");
}

#[test]
fn the_table_of_guards_is_that_of_the_patches() {
    let text = read("docs/proof.md");
    for Sabotage { name, test, .. } in sabotages() {
        let row = text.lines().find(|line| line.contains(&format!("| {name} |")));
        assert!(row.is_some_and(|row| row.contains(&format!("`{test}`"))), "docs/proof.md has no row of {name}");
    }
}

#[test]
fn every_test_and_file_of_the_table_of_cases_is_there() {
    let text = read("docs/proof.md");
    let cases: Vec<&str> = text
        .lines()
        .filter(|line| line.split('|').nth(1).is_some_and(|cell| cell.trim().parse::<usize>().is_ok()))
        .collect();
    let numbers = cases.iter().filter_map(|case| case.split('|').nth(1)?.trim().parse::<usize>().ok());
    assert!(numbers.eq(1..=CASES), "the table of cases is not whole");
    for case in cases {
        let columns: Vec<&str> = case.split('|').map(str::trim).collect();
        let [_, number, _, _, guard, tests, _] = columns[..] else { panic!("not a row of the table of cases: {case}") };
        for file in guard.split(", ").map(|file| file.trim_matches('`')) {
            assert!(root().join(file).is_file(), "case {number}: there is no {file}");
        }
        for test in tests.split(", ") {
            assert_is_a_test(test.trim_matches('`'), &format!("case {number}"));
        }
    }
}
