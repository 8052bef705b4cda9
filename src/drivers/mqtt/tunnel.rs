//! Between the MQTT library and our own TCP or TLS stream.
//!
//! The library's own TLS brings a certificate verifier with known holes into the program, its dialling waits for a
//! dead address for ever, and it drops a DISCONNECT that bears a reason and nothing else, which is how brokers say that
//! they shut down or that another client took our place. So the library talks to a socket of this process, and we pass on what it says.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::net::UnixListener;

use super::dial::Stream;

const BUFFER_BYTES: usize = 4096;
/// The first byte of a DISCONNECT.
const DISCONNECT: u8 = 0xe0;

/// The near end: the library connects to it by its name.
pub struct Tunnel {
    listener: UnixListener,
    name: String,
}

impl Tunnel {
    /// Opens it in the abstract name space of Unix sockets: no file, gone with the process.
    pub fn open() -> io::Result<Tunnel> {
        let name = format!("\0sos-hub-{}-{:016x}", std::process::id(), RandomState::new().build_hasher().finish());
        Ok(Tunnel { listener: UnixListener::bind(&name)?, name })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Passes on in both directions until both have ended or one has failed. The reason of the broker's DISCONNECT is
    /// left in `farewell`.
    pub async fn relay(self, far: Box<dyn Stream>, farewell: &Cell<Option<u8>>) -> io::Result<()> {
        let mut near = loop {
            let (near, _) = self.listener.accept().await?;
            // Any process of this machine may connect to such a socket.
            if near.peer_cred()?.pid() == i32::try_from(std::process::id()).ok() {
                break near;
            }
        };
        drop(self.listener);
        let mut far = Watched { inner: far, farewell, frames: Frames::FirstByte };
        copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER_BYTES, BUFFER_BYTES).await.map(|_| ())
    }
}

/// Looks at what comes from the broker in passing.
struct Watched<'a> {
    inner: Box<dyn Stream>,
    farewell: &'a Cell<Option<u8>>,
    frames: Frames,
}

/// Where we are in the stream of MQTT packets.
#[derive(Clone, Copy)]
enum Frames {
    FirstByte,
    Length { first: u8, length: usize, shift: u32 },
    Body { first: u8, left: usize, is_start: bool },
}

impl Watched<'_> {
    fn watch(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            self.frames = match self.frames {
                Frames::FirstByte => {
                    bytes = rest;
                    Frames::Length { first: byte, length: 0, shift: 0 }
                }
                Frames::Length { first, length, shift } => {
                    bytes = rest;
                    let length = length | usize::from(byte & 0x7f) << shift;
                    // Four bytes at most (MQTT 5, 1.5.5).
                    match (byte & 0x80 != 0 && shift < 21, length) {
                        (true, length) => Frames::Length { first, length, shift: shift + 7 },
                        (false, 0) => Frames::FirstByte,
                        (false, left) => Frames::Body { first, left, is_start: true },
                    }
                }
                Frames::Body { first, left, is_start } => {
                    if is_start && first == DISCONNECT {
                        self.farewell.set(Some(byte));
                    }
                    let passed = left.min(bytes.len());
                    bytes = &bytes[passed..];
                    match left - passed {
                        0 => Frames::FirstByte,
                        left => Frames::Body { first, left, is_start: false },
                    }
                }
            };
        }
    }
}

impl AsyncRead for Watched<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.farewell.get().is_some() {
            // Nothing follows a DISCONNECT, so this is the end even if the broker does not close.
            return Poll::Ready(Ok(()));
        }
        let already = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        this.watch(&buf.filled()[already..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
