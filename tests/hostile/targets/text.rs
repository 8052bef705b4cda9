//! Any text where a time, an id or a label is expected.

use sos_hub::controller::moment::Wall;
use sos_hub::wire::text::{parse_id, parse_timestamp, tidy, timestamp};

use super::bytes::Bytes;

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let longest = usize::from(bytes.byte());
    let number = Bytes::new(data).number();
    let Ok(text) = str::from_utf8(bytes.rest()) else { return };
    if let Some(wall) = parse_timestamp(text) {
        assert!(text.len() >= 20 && text.is_ascii(), "{text:?} is RFC 3339");
        // With its offset a time of the first day may lie before all that can be said in UTC.
        let said = wall.max(Wall(-62_167_219_200_000));
        assert_eq!(parse_timestamp(&timestamp(wall)), Some(said), "{text:?} survives the way out and back");
    }
    let wall = Wall(number.cast_signed());
    assert!(parse_timestamp(&timestamp(wall)).is_some(), "any time can be said");
    if let Some(id) = parse_id(text) {
        assert_eq!(id.to_string(), text.to_lowercase());
    }
    let tidied = tidy(text, longest);
    assert!(tidied.chars().count() <= longest && !tidied.contains(char::is_control));
    assert_eq!(tidied.trim(), tidied);
    assert_eq!(tidy(&tidied, longest), tidied, "twice is once");
}
