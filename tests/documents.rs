//! The documents say what the programs do: every key of the configuration with its default, every document that is
//! linked, and the diagram that its command draws.

#[path = "../examples/wiring.rs"]
#[allow(dead_code, reason = "the example prints what is compared here")]
mod wiring;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use sos_hub::config::Config;
use sos_hub::config::center::CenterConfig;

const REFERENCE: &str = include_str!("../docs/configuration.md");

/// A row of the reference: default, values, meaning.
type Rows<'a> = BTreeMap<&'a str, [&'a str; 3]>;

/// The table below this heading.
fn rows(heading: &str) -> Rows<'static> {
    let section = REFERENCE.split(&format!("\n## {heading}\n")).nth(1).expect("the heading");
    let section = section.split("\n## ").next().expect("its text");
    let mut rows = Rows::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let columns: Vec<&str> = line.split(" | ").map(|column| column.trim_matches(['|', ' '])).collect();
        let [key, default, values, meaning] = columns[..] else { panic!("not a row of the reference: {line}") };
        assert!(rows.insert(key.trim_matches('`'), [default, values, meaning]).is_none(), "{key} is there twice");
    }
    rows
}

/// The keys without the tables that they are in.
fn leaves(keys: Vec<String>) -> BTreeSet<String> {
    let is_table = |key: &String| keys.iter().any(|other| other.starts_with(&format!("{key}.")));
    keys.iter().filter(|key| !is_table(key)).cloned().collect()
}

/// The settings of a shipped file, as `table.key`, with whether they are set and to what.
fn shipped(text: &str) -> BTreeMap<String, (bool, String)> {
    let mut settings = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines() {
        let (is_set, line) = match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|first: char| first.is_ascii_lowercase() || first == '[') => (false, rest),
            Some(_) => continue,
            None => (true, line),
        };
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, value)) = line.split_once(" = ") {
            // Of several buttons the first shows how.
            settings.entry(format!("{table}.{key}")).or_insert((is_set, value.trim_matches('"').to_owned()));
        }
    }
    settings
}

fn assert_reference(heading: &str, keys: Vec<String>, file: &str) {
    let rows = rows(heading);
    let named: BTreeSet<String> = rows.keys().map(|key| (*key).to_owned()).collect();
    assert_eq!(named, leaves(keys), "docs/configuration.md does not list the keys of {heading}");
    let shipped = shipped(file);
    for (key, [default, values, meaning]) in rows {
        assert!(!meaning.is_empty() && !values.is_empty(), "{key} is not described");
        let (unit, is_unit) = (key.rsplit(['_', '.']).next().unwrap_or_default(), |word: &str| values.ends_with(word));
        assert!(unit != "seconds" || is_unit(" seconds"), "{key} has another unit: {values}");
        assert!(unit != "ms" || is_unit(" milliseconds"), "{key} has another unit: {values}");
        // What the shipped file shows unset is the default, which tests/shipped_files.rs holds to the code.
        if let (Some((false, value)), Some(written)) = (shipped.get(key), default.strip_prefix('`')) {
            assert_eq!(written.trim_end_matches('`'), value, "docs/configuration.md has another default of {key}");
        }
        if default == "needed" && !key.contains('*') {
            assert!(shipped.contains_key(key), "{key} is needed, and the shipped file does not show it");
        }
    }
}

#[test]
fn the_reference_has_every_key_of_hub_toml_with_its_default_and_no_other() {
    assert_reference("hub.toml", Config::keys(), include_str!("../config/hub.toml"));
}

#[test]
fn the_reference_has_every_key_of_center_toml_with_its_default_and_no_other() {
    assert_reference("center.toml", CenterConfig::keys(), include_str!("../config/center.toml"));
}

#[test]
fn the_diagram_is_what_its_command_draws() {
    assert_eq!(wiring::svg(), include_str!("../docs/wiring.svg"), "cargo run --example wiring > docs/wiring.svg");
}

#[test]
fn whatever_a_document_links_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = vec![root.join("README.md")];
    documents.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let mut links = 0;
    for document in documents.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            links += 1;
            let target = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            assert!(target.is_file(), "{} links to {file}, which is not there", document.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let found = text.lines().filter(|line| line.starts_with('#')).any(|line| anchor_of(line) == anchor);
                assert!(found, "{} links to {link}, which has no such heading", document.display());
            }
        }
    }
    assert!(links > 10, "the links cannot be read");
}

#[test]
fn the_two_brokers_of_one_machine_have_no_port_in_common() {
    let document = fs::read_to_string("docs/center.md").unwrap();
    let edit = document.split("\nsed '").nth(1).and_then(|rest| rest.split('\'').next()).expect("the edit");
    let edited = Command::new("sed").args([edit, "config/mosquitto-center.conf"]).output().unwrap();
    assert!(edited.status.success(), "{edited:?}");
    let ports = |text: &str| -> BTreeSet<String> {
        let listeners = text.lines().filter_map(|line| line.strip_prefix("listener "));
        listeners.map(|listener| listener.split(' ').next().unwrap().to_owned()).collect()
    };
    let shipped = |name: &str| fs::read_to_string(format!("config/mosquitto-{name}.conf")).unwrap();
    let center = ports(&String::from_utf8(edited.stdout).unwrap());
    assert_eq!(center.len(), 2);
    let home: BTreeSet<String> = &ports(&shipped("home")) | &ports(&shipped("home-tls"));
    assert_eq!(&center & &home, BTreeSet::new());
    for setting in ["port", "hub_port"] {
        let said = document.split(&format!("`{setting} = ")).nth(1).and_then(|rest| rest.split('`').next());
        assert!(
            said.is_some_and(|port| center.contains(port)),
            "{setting} is another port than the broker's: {said:?}"
        );
    }
}

/// As the places where Markdown is read make it of a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}
