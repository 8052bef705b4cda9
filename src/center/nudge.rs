//! How a running center hears that the command line has changed something: a socket in its state directory. Whoever may
//! open the directory may nudge, and a nudge says nothing but "look again".

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const STACK_BYTES: usize = 128 * 1024;
const PATIENCE: Duration = Duration::from_secs(2);
const HEARD: &[u8] = b"heard\n";

/// Listens until it is dropped.
pub struct Listener {
    path: PathBuf,
    is_over: Arc<AtomicBool>,
}

/// Calls `on_nudge` on a thread of its own for each nudge. The error is a sentence.
pub fn listen(state_dir: &Path, on_nudge: impl Fn() + Send + 'static) -> Result<Listener, String> {
    let path = socket_path(state_dir);
    let in_words = |error: std::io::Error| {
        format!(
            "{} cannot be listened on ({error}): until a restart, changes of accounts are not heard of",
            path.display()
        )
    };
    // One that is left over from before: only one center at a time has this directory.
    let _ = fs::remove_file(&path);
    let socket = UnixListener::bind(&path).map_err(in_words)?;
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    std::thread::Builder::new()
        .name("nudge".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || hear(&socket, &over, &on_nudge))
        .map_err(in_words)?;
    Ok(Listener { path, is_over })
}

fn hear(socket: &UnixListener, is_over: &AtomicBool, on_nudge: &dyn Fn()) {
    for connection in socket.incoming() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        match connection {
            Ok(mut connection) => {
                on_nudge();
                // Whoever nudged may have gone away.
                let _ = connection.write_all(HEARD);
            }
            Err(error) => {
                tracing::warn!("the center hears no more of changed accounts until a restart: {error}");
                return;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = UnixStream::connect(&self.path);
        let _ = fs::remove_file(&self.path);
    }
}

/// Tells a running center to look for accounts that have changed; whether one has heard it.
pub fn nudge(state_dir: &Path) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut connection = UnixStream::connect(socket_path(state_dir))?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut said = [0; HEARD.len()];
        connection.read_exact(&mut said)?;
        Ok(said == HEARD)
    };
    ask().unwrap_or(false)
}

fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join("center.sock")
}
