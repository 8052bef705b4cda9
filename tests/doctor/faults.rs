//! Every fault of the hub has a remedy, here and in the documents.

use std::collections::BTreeSet;

use sos_hub::controller::fault_codes;
use sos_hub::doctor::remedy;

const OPERATION: &str = include_str!("../../docs/operation.md");

#[test]
fn every_fault_has_a_remedy() {
    for code in fault_codes() {
        assert!(remedy(code).is_some_and(|text| text.ends_with('.')), "{code}");
    }
    assert_eq!(remedy("no_such_fault"), None);
}

#[test]
fn the_table_of_faults_in_the_documents_is_that_of_the_hub() {
    let table = OPERATION.split("## What each fault means").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = table.expect("the table").lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: Vec<(&str, &str)> = rows.filter_map(|row| row.split_once("` |")).collect();
    let named: BTreeSet<&str> = rows.iter().map(|(code, _)| *code).collect();
    assert_eq!(rows.len(), named.len(), "a fault is in the table twice");
    assert_eq!(named, fault_codes().collect());
    for (code, rest) in rows {
        let columns: Vec<&str> = rest.split('|').map(str::trim).collect();
        let [means, act, ""] = columns[..] else { panic!("not a row: {code} {rest}") };
        assert!(means.ends_with('.'), "{code}: {means}");
        assert_eq!(Some(act), remedy(code), "docs/operation.md says another remedy of {code} than the doctor");
    }
}
