//! How the console says stages, services, times and standings. Icons stand beside words, never for them.

use maud::{Markup, PreEscaped, html};

use crate::center::desk::view::{Button, HubStanding};
use crate::controller::moment::Wall;
use crate::controller::words::{Service, Stage};
use crate::wire::text;

/// What a service is called.
pub fn service(service: Service) -> &'static str {
    match service {
        Service::Police => "Police",
        Service::Fire => "Fire department",
        Service::Siren => "Siren",
    }
}

/// A service as a coloured sign with its word.
pub fn badge(of: Service) -> Markup {
    html! {
        span.badge.(of.as_str()) { (icon(of)) span { (service(of)) } }
    }
}

fn icon(service: Service) -> Markup {
    let path = match service {
        Service::Police => "M12 2 4 5v6c0 5 3.4 9.3 8 11 4.6-1.7 8-6 8-11V5z",
        Service::Fire => {
            "M13 2c.6 4.6 5.5 6.6 5.5 12.2a6.5 6.5 0 0 1-13 0c0-2.4 1.1-4.3 2.6-5.7.2 1.9.9 3 2.1 3.5C9.7 8.3 10.7 4.6 13 2z"
        }
        Service::Siren => "M6 18v-6a6 6 0 0 1 12 0v6zM4 20h16v2H4z",
    };
    html! { svg.icon viewBox="0 0 24 24" aria-hidden="true" { (PreEscaped(format!("<path d=\"{path}\"/>"))) } }
}

/// Where an incident stands, for an operator.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Countdown => "Countdown",
        Stage::Aborted => "Aborted",
        Stage::Sounding => "Siren sounding",
        Stage::Requested => "Requested",
        Stage::Acknowledged => "New: nobody called yet",
        Stage::CallingFirstContact => "Calling the first contact",
        Stage::Confirmed => "Confirmed: help is to be sent",
        Stage::CancelledByContact => "Cancelled by the contact",
        Stage::NoAnswer => "No answer: help is to be sent",
        Stage::Dispatched => "Help is on its way",
        Stage::CallingOtherContacts => "Calling the other contacts",
        Stage::RefusedByCenter => "Refused: no monitoring",
        Stage::Closed => "Closed",
    }
}

/// What a form sends for a button.
pub fn key(button: Button) -> &'static str {
    match button {
        Button::CallFirstContact => "call_first_contact",
        Button::Answered => "answered",
        Button::Confirmed => "confirmed",
        Button::CancelledByContact => "cancelled_by_contact",
        Button::NoAnswer => "no_answer",
        Button::Dispatch => "dispatch",
        Button::CallNextContact => "call_next_contact",
        Button::Close => "close",
    }
}

/// The outcome of a call, as the store keeps it.
pub fn outcome(outcome: Option<&str>) -> &str {
    match outcome {
        Some("confirmed") => "Confirmed",
        Some("cancelled") => "Cancelled, right password",
        Some("wrong_password") => "Cancelled, wrong password",
        Some("no_answer") => "No answer",
        Some("answered") => "Answered",
        Some(other) => other,
        None => "No outcome recorded",
    }
}

/// How a hub is, and the class that its sign has.
pub fn standing(standing: HubStanding) -> (&'static str, &'static str) {
    match standing {
        HubStanding::New => ("Never heard", "quiet"),
        HubStanding::Online => ("Online", "good"),
        HubStanding::Offline => ("Offline", "bad"),
        HubStanding::Unknown => ("Not known", "quiet"),
    }
}

/// A moment; the page's script says it in the operator's own time zone.
pub fn clock(wall: Wall) -> Markup {
    let precise = text::timestamp(wall);
    let shown =
        precise.get(..19).map_or_else(|| precise.clone(), |seconds| format!("{} UTC", seconds.replace('T', " ")));
    html! { time datetime=(precise) data-clock { (shown) } }
}

/// How long ago something was; the page's script lets it tick.
pub fn since(wall: Wall, now: Wall) -> Markup {
    html! { time.timer datetime=(text::timestamp(wall)) data-since=(wall.0) { (span(now.0 - wall.0)) } }
}

/// How long something took; stands still.
pub fn between(from: Wall, to: Wall) -> Markup {
    html! { span.timer { (span(to.0 - from.0)) } }
}

/// How long it is until something; the page's script lets it tick down to zero.
pub fn until(wall: Wall, now: Wall) -> Markup {
    html! { span.timer data-until=(wall.0) { (span(wall.0 - now.0)) } }
}

/// `2:05`, `1:02:05`, `3 d 4 h`. The page's script writes the same.
fn span(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{:02}", seconds % 60),
        (0, _) => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        let shown = [-5, 0, 59_999, 60_000, 3_599_000, 3_725_000, 100 * 3_600_000].map(span);
        assert_eq!(shown, ["0:00", "0:00", "0:59", "1:00", "59:59", "1:02:05", "4 d 4 h"]);
    }
}
