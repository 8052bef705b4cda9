//! The rules of the house that no compiler checks, read off the files as text.

#[path = "tidy/text.rs"]
mod text;

use text::{Findings, Named, files};

/// Which modules of the crate a module may name. Those that are not listed put the others together and may name all of
/// them. A driver may name itself, but no other driver.
const MAY_NAME: [(&str, &[&str]); 6] = [
    ("controller", &["controller"]),
    ("wire", &["controller", "wire"]),
    ("mailbox", &["mailbox"]),
    ("store", &["config", "controller", "mailbox", "store", "wire"]),
    ("panel", &["config", "controller", "mailbox", "panel", "web", "wire"]),
    ("drivers", &["config", "controller", "mailbox", "wire"]),
];

/// Who may name the daemon.
const STARTS_THE_DAEMON: [&str; 3] = ["src/daemon", "src/demo", "src/main.rs"];

/// What decides or translates, and so must not reach the world.
const PURE: [&str; 4] = ["src/controller", "src/wire", "src/center/desk", "src/center/wire"];

/// The world. (The controller is held to more: no `std` and no library at all.)
const WORLD: [&str; 15] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "gpiocdev",
    "libc",
    "log",
    "rppal",
    "rumqttc",
    "rusqlite",
    "tokio",
    "tracing",
];

/// Words that mean "not finished", and places that exist on one person's machine only. (In pieces, so that this file
/// keeps to the rule.)
const UNFINISHED: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
const PERSONAL: [&str; 3] = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

const LINES_OF_A_FILE: usize = 500;

#[test]
fn modules_name_only_what_lies_inward() {
    let mut findings = Findings::default();
    for file in files("src") {
        let module = file.module();
        let own = module.first().map_or("", String::as_str);
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == own) else { continue };
        for (line, named) in file.named() {
            let Named::Ours(path) = named else { continue };
            let is_allowed = match path.as_slice() {
                [folder, driver, ..] if folder == "drivers" && own == "drivers" => Some(driver) == module.get(1),
                [first, ..] => allowed.contains(&first.as_str()),
                [] => false,
            };
            if !is_allowed {
                findings.add(&file, line, &format!("{} may not name crate::{}", module.join("::"), path.join("::")));
            }
        }
    }
    findings.are_none();
}

#[test]
fn nothing_but_the_programs_names_the_daemon() {
    let mut findings = Findings::default();
    for file in files("src").iter().filter(|file| !STARTS_THE_DAEMON.iter().any(|place| file.is_in(place))) {
        for (line, named) in file.named() {
            if matches!(named, Named::Ours(path) if path.first().is_some_and(|first| first == "daemon")) {
                findings.add(file, line, "names the daemon");
            }
        }
    }
    findings.are_none();
}

#[test]
fn what_is_pure_does_not_reach_the_world() {
    let mut findings = Findings::default();
    for file in files("src").iter().filter(|file| PURE.iter().any(|place| file.is_in(place))) {
        for (line, named) in file.named() {
            let Named::Foreign(path) = named else { continue };
            let path = path.join("::");
            if WORLD.iter().any(|world| path == *world || path.starts_with(&format!("{world}::"))) {
                findings.add(file, line, &format!("{path} is the world"));
            }
        }
    }
    findings.are_none();
}

#[test]
fn the_controller_names_no_library() {
    let manifest = &files("Cargo.toml")[0].text;
    let dependencies = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let mut libraries: Vec<String> = dependencies
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .collect();
    assert!(libraries.iter().any(|name| name == "tokio"), "cannot read the dependencies: {libraries:?}");
    libraries.push("std".to_owned());
    let mut findings = Findings::default();
    for file in files("src/controller") {
        for (line, named) in file.named() {
            if let Named::Foreign(path) = named
                && libraries.contains(&path[0])
            {
                findings.add(&file, line, &format!("names the library {}", path[0]));
            }
        }
    }
    findings.are_none();
}

#[test]
fn every_source_file_says_what_it_is_and_is_short() {
    let mut findings = Findings::default();
    for file in files("src").iter().filter(|file| file.is_rust()) {
        if !file.text.starts_with("//!") {
            findings.add(file, 1, "does not start with a //! line");
        }
        let lines = file.text.lines().count();
        if lines > LINES_OF_A_FILE {
            findings.add(file, lines, &format!("has more than {LINES_OF_A_FILE} lines"));
        }
    }
    findings.are_none();
}

#[test]
fn nothing_is_unfinished_or_left_out() {
    let mut findings = Findings::default();
    for file in files("") {
        for word in UNFINISHED {
            findings.add_all(&file, word, |line| line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word));
        }
        if file.is_rust() {
            let ignored = concat!("#[ig", "nore");
            findings.add_all(&file, ignored, |line| line.contains(ignored));
        }
    }
    findings.are_none();
}

#[test]
fn no_test_sleeps_and_hopes() {
    let sleep = concat!("sle", "ep(");
    let mut findings = Findings::default();
    for file in files("tests").iter().filter(|file| file.is_rust() && !file.is_in("tests/support")) {
        findings.add_all(file, "sleeps; wait for what is expected, with a deadline", |line| line.contains(sleep));
    }
    for file in files("src").iter().filter(|file| file.is_rust()) {
        for (line, text) in file.unit_tests() {
            if text.contains(sleep) {
                findings.add(file, line, "sleeps; wait for what is expected, with a deadline");
            }
        }
    }
    findings.are_none();
}

#[test]
fn nothing_is_of_one_machine() {
    let mut findings = Findings::default();
    for file in files("") {
        for place in PERSONAL {
            findings.add_all(&file, place, |line| line.contains(place));
        }
    }
    for lock in files("Cargo.lock") {
        let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        findings.add_all(&lock, "not from crates.io", |line| line.starts_with("source = ") && line != public);
    }
    findings.are_none();
}
