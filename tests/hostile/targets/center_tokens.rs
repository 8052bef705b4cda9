//! Any bytes on the center's topics, and in the file of the plan: only what bears the center's signature is taken.

use sos_hub::controller::input::CenterMessage;
use sos_hub::wire::center::{center_message, plan_token};
use sos_hub::wire::tokens::MAX_BYTES;
use sos_hub::wire::topics::CenterTopic;

use super::bytes::Bytes;
use super::keys;

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let topic = bytes.pick(&CenterTopic::ALL);
    let token = bytes.rest();
    let verifier = keys::verifier();
    match center_message(topic, "a-17", token, verifier) {
        CenterMessage::Rejected { problem } => assert!(problem.starts_with("the token on the topic "), "{problem}"),
        taken => assert!(keys::is_signed(token) && token.len() <= MAX_BYTES, "{taken:?}"),
    }
    if let Ok(text) = str::from_utf8(token)
        && let Ok(plan) = plan_token(text, "a-17", verifier)
    {
        assert!(keys::is_signed(text.trim_ascii().as_bytes()), "{plan:?}");
        assert_eq!(plan_token(&plan.token, "a-17", verifier).as_ref(), Ok(&plan), "it is taken again from the disk");
    }
}
