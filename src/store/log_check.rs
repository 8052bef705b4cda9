//! Whether commits in the database's log were lost, of which SQLite says nothing.
//!
//! SQLite reads its write-ahead log up to the first damaged frame and takes the rest for a write that a power cut
//! interrupted. That is right for one commit, the last. But each commit is synced before the next one begins, so where
//! two or more lie behind the damage, somebody was told that they are on disk.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// As SQLite's file format has it, all numbers big-endian: magic, version, page size, a serial, two salts, two sums.
const HEADER: usize = 32;
/// The page's number, the database's pages after a commit (0 within one), the two salts of the header, two sums.
const FRAME_HEADER: usize = 24;
/// The page size of our database.
const PAGE: usize = 4096;
/// Its last bit says how the sums read the words.
const MAGIC: u32 = 0x377f_0682;

/// `false` also where the log cannot be read at all: SQLite will say so.
pub fn has_lost_commits(log: &Path) -> bool {
    File::open(log).is_ok_and(|file| lost_commits(BufReader::new(file)) > 1)
}

/// How many commits lie behind the first damage. Frames with other salts are remains of an earlier use of the file.
fn lost_commits(mut log: impl Read) -> usize {
    let mut header = [0; HEADER];
    if log.read_exact(&mut header).is_err() {
        return 0;
    }
    let big_endian = word(&header, 0) & 1 == 1;
    let mut sum = checksum((0, 0), &header[..24], big_endian);
    let mut intact = word(&header, 0) & !1 == MAGIC
        && word(&header, 8) as usize == PAGE
        && sum == (word(&header, 24), word(&header, 28));
    let mut salts = intact.then(|| salts(&header[16..24]));
    let mut lost = 0;
    let mut frame = [0; FRAME_HEADER + PAGE];
    while log.read_exact(&mut frame).is_ok() {
        let its_salts = self::salts(&frame[8..16]);
        // Without a header the first frame says which salts count: the log is always written from its begin.
        let is_current = *salts.get_or_insert(its_salts) == its_salts;
        if intact {
            sum = checksum(checksum(sum, &frame[..8], big_endian), &frame[FRAME_HEADER..], big_endian);
            intact = is_current && sum == (word(&frame, 16), word(&frame, 20));
        }
        let ends_commit = word(&frame, 4) != 0;
        lost += usize::from(!intact && is_current && ends_commit);
    }
    lost
}

fn salts(bytes: &[u8]) -> (u32, u32) {
    (word(bytes, 0), word(bytes, 4))
}

fn checksum((mut first, mut second): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let read = |at| if big_endian { word(bytes, at) } else { word(bytes, at).swap_bytes() };
    for at in (0..bytes.len()).step_by(8) {
        first = first.wrapping_add(read(at)).wrapping_add(second);
        second = second.wrapping_add(read(at + 4)).wrapping_add(first);
    }
    (first, second)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
