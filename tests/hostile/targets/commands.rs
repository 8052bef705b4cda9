//! Any bytes on a command topic: refused, or understood as something that can be said again in canonical form.

use serde_json::json;
use sos_hub::controller::input::{CancelTarget, Content};
use sos_hub::controller::words::{CommandName, Service, TestKind};
use sos_hub::wire::commands::{MAX_BYTES, MAX_CHARACTERS, command, siren};
use sos_hub::wire::text::{parse_id, tidy, timestamp};

use super::bytes::Bytes;

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let name = bytes.pick(&CommandName::ALL);
    let payload = bytes.rest();
    check_siren(payload);
    match command(name, payload) {
        Ok(content) => {
            assert!(payload.len() <= MAX_BYTES && str::from_utf8(payload).is_ok());
            assert_is_bounded(&content);
            let again = command(name, canonical(&content).as_bytes());
            // What is no id may look like one once it is fit to be shown: it is shown only, and never obeyed.
            let looks_like_an_id = |text: &str| parse_id(text).is_some();
            if !matches!(&content, Content::Cancel { incident: CancelTarget::Unknown(text), .. } if looks_like_an_id(text))
            {
                assert_eq!(again, Ok(content), "what was understood is understood again");
            }
        }
        Err(malformed) => {
            assert!(malformed.id.is_none_or(|id| (1..=MAX_CHARACTERS).contains(&id.chars().count())));
            assert!(!malformed.problem.is_empty() && malformed.problem.len() < 300, "{}", malformed.problem);
        }
    }
}

/// The siren's switch makes nothing else of any bytes than a request for the siren or a silence.
fn check_siren(payload: &[u8]) {
    match siren(payload) {
        (CommandName::Request, Ok(content @ Content::Request { service: Service::Siren, .. }))
        | (CommandName::Silence, Ok(content @ Content::Silence { .. })) => assert_is_bounded(&content),
        (CommandName::Request, Err(malformed)) => assert!(malformed.problem.len() < 300, "{}", malformed.problem),
        other => panic!("{other:?}"),
    }
}

fn canonical(content: &Content) -> String {
    match content {
        Content::Request { service, id, source, user, sent_at } => {
            let sent_at = sent_at.map(timestamp);
            json!({"service": service.as_str(), "id": id, "source": source, "user": user, "sent_at": sent_at})
                .to_string()
        }
        Content::Cancel { incident: CancelTarget::Every, id } => json!({"id": id}).to_string(),
        Content::Cancel { incident: CancelTarget::One(incident), id } => {
            json!({"incident": incident.to_string(), "id": id}).to_string()
        }
        Content::Cancel { incident: CancelTarget::Unknown(text), id } => {
            // Nothing but control characters is left of it: no text says that again.
            let text = if text.is_empty() { "\u{7f}" } else { text };
            json!({"incident": text, "id": id}).to_string()
        }
        Content::Silence { id } => json!({"id": id}).to_string(),
        Content::Test(TestKind::Siren) => "siren".to_owned(),
        Content::Test(TestKind::Center) => "center".to_owned(),
    }
}

fn assert_is_bounded(content: &Content) {
    let (id, labels) = match content {
        Content::Request { id, source, user, .. } => (id, [source.as_deref(), user.as_deref()]),
        Content::Cancel { incident: CancelTarget::Unknown(text), id } => (id, [Some(text.as_str()), None]),
        Content::Cancel { id, .. } | Content::Silence { id } => (id, [None; 2]),
        Content::Test(_) => (&None, [None; 2]),
    };
    assert!(id.as_ref().is_none_or(|id| (1..=MAX_CHARACTERS).contains(&id.chars().count())));
    for label in labels.into_iter().flatten() {
        assert_eq!(label, tidy(label, MAX_CHARACTERS), "it is fit to be shown");
    }
}
