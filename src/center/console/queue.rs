//! The first page: who needs help, the most urgent first.

use maud::{Markup, html};

use super::words;
use crate::center::desk::view::{IncidentLine, QueueView};
use crate::controller::moment::Wall;

/// Lines that a page holds. Behind so many, the first ones are all that a person can act on.
const MOST_LINES: usize = 200;

pub fn main(queue: &QueueView, now: Wall) -> Markup {
    html! {
        section aria-labelledby="open-heading" {
            h1 #open-heading { "Open incidents" @if !queue.open.is_empty() { span.count { (queue.open.len()) } } }
            @if queue.open.is_empty() {
                p.calm { "No open incidents." span { "A new alarm sounds and appears here by itself." } }
            } @else {
                ol.queue aria-label="Open incidents" {
                    @for line in queue.open.iter().take(MOST_LINES) { (entry(line, now)) }
                }
            }
            @if queue.open.len() > MOST_LINES {
                p.hint { "And " (queue.open.len() - MOST_LINES) " more, less urgent." }
            }
        }
        @if !queue.ended.is_empty() {
            section aria-labelledby="ended-heading" {
                h2 #ended-heading { "Ended lately" }
                ol.queue.ended aria-label="Incidents that ended lately" {
                    @for line in &queue.ended { (entry(line, now)) }
                }
                p.hint { a href="/incidents" { "All past incidents" } }
            }
        }
    }
}

/// An incident as one line with a link over all of it.
pub fn entry(line: &IncidentLine, now: Wall) -> Markup {
    let is_open = line.ended_wall.is_none();
    let urgency = match (is_open, line.overdue, line.waits_for_operator || line.cries) {
        (true, true, _) => "overdue",
        (true, false, true) => "waiting",
        _ => "",
    };
    html! {
        li #{ "line-" (line.id) } .incident.(line.service.as_str()).(urgency) {
            (words::badge(line.service))
            div.who {
                a href={ "/incidents/" (line.id) } data-row {
                    span.account { (line.account) } " " span.name { (named(&line.name)) }
                }
                span.address { (or(&line.address, "Address not known")) }
            }
            div.where {
                span.stage { (words::stage(line.stage, line.dispatch_is_due)) }
                @if is_open && line.overdue {
                    span.tag.warn { "Overdue: nobody acts" }
                } @else if is_open && line.waits_for_operator {
                    span.tag { "Waits for an operator" }
                } @else if line.cries {
                    span.tag { "Cries for an operator" }
                }
                @if let Some(operator) = &line.operator { span.by { "Last acted: " (operator) } }
            }
            dl.times {
                @if let Some(ended) = line.ended_wall {
                    div { dt { "Ended" } dd { (words::clock(ended)) } }
                    div { dt { "Took" } dd { (words::between(line.received_wall, ended)) } }
                } @else {
                    div { dt { "Since alarm" } dd { (words::since(line.received_wall, now)) } }
                    div { dt { "To first call" } dd { (to_first_call(line, now)) } }
                }
            }
        }
    }
}

/// Runs until the first call, then stands still.
pub fn to_first_call(line: &IncidentLine, now: Wall) -> Markup {
    match (line.first_call_wall, line.ended_wall) {
        (Some(called), _) => words::between(line.received_wall, called),
        (None, None) => words::since(line.received_wall, now),
        (None, Some(_)) => html! { "not called" },
    }
}

pub fn named(name: &str) -> &str {
    or(name, "Name not known")
}

/// A text, or what stands for one that is not known.
pub fn or<'a>(text: &'a str, instead: &'static str) -> &'a str {
    if text.is_empty() { instead } else { text }
}
