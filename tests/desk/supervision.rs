//! Whether hubs are alive.

use std::time::Duration;

use sos_hub::center::desk::effect::{Changed, Urgency};
use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::view::{HubLine, HubStanding};
use sos_hub::center::desk::words::{Account, Signal, SignalKind};
use sos_hub::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::controller::moment::Wall;

use crate::center::{Center, Mood, link_down, millis, operator, seconds};
use crate::paper::Paper;
use crate::people::{account, center, id};

impl Center {
    fn hub(&self, account: &str) -> HubLine {
        self.desk.hubs(None).page.into_iter().find(|hub| hub.account == id(account)).expect("it has an account")
    }

    fn standing(&self, account: &str) -> HubStanding {
        self.hub(account).standing
    }
}

#[test]
fn a_heartbeat_is_acked_once_it_is_on_disk_and_may_be_put_together_with_others() {
    let mut center = center();
    center.store_is(Mood::Slow);
    center.heartbeat("A1", &[]);
    center.after(seconds(5));
    assert_eq!(center.seen.acks, []);
    assert_eq!(center.seen.batches.last().map(|batch| batch.urgency), Some(Urgency::Soon));
    center.heartbeat("A1", &[]);
    center.store_answers();
    assert_eq!(center.seen.acks.iter().map(|ack| ack.seq).collect::<Vec<_>>(), [1, 2]);
    assert!(center.paper.signals.is_empty(), "heartbeats are not kept");
}

#[test]
fn a_heartbeat_that_is_replayed_is_not_acked_and_keeps_nobody_online() {
    let mut center = center();
    center.after(seconds(1));
    let recorded = center.heartbeat_signal("A1", &[]);
    center.hears(recorded.clone());
    for _ in 0..4 {
        center.after(seconds(30));
        center.hears(recorded.clone());
    }
    assert_eq!(center.seen.acks.len(), 1);
    assert_eq!(center.standing("A1"), HubStanding::Offline);
    assert_eq!(center.problems()[0].1, 4);
}

#[test]
fn a_heartbeat_that_an_alarm_has_overtaken_is_heard() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.after(seconds(60));
    let overtaken = center.heartbeat_signal("A1", &[]);
    center.alarm("A1", 7);
    center.hears(overtaken);
    assert_eq!(center.seen.acks.len(), 3);
    assert!(center.problems().is_empty());
}

#[test]
fn a_hub_that_lost_its_memory_or_its_clock_is_heard_all_the_same() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.after(seconds(60));
    let mut forgetful = center.heartbeat_signal("A1", &[]);
    forgetful.seq = 1;
    center.hears(forgetful);
    center.after(seconds(60));
    let mut timeless = center.heartbeat_signal("A1", &[]);
    timeless.sent_wall = None;
    center.hears(timeless);
    assert_eq!(center.seen.acks.len(), 3);
}

/// A heartbeat of now, by a hub's clock that is wrong by this much and at this count.
fn heartbeat_by(center: &Center, ahead: Duration, seq: u64) -> Signal {
    let mut signal = center.heartbeat_signal("A1", &[]);
    let wall = center.at.wall.0 + i64::try_from(ahead.as_millis()).expect("some years");
    (signal.sent_wall, signal.seq) = (Some(Wall(wall)), seq);
    signal
}

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

#[test]
fn a_clock_that_once_was_years_ahead_does_not_shut_out_a_hub_that_lost_its_memory() {
    let mut center = center();
    center.hears(heartbeat_by(&center, TEN_YEARS, 1_000));
    center.after(seconds(60));
    center.hears(heartbeat_by(&center, Duration::ZERO, 1_001));
    center = center.restarted(seconds(1));
    for seq in 1..=3 {
        center.after(seconds(60));
        center.hears(heartbeat_by(&center, Duration::ZERO, seq));
    }
    assert_eq!(center.seen.acks.len(), 3);
    assert_eq!(center.standing("A1"), HubStanding::Online);
}

#[test]
fn a_heartbeat_of_a_clock_that_is_ahead_counts_by_its_number_alone_also_when_its_time_has_come() {
    let mut center = center();
    let hour = seconds(3_600);
    let recorded = [1_000, 1_001, 1_002].map(|seq| {
        center.after(seconds(60));
        heartbeat_by(&center, hour, seq)
    });
    recorded.iter().for_each(|signal| center.hears(signal.clone()));
    assert_eq!(center.seen.acks.len(), 3);
    recorded.iter().for_each(|signal| center.hears(signal.clone()));
    center.hears(heartbeat_by(&center, TEN_YEARS, 5));
    assert_eq!(center.seen.acks.len(), 3, "whatever its clock says, its number came already");
    let mut center = center.restarted(hour);
    recorded.iter().for_each(|signal| center.hears(signal.clone()));
    assert_eq!(center.seen.acks.len(), 0, "it is the time that they say, and they are recordings still");
    center.after(seconds(200));
    center.hears(heartbeat_by(&center, Duration::ZERO, 1));
    assert_eq!(center.seen.acks.len(), 1);
}

