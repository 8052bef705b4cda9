//! What was rejected is shown to people, and a flood of it costs next to nothing.

use sos_hub::center::desk::effect::Changed;
use sos_hub::center::desk::input::Input;

use crate::center::{Center, Mood, millis, seconds};
use crate::people::{center, id};

impl Center {
    fn rejects(&mut self, account: Option<&str>, problem: &str) {
        self.input(Input::Rejected { account: account.map(id), problem: problem.into() });
    }
}

#[test]
fn what_is_rejected_is_a_row_that_says_what_was_wrong() {
    let mut center = center();
    center.rejects(Some("A1"), "is not signed by the account's hub");
    let rows = center.desk.security().rows;
    assert_eq!((rows.len(), rows[0].count), (1, 1));
    assert_eq!(rows[0].account, Some(id("A1")));
    assert_eq!(rows[0].problem, "is not signed by the account's hub");
    assert_eq!(center.paper.security.len(), 1);
    assert!(center.seen.changed.contains(&Changed::Security));
    assert_eq!(center.seen.acks, []);
}

#[test]
fn the_same_within_ten_minutes_is_counted() {
    let mut center = center();
    for _ in 0..10 {
        center.rejects(Some("A1"), "is malformed");
        center.after(seconds(60) - millis(1));
    }
    center.rejects(Some("B2"), "is malformed");
    assert_eq!(center.problems().iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1, 10]);
    center.after(seconds(60));
    center.rejects(Some("A1"), "is malformed");
    assert_eq!(center.problems().len(), 3);
    let rows = center.desk.security().rows;
    assert!(rows[0].last_wall >= rows[1].last_wall && rows[1].last_wall >= rows[2].last_wall, "newest first");
}

#[test]
fn a_flood_is_written_down_once_a_second() {
    let mut center = center();
    center.after(seconds(5));
    let commits = center.paper.commits;
    let (lines, changes) = (center.seen.log.len(), center.seen.changed.len());
    for _ in 0..3_000 {
        center.rejects(None, "is malformed");
        center.after(millis(1));
    }
    assert!(center.paper.commits - commits <= 4, "{}", center.paper.commits - commits);
    assert!(center.seen.changed.len() - changes <= 4);
    assert_eq!(center.seen.log.len() - lines, 1);
    center.after(seconds(1));
    assert_eq!(center.paper.security.values().map(|row| row.count).collect::<Vec<_>>(), [3_000]);
}

#[test]
fn a_flood_of_different_things_is_bounded() {
    let mut center = center();
    for number in 0..5_000 {
        center.rejects(Some(&format!("H{number}")), "is malformed");
    }
    center.after(seconds(2));
    assert_eq!(center.paper.security.len(), 1_001);
    let counted: u64 = center.paper.security.values().map(|row| row.count).sum();
    assert_eq!(counted, 5_000);
    assert_eq!(center.desk.security().rows.len(), 200);
    center.after(seconds(601));
    center.rejects(None, "is something new");
    assert_eq!(center.problems()[0].0, "is something new");
}

#[test]
fn rows_outlive_a_restart_and_their_numbers_go_on() {
    let mut center = center();
    center.rejects(Some("A1"), "is malformed");
    let mut center = center.restarted(seconds(1));
    center.rejects(Some("A1"), "is malformed");
    assert_eq!(center.paper.security.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(center.desk.security().rows.len(), 2);
}

#[test]
fn a_signal_of_an_account_that_does_not_exist_is_rejected() {
    let mut center = center();
    center.alarm("C3", 1);
    center.heartbeat("C3", &[]);
    assert_eq!(center.seen.acks, []);
    assert!(center.desk.queue().open.is_empty());
    assert_eq!(center.problems()[0].1, 2);
}

#[test]
fn rejections_do_not_pile_up_for_a_store_that_is_far_behind() {
    let mut center = center();
    center.store_is(Mood::Failing);
    for _ in 0..30_000 {
        center.rejects(None, "is malformed");
        center.after(seconds(1));
    }
    assert!(center.seen.batches.len() < 20_100, "{}", center.seen.batches.len());
    center.alarm("A1", 1);
    center.store_is(Mood::Well);
    assert_eq!(center.acks_of(10).len(), 1);
}
