//! What the hub's own parts report: a button's finding, the disk's answer, a line that failed.

use super::Controller;
use super::button::Finding;
use super::faults::FaultCode;
use super::input::{HardwareReport, StoreReport};
use super::turn::Turn;
use super::wording;

impl Controller {
    pub(super) fn button_found(&mut self, finding: Finding, turn: &mut Turn) {
        match finding {
            Finding::Pressed { name, press } => self.pressed(&name, press, turn),
            Finding::Stuck { index, name } => {
                self.faults.raise_for(FaultCode::ButtonStuck, index, wording::button_stuck(&name), turn);
            }
            Finding::Freed { index } => self.faults.clear_for(FaultCode::ButtonStuck, index, turn),
            Finding::Noisy { index, name } => {
                self.faults.raise_for(FaultCode::ButtonNoisy, index, wording::button_noisy(&name), turn);
            }
            Finding::Quiet { index } => self.faults.clear_for(FaultCode::ButtonNoisy, index, turn),
        }
    }

    pub(super) fn store_reported(&mut self, report: StoreReport, turn: &mut Turn) {
        match report {
            StoreReport::Committed { ticket } => {
                self.telling.committed(ticket, turn.at.now);
                self.faults.clear(FaultCode::Storage, turn);
            }
            StoreReport::Failed { problem, .. } | StoreReport::Unavailable { problem } => {
                // Told once: each telling is a write, which fails again, perhaps with other words.
                if self.telling.fails() {
                    self.faults.raise(FaultCode::Storage, wording::storage_failing(&problem), turn);
                }
            }
            StoreReport::PutAside { path, problem } => {
                self.faults.raise(FaultCode::StoragePutAside, wording::storage_put_aside(&path, &problem), turn);
            }
            StoreReport::PartlyLost { path, problem } => {
                self.faults.raise(FaultCode::StoragePutAside, wording::storage_partly_lost(&path, &problem), turn);
            }
        }
    }

    pub(super) fn hardware_reported(&mut self, report: HardwareReport, turn: &mut Turn) {
        let (code, what, problem) = match report {
            HardwareReport::SirenFailed { problem } => (FaultCode::Siren, "The siren", Some(problem)),
            HardwareReport::SirenWorks => (FaultCode::Siren, "", None),
            HardwareReport::LedFailed { problem } => (FaultCode::Led, "The LED", Some(problem)),
            HardwareReport::LedWorks => (FaultCode::Led, "", None),
            HardwareReport::ButtonsFailed { problem } => (FaultCode::ButtonLines, "A button", Some(problem)),
            HardwareReport::ButtonsWork => (FaultCode::ButtonLines, "", None),
            HardwareReport::PanelFailed { problem } => (FaultCode::Panel, "The web panel", Some(problem)),
            HardwareReport::PanelWorks => (FaultCode::Panel, "", None),
        };
        self.faults.set(code, problem.map(|problem| wording::hardware(what, &problem)), turn);
    }
}
