//! A command's payload becomes what it says. Anybody in the home may send one, so nothing is guessed: a word that is
//! not exactly one of ours is refused, never rounded to the nearest.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::home_assistant::SOURCE;
use super::text::{parse_id, parse_timestamp, tidy};
use crate::controller::input::{CancelTarget, Content, Malformed};
use crate::controller::moment::Wall;
use crate::controller::words::{CommandName, Service, TestKind};

/// The largest payload that is looked at, in bytes.
pub const MAX_BYTES: usize = 4096;

/// The longest `id`, `source` and `user`, in characters.
pub const MAX_CHARACTERS: usize = 64;

type Problem = String;

/// What the payload of a command says: a plain word (surrounding ASCII white space does not count) or a JSON object
/// whose unknown keys do not count, as the command allows.
pub fn command(name: CommandName, payload: &[u8]) -> Result<Content, Malformed> {
    let text = text(payload)?;
    match name {
        CommandName::Request => request(text),
        CommandName::Cancel => cancel(text),
        CommandName::Silence => silence(text),
        CommandName::Test => test(text).map_err(without_id),
    }
}

fn text(payload: &[u8]) -> Result<&str, Malformed> {
    if payload.len() > MAX_BYTES {
        return Err(without_id(format!("the message must not be larger than {MAX_BYTES} bytes")));
    }
    str::from_utf8(payload.trim_ascii()).map_err(|_| without_id("the message must be UTF-8 text".into()))
}

/// What Home Assistant's siren says: `ON` or `OFF`, or JSON with one of them as its `state`. On is a request for the siren
/// only, off is a silence; what is neither counts as a request that was not understood.
pub fn siren(payload: &[u8]) -> (CommandName, Result<Content, Malformed>) {
    let said = text(payload).and_then(|text| {
        if !text.starts_with('{') {
            return switched(text, None).map_err(without_id);
        }
        Fields::of(text, &["state", "id"], |fields, id| match fields.get("state") {
            Said::Text(state) => switched(&state, id),
            Said::Nothing | Said::Other => Err(NO_SUCH_STATE.into()),
        })
    });
    let is_off = matches!(said, Ok(Content::Silence { .. }));
    (if is_off { CommandName::Silence } else { CommandName::Request }, said)
}

fn switched(state: &str, id: Option<String>) -> Result<Content, Problem> {
    let source = Some(SOURCE.to_owned());
    match state {
        "ON" => Ok(Content::Request { service: Service::Siren, id, source, user: None, sent_at: None }),
        "OFF" => Ok(Content::Silence { id }),
        _ => Err(NO_SUCH_STATE.into()),
    }
}

const NO_SUCH_STATE: &str = "the siren must be switched ON or OFF";

fn request(text: &str) -> Result<Content, Malformed> {
    if !text.starts_with('{') {
        let service = service(text).map_err(without_id)?;
        return Ok(Content::Request { service, id: None, source: None, user: None, sent_at: None });
    }
    Fields::of(text, &["service", "id", "source", "user", "sent_at"], |fields, id| {
        let service = match fields.get("service") {
            Said::Text(text) => service(&text)?,
            Said::Nothing | Said::Other => return Err(NO_SUCH_SERVICE.into()),
        };
        let sent_at = sent_at(fields.get("sent_at"))?;
        Ok(Content::Request {
            service,
            id,
            source: label(fields.get("source")),
            user: label(fields.get("user")),
            sent_at,
        })
    })
}

fn cancel(text: &str) -> Result<Content, Malformed> {
    if !text.starts_with('{') {
        let incident = if text.is_empty() { CancelTarget::Every } else { cancel_target(text) };
        return Ok(Content::Cancel { incident, id: None });
    }
    Fields::of(text, &["incident", "id"], |fields, id| {
        let incident = match fields.get("incident") {
            Said::Nothing => CancelTarget::Every,
            Said::Text(text) if !text.trim_ascii().is_empty() => cancel_target(text.trim_ascii()),
            Said::Text(_) | Said::Other => {
                return Err("the incident must be an incident's id, or left out to abort every countdown".into());
            }
        };
        Ok(Content::Cancel { incident, id })
    })
}

fn silence(text: &str) -> Result<Content, Malformed> {
    if text.is_empty() {
        return Ok(Content::Silence { id: None });
    }
    if !text.starts_with('{') {
        return Err(without_id("a silence must be empty or a JSON object".into()));
    }
    Fields::of(text, &["id"], |_, id| Ok(Content::Silence { id }))
}

