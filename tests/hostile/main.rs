//! Hostile input: everything that comes in from the world, as arbitrary bytes. Nothing panics, and what is taken keeps
//! its promises. The inputs that the fuzzers have found worth keeping (`fuzz/corpus`) are tried again here, whole and
//! mutilated, so that every one of their ways through the code stays walked.

mod targets;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use targets::{ALL, Check};

/// What the fuzzers have kept for one place, sorted by name.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).expect("read")).collect()
}

fn check_of(name: &str) -> Check {
    ALL.into_iter().find(|(other, _)| *other == name).expect(name).1
}

/// The kept inputs as they are, then arbitrary bytes, then pieces of kept inputs in another order.
fn holds_for_anything(name: &str, cases: u32) {
    let (check, kept) = (check_of(name), corpus(name));
    assert!(!kept.is_empty(), "there is nothing in fuzz/corpus/{name}");
    for input in &kept {
        check(input);
    }
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let anything = prop::collection::vec(any::<u8>(), 0..300);
    let piece = (prop::sample::select(kept), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let pieces = prop::collection::vec(piece, 1..4).prop_map(|pieces| {
        let cut = |(input, from, to): (Vec<u8>, prop::sample::Index, prop::sample::Index)| {
            let (from, to) = (from.index(input.len() + 1), to.index(input.len() + 1));
            input[from.min(to)..from.max(to)].to_vec()
        };
        pieces.into_iter().flat_map(cut).collect::<Vec<u8>>()
    });
    let outcome = runner.run(&prop_oneof![anything, pieces], |input| {
        check(&input);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{name}: {failure}");
    }
}

#[test]
fn commands_are_refused_or_understood_and_said_again_the_same() {
    holds_for_anything("commands", 2_000);
}

#[test]
fn tokens_are_taken_only_with_the_centers_signature() {
    holds_for_anything("center_tokens", 1_000);
}

#[test]
fn claims_are_taken_as_they_were_said_and_for_this_account_alone() {
    holds_for_anything("center_claims", 300);
}

#[test]
fn times_ids_and_labels_survive_the_way_out_and_back() {
    holds_for_anything("text", 2_000);
}

#[test]
fn only_the_topics_that_we_listen_on_are_recognised() {
    holds_for_anything("topics", 2_000);
}

#[test]
fn a_key_file_holds_a_key_that_works_or_is_refused() {
    holds_for_anything("key_files", 500);
}

#[test]
fn a_configuration_keeps_its_rules_or_every_problem_is_told() {
    holds_for_anything("config", 300);
}

#[test]
fn a_mock_file_holds_a_level_or_changes_nothing() {
    holds_for_anything("mock_lines", 30);
}

#[test]
fn stored_rows_never_keep_the_hub_from_its_start() {
    holds_for_anything("stored_rows", 20);
}

#[test]
fn no_memory_and_no_story_keeps_a_countdown_or_the_siren_going_for_ever() {
    holds_for_anything("controller", 2_000);
}

#[test]
fn the_center_takes_what_a_hub_has_signed_as_it_was_said() {
    holds_for_anything("hub_signals", 300);
}

#[test]
fn a_configuration_of_the_center_keeps_its_rules_or_every_problem_is_told() {
    holds_for_anything("center_config", 300);
}

#[test]
fn an_address_or_a_form_of_the_console_means_one_thing() {
    holds_for_anything("console", 2_000);
}

#[test]
fn a_word_on_a_call_is_one_of_four_and_bears_the_token_of_its_call() {
    holds_for_anything("callbacks", 2_000);
}

#[test]
fn only_our_own_names_and_addresses_are_ours() {
    holds_for_anything("hosts", 2_000);
}

#[test]
fn stored_rows_never_end_the_center_without_a_word() {
    holds_for_anything("center_rows", 20);
}

#[test]
fn no_memory_and_no_story_ends_the_desk_or_leaves_an_order_unanswered() {
    holds_for_anything("desk", 2_000);
}

/// A place that has no fuzzer, or a fuzzer without a test here, is one that nobody tries.
#[test]
fn every_place_has_its_fuzzer_and_its_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).expect(folder);
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let all = ALL.map(|(name, _)| name);
    assert_eq!(names("fuzz_targets"), all);
    assert_eq!(names("corpus"), all);
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("its manifest");
    for name in all {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
    }
}
