//! Files that are replaced whole, with their mode and owner, and put back if the setup fails.

use std::ffi::CString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use super::Failure;
use super::users::Owner;

/// How many copies of older configurations are kept.
const BACKUPS: u32 = 99;

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// Everybody reads it.
    Open,
    /// Its owner alone reads and writes it; without an owner: whoever runs the setup.
    Private(Option<Owner>),
    /// Root's, and the service reads it; without a service: whoever runs the setup.
    Service(Option<Owner>),
}

impl Access {
    fn mode(self) -> u32 {
        match self {
            Access::Open => 0o644,
            Access::Private(_) | Access::Service(None) => 0o600,
            Access::Service(Some(_)) => 0o640,
        }
    }

    fn owner(self) -> Option<Owner> {
        match self {
            Access::Open => None,
            Access::Private(owner) => owner,
            Access::Service(owner) => owner.map(|Owner { gid, .. }| Owner { uid: 0, gid }),
        }
    }
}

/// Before anybody has answered a question in vain: whether files may be made beside this one.
pub fn writable(path: &Path) -> Result<(), Failure> {
    let there = path.ancestors().skip(1).find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    let name =
        CString::new(there.as_os_str().as_bytes()).map_err(|_| Failure::Usage("--config is no path.".to_owned()))?;
    // SAFETY: `name` ends with NUL.
    if unsafe { libc::access(name.as_ptr(), libc::W_OK) } == 0 {
        return Ok(());
    }
    Err(Failure::Failed(cannot_write(there, &io::Error::last_os_error())))
}

/// What was written, to be undone.
#[derive(Default)]
pub struct Changes {
    done: Vec<(PathBuf, Option<Before>)>,
}

struct Before {
    content: Vec<u8>,
    mode: u32,
    owner: Owner,
}

impl Changes {
    /// Has the file hold this, whatever it held.
    pub fn write(&mut self, path: &Path, content: &[u8], access: Access) -> Result<(), Failure> {
        let failed = |error| Failure::Failed(cannot_write(path, &error));
        let before = read(path).map_err(failed)?;
        replace(path, content, access.mode(), access.owner()).map_err(failed)?;
        self.done.push((path.to_owned(), before));
        Ok(())
    }

    /// Takes the file away, if it is there.
    pub fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        let failed =
            |error| Failure::Failed(format!("{} cannot be removed ({error}): check its directory.", path.display()));
        if let Some(before) = read(path).map_err(failed)? {
            fs::remove_file(path).map_err(failed)?;
            self.done.push((path.to_owned(), Some(before)));
        }
        Ok(())
    }

    /// Copies a file to a name that nothing has.
    pub fn copy(&mut self, of: &Path, to: &Path) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("No copy of {} can be kept: {error}", of.display()));
        let Before { content, mode, owner } =
            read(of).and_then(|before| before.ok_or_else(|| io::ErrorKind::NotFound.into())).map_err(failed)?;
        replace(to, &content, mode, Some(owner)).map_err(failed)?;
        self.done.push((to.to_owned(), None));
        Ok(())
    }

    /// Puts back what was there.
    pub fn undo(self) {
        for (path, before) in self.done.into_iter().rev() {
            let outcome = match before {
                Some(before) => replace(&path, &before.content, before.mode, Some(before.owner)),
                None => fs::remove_file(&path),
            };
            if let Err(error) = outcome {
                eprintln!("{} could not be put back as it was: {error}", path.display());
            }
        }
    }
}

/// The mode of a file that is there.
pub fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o7777)
}

fn read(path: &Path) -> io::Result<Option<Before>> {
    match fs::read(path) {
        Ok(content) => {
            let found = fs::metadata(path)?;
            let owner = Owner { uid: found.uid(), gid: found.gid() };
            Ok(Some(Before { content, mode: found.permissions().mode() & 0o7777, owner }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The old content or the new one, whatever happens in between; never readable to more than `mode` says.
fn replace(path: &Path, content: &[u8], mode: u32, owner: Option<Owner>) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}.new"));
    // It may be left from a setup that was ended in the middle.
    let _ = fs::remove_file(&temporary);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(content)?;
        if let Some(owner) = owner {
            // By the open file: in a directory of the service its user could put a link in the path's place.
            fchown(&file, Some(owner.uid), Some(owner.gid))?;
        }
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        fs::File::open(dir)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The next free name for a copy of a file, beside it.
pub fn name_of_a_copy(path: &Path) -> Result<PathBuf, Failure> {
    let names = (1..=BACKUPS).map(|number| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".old-{number}"));
        PathBuf::from(name)
    });
    let free = names.into_iter().find(|name| name.symlink_metadata().is_err());
    free.ok_or_else(|| Failure::Failed(format!("There are {BACKUPS} old copies of {}: remove some.", path.display())))
}

/// Makes a directory, if it is missing, with this mode and owner.
pub fn directory(path: &Path, mode: u32, owner: Option<Owner>) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(mode).create(path).and_then(|()| match owner {
        Some(owner) => chown(path, Some(owner.uid), Some(owner.gid)),
        None => Ok(()),
    });
    made.map_err(|error| Failure::Failed(cannot_write(path, &error)))
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    let what_to_do = match error.kind() {
        io::ErrorKind::PermissionDenied => "run the setup with sudo",
        _ => "check its directory and the disk",
    };
    format!("{} cannot be written ({error}): {what_to_do}.", path.display())
}
