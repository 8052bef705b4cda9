//! Plan tokens: what one says of an account, and when the next one is due.

use core::time::Duration;
use std::collections::BTreeMap;

use super::words::{Account, PlanToken};
use crate::controller::moment::Wall;

/// How long a token says that it holds.
const LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a token of a closed account says.
const NO_PLAN: &str = "none";

/// The token that the account needs now; `None` if the last one still says the same and less than half of its life is
/// over. `plans` are those of the configuration: whether each includes professional monitoring.
pub fn issue(
    account: &Account,
    plans: &BTreeMap<String, bool>,
    last: Option<&PlanToken>,
    wall: Wall,
) -> Option<PlanToken> {
    let plan = if account.closed { NO_PLAN } else { &account.plan };
    let professional_monitoring = plans.get(plan).copied().unwrap_or(false);
    let missing = if professional_monitoring { missing(account) } else { Vec::new() };
    let says_the_same = |last: &&PlanToken| {
        last.plan == plan && last.professional_monitoring == professional_monitoring && last.missing == missing
    };
    if last.filter(says_the_same).is_some_and(|last| is_young(last, wall)) {
        return None;
    }
    let seconds = wall.0.div_euclid(1_000);
    let life = i64::try_from(LIFE.as_millis()).unwrap_or(i64::MAX);
    let issued_wall = Wall(seconds.saturating_mul(1_000));
    Some(PlanToken {
        account: account.id.clone(),
        plan: plan.to_owned(),
        professional_monitoring,
        missing,
        // Higher than the last one, and than all before it, should that be forgotten.
        serial: last.map_or(1, |last| last.serial.saturating_add(1)).max(u64::try_from(seconds).unwrap_or(0)),
        issued_wall,
        expires_wall: Wall(issued_wall.0.saturating_add(life)),
    })
}

/// What keeps the center from helping this family as it should.
fn missing(account: &Account) -> Vec<&'static str> {
    let lacks = [
        ("contact", account.contacts.is_empty()),
        ("address", account.address.trim().is_empty()),
        ("password", !account.has_password),
    ];
    lacks.into_iter().filter_map(|(what, lacks)| lacks.then_some(what)).collect()
}

fn is_young(token: &PlanToken, wall: Wall) -> bool {
    let life = token.expires_wall.0.saturating_sub(token.issued_wall.0);
    wall.0.saturating_sub(token.issued_wall.0) < life / 2
}
