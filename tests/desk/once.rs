//! A signal is taken once, lies on disk, and then is acked.

use sos_hub::center::desk::effect::Urgency;
use sos_hub::center::desk::input::{Input, Past};
use sos_hub::center::desk::records::Record;
use sos_hub::center::desk::words::{Account, Order, SignalKind, Verdict};
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::{Service, Stage};

use crate::center::{Center, Mood, operator, seconds};
use crate::paper::Paper;
use crate::people::{RIGHT, account, alarmed, center, id, with_plan};

#[test]
fn an_alarm_is_acked_and_in_the_queue() {
    let (center, incident) = alarmed();
    let acks = center.acks_of(10);
    assert_eq!(acks.len(), 1);
    assert_eq!((acks[0].verdict, acks[0].seq), (Verdict::Accepted, 1));
    let queue = center.desk.queue();
    assert_eq!(queue.open.iter().map(|line| line.id).collect::<Vec<_>>(), [incident]);
    assert_eq!(queue.open[0].stage, Stage::Acknowledged);
}

#[test]
fn an_ack_waits_for_the_disk_however_long_that_takes() {
    let mut center = center();
    center.store_is(Mood::Slow);
    center.alarm("A1", 1);
    center.after(seconds(120));
    assert_eq!(center.seen.acks, []);
    center.store_answers();
    assert_eq!(center.acks_of(10).len(), 1);
}

#[test]
fn an_ack_waits_for_a_store_that_fails_as_well() {
    let mut center = center();
    center.store_is(Mood::Failing);
    center.alarm("A1", 1);
    center.after(seconds(120));
    assert_eq!(center.seen.acks, []);
    center.store_is(Mood::Well);
    assert_eq!(center.acks_of(10).len(), 1);
}

#[test]
fn an_alarm_is_one_batch_that_does_not_wait_for_others() {
    let (center, _) = alarmed();
    let batch = center.seen.batches.last().expect("something was kept");
    assert_eq!(batch.urgency, Urgency::Now);
    assert!(batch.records.iter().any(|record| matches!(record, Record::Signal(_))));
    assert!(batch.records.iter().any(|record| matches!(record, Record::Incident(_))));
    assert!(batch.records.iter().any(|record| matches!(record, Record::Hub(_))));
}

#[test]
fn a_signal_that_comes_again_gets_the_same_ack_and_starts_nothing() {
    let (mut center, incident) = alarmed();
    let signal = center.alarm_signal("A1", 10, 1, Service::Police);
    center.after(seconds(10));
    let changes = center.seen.changed.len();
    let commits = center.paper.commits;
    center.hears(signal);
    let acks = center.acks_of(10);
    assert_eq!(acks.len(), 2);
    assert_eq!(acks[0], acks[1]);
    assert_eq!((center.paper.commits, center.seen.changed.len()), (commits, changes));
    assert_eq!(center.view(incident).history.len(), 1);
}

#[test]
fn a_signal_that_comes_again_before_it_is_on_disk_is_not_acked_twice() {
    let mut center = center();
    center.store_is(Mood::Slow);
    center.alarm("A1", 1);
    center.alarm("A1", 1);
    assert_eq!(center.seen.acks, []);
    center.store_answers();
    assert_eq!(center.acks_of(10).len(), 1);
    assert_eq!(center.desk.queue().open.len(), 1);
}

#[test]
fn a_copy_that_meets_its_alarm_in_one_late_turn_draws_no_ack_before_the_disk_has_it() {
    let mut center = center();
    center.store_is(Mood::Slow);
    center.archive_hangs = true;
    center.alarm("A1", 1);
    center.hangs(seconds(4));
    center.alarm("A1", 1);
    assert_eq!(center.desk.queue().open.len(), 1, "the archive was waited for long enough");
    assert_eq!(center.seen.acks, []);
    center.store_answers();
    assert_eq!(center.acks_of(10).len(), 1);
}

#[test]
fn two_copies_that_are_looked_up_at_once_are_one_signal() {
    let mut center = center();
    let signal = center.alarm_signal("A1", 10, 1, Service::Police);
    let past = center.paper.look_up(&signal, &[Id(1)]);
    for _ in 0..2 {
        let (signal, past) = (Box::new(signal.clone()), past.clone());
        center.input(sos_hub::center::desk::input::Input::LookedUp { signal, past });
    }
    assert_eq!(center.paper.signals.len(), 1);
    assert_eq!(center.desk.queue().open.len(), 1);
}

