//! The hubs: those in trouble first.

use maud::{Markup, html};

use super::words;
use crate::center::desk::view::{HubLine, HubStanding, HubsView};
use crate::controller::moment::Wall;

pub fn main(hubs: &HubsView, now: Wall) -> Markup {
    html! {
        section aria-labelledby="trouble-heading" {
            h1 #trouble-heading {
                "Hubs in trouble" @if hubs.in_trouble_total > 0 { span.count { (hubs.in_trouble_total) } }
            }
            @if hubs.in_trouble.is_empty() {
                p.calm { "None." span { "Every hub that should be heard is heard." } }
            } @else {
                (table("Hubs in trouble", "trouble", &hubs.in_trouble, now))
            }
            @if hubs.in_trouble_total > hubs.in_trouble.len() {
                p.hint { "And " (hubs.in_trouble_total - hubs.in_trouble.len()) " more." }
            }
        }
        section aria-labelledby="all-heading" {
            h2 #all-heading { "All hubs" span.count { (hubs.total) } }
            form.find method="get" action="/hubs" {
                label for="from" { "From account" }
                input #from type="search" name="from" maxlength="64" autocomplete="off" spellcheck="false";
                button type="submit" { "Show" }
            }
            @if hubs.page.is_empty() {
                p.calm { "No hubs here." span { "Make an account with sos-center account add." } }
            } @else {
                (table("All hubs", "hub", &hubs.page, now))
            }
            @if let Some(next) = &hubs.next {
                p.pages { a href=(super::address::Page::Hubs(Some(next.as_str().to_owned())).address()) { "Next page" } }
            }
        }
    }
}

fn table(title: &str, prefix: &str, lines: &[HubLine], now: Wall) -> Markup {
    html! {
        div.scroll role="region" aria-label=(title) tabindex="0" {
            table {
                thead { tr { th { "Account" } th { "Standing" } th { "Last heartbeat" } th { "Plan" } th { "Missing" } th { "Faults" } } }
                tbody {
                    @for line in lines { (row(line, prefix, now)) }
                }
            }
        }
    }
}

fn row(line: &HubLine, prefix: &str, now: Wall) -> Markup {
    let (standing, class) = words::standing(line.standing);
    html! {
        tr #{ (prefix) "-" (line.account) } {
            th scope="row" { (line.account) span.name { (line.name) } }
            td {
                span.sign.(class) { (standing) }
                @if line.standing == HubStanding::Offline && line.linked == Some(true) {
                    span.hint { "The broker says connected." }
                }
                @if line.closed { span.hint { "Closed" } }
            }
            td { @if let Some(wall) = line.heartbeat_wall { (words::since(wall, now)) " ago" } @else { "never" } }
            td { (line.plan) @if !line.monitored { span.hint { "no monitoring" } } }
            td { @if line.missing.is_empty() { "–" } @else { (line.missing.join(", ")) } }
            td {
                @if line.faults.is_empty() { "–" }
                @for (code, message, since) in &line.faults {
                    p.fault { strong { (code) } " " (message) " " span.hint { "since " (words::clock(*since)) } }
                }
            }
        }
    }
}
