//! An eventfd that ends a blocking wait from another thread, and the wait itself.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

pub(super) struct Waker(OwnedFd);

impl Waker {
    pub(super) fn new() -> io::Result<Waker> {
        // SAFETY: eventfd takes no pointer.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Waker(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Ends the current wait, or the next one.
    pub(super) fn ring(&self) {
        // SAFETY: the eight bytes live through the call. It can only fail when the counter is full: then it is readable.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const ONE).cast(), size_of::<u64>()) };
    }

    /// Takes back the rings so far. To be called before looking at what they were for.
    pub(super) fn hush(&self) {
        let mut count = 0u64;
        // SAFETY: the eight bytes live through the call. It fails only when nobody rang.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }

    /// Blocks until somebody rang, one of `others` has something to read (or failed), or `patience` (for ever if
    /// `None`) is over; a signal ends it too. Says which of `others` it was.
    pub(super) fn wait(&self, others: &[BorrowedFd<'_>], patience: Option<Duration>) -> io::Result<Vec<bool>> {
        let watched = |fd: i32| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut fds: Vec<_> = others.iter().map(|fd| watched(fd.as_raw_fd())).collect();
        fds.push(watched(self.0.as_raw_fd()));
        // Rounded up: a wait that ends too early would spin through its last millisecond.
        let timeout =
            patience.map_or(-1, |patience| i32::try_from(patience.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        // SAFETY: the pointer and the length are those of a vector that lives through the call.
        let count = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
        if count < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(fds[..others.len()].iter().map(|fd| fd.revents != 0).collect())
    }
}

static ONE: u64 = 1;
