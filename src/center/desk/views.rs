//! What the console is shown.

use super::Desk;
use super::incident::{Ground, Incident};
use super::records::StepRecordState;
use super::residents::Resident;
use super::tokens;
use super::view::{
    Button, CallView, HealthView, HubLine, HubStanding, HubsView, IncidentLine, IncidentView, QueueView,
};
use super::wording;
use super::words::{Account, AccountId};
use crate::controller::moment::{Boottime, Id};

const ENDED_SHOWN: usize = 20;
const IN_TROUBLE_SHOWN: usize = 200;
const PAGE: usize = 100;

impl Desk {
    pub fn queue(&self) -> QueueView {
        let mut open: Vec<IncidentLine> = self.cases.open().map(|incident| self.line(incident)).collect();
        open.sort_by_key(|line| (!line.waits_for_operator, line.received_wall, line.id));
        QueueView {
            health: self.health(),
            open,
            ended: self.cases.ended().take(ENDED_SHOWN).map(|incident| self.line(incident)).collect(),
            hubs_in_trouble: self.residents.in_trouble_total(),
            alarm_number: self.alarm_number,
        }
    }

    /// `None` for an incident that is not open and has not ended lately: the store may know it.
    pub fn incident(&self, incident: Id, now: Boottime) -> Option<IncidentView> {
        let incident = self.cases.get(incident)?;
        let account = self.account_of(incident);
        let ground = Ground { settings: &self.settings, account: &account };
        let (next, others) = buttons(incident, &ground);
        Some(IncidentView {
            line: self.line(incident),
            step: incident.record.step_number,
            source: incident.record.source.clone(),
            user: incident.record.user.clone(),
            raised_wall: incident.record.raised_wall,
            resumed: incident.record.resumed,
            plan_is_monitored: self.is_monitored(&account),
            cancel_requested_wall: incident.cancel_requested,
            advice: wording::advice(incident, &ground),
            next,
            others,
            call: self.call(incident, &account, now),
            calls: incident.calls.clone(),
            history: incident.steps.clone(),
            hub: self.residents.get(&account.id).map_or(HubStanding::Unknown, |hub| self.watch.standing(hub)),
            account,
        })
    }

    /// Whose call is under way.
    pub fn incident_of_call(&self, call: Id) -> Option<Id> {
        self.cases.of_call(call)
    }

    /// The page of hubs that begins with the account, or with the first one.
    pub fn hubs(&self, from: Option<&AccountId>) -> HubsView {
        let mut rest = self.residents.from(from);
        let page: Vec<HubLine> = rest.by_ref().take(PAGE).map(|resident| self.hub(resident)).collect();
        HubsView {
            health: self.health(),
            in_trouble: self.residents.in_trouble().take(IN_TROUBLE_SHOWN).map(|hub| self.hub(hub)).collect(),
            in_trouble_total: self.residents.in_trouble_total(),
            page,
            next: rest.next().map(|resident| resident.account.id.clone()),
            total: self.residents.len(),
        }
    }

    fn health(&self) -> HealthView {
        let store = self.held.problem().map(wording::store_fails);
        HealthView {
            broker: self.watch.problem(),
            store: store.or_else(|| self.held.is_silent().then(wording::store_silent)),
            simulated: matches!(self.settings.calls, super::settings::CallMode::Simulated { .. }),
        }
    }

    fn line(&self, incident: &Incident) -> IncidentLine {
        let account = self.account_of(incident);
        let ground = Ground { settings: &self.settings, account: &account };
        let (waits, cries) = (incident.waits_for_operator(&ground), incident.cries(&ground));
        IncidentLine {
            id: incident.id(),
            service: incident.record.service,
            stage: incident.stage(),
            dispatch_is_due: matches!(incident.record.step, StepRecordState::DispatchDue { .. }),
            received_wall: incident.record.received_wall,
            first_call_wall: incident.record.first_call_wall,
            ended_wall: incident.record.ended_wall,
            waits_for_operator: waits,
            overdue: incident.overdue,
            cries,
            operator: incident.record.operator.clone(),
            account: account.id,
            name: account.name,
            address: account.address,
        }
    }

    fn call(&self, incident: &Incident, account: &Account, now: Boottime) -> Option<CallView> {
        let id = incident.call()?;
        let call = incident.calls.iter().find(|call| call.id == id)?;
        let index = usize::try_from(call.position).ok()?.checked_sub(1)?;
        let phone = account.contacts.get(index).map(|contact| contact.phone.clone()).unwrap_or_default();
        let line = incident.line.as_ref().filter(|_| !incident.record.step.is_answered());
        Some(CallView {
            position: call.position,
            name: call.contact.clone(),
            phone,
            rings_for: line.and_then(|line| line.rings_for(self.settings.ring, now)),
        })
    }

    fn hub(&self, resident: &Resident) -> HubLine {
        HubLine {
            account: resident.account.id.clone(),
            name: resident.account.name.clone(),
            standing: self.watch.standing(resident),
            heartbeat_wall: resident.heartbeat_wall,
            linked: resident.linked,
            plan: resident.account.plan.clone(),
            monitored: self.is_monitored(&resident.account),
            missing: tokens::missing(&resident.account, &self.settings.plans),
            faults: resident.faults.clone(),
            closed: resident.account.closed,
        }
    }
}

/// The normal next step, and what else there is. While the telephone rings there is none: it is not known yet.
fn buttons(incident: &Incident, ground: &Ground) -> (Option<Button>, Vec<Button>) {
    use Button::{
        Answered, CallFirstContact, CallNextContact, CancelledByContact, Close, Confirmed, Dispatch, NoAnswer,
    };
    let waits = incident.waits_for_operator(ground);
    match incident.record.step {
        StepRecordState::Waiting => (Some(CallFirstContact), Vec::new()),
        StepRecordState::CallingFirst { answered: false, .. } => {
            (None, vec![Answered, Confirmed, CancelledByContact, NoAnswer])
        }
        StepRecordState::CallingFirst { answered: true, .. } if waits => {
            (Some(Confirmed), vec![CancelledByContact, NoAnswer])
        }
        StepRecordState::CallingFirst { answered: true, .. } => (None, vec![Confirmed, CancelledByContact, NoAnswer]),
        StepRecordState::DispatchDue { .. } if waits => (Some(Dispatch), Vec::new()),
        StepRecordState::DispatchDue { .. } => (None, vec![Dispatch]),
        StepRecordState::Dispatched { called, call } => {
            let left = (called < ground.contacts()).then_some(CallNextContact);
            match (call, left) {
                (Some(_), left) => (None, [Answered, NoAnswer].into_iter().chain(left).chain([Close]).collect()),
                (None, Some(left)) => (Some(left), vec![Close]),
                (None, None) => (Some(Close), Vec::new()),
            }
        }
        StepRecordState::Cancelled | StepRecordState::Closed => (None, Vec::new()),
    }
}