fn test(text: &str) -> Result<Content, Problem> {
    match text {
        "siren" => Ok(Content::Test(TestKind::Siren)),
        "center" => Ok(Content::Test(TestKind::Center)),
        _ => Err("the test must be the word siren or center".into()),
    }
}

const NO_SUCH_SERVICE: &str = "the service must be police, fire or siren";

fn service(text: &str) -> Result<Service, Problem> {
    Service::parse(text).ok_or_else(|| NO_SUCH_SERVICE.into())
}

fn cancel_target(text: &str) -> CancelTarget {
    parse_id(text).map_or_else(|| CancelTarget::Unknown(tidy(text, MAX_CHARACTERS)), CancelTarget::One)
}

fn sent_at(said: Said) -> Result<Option<Wall>, Problem> {
    let parsed = match said {
        Said::Nothing => return Ok(None),
        Said::Text(text) => parse_timestamp(&text),
        Said::Other => None,
    };
    let problem = "sent_at must be an RFC 3339 time such as 2026-11-22T10:00:00Z; it may be left out";
    parsed.map(Some).ok_or_else(|| problem.into())
}

/// `source` and `user` only help people: what is wrong with them must not cost a request.
fn label(said: Said) -> Option<String> {
    let Said::Text(text) = said else { return None };
    Some(tidy(&text, MAX_CHARACTERS)).filter(|text| !text.is_empty())
}

fn without_id(problem: Problem) -> Malformed {
    Malformed { id: None, problem }
}

/// What a key says.
enum Said {
    /// It is not there, or null: many languages write what they do not have as null.
    Nothing,
    Text(String),
    Other,
}

/// The known keys of a JSON object. Their values stay unread until they are asked for, so that junk costs little.
struct Fields<'de> {
    values: Vec<(&'static str, &'de RawValue)>,
    /// A known key that stands there twice: which of its values is meant cannot be told.
    repeated: Option<&'static str>,
}

impl<'de> Fields<'de> {
    /// Parses the object, reads its `id` and lets `read` read the rest; whatever `read` finds wrong is reported together
    /// with the id.
    fn of(
        text: &'de str,
        known: &'static [&'static str],
        read: impl FnOnce(&Fields<'de>, Option<String>) -> Result<Content, Problem>,
    ) -> Result<Content, Malformed> {
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = Keys(known)
            .deserialize(&mut json)
            .and_then(|fields| json.end().map(|()| fields))
            .map_err(|error| without_id(format!("its JSON cannot be read ({error})")))?;
        if fields.repeated == Some("id") {
            return Err(without_id("the key id must not appear twice".into()));
        }
        let id = fields.id().map_err(without_id)?;
        let content = match fields.repeated {
            Some(key) => Err(format!("the key {key} must not appear twice")),
            None => read(&fields, id.clone()),
        };
        content.map_err(|problem| Malformed { id, problem })
    }

    fn get(&self, key: &str) -> Said {
        match self.raw(key).map(RawValue::get) {
            None | Some("null") => Said::Nothing,
            Some(json) => serde_json::from_str(json).map_or(Said::Other, Said::Text),
        }
    }

    fn raw(&self, key: &str) -> Option<&'de RawValue> {
        self.values.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
    }

    fn id(&self) -> Result<Option<String>, Problem> {
        match self.get("id") {
            Said::Nothing => Ok(None),
            Said::Text(id) if (1..=MAX_CHARACTERS).contains(&id.chars().count()) => Ok(Some(id)),
            Said::Text(_) | Said::Other => Err(format!("the id must be a text of 1 to {MAX_CHARACTERS} characters")),
        }
    }
}

/// Reads [`Fields`]. By hand, because a derived structure would also take a JSON array, and would lose the id with the
/// first wrong type.
struct Keys(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields { values: Vec::new(), repeated: None };
        while let Some(key) = map.next_key::<String>()? {
            let Some(known) = self.0.iter().copied().find(|known| *known == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value()?;
            match fields.raw(known) {
                // A doubtful id is the one thing that the reply must not carry, so it is named first.
                Some(_) if fields.repeated != Some("id") => fields.repeated = Some(known),
                Some(_) => {}
                None => fields.values.push((known, value)),
            }
        }
        Ok(fields)
    }
}
