//! What the desk has to know of the configuration.

use core::time::Duration;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Settings {
    pub calls: CallMode,
    /// How long a contact's telephone rings before it counts as not answered.
    pub ring: Duration,
    pub dispatch: DispatchMode,
    /// Whether each plan includes professional monitoring. `none` is among them.
    pub plans: BTreeMap<String, bool>,
}

/// Who calls the contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallMode {
    /// A person, who records what came of it.
    Operator,
    /// A telephony provider.
    Webhook,
    /// Nobody: these are the outcomes of an incident's calls in order, the last one for all that follow. Dispatch and
    /// close follow by themselves.
    Simulated { answers: Vec<SimulatedAnswer> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedAnswer {
    Confirmed,
    /// With the right password.
    Cancelled,
    CancelledWrongPassword,
    NoAnswer,
}

/// Who sends police or fire department.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchMode {
    Operator,
    Webhook,
}
