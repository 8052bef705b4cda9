//! Operators from the command line.

use super::super::secrets;
use super::super::store::books::Books;
use super::{Failure, hand};
use crate::config::center::CenterConfig;

const LONGEST_NAME: usize = 32;
const SHORTEST_PASSWORD: usize = 10;
/// More is not hashed: it is a file by mistake.
const LONGEST_PASSWORD: usize = 1024;

/// Adds somebody who may log in to the console. Returns what was done.
pub fn add_operator(config: &CenterConfig, name: &str, password: &str) -> Result<String, Failure> {
    let fits = |letter: char| letter.is_alphanumeric() || "-_.@".contains(letter);
    if name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(fits) {
        let problem =
            format!("{name:?} is no name to log in with: use 1 to {LONGEST_NAME} letters, digits, - _ . and @.");
        return Err(Failure::Usage(problem));
    }
    let length = password.chars().count();
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
        let problem = format!("The password has {length} characters: take one of at least {SHORTEST_PASSWORD}.");
        return Err(Failure::Usage(problem));
    }
    let hash = secrets::hash(password)?;
    Books::open(&config.state_dir)?.add_operator(name, &hash, &hand())?;
    Ok(format!("Operator {name} may log in."))
}

/// The names of those who may log in, a line each.
pub fn operators(config: &CenterConfig) -> Result<String, Failure> {
    let names = Books::open(&config.state_dir)?.operators()?;
    if names.is_empty() {
        return Ok("There are no operators yet: add one with `sos-center operator add NAME`.".to_owned());
    }
    Ok(names.join("\n"))
}

/// Has somebody log in no more. Returns what was done.
pub fn remove_operator(config: &CenterConfig, name: &str) -> Result<String, Failure> {
    Books::open(&config.state_dir)?.remove_operator(name, &hand())?;
    Ok(format!("Operator {name} may log in no more: who is logged in stays so until the center restarts."))
}
