//! The key that the center signs with: read, or made by whichever command comes first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use crate::store::file::give_to_owner_of_directory;
use crate::wire::keys::{self, KeyPair};

const MAX_BYTES: u64 = 64 * 1024;

/// A new Ed25519 key pair. The error is a sentence.
pub fn new_pair() -> Result<KeyPair, String> {
    let mut secret = [0; 32];
    let filled = SystemRandom::new().fill(&mut secret);
    filled.map_err(|_| "The system gives no random numbers: try again, or restart the machine.".to_owned())?;
    Ok(keys::key_pair(&secret))
}

/// The center's key pair, in PEM. A missing file is made, mode 0600, with the directory that it is in; what root makes
/// belongs to that directory's owner. The error is a sentence.
pub fn load_or_make(path: &Path) -> Result<KeyPair, String> {
    let in_words = |error: io::Error| {
        format!("{} cannot be read or made ({error}): check the directory and its owner.", path.display())
    };
    if let Some(private_pem) = read(path).map_err(in_words)? {
        return pair(private_pem, path);
    }
    let made = new_pair()?;
    match write_new(path, &made.private_pem) {
        Ok(()) => Ok(made),
        // Another command was faster: its key is the one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let private_pem = read(path).map_err(in_words)?.unwrap_or_default();
            pair(private_pem, path)
        }
        Err(error) => Err(in_words(error)),
    }
}

fn pair(private_pem: String, path: &Path) -> Result<KeyPair, String> {
    let public_pem =
        keys::public_pem(private_pem.as_bytes()).map_err(|problem| format!("{} {problem}.", path.display()))?;
    Ok(KeyPair { private_pem, public_pem })
}

fn read(path: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The whole key or no file, whatever happens in between.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        give_to_owner_of_directory(&temporary)?;
        fs::hard_link(&temporary, path)?;
        File::open(directory)?.sync_all()
    };
    let outcome = written();
    let _ = fs::remove_file(&temporary);
    outcome
}
