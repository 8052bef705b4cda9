//! What stands around every page: navigation, the state of the center, and the places that the script fills.

use maud::{DOCTYPE, Markup, html};

use super::address::{self, Page};
use super::pages::Parts;
use crate::center::desk::view::{HealthView, QueueView};
use crate::controller::moment::Wall;

/// A whole page for an operator who is logged in.
pub fn page(page: &Page, operator: &str, queue: &QueueView, parts: &Parts, now: Wall) -> Markup {
    let unattended = unattended(queue);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&titled(&parts.title, unattended)))
            body data-live={ "/live?page=" (address::encoded(&page.address())) } data-now=(now.0)
                data-alarm=(queue.alarm_number) data-unattended=(unattended) data-title=(parts.title) {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" { (logo()) "sos-center" }
                    nav #nav aria-label="Pages" { (nav(page, queue)) }
                    div.desk {
                        span #connection role="status" {}
                        button #sound type="button" hidden {}
                        span.operator { (operator) }
                        form method="post" action="/logout" { button.quiet type="submit" { "Log out" } }
                    }
                }
                p #stale .banner.bad role="alert" hidden {}
                div #health { (health(&queue.health)) }
                p #announce .visually-hidden aria-live="assertive" {}
                div #refusal role="alert" {}
                main #main tabindex="-1" { (parts.main) }
                footer {
                    "Keys: " kbd { "j" } " " kbd { "k" } " walk through the list, " kbd { "1" } "–" kbd { "8" }
                    " go to a button, " kbd { "Enter" } " presses it, " kbd { "n" } " note, " kbd { "q" }
                    " queue, " kbd { "s" } " silences the sound."
                }
            }
        }
    }
}

/// A page for somebody who is not logged in.
pub fn stranger(title: &str, main: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body.stranger { main #main { p.brand { (logo()) "sos-center" } (main) } }
        }
    }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
            link rel="stylesheet" href="/assets/console.css";
            script type="module" src="/assets/console.js" {}
        }
    }
}

fn logo() -> Markup {
    html! {
        svg.logo viewBox="0 0 24 24" aria-hidden="true" {
            path d="M12 2 4 5v6c0 5 3.4 9.3 8 11 4.6-1.7 8-6 8-11V5z" {}
            path.wave d="M7.5 12.5h2.2l1.3-4 2 7 1.3-3h2.2" {}
        }
    }
}

/// The links to all pages, with what is wrong behind them.
pub fn nav(page: &Page, queue: &QueueView) -> Markup {
    let link = |to: Page, text: &str, count: usize| {
        let is_here = std::mem::discriminant(page) == std::mem::discriminant(&to);
        html! {
            a #{ "nav" (to.address().replace('/', "-")) } href=(to.address()) aria-current=[is_here.then_some("page")] {
                (text) @if count > 0 { span.count { (count) } }
            }
        }
    };
    html! {
        (link(Page::Queue, "Queue", queue.open.len()))
        (link(Page::Hubs(None), "Hubs", queue.hubs_in_trouble))
        (link(Page::Past(None), "Past incidents", 0))
        (link(Page::Security, "Security", 0))
        (link(Page::Audit(None), "Audit", 0))
    }
}

/// What is wrong with the center itself.
pub fn health(health: &HealthView) -> Markup {
    html! {
        @if let Some(problem) = &health.broker {
            p #health-broker .banner.bad role="alert" { strong { "No hub is heard. " } (problem) }
        }
        @if let Some(problem) = &health.store {
            p #health-store .banner.bad role="alert" { strong { "Nothing can be written. " } (problem) }
        }
        @if health.simulated {
            p #health-simulated .banner.note { strong { "Simulated: nobody is called. " } "Calls and dispatch are for practice." }
        }
    }
}

/// How many incidents cry for an operator.
pub fn unattended(queue: &QueueView) -> usize {
    queue.open.iter().filter(|line| line.cries).count()
}

/// The page's title, alarms first.
pub fn titled(title: &str, unattended: usize) -> String {
    match unattended {
        0 => format!("{title} – sos-center"),
        count => format!("({count}) ALARM – {title} – sos-center"),
    }
}
