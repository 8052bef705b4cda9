//! The addresses of the console's pages, what a browser asks for by them, and what it sends in forms.

use crate::controller::moment::{Id, Wall};
use crate::wire::text;

/// What stands in the main part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    Queue,
    Incident(Id),
    /// From this account on, or from the first.
    Hubs(Option<String>),
    Security,
    /// Entries before this one, or the newest.
    Audit(Option<i64>),
    /// Incidents before the one that was received then and has this id, or the newest.
    Past(Option<(Wall, Id)>),
}

/// The longest value of a query that means anything.
const LONGEST: usize = 128;

impl Page {
    /// The page of a path and query of ours; `None` if there is none there.
    pub fn at(address: &str) -> Option<Page> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let value = |wanted: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == wanted)
                .and_then(|(_, value)| decoded(value))
                .filter(|value| !value.is_empty())
        };
        match path {
            "/" => Some(Page::Queue),
            "/hubs" => Some(Page::Hubs(value("from"))),
            "/security" => Some(Page::Security),
            "/audit" => Some(Page::Audit(value("before").and_then(|before| before.parse().ok()))),
            "/incidents" => Some(Page::Past(value("before").and_then(|before| moment_and_id(&before)))),
            _ => path.strip_prefix("/incidents/").and_then(text::parse_id).map(Page::Incident),
        }
    }

    /// The path and query; [`Page::at`] reads it.
    pub fn address(&self) -> String {
        match self {
            Page::Queue => "/".to_owned(),
            Page::Incident(id) => format!("/incidents/{id}"),
            Page::Hubs(None) => "/hubs".to_owned(),
            Page::Hubs(Some(from)) => format!("/hubs?from={}", encoded(from)),
            Page::Security => "/security".to_owned(),
            Page::Audit(None) => "/audit".to_owned(),
            Page::Audit(Some(before)) => format!("/audit?before={before}"),
            Page::Past(None) => "/incidents".to_owned(),
            Page::Past(Some((wall, id))) => format!("/incidents?before={}.{id}", wall.0),
        }
    }
}

fn moment_and_id(text: &str) -> Option<(Wall, Id)> {
    let (wall, id) = text.split_once('.')?;
    Some((Wall(wall.parse().ok()?), text::parse_id(id)?))
}

/// A text as a value in a query.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The text of a value in a query; `None` if it is none or far too long.
pub fn decoded(value: &str) -> Option<String> {
    // A character has up to four bytes, and each is written with three.
    let text = (value.len() <= 12 * LONGEST).then(|| decoded_text(value))??;
    Some(text::tidy(&text, LONGEST))
}

/// A field of a form; of several with one name the first.
pub fn field(form: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).and_then(|(_, value)| decoded_text(value))
}

/// The text of a value in a form, as it is; `None` if it is none.
pub fn decoded_text(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high << 4 | low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_its_address() {
        let id = text::parse_id("01920000-0000-7000-8000-00000000002a").unwrap();
        for page in [
            Page::Queue,
            Page::Incident(id),
            Page::Hubs(None),
            Page::Hubs(Some("a b&c=ü/+".to_owned())),
            Page::Hubs(Some("𝚙".repeat(LONGEST))),
            Page::Security,
            Page::Audit(Some(17)),
            Page::Past(None),
            Page::Past(Some((Wall(-5), id))),
        ] {
            assert_eq!(Page::at(&page.address()), Some(page));
        }
    }

    #[test]
    fn nothing_else_is_a_page() {
        for address in ["", "//evil.example", "/incidents/1", "/login", "https://evil.example/", "/hubsx"] {
            assert_eq!(Page::at(address), None, "{address}");
        }
        assert_eq!(Page::at("/hubs?from=%ff"), Some(Page::Hubs(None)));
    }
}