#[test]
fn a_signal_that_comes_again_after_a_restart_gets_the_ack_that_it_had() {
    let (center, incident) = alarmed();
    let first = center.acks_of(10)[0].clone();
    let mut center = center.restarted(seconds(5));
    center.alarm("A1", 1);
    center.alarm("A1", 1);
    assert_eq!(center.acks_of(10), [first.clone(), first]);
    assert_eq!(center.seen.lookups, 1, "it is remembered from then on");
    assert_eq!(center.view(incident).history.len(), 1);
}

#[test]
fn each_new_ack_of_an_account_has_the_next_seq_also_after_a_restart() {
    let (mut center, _) = alarmed();
    center.other("A1", 11, SignalKind::Test { periodic: true });
    center.alarm("B2", 5);
    let mut center = center.restarted(seconds(5));
    center.heartbeat("A1", &[]);
    center.other("A1", 12, SignalKind::Test { periodic: false });
    let seqs: Vec<u64> = center.seen.acks.iter().map(|ack| ack.seq).collect();
    assert_eq!(seqs, [3, 4]);
}

#[test]
fn the_same_jti_of_two_accounts_is_two_signals() {
    let mut center = center();
    center.other("B2", 10, SignalKind::Test { periodic: false });
    center.alarm("A1", 1);
    assert_eq!(center.desk.queue().open.len(), 1, "no account can use up another's jti");
    let center = center.restarted(seconds(1));
    assert_eq!(center.paper.signals.len(), 2);
}

#[test]
fn a_test_is_acked_and_kept() {
    let mut center = center();
    center.other("A1", 7, SignalKind::Test { periodic: true });
    assert_eq!(center.acks_of(7).len(), 1);
    assert_eq!(center.paper.signals[0].kind, "test");
    assert_eq!(center.desk.queue().open, []);
}

#[test]
fn ten_thousand_signals_later_the_store_still_knows_the_first() {
    let mut center = center();
    for jti in 0..10_050 {
        center.other("A1", 1_000_000 + jti, SignalKind::Test { periodic: false });
    }
    let lookups = center.seen.lookups;
    center.other("A1", 1_010_049, SignalKind::Test { periodic: false });
    assert_eq!(center.seen.lookups, lookups, "a late one is in memory");
    center.other("A1", 1_000_000, SignalKind::Test { periodic: false });
    assert_eq!(center.seen.lookups, lookups + 1, "an early one is not");
    let acks = center.acks_of(1_000_000);
    assert_eq!(acks[0], acks[1]);
}

#[test]
fn an_alarm_without_monitoring_is_refused_and_remembered() {
    let mut center = Center::open(operator(), Paper::with(vec![with_plan("A1", "protect_basic")]));
    center.alarm("A1", 1);
    center.alarm("A1", 1);
    let acks = center.acks_of(10);
    assert_eq!(acks[0].verdict, Verdict::NoMonitoring);
    assert_eq!(acks[0], acks[1]);
    assert_eq!(center.desk.queue().open, []);
    assert!(center.paper.incidents.is_empty());
    assert!(center.paper.audit.iter().any(|row| row.account == Some(id("A1"))));
}

#[test]
fn a_plan_that_was_added_to_the_configuration_after_the_start_turns_nobody_away() {
    let (mut center, _) = alarmed();
    center.input(sos_hub::center::desk::input::Input::Accounts(vec![with_plan("A1", "protect_gold")]));
    let token = center.seen.tokens.last().expect("a token");
    assert_eq!((token.plan.as_str(), token.professional_monitoring), ("protect_gold", true));
    assert!(center.seen.log.iter().any(|line| line.text.contains("restart the center")));
    center.alarm("A1", 2);
    assert_eq!(center.acks_of(20)[0].verdict, Verdict::Accepted);
}

#[test]
fn another_cry_of_an_open_incident_is_taken_even_if_the_plan_was_ended_meanwhile() {
    let (mut center, _) = alarmed();
    center.input(sos_hub::center::desk::input::Input::Accounts(vec![with_plan("A1", "none")]));
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    assert_eq!(center.acks_of(11)[0].verdict, Verdict::Accepted);
}

