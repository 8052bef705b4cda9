//! Plan tokens: what each hub is told of its account's plan.

use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::words::{Account, PlanToken, SignalKind};
use sos_hub::controller::input::LinkChange;
use sos_hub::controller::moment::Wall;

use crate::center::{Center, Mood, link_down, millis, operator, seconds};
use crate::paper::Paper;
use crate::people::{account, center, id, with_contacts, with_plan};

const DAY: u64 = 24 * 3_600;

fn of<'a>(center: &'a Center, account: &str) -> Vec<&'a PlanToken> {
    center.seen.tokens.iter().filter(|token| token.account == id(account)).collect()
}

#[test]
fn an_account_without_a_token_gets_one_for_thirty_days() {
    let center = center();
    let tokens = of(&center, "A1");
    assert_eq!(tokens.len(), 1);
    let token = tokens[0];
    assert_eq!((token.plan.as_str(), token.professional_monitoring), ("protect_plus", true));
    assert_eq!(token.serial, 1_795_000_000);
    assert_eq!(token.issued_wall.0, 1_795_000_000_000);
    assert_eq!(token.expires_wall.0 - token.issued_wall.0, 30 * 24 * 3_600 * 1_000);
    assert_eq!(token.missing, Vec::<&str>::new());
}

#[test]
fn a_token_leaves_only_once_it_is_on_disk() {
    let mut center = center();
    center.store_is(Mood::Slow);
    center.input(Input::Accounts(vec![with_plan("A1", "protect_basic")]));
    center.after(seconds(30));
    assert_eq!(of(&center, "A1").len(), 1);
    center.store_answers();
    assert_eq!(of(&center, "A1").len(), 2);
}

#[test]
fn what_an_account_lacks_is_said_of_a_plan_with_monitoring_alone() {
    let bare = |plan: &str| Account {
        address: String::new(),
        has_password: false,
        plan: plan.into(),
        ..with_contacts("A1", 0)
    };
    let center = Center::open(operator(), Paper::with(vec![bare("protect_plus")]));
    assert_eq!(center.seen.tokens[0].missing, ["contact", "address", "password"]);
    assert_eq!(center.desk.hubs(None).page[0].missing, ["contact", "address", "password"]);
    let center = Center::open(operator(), Paper::with(vec![bare("protect_basic")]));
    assert_eq!(center.seen.tokens[0].missing, Vec::<&str>::new());
}

#[test]
fn a_change_of_plan_goes_out_at_once_with_a_higher_serial() {
    let mut center = center();
    center.input(Input::Accounts(vec![with_plan("A1", "protect_basic")]));
    let tokens = of(&center, "A1");
    assert_eq!(tokens.len(), 2);
    assert_eq!((tokens[1].plan.as_str(), tokens[1].professional_monitoring), ("protect_basic", false));
    assert_eq!(tokens[1].serial, tokens[0].serial + 1, "within one second too");
    center.input(Input::Accounts(vec![with_plan("A1", "protect_basic")]));
    assert_eq!(of(&center, "A1").len(), 2, "nothing has changed");
}

#[test]
fn a_closed_account_has_no_plan() {
    let mut center = center();
    center.input(Input::Accounts(vec![Account { closed: true, ..account("A1") }]));
    let token = of(&center, "A1")[1];
    assert_eq!((token.plan.as_str(), token.professional_monitoring), ("none", false));
}

#[test]
fn a_plan_that_was_changed_while_nobody_ran_goes_out_at_the_start() {
    let mut center = center();
    let before = of(&center, "A1")[0].serial;
    center.paper.accounts.insert(id("A1"), with_plan("A1", "none"));
    let center = center.restarted(seconds(60));
    let tokens = of(&center, "A1");
    assert_eq!((tokens.len(), tokens[0].plan.as_str()), (1, "none"));
    assert!(tokens[0].serial > before);
    assert_eq!(of(&center, "B2").len(), 0, "nothing has changed for the others");
}

#[test]
fn a_token_is_renewed_when_half_of_its_time_is_over() {
    let mut center = center();
    center.after(seconds(15 * DAY) - millis(1));
    assert_eq!(of(&center, "A1").len(), 1);
    center.after(millis(1));
    assert_eq!(of(&center, "A1").len(), 2);
    assert_eq!(of(&center, "A1")[1].issued_wall, center.at.wall);
    center.after(seconds(15 * DAY));
    assert_eq!(of(&center, "A1").len(), 3);
}

#[test]
fn a_clock_that_was_put_back_makes_no_older_token() {
    let mut center = center();
    let first = of(&center, "A1")[0].clone();
    center.at.wall.0 -= 40 * 24 * 3_600 * 1_000;
    center.input(Input::Accounts(vec![with_plan("A1", "protect_basic")]));
    let second = of(&center, "A1")[1];
    assert!(second.serial > first.serial && second.issued_wall >= first.issued_wall);
}

