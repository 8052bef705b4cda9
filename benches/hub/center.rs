//! What stands in for the monitoring center: it acknowledges every signal and closes every incident at once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use rumqttc::{Client, QoS};
use serde_json::{Value, json};

use super::measure::clock::Instant;
use super::measure::peer::{Heard, Peer};

pub const ACCOUNT: &str = "bench";
/// What the bare one-way trips through the center's broker are published to.
pub const ONE_WAY: &str = "bench/one-way";

pub struct Center {
    peer: Peer,
    /// The key that the hub is to believe, SPKI in PEM.
    pub public_pem: String,
}

impl Center {
    /// At the broker on this port of 127.0.0.1, with a plan that has monitoring.
    pub fn start(port: u16) -> Center {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let desk = Desk { key: Ed25519KeyPair::from_pkcs8(key.serialized_der()).expect("its own key"), acks: 0 };
        let plan = desk.sign(&json!({
            "account": ACCOUNT, "plan": "protect_plus", "professional_monitoring": true, "missing": [],
            "serial": 1, "iat": 1_700_000_000, "exp": 4_000_000_000_u64,
        }));
        let mut desk = desk;
        let signals = format!("center/{ACCOUNT}/signal");
        let topics = [signals.as_str(), ONE_WAY];
        let peer = Peer::answering(port, "center", &topics, move |client, heard| desk.answer(client, heard));
        peer.publish(&format!("center/{ACCOUNT}/plan"), plan, true);
        Center { peer, public_pem: key.public_key_pem() }
    }

    /// When the alarm of this incident arrived.
    pub fn wait_for_alarm(&self, incident: &str) -> Instant {
        let is_alarm = |heard: &Heard| {
            claims(&heard.payload).is_some_and(|claims| claims["kind"] == "alarm" && claims["incident"] == incident)
        };
        self.peer.wait("an alarm", is_alarm).at
    }

    /// When the next bare message arrived.
    pub fn wait_for_one_way(&self) -> Instant {
        self.peer.wait_for(ONE_WAY).at
    }
}

struct Desk {
    key: Ed25519KeyPair,
    acks: u64,
}

impl Desk {
    fn answer(&mut self, client: &Client, heard: &Heard) {
        let Some(claims) = claims(&heard.payload) else { return };
        self.acks += 1;
        let ack = json!({
            "account": ACCOUNT, "signal": claims["jti"], "result": "accepted", "seq": self.acks,
            "received_at": "2026-01-01T00:00:00.000Z",
        });
        self.say(client, "ack", &ack);
        if claims["kind"] == "alarm" {
            let update = json!({
                "account": ACCOUNT, "incident": claims["incident"], "seq": 1, "stage": "closed",
                "at": "2026-01-01T00:00:00.000Z",
            });
            self.say(client, "update", &update);
        }
    }

    fn say(&self, client: &Client, topic: &str, claims: &Value) {
        let topic = format!("center/{ACCOUNT}/{topic}");
        client.publish(topic, QoS::AtLeastOnce, false, self.sign(claims)).expect("the center's answer");
    }

    /// A compact JWS.
    fn sign(&self, claims: &Value) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT","kid":"bench"}"#);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// The claims of a compact JWS; `None` for anything else.
fn claims(token: &[u8]) -> Option<Value> {
    let claims = token.split(|&byte| byte == b'.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}
