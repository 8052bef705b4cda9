//! A TCP proxy that can cut its connections off or fall silent on them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A port that nobody listens on.
pub const NOBODY: u16 = 1;

/// Listens on a port of its own for as long as the test's process lives.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    target: AtomicU16,
    silent: AtomicBool,
    loses: AtomicBool,
    connections: AtomicUsize,
    bytes: AtomicUsize,
    /// What ends the connection that says it, and whether another one can follow.
    last_words: Mutex<Option<(Vec<u8>, bool)>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// To this port of 127.0.0.1.
    pub fn to(target: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the proxy's port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared {
            target: AtomicU16::new(target),
            silent: AtomicBool::new(false),
            loses: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            last_words: Mutex::new(None),
            open: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let Ok(far) = TcpStream::connect(("127.0.0.1", accepting.target.load(Ordering::SeqCst))) else {
                    continue;
                };
                let mut open = accepting.open.lock().expect("the list of connections");
                for (from, to, is_outgoing) in [(&near, &far, true), (&far, &near, false)] {
                    let (from, to) = (copy_of(from), copy_of(to));
                    let shared = Arc::clone(&accepting);
                    thread::spawn(move || pass_on(from, to, is_outgoing, &shared));
                }
                open.extend([near, far]);
            }
        });
        Proxy { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections that are made from now on go to this port of 127.0.0.1.
    pub fn lead_to(&self, port: u16) {
        self.shared.target.store(port, Ordering::SeqCst);
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How much was passed on so far, both ways.
    pub fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::SeqCst)
    }

    /// Ends all connections; new ones are served.
    pub fn cut(&self) {
        for stream in self.shared.open.lock().expect("the list of connections").drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// The next connection whose dialler says this ends with it: it is passed on, and no answer comes back.
    /// `comes_back` says whether others can follow.
    pub fn cut_after(&self, words: &[u8], comes_back: bool) {
        *self.shared.last_words.lock().expect("the last words") = Some((words.to_vec(), comes_back));
    }

    /// Connections stand, and nothing is passed on any more: a half-open link.
    pub fn set_silent(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::SeqCst);
    }

    /// What who dials says is lost on the way, and what it is told still comes. What it says after that makes no sense on
    /// the same connections: they are to be cut.
    pub fn set_loses(&self, loses: bool) {
        self.shared.loses.store(loses, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Those who wait for it to speak again go.
        self.set_silent(false);
    }
}

fn are_last_words(said: &[u8], shared: &Shared) -> bool {
    let mut last = shared.last_words.lock().expect("the last words");
    let are_last = last.take_if(|(last, _)| said.windows(last.len()).any(|words| words == last));
    if let Some((_, false)) = are_last {
        shared.target.store(NOBODY, Ordering::SeqCst);
    }
    are_last.is_some()
}

fn copy_of(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a second handle of the connection")
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, is_outgoing: bool, shared: &Shared) {
    let mut buffer = [0; 4096];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        while_silent(shared);
        if is_outgoing && shared.loses.load(Ordering::SeqCst) {
            continue;
        }
        let is_last = is_outgoing && are_last_words(&buffer[..length], shared);
        if is_last {
            // The dialler may be gone.
            let _ = from.shutdown(Shutdown::Write);
        }
        if to.write_all(&buffer[..length]).is_err() || is_last {
            break;
        }
        shared.bytes.fetch_add(length, Ordering::SeqCst);
    }
    // Its end is not passed on either.
    while_silent(shared);
    let _ = to.shutdown(Shutdown::Both);
}

fn while_silent(shared: &Shared) {
    while shared.silent.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
}