#[test]
fn an_account_that_was_opened_again_takes_the_next_heartbeat_for_the_first() {
    let mut center = center();
    center.hears(heartbeat_by(&center, Duration::ZERO, 1_000));
    let mut unset = center.heartbeat_signal("A1", &[]);
    (unset.sent_wall, unset.seq) = (None, 1);
    center.hears(unset.clone());
    assert_eq!(center.seen.acks.len(), 1);
    center.input(Input::Accounts(vec![account("A1")]));
    center.hears(unset.clone());
    assert_eq!(center.seen.acks.len(), 1, "it was not closed");
    center.input(Input::Accounts(vec![Account { closed: true, ..account("A1") }]));
    center.input(Input::Accounts(vec![account("A1")]));
    center.hears(unset);
    assert_eq!(center.seen.acks.len(), 2);
}

#[test]
fn a_hub_is_offline_half_an_interval_after_the_heartbeat_that_was_due() {
    let mut center = center();
    assert_eq!(center.standing("A1"), HubStanding::New);
    center.heartbeat("A1", &[]);
    assert_eq!(center.standing("A1"), HubStanding::Online);
    center.after(millis(89_999));
    assert_eq!(center.standing("A1"), HubStanding::Online);
    center.seen.changed.clear();
    center.after(millis(1));
    assert_eq!(center.standing("A1"), HubStanding::Offline);
    assert!(center.seen.changed.contains(&Changed::Hubs));
    assert!(center.paper.hubs[&id("A1")].offline);
    assert_eq!(center.desk.queue().hubs_in_trouble, 1);
    assert_eq!(center.desk.hubs(None).in_trouble[0].account, id("A1"));
    center.heartbeat("A1", &[]);
    assert_eq!(center.standing("A1"), HubStanding::Online);
    assert!(!center.paper.hubs[&id("A1")].offline);
    assert_eq!(center.desk.queue().hubs_in_trouble, 0);
}

#[test]
fn the_grace_is_between_ten_seconds_and_a_minute() {
    for (interval, span) in [(5, 15), (20, 30), (60, 90), (100, 150), (3_600, 3_660)] {
        let mut center = center();
        let kind = SignalKind::Heartbeat { interval: seconds(interval), open: Vec::new() };
        center.other("A1", 1, kind);
        center.after(seconds(span) - millis(1));
        assert_eq!(center.standing("A1"), HubStanding::Online, "every {interval} s");
        center.after(millis(1));
        assert_eq!(center.standing("A1"), HubStanding::Offline, "every {interval} s");
    }
}

#[test]
fn an_alarm_is_no_heartbeat() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.after(seconds(80));
    center.alarm("A1", 1);
    center.after(seconds(10));
    assert_eq!(center.standing("A1"), HubStanding::Offline);
}

#[test]
fn a_link_that_never_came_up_is_in_the_log_with_each_kind_of_problem_once() {
    let lines = |center: &Center| center.seen.log.iter().filter(|line| line.topic == "link").count();
    let mut center = Center::started(operator(), Paper::with(vec![account("A1")]));
    center.input(link_down());
    center.input(link_down());
    assert_eq!(lines(&center), 1, "the link tries again and again");
    let detail = "center.example:8883 refuses the user name or password".to_owned();
    let refused = LinkProblem { kind: LinkProblemKind::Credentials, detail };
    center.input(Input::Broker(LinkChange::Down(refused)));
    assert_eq!(lines(&center), 2);
    assert!(center.seen.log.last().is_some_and(|line| line.text.contains("refuses the user name or password")));
}

#[test]
fn an_incident_shows_its_hub_as_the_list_of_hubs_does() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    let incident = center.alarm("A1", 1);
    assert_eq!(center.view(incident).hub, HubStanding::Online);
    let mut center = center.restarted(seconds(1));
    assert_eq!(center.view(incident).hub, HubStanding::Unknown, "it was not heard again yet");
    center.after(seconds(90));
    assert_eq!(center.view(incident).hub, HubStanding::Offline);
}

#[test]
fn while_our_own_link_is_down_nobody_is_offline_and_nothing_is_known() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.input(link_down());
    assert_eq!(center.standing("A1"), HubStanding::Unknown);
    assert!(center.desk.queue().health.broker.is_some_and(|problem| problem.contains("did not answer in time")));
    center.after(seconds(3_600));
    assert_eq!(center.standing("A1"), HubStanding::Unknown);
    center.input(Input::Broker(LinkChange::Up));
    assert_eq!(center.standing("A1"), HubStanding::Unknown);
    center.after(millis(89_999));
    assert_eq!(center.standing("A1"), HubStanding::Unknown, "it has its whole time again");
    center.after(millis(1));
    assert_eq!(center.standing("A1"), HubStanding::Offline);
    assert_eq!(center.desk.queue().health.broker, None);
}

