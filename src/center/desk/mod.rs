//! PURE. Decides what becomes of a signal, an order or a call. No clock, thread, file, socket, randomness or log: an
//! [`input::Input`] goes in, [`effect::Effect`]s come out, and [`view`] is what the console may ask for in between.

pub mod effect;
pub mod input;
pub mod records;
pub mod settings;
pub mod tokens;
pub mod view;
pub mod words;

use crate::controller::moment::{Boottime, Id, Moment};
use effect::Effect;
use input::Input;
use settings::Settings;
use view::{HealthView, HubsView, IncidentView, QueueView, SecurityView};
use words::AccountId;

/// The desk of a monitoring center.
pub struct Desk {
    settings: Settings,
}

impl Desk {
    pub fn new(settings: Settings) -> Desk {
        Desk { settings }
    }

    /// When the desk has to be stepped with [`Input::Elapsed`] at the latest.
    pub fn deadline(&self) -> Option<Boottime> {
        None
    }

    /// Takes what has happened and says what is to be done about it, in order.
    pub fn step(&mut self, moment: Moment, input: Input) -> Vec<Effect> {
        let _ = (moment, input, &self.settings);
        Vec::new()
    }

    pub fn queue(&self) -> QueueView {
        QueueView {
            health: HealthView::default(),
            open: Vec::new(),
            ended: Vec::new(),
            hubs_in_trouble: 0,
            alarm_number: 0,
        }
    }

    /// `None` for an incident that is not open and has not ended lately: the store may know it.
    pub fn incident(&self, _incident: Id, _now: Boottime) -> Option<IncidentView> {
        None
    }

    /// The page of hubs that begins with the account, or with the first one.
    pub fn hubs(&self, _from: Option<&AccountId>) -> HubsView {
        HubsView {
            health: HealthView::default(),
            in_trouble: Vec::new(),
            in_trouble_total: 0,
            page: Vec::new(),
            next: None,
            total: 0,
        }
    }

    pub fn security(&self) -> SecurityView {
        SecurityView { rows: Vec::new() }
    }
}
