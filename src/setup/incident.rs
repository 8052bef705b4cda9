//! Whether somebody waits for help just now: then nothing is changed, and no hub stopped.

use std::path::Path;

use super::Failure;
use crate::client::{self, Errand};
use crate::config::Config;
use crate::store::history::{self, HistoryError};

/// How it stands.
pub enum Standing {
    Idle,
    Open,
    /// It cannot be seen, and why.
    Unknown(String),
}

/// Asks the hub that works with this configuration.
pub fn look(config: &Config) -> Standing {
    match client::converse(config, &Errand::Status) {
        Ok((state, _)) if state["phase"] != "idle" => Standing::Open,
        Ok(_) => Standing::Idle,
        // Its broker may be away while its siren sounds: then what it has written down decides.
        Err(_) => remembered(&config.hub.state_dir),
    }
}

/// What the hub has written down.
pub fn remembered(state_dir: &Path) -> Standing {
    match history::read(state_dir, usize::MAX) {
        Ok(entries) if entries.iter().all(|entry| entry.ended_at.is_some()) => Standing::Idle,
        Ok(_) => Standing::Open,
        Err(HistoryError::Missing(_)) => Standing::Idle,
        Err(problem) => Standing::Unknown(problem.to_string()),
    }
}

impl Standing {
    /// Goes on only where nobody waits for help; `so` is what was left alone instead, as a part of a sentence.
    pub fn must_be_idle(self, so: &str) -> Result<(), Failure> {
        Err(Failure::Failed(match self {
            Standing::Idle => return Ok(()),
            Standing::Open => format!("An incident is open, so {so}: run the setup again when it is over."),
            Standing::Unknown(problem) => {
                format!("Whether an incident is open cannot be seen, so {so} ({problem}): see sudo sos-hub doctor.")
            }
        }))
    }
}