#[test]
fn after_a_restart_every_hub_that_was_ever_heard_has_its_whole_time() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.after(seconds(80));
    let mut center = center.restarted(seconds(300));
    assert_eq!((center.standing("A1"), center.standing("B2")), (HubStanding::Unknown, HubStanding::New));
    center.after(millis(89_999));
    assert_eq!(center.standing("A1"), HubStanding::Unknown);
    center.after(millis(1));
    assert_eq!((center.standing("A1"), center.standing("B2")), (HubStanding::Offline, HubStanding::New));
    let center = center.restarted(seconds(1));
    assert_eq!(center.standing("A1"), HubStanding::Offline, "it was offline and still is");
    assert_eq!(center.desk.queue().hubs_in_trouble, 1);
}

#[test]
fn a_hint_of_the_broker_is_shown_and_decides_nothing() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.seen.changed.clear();
    center.input(Input::Hint { account: id("A1"), online: false });
    assert_eq!(center.hub("A1").linked, Some(false));
    assert_eq!(center.standing("A1"), HubStanding::Online);
    assert_eq!(center.seen.changed, [Changed::Hubs]);
    center.input(Input::Hint { account: id("A1"), online: false });
    assert_eq!(center.seen.changed, [Changed::Hubs], "no news");
}

#[test]
fn a_heartbeat_is_no_news_for_the_console() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.seen.changed.clear();
    center.after(seconds(60));
    center.heartbeat("A1", &[]);
    assert_eq!(center.seen.changed, []);
}

#[test]
fn a_fault_shows_on_its_hub_until_it_is_restored_also_over_a_restart() {
    let mut center = center();
    let fault = |message: &str| SignalKind::Fault { code: "button_stuck".into(), message: message.into() };
    center.other("A1", 1, fault("The button is stuck."));
    let since = center.at.wall;
    center.after(seconds(9));
    center.other("A1", 2, fault("The button is still stuck."));
    let mut center = center.restarted(seconds(1));
    let faults = center.hub("A1").faults;
    assert_eq!(faults, [("button_stuck".to_owned(), "The button is still stuck.".to_owned(), since)]);
    assert_eq!(center.desk.queue().hubs_in_trouble, 1);
    center.other("A1", 3, SignalKind::Restore { code: "button_stuck".into(), message: "It is free.".into() });
    assert_eq!(center.hub("A1").faults, []);
    assert_eq!(center.desk.queue().hubs_in_trouble, 0);
    assert!(center.paper.faults.is_empty());
}

#[test]
fn a_thousand_kinds_of_faults_are_not_kept() {
    let mut center = center();
    for number in 0..1_000 {
        center.other("A1", number, SignalKind::Fault { code: format!("fault_{number}"), message: String::new() });
    }
    assert_eq!(center.hub("A1").faults.len(), 32);
    assert_eq!(center.paper.faults.len(), 32);
    assert_eq!(center.acks_of(999).len(), 1);
}

#[test]
fn thousands_of_hubs_that_fall_silent_at_once_do_not_hold_up_an_alarm() {
    let names: Vec<String> = (0..5_000).map(|number| format!("H{number:05}")).collect();
    let mut center = Center::open(operator(), Paper::with(names.iter().map(|name| account(name)).collect()));
    center.after(seconds(10));
    for name in &names {
        center.hears(center.heartbeat_signal(name, &[]));
    }
    center.input(link_down());
    center.after(seconds(600));
    center.input(Input::Broker(LinkChange::Up));
    center.after(seconds(89));
    assert_eq!(center.desk.queue().hubs_in_trouble, 0);
    let largest = center.seen.batches.iter().map(|batch| batch.records.len()).max();
    center.after(seconds(2));
    assert_eq!(center.desk.queue().hubs_in_trouble, 5_000);
    assert!(center.seen.batches.iter().map(|batch| batch.records.len()).max() <= largest.max(Some(1_000)));
}

#[test]
fn a_page_of_hubs_begins_where_the_last_one_ended() {
    let names: Vec<String> = (0..250).map(|number| format!("H{number:05}")).collect();
    let center = Center::open(operator(), Paper::with(names.iter().map(|name| account(name)).collect()));
    let (mut from, mut seen) = (None, Vec::new());
    loop {
        let view = center.desk.hubs(from.as_ref());
        assert_eq!(view.total, 250);
        assert!(view.page.len() <= 100);
        seen.extend(view.page.into_iter().map(|hub| hub.account.as_str().to_owned()));
        from = view.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, names);
}

#[test]
fn a_hub_that_names_nonsensical_numbers_is_bounded() {
    let mut center = center();
    let kind = SignalKind::Heartbeat { interval: Duration::MAX, open: Vec::new() };
    center.other("A1", 1, kind);
    assert_eq!(center.paper.hubs[&id("A1")].interval, seconds(24 * 3_600));
    let mut endless = center.heartbeat_signal("A1", &[]);
    endless.seq = u64::MAX;
    center.hears(endless.clone());
    center.hears(endless);
    assert_eq!(center.paper.hubs[&id("A1")].signal_seq, 1 << 53);
    assert_eq!(center.seen.acks.len(), 2, "and its recording is not taken");
}
