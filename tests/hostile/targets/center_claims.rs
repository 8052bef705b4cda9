//! Any claims that the center has truly signed: what is taken is what was said, fit to be shown, and for us alone.

use serde_json::Value;
use sos_hub::controller::input::CenterMessage;
use sos_hub::controller::moment::Wall;
use sos_hub::wire::center::center_message;
use sos_hub::wire::text::tidy;
use sos_hub::wire::topics::CenterTopic;

use super::bytes::Bytes;
use super::keys;

/// 9999-12-31T23:59:59Z, in milliseconds.
const LAST_MS: i64 = 253_402_300_799_000;

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let topic = bytes.pick(&CenterTopic::ALL);
    let claims = bytes.rest();
    // The signer takes JSON objects alone; the rest is the business of the tokens.
    let Ok(token) = keys::signer().sign(claims) else { return };
    let taken = match center_message(topic, "a-17", token.as_bytes(), keys::verifier()) {
        CenterMessage::Rejected { .. } => return,
        taken => taken,
    };
    // In what is ignored there may be a number that is too large for any reader.
    let Ok(said) = serde_json::from_slice::<Value>(claims) else { return };
    let id = |key: &str| said[key].as_str().map(str::to_lowercase);
    assert_eq!(said["account"], "a-17");
    match taken {
        CenterMessage::Ack(ack) => {
            assert_eq!((topic, said["seq"].as_u64()), (CenterTopic::Ack, Some(ack.seq)));
            assert_eq!(id("signal"), Some(ack.signal.to_string()));
        }
        CenterMessage::Update(update) => {
            assert_eq!((topic, said["seq"].as_u64()), (CenterTopic::Update, Some(update.seq)));
            assert_eq!(id("incident"), Some(update.incident.to_string()));
            assert_eq!(said["stage"].as_str(), Some(update.stage.stage().as_str()));
            for text in update.note.iter().chain(update.contact.iter().map(|contact| &contact.name)) {
                assert_fit(text, 256);
            }
            assert!(update.contact.is_none_or(|contact| contact.position > 0));
        }
        CenterMessage::Plan(plan) => {
            assert_eq!((topic, said["serial"].as_u64()), (CenterTopic::Plan, Some(plan.serial)));
            assert_eq!(said["professional_monitoring"].as_bool(), Some(plan.professional_monitoring));
            assert!(!plan.plan.is_empty());
            for text in plan.missing.iter().chain([&plan.plan]) {
                assert_fit(text, 64);
            }
            for time in [plan.issued_at, plan.expires_at] {
                assert!((Wall(0)..=Wall(LAST_MS)).contains(&time), "{time:?}");
            }
            assert_eq!(plan.token, token);
        }
        CenterMessage::Rejected { .. } => unreachable!("it was taken"),
    }
}

fn assert_fit(text: &str, longest: usize) {
    assert_eq!(text, tidy(text, longest), "it is fit to be shown");
}
