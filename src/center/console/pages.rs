//! What stands in the main part of each page, from the desk and the archive.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::address::Page;
use super::{Site, hubs, incident, lists, queue, words};
use crate::center::desk::view::QueueView;
use crate::center::desk::words::AccountId;
use crate::center::office::Gone;
use crate::controller::moment::{Id, Wall};

/// Lines of a page of the archive.
const PAGE: u32 = 100;

/// The main part of a page.
pub struct Parts {
    pub status: StatusCode,
    /// Without the alarms before it.
    pub title: String,
    pub main: Markup,
}

/// What stands on a page now.
pub async fn parts(
    site: &Site,
    page: &Page,
    queue: &QueueView,
    now: Wall,
    refusal: Option<&str>,
) -> Result<Parts, Gone> {
    Ok(match page {
        Page::Queue => well("Queue", queue::main(queue, now)),
        Page::Incident(id) => return of_incident(site, *id, now, refusal).await,
        Page::Hubs(from) => {
            let from = from.as_deref().map(AccountId::new);
            let view = site.office.ask(move |desk, _| desk.hubs(from.as_ref())).await?;
            well("Hubs", hubs::main(&view, now))
        }
        Page::Security => {
            let view = site.office.ask(|desk, _| desk.security()).await?;
            well("Security", lists::security(&view))
        }
        Page::Audit(before) => {
            let read = site.archive.audit(*before, PAGE).await;
            from_archive("Audit", read.map(|rows| lists::audit(&rows, PAGE)))
        }
        Page::Past(before) => {
            let read = site.archive.past_incidents(*before, PAGE).await;
            from_archive("Past incidents", read.map(|rows| lists::past(&rows, PAGE)))
        }
    })
}

async fn of_incident(site: &Site, id: Id, now: Wall, refusal: Option<&str>) -> Result<Parts, Gone> {
    let view = site.office.ask(move |desk, now| desk.incident(id, now)).await?;
    if let Some(view) = view {
        let title = format!("{} {}", words::service(view.line.service), view.line.account);
        return Ok(well(&title, incident::main(&view, now, refusal)));
    }
    Ok(match site.archive.incident(id).await {
        Ok(Some(stored)) => well("Past incident", lists::past_incident(&stored)),
        Ok(None) => Parts {
            status: StatusCode::NOT_FOUND,
            title: "No such incident".to_owned(),
            main: html! { h1 { "There is no such incident" } p { a href="/" { "To the queue" } } },
        },
        Err(problem) => from_archive("Past incident", Err(problem)),
    })
}

fn well(title: &str, main: Markup) -> Parts {
    Parts { status: StatusCode::OK, title: title.to_owned(), main }
}

fn from_archive(title: &str, read: Result<Markup, String>) -> Parts {
    match read {
        Ok(main) => well(title, main),
        Err(problem) => Parts {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: title.to_owned(),
            main: html! {
                h1 { (title) }
                p.banner.bad role="alert" { "The archive cannot be read: " (problem) }
            },
        },
    }
}
