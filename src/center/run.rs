//! Runs the center.

use crate::config::center::CenterConfig;

/// Runs until it is told to stop. The error is a sentence.
pub fn run(_config: &CenterConfig) -> Result<(), String> {
    Err("This version has no monitoring center to run yet: its accounts can be prepared.".to_owned())
}
