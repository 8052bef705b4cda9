//! One incident: who needs help where, what is to be done now, and what was done so far.

use maud::{Markup, html};

use super::queue::{named, or, to_first_call};
use super::words;
use crate::center::desk::records::{CallRecord, StepRecord};
use crate::center::desk::view::{Button, CallView, IncidentLine, IncidentView};
use crate::center::desk::words::Account;
use crate::controller::moment::Wall;

/// The page of an incident that the desk knows.
pub fn main(view: &IncidentView, now: Wall, refusal: Option<&str>) -> Markup {
    let line = &view.line;
    html! {
        (heading(line, now))
        @if let Some(refusal) = refusal { p.banner.bad role="alert" { (refusal) } }
        @if let Some(wall) = view.cancel_requested_wall {
            p.banner.note {
                "The user tried to cancel in the app at " (words::clock(wall))
                ". That changes nothing: only the first contact can cancel."
            }
        }
        div.columns {
            div.work {
                (work(view, now))
                (history(&view.history))
            }
            div.facts {
                (account_card(&view.account, view.online, view.plan_is_monitored, view.call.as_ref()))
                (origin(view))
                (calls(&view.calls))
            }
        }
    }
}

/// Service, place and times: what is read first.
pub fn heading(line: &IncidentLine, now: Wall) -> Markup {
    html! {
        section.headline.(line.service.as_str()) aria-label="Incident" {
            div.what { (words::badge(line.service)) p.stage { (words::stage(line.stage)) } }
            h1 { (named(&line.name)) " " span.account { (line.account) } }
            p.address { (or(&line.address, "Address not known")) }
            dl.times {
                @if let Some(ended) = line.ended_wall {
                    div { dt { "Ended" } dd { (words::clock(ended)) } }
                    div { dt { "Took" } dd { (words::between(line.received_wall, ended)) } }
                } @else {
                    div { dt { "Since alarm" } dd { (words::since(line.received_wall, now)) } }
                }
                div { dt { "To first call" } dd { (to_first_call(line, now)) } }
                @if let Some(operator) = &line.operator { div { dt { "Last acted" } dd { (operator) } } }
            }
            @if line.ended_wall.is_none() && line.overdue { p.tag.warn { "Overdue: nobody acts on it" } }
        }
    }
}

fn work(view: &IncidentView, now: Wall) -> Markup {
    let mut buttons: Vec<Button> = view.next.into_iter().chain(view.others.iter().copied()).collect();
    // The one with a field of its own stands below the others, unless it is the next.
    buttons[usize::from(view.next.is_some())..].sort_by_key(|button| needs_password(*button));
    html! {
        section #next .card.next aria-labelledby="next-heading" aria-describedby="advice" tabindex="-1" {
            h2 #next-heading { "What to do now" }
            p.advice #advice { (view.advice) }
            @if let Some(call) = &view.call { (call_card(call, now)) }
            @if !buttons.is_empty() {
                div.buttons {
                    @for (index, button) in buttons.iter().enumerate() {
                        (order(view, *button, index + 1, view.next == Some(*button)))
                    }
                }
            }
        }
        @if view.line.ended_wall.is_none() {
            section.card aria-labelledby="note-heading" {
                h2 #note-heading { label for="note" { "Note for the history" } }
                form.note #note-form method="post" action={ "/incidents/" (view.line.id) "/orders" } {
                    input type="hidden" name="step" value=(view.step);
                    input type="hidden" name="button" value="note";
                    input #note type="text" name="text" maxlength="500" required autocomplete="off";
                    button type="submit" { "Add note" kbd { "n" } }
                }
            }
        }
    }
}

/// A button that sends an order: a form of its own, so that it works without the script, too.
fn order(view: &IncidentView, button: Button, digit: usize, is_next: bool) -> Markup {
    let key = words::key(button);
    let needs_password = needs_password(button);
    html! {
        form #{ "order-" (key) } .order.main[is_next].password[needs_password]
            method="post" action={ "/incidents/" (view.line.id) "/orders" } data-order {
            input type="hidden" name="step" value=(view.step);
            input type="hidden" name="button" value=(key);
            @if needs_password {
                label for="password" { "Verbal password, as the contact says it" }
                input #password type="text" name="password" required maxlength="200" autocomplete="off"
                    autocapitalize="off" spellcheck="false" aria-describedby="password-hint";
            }
            button type="submit" data-digit=(digit) { (button.label()) }
            kbd aria-hidden="true" { (digit) }
            @if needs_password {
                p #password-hint .hint {
                    "Anything but the agreed password counts as not cancelled, and help is sent."
                    @if !view.account.has_password { strong { " This account has agreed on none." } }
                }
            }
        }
    }
}

