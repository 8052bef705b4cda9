//! The parts of a `multipart/x-mixed-replace` stream, as cameras send them: more or less as RFC 2046 has it.

use axum::body::Bytes;

use super::memory::{Buffer, Full, Memory};

const HEAD_BYTES: usize = 4096;

/// Cuts a stream into its parts.
pub struct Parts {
    /// With the two hyphens.
    delimiter: Vec<u8>,
    buffer: Buffer,
    most: usize,
    /// Of the part whose body the buffer begins with.
    head: Option<Head>,
    /// Up to here the buffer holds no delimiter.
    searched: usize,
}

struct Head {
    content_type: String,
    length: Option<usize>,
}

pub struct Part {
    pub content_type: String,
    pub bytes: Bytes,
}

impl Parts {
    /// `None` if the content type names no boundary. `most`: of one part, in bytes.
    pub fn new(content_type: &str, most: usize, memory: &Memory) -> Option<Parts> {
        let parameters = content_type.split(';').filter_map(|parameter| parameter.trim().split_once('='));
        let (_, boundary) = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
        // Some cameras count the hyphens among the boundary, and some do not.
        let boundary = boundary.trim().trim_matches('"').trim_start_matches("--");
        if boundary.is_empty() || boundary.len() > HEAD_BYTES / 2 {
            return None;
        }
        let delimiter = [b"--", boundary.as_bytes()].concat();
        Some(Parts { delimiter, buffer: memory.buffer(most + HEAD_BYTES), most, head: None, searched: 0 })
    }

    /// Takes what has arrived; then [`Parts::next`] gives what is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.buffer.push(bytes)
    }

    /// The next part that is complete. One for which there is no memory now is left out.
    pub fn next(&mut self) -> Result<Option<Part>, Full> {
        loop {
            if self.head.is_none() {
                self.head = self.next_head();
            }
            let Some(head) = &self.head else { return Ok(None) };
            let end = match head.length {
                Some(length) if length > self.most => return Err(Full::Buffer),
                Some(length) => (length <= self.buffer.len()).then_some(length),
                None => self.end_of_body(),
            };
            let Some(end) = end else { return Ok(None) };
            let copy = self.buffer.copy(end);
            self.forget(end);
            let content_type = self.head.take().map(|head| head.content_type).unwrap_or_default();
            match copy {
                Ok(bytes) => return Ok(Some(Part { content_type, bytes })),
                Err(Full::Memory) => {}
                Err(Full::Buffer) => return Err(Full::Buffer),
            }
        }
    }

    /// Leaves out what comes before the next part's body.
    fn next_head(&mut self) -> Option<Head> {
        loop {
            let Some(start) = self.find_delimiter() else {
                // The first bytes of one may be there.
                self.forget((self.buffer.len() + 1).saturating_sub(self.delimiter.len()));
                return None;
            };
            self.forget(start);
            let head = &self.buffer[self.delimiter.len()..];
            match find_end_of_head(&head[..head.len().min(HEAD_BYTES)]) {
                Some(length) => {
                    let head = String::from_utf8_lossy(&head[..length]).into_owned();
                    self.forget(self.delimiter.len() + length);
                    let length = field(&head, "content-length").and_then(|length| length.parse().ok());
                    let content_type = field(&head, "content-type").unwrap_or_default().to_owned();
                    return Some(Head { content_type, length });
                }
                None if head.len() >= HEAD_BYTES => self.forget(self.delimiter.len()),
                None => return None,
            }
        }
    }

    /// Where the body ends that the buffer begins with.
    fn end_of_body(&mut self) -> Option<usize> {
        let end = self.find_delimiter()?;
        Some(end - self.buffer[..end].strip_suffix(b"\r\n").map_or(0, |_| 2))
    }

    /// What was searched once is not searched again.
    fn find_delimiter(&mut self) -> Option<usize> {
        let found = find(&self.buffer[self.searched..], &self.delimiter).map(|found| self.searched + found);
        self.searched = found.unwrap_or((self.buffer.len() + 1).saturating_sub(self.delimiter.len()));
        found
    }

    fn forget(&mut self, before: usize) {
        self.buffer.forget(before);
        self.searched = 0;
    }
}

