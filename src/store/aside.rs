//! Putting a file aside that cannot be used as the database: nothing is destroyed, and the hub starts.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many are kept. A card that ruins every new file must not fill itself with them, so the last place is used
/// again; the first ones hold what people may want back. Numbers, not times: the clock is not to be trusted.
const PLACES: u32 = 8;

/// Renames the database and the files that belong to it; returns the new path.
pub fn put_aside(database: &Path) -> io::Result<PathBuf> {
    let place = |number: u32| with_suffix(database, &format!(".corrupt-{number}"));
    let free = (1..PLACES).find(|number| place(*number).symlink_metadata().is_err());
    let aside = place(free.unwrap_or(PLACES));
    for suffix in ["", "-wal", "-shm", "-journal"] {
        remove(&with_suffix(&aside, suffix))?;
    }
    // The database first: were it left without its log, it could be taken for whole.
    fs::rename(database, &aside)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        match fs::rename(with_suffix(database, suffix), with_suffix(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_directory_of(database)?;
    Ok(aside)
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// The path of a file that belongs to the database.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the names in a file's directory survive a power cut.
pub fn sync_directory_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) => fs::File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
