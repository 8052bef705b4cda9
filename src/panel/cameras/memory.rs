//! The memory that all cameras together may take. What is held is given back when the last answer that holds it was
//! sent, however slowly its browser reads.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: usize = 1024;

/// So much, in KiB.
#[derive(Clone)]
pub struct Memory(Arc<Semaphore>);

/// Bytes that grow as long as there is memory for them.
pub struct Buffer {
    bytes: Vec<u8>,
    held: Held,
    /// Of this buffer, in bytes.
    most: usize,
}

/// Why a buffer does not grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// It is as large as it may be.
    Buffer,
    /// All together are.
    Memory,
}

struct Held {
    memory: Memory,
    permit: Option<OwnedSemaphorePermit>,
}

/// What an answer sends, and what it holds until then.
struct Carried<T, H> {
    content: T,
    _held: H,
}

impl Memory {
    pub fn new(bytes: usize) -> Memory {
        Memory(Arc::new(Semaphore::new(bytes / KIB)))
    }

    /// Empty, of at most so many bytes.
    pub fn buffer(&self, most: usize) -> Buffer {
        Buffer { bytes: Vec::new(), held: Held { memory: self.clone(), permit: None }, most }
    }
}

impl Buffer {
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let length = self.bytes.len() + bytes.len();
        if length > self.most {
            return Err(Full::Buffer);
        }
        if length > self.bytes.capacity() {
            let room = (self.bytes.capacity() * 2).clamp(length, self.most);
            self.held.grow_to(room)?;
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Forgets what comes before this place.
    pub fn forget(&mut self, before: usize) {
        self.bytes.drain(..before);
    }

    /// What comes before this place, held on its own.
    pub fn copy(&self, before: usize) -> Result<Bytes, Full> {
        let mut copy = self.held.memory.buffer(before);
        copy.push(&self.bytes[..before])?;
        Ok(copy.freeze())
    }

    pub fn freeze(self) -> Bytes {
        carried(self.bytes, self.held)
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    fn grow_to(&mut self, bytes: usize) -> Result<(), Full> {
        let held = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = bytes.div_ceil(KIB).saturating_sub(held);
        let wanted = u32::try_from(wanted).map_err(|_| Full::Memory)?;
        let more = Arc::clone(&self.memory.0).try_acquire_many_owned(wanted).map_err(|_| Full::Memory)?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }
}

/// Bytes that hold something until the last copy of them is gone.
pub fn carried(content: impl AsRef<[u8]> + Send + 'static, held: impl Send + 'static) -> Bytes {
    Bytes::from_owner(Carried { content, _held: held })
}

impl<T: AsRef<[u8]>, H> AsRef<[u8]> for Carried<T, H> {
    fn as_ref(&self) -> &[u8] {
        self.content.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_buffers_together_take_no_more_than_there_is_and_give_it_back_when_the_last_copy_goes() {
        let memory = Memory::new(8 * KIB);
        let mut first = memory.buffer(100 * KIB);
        assert_eq!(first.push(&[1; 6 * KIB]), Ok(()));
        let mut second = memory.buffer(100 * KIB);
        assert_eq!(second.push(&[2; 3 * KIB]), Err(Full::Memory));
        let (sent, copy) = (first.freeze(), second);
        let still = sent.clone();
        drop((sent, copy));
        let mut third = memory.buffer(100 * KIB);
        assert_eq!(third.push(&[3; 3 * KIB]), Err(Full::Memory), "a copy is on its way yet");
        drop(still);
        assert_eq!(third.push(&[3; 3 * KIB]), Ok(()));
    }

    #[test]
    fn a_buffer_grows_to_its_own_limit_alone() {
        let mut buffer = Memory::new(1024 * KIB).buffer(10);
        assert_eq!(buffer.push(b"12345678"), Ok(()));
        assert_eq!(buffer.push(b"901"), Err(Full::Buffer));
        buffer.forget(4);
        assert_eq!(buffer.push(b"901"), Ok(()));
        assert_eq!(&*buffer, b"5678901");
        assert_eq!(buffer.copy(2).map(|copy| copy.to_vec()), Ok(b"56".to_vec()));
    }
}
