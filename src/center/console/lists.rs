//! What is only looked up: rejected messages, the audit trail, past incidents.

use maud::{Markup, html};

use super::address::Page;
use super::incident;
use super::words;
use crate::center::desk::records::{AuditRecord, IncidentRecord, StepRecordState, StoredIncident};
use crate::center::desk::view::SecurityView;

pub fn security(view: &SecurityView) -> Markup {
    html! {
        h1 { "Security" }
        p.hint { "Messages that were rejected. None of them changed anything, and nobody was answered." }
        @if view.rows.is_empty() {
            p.calm { "Nothing was rejected." }
        } @else {
            div.scroll role="region" aria-label="Rejected messages" tabindex="0" {
                table {
                    thead { tr { th { "Last" } th { "Times" } th { "Account" } th { "What was wrong" } th { "First" } } }
                    tbody {
                        @for row in &view.rows {
                            tr #{ "rejected-" (row.number) } {
                                td { (words::clock(row.last_wall)) }
                                td { (row.count) }
                                td { @if let Some(account) = &row.account { (account) } @else { "not known" } }
                                td { (row.problem) }
                                td { (words::clock(row.first_wall)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The audit trail, the newest first; `full` rows mean that there are more.
pub fn audit(rows: &[(i64, AuditRecord)], full: u32) -> Markup {
    html! {
        h1 { "Audit" }
        p.hint { "Who did what when. Rows are only ever added." }
        div.scroll role="region" aria-label="Audit trail" tabindex="0" {
            table {
                thead { tr { th { "When" } th { "Who" } th { "What" } th { "Account" } th { "Incident" } } }
                tbody {
                    @for (number, row) in rows {
                        tr #{ "audit-" (number) } {
                            td { (words::clock(row.wall)) }
                            td { (row.who) }
                            td { (row.what) }
                            td { @if let Some(account) = &row.account { (account) } }
                            td { @if let Some(id) = row.incident { a href=(Page::Incident(id).address()) { "Open" } } }
                        }
                    }
                }
            }
        }
        @if let Some((number, _)) = rows.last().filter(|_| rows.len() >= full as usize) {
            p.pages { a href=(Page::Audit(Some(*number)).address()) { "Older" } }
        }
    }
}

/// Incidents that have ended, the newest first; `full` rows mean that there are more.
pub fn past(rows: &[IncidentRecord], full: u32) -> Markup {
    html! {
        h1 { "Past incidents" }
        @if rows.is_empty() {
            p.calm { "None." }
        } @else {
            div.scroll role="region" aria-label="Past incidents" tabindex="0" {
                table {
                    thead { tr { th { "Service" } th { "Account" } th { "Received" } th { "Ended" } th { "How" } th { "Last acted" } } }
                    tbody {
                        @for row in rows {
                            tr #{ "past-" (row.id) } {
                                td { (words::badge(row.service)) }
                                th scope="row" { a href=(Page::Incident(row.id).address()) data-row { (row.account) } }
                                td { (words::clock(row.received_wall)) }
                                td { @if let Some(wall) = row.ended_wall { (words::clock(wall)) } @else { "still open" } }
                                td { (ended_how(row.step)) }
                                td { @if let Some(operator) = &row.operator { (operator) } }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(row) = rows.last().filter(|_| rows.len() >= full as usize) {
            p.pages { a href=(Page::Past(Some((row.received_wall, row.id))).address()) { "Older" } }
        }
    }
}

/// An incident of which only the archive knows.
pub fn past_incident(stored: &StoredIncident) -> Markup {
    let incident = &stored.incident;
    html! {
        section.headline.(incident.service.as_str()) aria-label="Incident" {
            div.what { (words::badge(incident.service)) p.stage { (ended_how(incident.step)) } }
            h1 { "Account " (incident.account) }
            dl.times {
                div { dt { "Received" } dd { (words::clock(incident.received_wall)) } }
                @if let Some(ended) = incident.ended_wall {
                    div { dt { "Ended" } dd { (words::clock(ended)) } }
                    div { dt { "Took" } dd { (words::between(incident.received_wall, ended)) } }
                }
                @if let Some(operator) = &incident.operator { div { dt { "Last acted" } dd { (operator) } } }
            }
        }
        p.hint { "From the archive: nothing can be done here any more." }
        div.columns {
            div.work { (incident::history(&stored.steps)) }
            div.facts { (incident::calls(&stored.calls)) }
        }
    }
}

fn ended_how(step: StepRecordState) -> &'static str {
    match step {
        StepRecordState::Cancelled => "Cancelled by the contact",
        StepRecordState::Closed => "Closed",
        StepRecordState::Waiting
        | StepRecordState::CallingFirst { .. }
        | StepRecordState::DispatchDue { .. }
        | StepRecordState::Dispatched { .. } => "Still open",
    }
}