#[test]
fn a_first_alarm_that_a_later_cry_has_overtaken_does_not_open_again_what_is_over() {
    let mut center = center();
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    center.works(Id(1), &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    center.alarm("A1", 1);
    assert_eq!(center.acks_of(10)[0].verdict, Verdict::Accepted);
    assert_eq!(center.told(Id(1)), ["calling_first_contact 1", "cancelled_by_contact 1"]);
    assert_eq!(center.desk.queue().open, [], "nobody is sent after the first contact has cancelled");
    assert!(center.history(Id(1)).ends_with("a later one had been faster."));
    let mut center = center.restarted(seconds(5));
    center.hears(center.alarm_signal("A1", 12, 1, Service::Police));
    assert_eq!(center.desk.queue().open.len(), 1, "a further cry is one");
}

#[test]
fn a_first_alarm_that_comes_after_the_end_is_not_refused_to_an_account_that_has_lost_its_plan() {
    let mut center = center();
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    center.works(Id(1), &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    center.input(Input::Accounts(vec![with_plan("A1", "none")]));
    center.alarm("A1", 1);
    assert_eq!(center.acks_of(10)[0].verdict, Verdict::Accepted, "the hub would tell people that nobody had come");
    center.hears(center.alarm_signal("A1", 12, 1, Service::Police));
    assert_eq!(center.acks_of(12)[0].verdict, Verdict::NoMonitoring, "a further cry is one");
    assert_eq!(center.desk.queue().open, []);
}

#[test]
fn a_closed_account_is_refused_each_time_and_nothing_is_remembered() {
    let closed = Account { closed: true, ..account("A1") };
    let mut center = Center::open(operator(), Paper::with(vec![closed]));
    center.alarm("A1", 1);
    center.alarm("A1", 1);
    let verdicts: Vec<_> = center.acks_of(10).iter().map(|ack| (ack.verdict, ack.seq)).collect();
    assert_eq!(verdicts, [(Verdict::UnknownAccount, 1), (Verdict::UnknownAccount, 2)]);
    assert!(center.paper.signals.is_empty());
    assert_eq!(center.problems().len(), 1);
    center.input(sos_hub::center::desk::input::Input::Accounts(vec![account("A1")]));
    center.alarm("A1", 1);
    assert_eq!(center.acks_of(10)[2].verdict, Verdict::Accepted);
    assert_eq!(center.desk.queue().open.len(), 1);
}

#[test]
fn what_is_about_another_accounts_incident_is_not_acked_and_changes_nothing() {
    let (mut center, incident) = alarmed();
    let before = center.view(incident);
    center.hears(center.alarm_signal("B2", 99, 1, Service::Fire));
    center.cancel_request("B2", 98, incident);
    assert_eq!((center.acks_of(99), center.acks_of(98)), (Vec::new(), Vec::new()));
    assert_eq!(center.view(incident), before);
    assert_eq!(center.problems(), [("is about an incident of another account".to_owned(), 2)]);
}

#[test]
fn another_accounts_incident_is_found_in_the_store_too() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    for other in 100..301 {
        let other = center.alarm("B2", other);
        center.works_until_dispatched(other);
        center.works(other, &[Order::Close]);
    }
    assert_eq!(center.desk.incident(incident, center.at.now), None, "it is not in memory any more");
    center.hears(center.alarm_signal("B2", 99, 1, Service::Fire));
    assert_eq!(center.acks_of(99), []);
}

#[test]
fn what_is_not_on_disk_yet_is_not_forgotten() {
    let mut center = center();
    center.store_is(Mood::Slow);
    for jti in 0..10_050 {
        center.other("A1", 1_000_000 + jti, SignalKind::Test { periodic: false });
    }
    center.other("A1", 1_000_000, SignalKind::Test { periodic: false });
    center.store_answers();
    assert_eq!((center.paper.signals.len(), center.acks_of(1_000_000).len()), (10_050, 1));
}

#[test]
fn an_end_that_is_not_on_disk_yet_is_not_forgotten() {
    let mut center = center();
    center.store_is(Mood::Failing);
    for incident in 1..=205 {
        let incident = center.alarm("A1", incident);
        center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    }
    assert!(center.desk.incident(Id(1), center.at.now).is_some(), "the store does not know it");
    center.store_is(Mood::Well);
    assert_eq!(center.desk.incident(Id(1), center.at.now), None);
}

#[test]
fn an_answer_of_the_store_is_taken_for_the_signal_that_was_asked_about() {
    let mut center = center();
    center.archive_hangs = true;
    center.alarm("A1", 1);
    let second = Box::new(center.alarm_signal("A1", 20, 2, Service::Fire));
    center.input(Input::Signal(second.clone()));
    center.input(Input::LookedUp { signal: second, past: Past::default() });
    assert_eq!(center.desk.queue().open.len(), 1);
    center.after(seconds(60));
    assert_eq!(center.desk.queue().open.len(), 2, "what the store does not say holds no alarm up");
}