fn needs_password(button: Button) -> bool {
    button == Button::CancelledByContact
}

fn call_card(call: &CallView, now: Wall) -> Markup {
    html! {
        div.call role="group" aria-label="The call that is under way" {
            p.person { (call.name) " " span.hint { "contact " (call.position) } }
            p.phone { (telephone(&call.phone)) }
            @if let Some(left) = call.rings_for {
                @let left = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
                p.ring { "Rings for another " (words::until(Wall(now.0.saturating_add(left)), now)) }
            } @else {
                p.ring { "On the line" }
            }
        }
    }
}

fn account_card(account: &Account, online: bool, monitored: bool, call: Option<&CallView>) -> Markup {
    html! {
        section.card aria-labelledby="account-heading" {
            h2 #account-heading { "Account" }
            dl.facts-list {
                div { dt { "Account" } dd { (account.id) } }
                div { dt { "Name" } dd { (named(&account.name)) } }
                div { dt { "Address" } dd { (or(&account.address, "Not known")) } }
                div { dt { "Plan" } dd { (account.plan) @if !monitored { " (no monitoring)" } } }
                div { dt { "Hub" } dd { @if online { "Online" } @else { "Not online" } } }
            }
            h3 { "Contacts, in order" }
            @if account.contacts.is_empty() {
                p.hint { "Nobody to call is known." }
            } @else {
                ol.contacts {
                    @for (position, contact) in (1..).zip(&account.contacts) {
                        li.current[call.is_some_and(|call| call.position == position)] {
                            span.person { (contact.name) } " " (telephone(&contact.phone))
                        }
                    }
                }
            }
        }
    }
}

/// A link that telephones and tablets dial.
fn telephone(phone: &str) -> Markup {
    let dialled: String = phone.chars().filter(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#')).collect();
    html! { a.telephone href={ "tel:" (dialled) } { (phone) } }
}

fn origin(view: &IncidentView) -> Markup {
    html! {
        section.card aria-labelledby="origin-heading" {
            h2 #origin-heading { "Where it came from" }
            dl.facts-list {
                @if let Some(source) = &view.source { div { dt { "Source" } dd { (source) } } }
                @if let Some(user) = &view.user { div { dt { "User" } dd { (user) } } }
                @if let Some(raised) = view.raised_wall { div { dt { "Raised" } dd { (words::clock(raised)) } } }
                div { dt { "Received" } dd { (words::clock(view.line.received_wall)) } }
                @if view.resumed { div { dt { "Resumed" } dd { "The hub was restarted during its countdown" } } }
                div { dt { "Incident" } dd.id { (view.line.id) } }
            }
        }
    }
}

/// The calls so far; nothing if there were none.
pub fn calls(calls: &[CallRecord]) -> Markup {
    html! {
        @if !calls.is_empty() {
            section.card aria-labelledby="calls-heading" {
                h2 #calls-heading { "Calls" }
                ol.calls {
                    @for call in calls {
                        li {
                            span.person { (call.position) ". " (call.contact) }
                            span.outcome { (words::outcome(call.outcome)) }
                            (words::clock(call.placed_wall))
                        }
                    }
                }
            }
        }
    }
}

/// What was done so far, the newest first.
pub fn history(steps: &[StepRecord]) -> Markup {
    html! {
        section.card aria-labelledby="history-heading" {
            h2 #history-heading { "History" }
            ol.history reversed {
                @for step in steps.iter().rev() {
                    li #{ "step-" (step.number) } {
                        (words::clock(step.wall))
                        p { (step.text) @if let Some(operator) = &step.operator { span.by { " " (operator) } } }
                    }
                }
            }
        }
    }
}
