//! Times, ids and short texts as they stand in the messages.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::controller::moment::{ClockStanding, Id, Wall};

/// 0000-01-01T00:00:00Z in milliseconds: the first moment that RFC 3339 can say.
const FIRST_MS: i64 = -62_167_219_200_000;

/// RFC 3339 in UTC with milliseconds: `2026-11-22T10:00:00.000Z`. What RFC 3339 cannot say becomes the nearest that it
/// can.
pub fn timestamp(wall: Wall) -> String {
    let timestamp = Timestamp::from_millisecond(wall.0.max(FIRST_MS)).unwrap_or(Timestamp::MAX);
    format!("{timestamp:.3}")
}

/// The moment that an RFC 3339 text of any offset names; `None` for all else, also for the other forms of ISO 8601.
pub fn parse_timestamp(text: &str) -> Option<Wall> {
    has_rfc3339_shape(text.as_bytes()).then_some(())?;
    text.parse::<Timestamp>().ok().map(|timestamp| Wall(timestamp.as_millisecond()))
}

/// `1985-04-12T23:20:50.52+01:00`, with the separator and the `Z` in either case. The time library reads much more
/// than that, and judges the numbers.
fn has_rfc3339_shape(text: &[u8]) -> bool {
    let Some((whole_seconds, rest)) = text.split_at_checked(19) else { return false };
    let fits = |bytes: &[u8], pattern: &[u8]| {
        bytes.len() == pattern.len()
            && bytes.iter().zip(pattern).all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't' | b' '),
                b'+' => matches!(byte, b'+' | b'-'),
                other => byte == other,
            })
    };
    let fraction =
        rest.strip_prefix(b".").map_or(0, |digits| 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let offset = &rest[fraction..];
    fits(whole_seconds, b"0000-00-00T00:00:00") && (matches!(offset, b"Z" | b"z") || fits(offset, b"+00:00"))
}

/// The id that a hyphenated UUID of either case names.
pub fn parse_id(text: &str) -> Option<Id> {
    const HYPHENATED: usize = 36;
    (text.len() == HYPHENATED).then_some(())?;
    Uuid::try_parse(text).ok().map(|uuid| Id(uuid.as_u128()))
}

/// A text of a stranger, fit to be shown and kept: without control characters and surrounding white space, and of at
/// most `longest` characters.
pub fn tidy(text: &str, longest: usize) -> String {
    let visible = text.chars().filter(|c| !c.is_control()).skip_while(|c| c.is_whitespace());
    let cut: String = visible.take(longest).collect();
    cut.trim_end().to_owned()
}

pub(super) fn clock(standing: ClockStanding) -> &'static str {
    match standing {
        ClockStanding::Synced => "synced",
        ClockStanding::Unsynced => "unsynced",
    }
}

/// For the messages' own structures alone: they hold nothing that JSON cannot say.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and lists are always JSON")
}
