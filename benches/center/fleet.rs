//! Many hubs in one: their signals, signed. They share one key, which a center neither knows nor minds.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use uuid::Uuid;

pub struct Fleet {
    key: Ed25519KeyPair,
    /// SPKI in PEM.
    pub public_pem: String,
    pub size: usize,
}

/// A signal, ready to be published.
pub struct Signal {
    pub jti: String,
    /// Of an alarm.
    pub incident: String,
    pub topic: String,
    pub token: Vec<u8>,
}

impl Fleet {
    pub fn of(size: usize) -> Fleet {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let public_pem = key.public_key_pem();
        Fleet { key: Ed25519KeyPair::from_pkcs8(key.serialized_der()).expect("its own key"), public_pem, size }
    }

    /// The name of the account with this number.
    pub fn account(number: usize) -> String {
        format!("b-{number:06}")
    }

    pub fn alarm(&self, hub: usize, seq: usize) -> Signal {
        let claims = json!({
            "kind": "alarm", "incident": Uuid::new_v4().to_string(), "service": "police", "source": "button:hallway",
            "resumed": false, "repeat": false, "plan": "protect_plus", "event_code": "120",
        });
        self.signal(hub, seq, claims)
    }

    pub fn test(&self, hub: usize, seq: usize) -> Signal {
        self.signal(hub, seq, json!({"kind": "test", "event_code": "601"}))
    }

    pub fn heartbeat(&self, hub: usize, seq: usize) -> Signal {
        self.signal(hub, seq, json!({"kind": "heartbeat", "interval_seconds": 60, "open": {}}))
    }

    fn signal(&self, hub: usize, seq: usize, mut claims: Value) -> Signal {
        let account = Fleet::account(hub % self.size);
        let jti = Uuid::new_v4().to_string();
        let common = json!({
            "jti": jti, "account": account, "hub": "home", "raised_at": now(), "sent_at": now(), "age_ms": 0,
            "clock": "synced", "seq": seq,
        });
        if let (Value::Object(claims), Value::Object(common)) = (&mut claims, common) {
            claims.extend(common);
        }
        let incident = claims["incident"].as_str().unwrap_or_default().to_owned();
        let topic = format!("center/{account}/signal");
        Signal { jti, incident, topic, token: self.sign(&claims) }
    }

    /// A compact JWS.
    fn sign(&self, claims: &Value) -> Vec<u8> {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT","kid":"bench"}"#);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}").into_bytes()
    }
}

fn now() -> String {
    #[expect(clippy::disallowed_methods, reason = "a hub says when it sends")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let seconds = i64::try_from(since.as_secs()).expect("a year that fits");
    let time = jiff::Timestamp::new(seconds, since.subsec_nanos() as i32).expect("a time");
    format!("{time:.3}")
}

/// The `jti` that an ack is about; `None` for anything else.
pub fn acknowledged(token: &[u8]) -> Option<String> {
    let claims = token.split(|&byte| byte == b'.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    (claims["result"] == "accepted").then_some(())?;
    claims["signal"].as_str().map(str::to_owned)
}
