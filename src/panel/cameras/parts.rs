//! The parts of a `multipart/x-mixed-replace` stream, as cameras send them: more or less as RFC 2046 has it.

use axum::body::Bytes;

const HEAD_BYTES: usize = 4096;

/// Cuts a stream into its parts.
pub struct Parts {
    /// With the two hyphens.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    most: usize,
    /// Up to here the buffer holds no delimiter that ends the part.
    searched: usize,
}

pub struct Part {
    pub content_type: String,
    pub bytes: Bytes,
}

/// A part is larger than anybody has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl Parts {
    /// `None` if the content type names no boundary. `most`: of one part, in bytes.
    pub fn new(content_type: &str, most: usize) -> Option<Parts> {
        let parameters = content_type.split(';').filter_map(|parameter| parameter.trim().split_once('='));
        let (_, boundary) = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
        // Some cameras count the hyphens among the boundary, and some do not.
        let boundary = boundary.trim().trim_matches('"').trim_start_matches("--");
        if boundary.is_empty() {
            return None;
        }
        let delimiter = [b"--", boundary.as_bytes()].concat();
        Some(Parts { delimiter, buffer: Vec::new(), most, searched: 0 })
    }

    /// Takes what has arrived; then [`Parts::next`] gives what is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        if self.buffer.len() + bytes.len() > self.most + HEAD_BYTES {
            return Err(TooLarge);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next part that is complete.
    pub fn next(&mut self) -> Option<Part> {
        let start = find(&self.buffer, &self.delimiter)? + self.delimiter.len();
        let head_length = find_end_of_head(&self.buffer[start..])?;
        let body = start + head_length;
        let head = String::from_utf8_lossy(&self.buffer[start..body]).into_owned();
        let length: Option<usize> = field(&head, "content-length").and_then(|length| length.parse().ok());
        let end = match length {
            Some(length) => Some(body.checked_add(length)?).filter(|end| *end <= self.buffer.len())?,
            None => self.find_delimiter_from(body)?,
        };
        let bytes = Bytes::copy_from_slice(&self.buffer[body..end]);
        self.buffer.drain(..end);
        self.searched = 0;
        Some(Part { content_type: field(&head, "content-type").unwrap_or_default().to_owned(), bytes })
    }

    /// Where the part ends that begins here; what was searched once is not searched again.
    fn find_delimiter_from(&mut self, body: usize) -> Option<usize> {
        let from = self.searched.max(body);
        match find(&self.buffer[from..], &self.delimiter) {
            Some(found) => {
                let end = from + found;
                let line_end = self.buffer[body..end].strip_suffix(b"\r\n").map_or(0, |_| 2);
                Some(end - line_end)
            }
            None => {
                self.searched = self.buffer.len().saturating_sub(self.delimiter.len()).max(body);
                None
            }
        }
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

    /// All parts, however the stream is cut.
    fn parts(content_type: &str, stream: &[u8], pieces_of: usize) -> Vec<(String, Vec<u8>)> {
        let mut parts = Parts::new(content_type, 1000).unwrap();
        let mut found = Vec::new();
        for piece in stream.chunks(pieces_of) {
            parts.feed(piece).unwrap();
            while let Some(part) = parts.next() {
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
        let mut parts = Parts::new("multipart/x-mixed-replace; boundary=x", 1000).unwrap();
        let fed = (0..1_000_000).take_while(|_| parts.feed(b"xxxxxxxxxx").is_ok() && parts.next().is_none()).count();
        assert!(fed < 600, "{fed}");
        let mut parts = Parts::new("multipart/x-mixed-replace; boundary=x", 1000).unwrap();
        parts.feed(b"--x\r\nContent-Length: 18446744073709551615\r\n\r\n").unwrap();
        assert!(parts.next().is_none());
    }

    #[test]
    fn a_stream_without_a_boundary_is_none() {
        for kind in [
            "multipart/x-mixed-replace",
            "multipart/x-mixed-replace; boundary=",
            "multipart/x-mixed-replace; boundary=--",
        ] {
            assert!(Parts::new(kind, 1000).is_none(), "{kind}");
        }
    }
}
