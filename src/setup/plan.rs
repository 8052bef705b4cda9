//! What is to be written: all of it is known, and told, before the first file is touched.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::files::{self, Access, Changes};
use super::users::Owner;

/// Steps, in the order in which they are taken.
#[derive(Default)]
pub struct Plan {
    steps: Vec<Step>,
}

enum Step {
    Directory { path: PathBuf, mode: u32, owner: Option<Owner> },
    Write { path: PathBuf, content: Vec<u8>, access: Access },
    Copy { of: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
}

impl Plan {
    /// Makes a directory, if it is missing, with this mode and owner.
    pub fn directory(&mut self, path: &Path, mode: u32, owner: Option<Owner>) {
        if !path.is_dir() {
            self.steps.push(Step::Directory { path: path.to_owned(), mode, owner });
        }
    }

    /// Has the file hold this, whatever it held.
    pub fn write(&mut self, path: &Path, content: &[u8], access: Access) {
        self.steps.push(Step::Write { path: path.to_owned(), content: content.to_owned(), access });
    }

    /// Takes the file away, if it is there.
    pub fn remove(&mut self, path: &Path) {
        if path.symlink_metadata().is_ok() {
            self.steps.push(Step::Remove { path: path.to_owned() });
        }
    }

    /// Copies the file beside itself under the next free number, which is returned.
    pub fn keep_copy(&mut self, path: &Path) -> Result<PathBuf, Failure> {
        let to = files::name_of_a_copy(path)?;
        self.steps.push(Step::Copy { of: path.to_owned(), to: to.clone() });
        Ok(to)
    }

    /// The same if the file holds something else: a key that is gone is gone for ever. `None`: it does not.
    pub fn keep_other(&mut self, path: &Path, content: &[u8]) -> Result<Option<PathBuf>, Failure> {
        if fs::read(path).is_ok_and(|there| there != content) { self.keep_copy(path).map(Some) } else { Ok(None) }
    }

    /// A line for each file, and for each directory that is made (with those that lead to it): these, and in the end
    /// `last`, are all that changes.
    pub fn list(&self, last: &Path) -> String {
        let mut text = String::from("This is written:");
        // Writing into a text cannot fail.
        for step in &self.steps {
            let _ = match step {
                Step::Directory { path, .. } => write!(text, "\n  {}/", path.display()),
                Step::Write { path, .. } => write!(text, "\n  {}", path.display()),
                Step::Copy { of, to } => write!(text, "\n  {} (as {} is now)", to.display(), of.display()),
                Step::Remove { path } => write!(text, "\n  {} (goes)", path.display()),
            };
        }
        let _ = write!(text, "\n  {}", last.display());
        text
    }

    /// Takes the steps, up to the first that fails.
    pub fn carry_out(self, changes: &mut Changes) -> Result<(), Failure> {
        for step in self.steps {
            match step {
                Step::Directory { path, mode, owner } => files::directory(&path, mode, owner)?,
                Step::Write { path, content, access } => changes.write(&path, &content, access)?,
                Step::Copy { of, to } => changes.copy(&of, &to)?,
                Step::Remove { path } => changes.remove(&path)?,
            }
        }
        Ok(())
    }
}
