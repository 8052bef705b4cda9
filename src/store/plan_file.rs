//! `plan.jwt`: the last valid plan token, outside the database so that it outlives it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::aside::sync_directory_of;

/// A token is under a kilobyte; anything of this size is not one.
const MAX_BYTES: u64 = 64 * 1024;

pub struct PlanFile {
    path: PathBuf,
    /// What the file holds, as far as is known.
    on_disk: Option<String>,
    /// What it should hold and does not yet.
    wanted: Option<String>,
}

impl PlanFile {
    pub fn new(state_dir: &Path) -> PlanFile {
        PlanFile { path: state_dir.join("plan.jwt"), on_disk: None, wanted: None }
    }

    /// The token of the file, not verified; `None` if there is no file. Any other trouble is logged: the database and
    /// the center have the token too.
    pub fn read(&mut self) -> Option<String> {
        let mut text = String::new();
        let outcome = File::open(&self.path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        match outcome {
            Ok(_) => {
                let token = text.trim();
                self.on_disk = (!token.is_empty()).then(|| token.to_owned());
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => tracing::warn!("{} cannot be read: {error}", self.path.display()),
        }
        self.on_disk.clone()
    }

    /// Has the file hold this token from the next [`PlanFile::write`] on.
    pub fn want(&mut self, token: &str) {
        self.wanted = (self.on_disk.as_deref() != Some(token)).then(|| token.to_owned());
    }

    /// Writes what is wanted, if anything. A failure is logged, and tried again at the next call.
    pub fn write(&mut self) {
        let Some(token) = self.wanted.take() else { return };
        match replace(&self.path, token.as_bytes()) {
            Ok(()) => self.on_disk = Some(token),
            Err(error) => {
                tracing::warn!("{} cannot be written: {error}; the plan is in the database", self.path.display());
                self.wanted = Some(token);
            }
        }
    }
}

/// The old content or the new one, whatever happens in between.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("jwt.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_directory_of(path)
}