fn find(within: &[u8], wanted: &[u8]) -> Option<usize> {
    within.windows(wanted.len()).position(|window| window == wanted)
}

/// The length of the head with the empty line that ends it.
fn find_end_of_head(bytes: &[u8]) -> Option<usize> {
    let proper = find(bytes, b"\r\n\r\n").map(|at| at + 4);
    let bare = find(bytes, b"\n\n").map(|at| at + 2);
    proper.into_iter().chain(bare).min()
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(found, _)| found.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(content_type: &str) -> Option<Parts> {
        Parts::new(content_type, 1000, &Memory::new(1024 * 1024))
    }

    /// All parts, however the stream is cut.
    fn parts(content_type: &str, stream: &[u8], pieces_of: usize) -> Vec<(String, Vec<u8>)> {
        let mut parts = new(content_type).unwrap();
        let mut found = Vec::new();
        for piece in stream.chunks(pieces_of) {
            parts.feed(piece).unwrap();
            while let Some(part) = parts.next().unwrap() {
                found.push((part.content_type, part.bytes.to_vec()));
            }
        }
        found
    }

    #[test]
    fn parts_are_found_however_the_stream_is_cut() {
        let jpeg = |bytes: &[u8]| ("image/jpeg".to_owned(), bytes.to_vec());
        let with_length = b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\n--x-a\r\n--x\r\n\
                            content-type:image/jpeg\r\ncontent-length: 1\r\n\r\nb\r\n";
        let without = b"preamble\r\n--x\r\nContent-Type: image/jpeg\r\n\r\n\xff\r\n\xd8\r\n--x\nContent-Type: image/jpeg\n\nb\r\n--x--";
        for pieces_of in [1, 2, 7, 1000] {
            for kind in ["multipart/x-mixed-replace; boundary=x", "multipart/x-mixed-replace;boundary=\"--x\""] {
                assert_eq!(parts(kind, with_length, pieces_of), [jpeg(b"--x-a"), jpeg(b"b")]);
                assert_eq!(parts(kind, without, pieces_of), [jpeg(b"\xff\r\n\xd8"), jpeg(b"b")]);
            }
        }
    }

    #[test]
    fn what_has_no_end_fills_no_memory() {
        let kind = "multipart/x-mixed-replace; boundary=x";
        for begin in ["", "--x\r\n", "--x\r\nContent-Type: image/jpeg\r\n\r\n"] {
            let mut parts = new(kind).unwrap();
            parts.feed(begin.as_bytes()).unwrap();
            for _ in 0..10_000 {
                let fed = parts.feed(b"xxxxxxxxxx").and_then(|()| parts.next());
                assert!(matches!(fed, Ok(None) | Err(Full::Buffer)), "{begin:?}");
                assert!(parts.buffer.len() <= 1000 + HEAD_BYTES, "{begin:?}");
            }
        }
        let mut parts = new(kind).unwrap();
        parts.feed(b"--x\r\nContent-Length: 18446744073709551615\r\n\r\n").unwrap();
        assert!(parts.next().is_err());
    }

    #[test]
    fn a_picture_for_which_there_is_no_memory_is_left_out_and_the_next_one_comes() {
        let memory = Memory::new(12 * 1024);
        let mut parts = Parts::new("multipart/x-mixed-replace; boundary=x", 4000, &memory).unwrap();
        let part = |fill: u8| [b"--x\r\nContent-Length: 3000\r\n\r\n".as_slice(), &[fill; 3000], b"\r\n"].concat();
        let mut next = |fill: u8| {
            parts.feed(&part(fill)).unwrap();
            parts.next().unwrap()
        };
        // Two are on their way to somebody who reads nothing.
        let kept = [next(1), next(2)];
        assert!(kept.iter().all(Option::is_some));
        assert!(next(3).is_none());
        drop(kept);
        assert_eq!(next(4).map(|part| part.bytes[0]), Some(4));
    }

    #[test]
    fn a_stream_without_a_boundary_is_none() {
        for kind in [
            "multipart/x-mixed-replace",
            "multipart/x-mixed-replace; boundary=",
            "multipart/x-mixed-replace; boundary=--",
        ] {
            assert!(new(kind).is_none(), "{kind}");
        }
    }
}