#[test]
fn a_time_that_a_failing_disk_has_put_far_off_is_not_believed() {
    let mut center = center();
    for kept in center.paper.tokens.values_mut() {
        (kept.issued_wall, kept.expires_wall) = (Wall(i64::MAX), Wall(i64::MAX));
    }
    let mut center = center.restarted(seconds(10));
    center.input(Input::Accounts(vec![with_plan("A1", "protect_basic")]));
    let token = of(&center, "A1")[0];
    assert_eq!(token.issued_wall.0, center.at.wall.0 / 1_000 * 1_000);
}

#[test]
fn the_first_heartbeat_after_our_link_came_up_brings_the_same_token_again() {
    let mut center = center();
    center.heartbeat("A1", &[]);
    center.after(seconds(60));
    center.heartbeat("A1", &[]);
    assert_eq!(of(&center, "A1").len(), 2, "once a connection");
    center.input(link_down());
    center.input(Input::Broker(LinkChange::Up));
    center.after(seconds(60));
    assert_eq!(of(&center, "A1").len(), 2);
    center.heartbeat("A1", &[]);
    let tokens = of(&center, "A1");
    assert_eq!(tokens.len(), 3);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
}

#[test]
fn a_token_that_was_issued_while_our_link_was_down_is_said_when_it_is_up() {
    let mut center = center();
    center.input(link_down());
    center.input(Input::Accounts(vec![with_plan("A1", "protect_basic")]));
    assert_eq!(of(&center, "A1").len(), 1);
    assert_eq!(center.paper.tokens[&id("A1")].plan, "protect_basic");
    center.input(Input::Broker(LinkChange::Up));
    assert_eq!(of(&center, "A1")[1].plan, "protect_basic");
}

#[test]
fn many_tokens_go_out_a_few_at_a_time() {
    let names: Vec<String> = (0..1_000).map(|number| format!("H{number:05}")).collect();
    let mut center = Center::open(operator(), Paper::with(names.iter().map(|name| account(name)).collect()));
    assert_eq!(center.paper.tokens.len(), 100);
    center.after(millis(500));
    assert_eq!(center.paper.tokens.len(), 600);
    center.after(millis(500));
    assert_eq!(center.seen.tokens.len(), 1_000);
    for name in &names {
        center.hears(center.heartbeat_signal(name, &[]));
    }
    assert!(center.seen.tokens.len() <= 1_200, "{}", center.seen.tokens.len());
    center.after(seconds(1));
    assert_eq!(center.seen.tokens.len(), 2_000);
}

#[test]
fn many_renewals_at_once_are_spread_too() {
    let names: Vec<String> = (0..1_000).map(|number| format!("H{number:05}")).collect();
    let mut center = Center::open(operator(), Paper::with(names.iter().map(|name| account(name)).collect()));
    center.after(seconds(2));
    let mut center = center.restarted(seconds(15 * DAY));
    center.after(millis(500));
    assert!(center.seen.tokens.len() <= 600, "{}", center.seen.tokens.len());
    center.after(millis(600));
    assert_eq!(center.seen.tokens.len(), 1_000);
}

#[test]
fn a_hub_that_holds_a_later_token_than_ours_gets_one_above_it() {
    let mut center = center();
    // An old copy of the database was restored: what was issued since is not in it.
    let paper = center.paper.clone();
    center.after(seconds(DAY));
    center.input(Input::Accounts(vec![with_plan("A1", "protect_basic")]));
    let held = of(&center, "A1").last().expect("a token").serial;
    center.paper = paper;
    let mut center = center.restarted(seconds(60));
    center.heartbeat("A1", &[]);
    assert!(of(&center, "A1").last().expect("it is said again").serial < held);
    let kind = SignalKind::Fault { code: "plan_rejected".into(), message: "An older plan came.".into() };
    center.other("A1", 1, kind);
    assert!(of(&center, "A1").last().expect("a new one").serial > held);
    assert_eq!(of(&center, "B2").len(), 0);
}

#[test]
fn the_hub_of_a_closed_account_is_told_its_plan_again_too() {
    let mut center = center();
    center.input(Input::Accounts(vec![Account { closed: true, ..account("A1") }]));
    let said = of(&center, "A1").len();
    center.heartbeat("A1", &[]);
    assert_eq!(of(&center, "A1").len(), said + 1);
    assert!(!of(&center, "A1")[said].professional_monitoring);
}

#[test]
fn another_plan_goes_out_also_where_it_includes_no_more_than_the_one_before() {
    let mut center = Center::open(operator(), Paper::with(vec![with_plan("A1", "protect_basic")]));
    center.input(Input::Accounts(vec![with_plan("A1", "none")]));
    assert_eq!(of(&center, "A1").last().expect("a token").plan, "none");
}

#[test]
fn what_an_account_lacks_is_told_though_its_plan_stays() {
    let mut center = center();
    center.input(Input::Accounts(vec![Account { address: String::new(), ..account("A1") }]));
    assert_eq!(of(&center, "A1").last().expect("a token").missing, ["address"]);
}
