//! Any bytes on a hub's topic, and any claims that a hub has truly signed: the center takes only what bears the hub's
//! signature, what it takes is what was said, and it is fit to be shown.

use serde_json::Value;
use sos_hub::center::desk::words::{AccountId, Signal, SignalKind};
use sos_hub::center::wire::signals::signal;
use sos_hub::controller::words::Service;
use sos_hub::wire::text::{parse_id, tidy};
use sos_hub::wire::tokens::MAX_BYTES;

use super::keys;

pub fn check(data: &[u8]) {
    let account = AccountId::new("a-17");
    match signal(&account, data, keys::verifier()) {
        Ok(taken) => assert!(keys::is_signed(data) && data.len() <= MAX_BYTES, "{taken:?}"),
        Err(problem) => assert!(!problem.is_empty()),
    }
    let Ok(token) = keys::signer().sign(data) else { return };
    match signal(&account, token.as_bytes(), keys::verifier()) {
        Ok(taken) => assert_is_what_was_said(&taken, data),
        Err(problem) => assert!(!problem.is_empty() && !problem.contains(char::is_control), "{problem:?}"),
    }
}

fn assert_is_what_was_said(taken: &Signal, claims: &[u8]) {
    // In what is ignored there may be a number that is too large for any reader.
    let Ok(said) = serde_json::from_slice::<Value>(claims) else { return };
    let id = |claim: &Value| claim.as_str().and_then(parse_id);
    assert_eq!((said["account"].as_str(), said["kind"].as_str()), (Some("a-17"), Some(taken.kind.as_str())));
    assert_eq!(id(&said["jti"]), Some(taken.jti));
    assert_eq!(taken.claims.as_bytes(), claims.trim_ascii(), "the claims are kept as they came");
    for label in taken.source.iter().chain(&taken.user) {
        assert_fit(label, 64);
    }
    match &taken.kind {
        SignalKind::Alarm { incident, service, resumed, repeat } => {
            assert_eq!(id(&said["incident"]), Some(*incident));
            assert_eq!(said["service"].as_str(), Some(service.as_str()));
            assert!([Service::Police, Service::Fire].contains(service));
            assert_eq!((said["resumed"] == true, said["repeat"] == true), (*resumed, *repeat));
        }
        SignalKind::CancelRequest { incident } => assert_eq!(id(&said["incident"]), Some(*incident)),
        SignalKind::Test { periodic } => assert_eq!(said["event_code"] == "602", *periodic),
        SignalKind::Heartbeat { interval, open } => {
            assert_eq!(said["interval_seconds"].as_u64(), Some(interval.as_secs()));
            assert!((1..=3_600).contains(&interval.as_secs()) && open.len() <= 64);
            assert!(open.is_sorted_by(|a, b| a.0 < b.0), "each incident once");
            for (incident, seq) in open {
                let said = said["open"].as_object().expect("it names incidents");
                assert!(said.iter().any(|(key, said)| parse_id(key) == Some(*incident) && said.as_u64() == Some(*seq)));
            }
        }
        SignalKind::Fault { code, message } | SignalKind::Restore { code, message } => {
            assert!(!code.is_empty());
            assert_fit(code, 64);
            assert_fit(message, 256);
        }
    }
}

fn assert_fit(text: &str, longest: usize) {
    assert_eq!(text, tidy(text, longest), "it is fit to be shown");
}
