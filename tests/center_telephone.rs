//! The webhooks: what is asked of whom, and what each answer, or none, means.

#[path = "wire/keys.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod keys;
mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use keys::Keys;
use serde_json::{Value, json};
use sos_hub::center::callback::CallbackTokens;
use sos_hub::center::desk::effect::{AlertRequest, CallRequest, DispatchRequest};
use sos_hub::center::desk::input::{Input, Placed};
use sos_hub::center::desk::words::{AccountId, Contact};
use sos_hub::center::telephone::{Telephone, TelephoneSettings};
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::controller::words::Service;
use support::DEADLINE;
use support::mosquitto::free_port;
use support::provider::{Answer, Provider};

const AT: Wall = Wall(1_795_341_600_000);

struct Rig {
    telephone: Telephone,
    told: Receiver<Input>,
    keys: Keys,
    callbacks: Arc<CallbackTokens>,
}

impl Rig {
    fn new(url: Option<String>) -> Rig {
        let keys = Keys::fresh();
        let callbacks = Arc::new(CallbackTokens::from_pem(keys.private_pem.as_bytes()).unwrap());
        let settings = TelephoneSettings {
            call_url: url.clone(),
            dispatch_url: url.clone(),
            alert_url: url,
            callback_url: "https://center.example".into(),
        };
        let (sender, told) = channel();
        let tell = move |input| sender.send(input).unwrap();
        let telephone = Telephone::new(settings, Arc::new(keys.signer()), Arc::clone(&callbacks), || AT, tell);
        Rig { telephone, told, keys, callbacks }
    }

    fn call(&self, number: u128) {
        self.telephone.place_call(Box::new(CallRequest {
            call: Id(number),
            account: AccountId::new("a-17"),
            name: "Family Ann".into(),
            address: "1 Elm Street".into(),
            incident: Id(7),
            service: Service::Fire,
            position: 1,
            contact: Contact { name: "Ann".into(), phone: "+44 1".into() },
        }));
    }

    /// What came of asking for this call.
    fn placed(&self, number: u128) -> Placed {
        match self.told.recv_timeout(DEADLINE).expect("a word on the call") {
            Input::Placed { call, outcome } if call == Id(number) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

fn is_not_taken(placed: &Placed) -> bool {
    matches!(placed, Placed::NotTaken { .. })
}

fn is_unclear(placed: &Placed) -> bool {
    matches!(placed, Placed::Unclear { .. })
}

#[test]
fn a_call_is_asked_for_with_a_signed_body_a_key_against_repeats_and_a_way_to_answer() {
    let provider = Provider::start(Answer::Status("202 Accepted"));
    let rig = Rig::new(Some(provider.url()));
    rig.call(5);
    assert_eq!(rig.placed(5), Placed::Taken);
    let request = provider.asked();
    assert!(request.head.starts_with("post /ask http/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("content-type"), Some("application/jwt"));
    assert_eq!(request.header("idempotency-key"), Some(Id(5).to_string().as_str()));
    let claims: Value = serde_json::from_str(&rig.keys.verifier().verify(request.body.as_bytes()).unwrap()).unwrap();
    assert_eq!((claims["kind"].as_str(), claims["call"].as_str()), (Some("call"), Some(&*Id(5).to_string())));
    assert_eq!(claims["contact"], json!({"position": 1, "name": "Ann", "phone": "+44 1"}));
    assert_eq!(claims["callback"]["url"], format!("https://center.example/calls/{}", Id(5)));
    assert!(rig.callbacks.is_token(Id(5), claims["callback"]["token"].as_str().unwrap()));
    assert_eq!(provider.unseen().len(), 0);
}

#[test]
fn dispatch_and_an_alarm_that_nobody_takes_are_told_as_well() {
    let provider = Provider::start(Answer::Status("200 OK"));
    let rig = Rig::new(Some(provider.url()));
    let verify =
        |body: &str| -> Value { serde_json::from_str(&rig.keys.verifier().verify(body.as_bytes()).unwrap()).unwrap() };
    let account = AccountId::new("a-17");
    rig.telephone.ask_dispatch(Box::new(DispatchRequest {
        account: account.clone(),
        name: "Family Ann".into(),
        address: "1 Elm Street".into(),
        incident: Id(7),
        service: Service::Police,
        raised_wall: Some(AT),
        received_wall: AT,
        reason: "no_answer",
    }));
    let asked = rig.told.recv_timeout(DEADLINE).unwrap();
    assert!(
        matches!(asked, Input::DispatchAsked { incident: Id(7), received_wall: AT, outcome: Placed::Taken }),
        "{asked:?}"
    );
    let request = provider.asked();
    assert_eq!(request.header("idempotency-key"), Some(&*format!("{}-dispatch-{}", Id(7), AT.0)));
    let claims = verify(&request.body);
    assert_eq!((claims["kind"].as_str(), claims["service"].as_str()), (Some("dispatch"), Some("police")));

    let service = Service::Fire;
    rig.telephone.alert(Box::new(AlertRequest { account, incident: Id(8), service, received_wall: AT }));
    let request = provider.asked();
    assert_eq!(request.header("idempotency-key"), Some(&*format!("{}-unattended-{}", Id(8), AT.0)));
    let claims = verify(&request.body);
    assert_eq!((claims["kind"].as_str(), claims["service"].as_str()), (Some("unattended"), Some("fire")));
    assert_eq!(claims["received_at"], "2026-11-22T10:00:00.000Z");
}

#[test]
fn a_service_that_cannot_be_reached_or_says_no_has_done_nothing() {
    let rig = Rig::new(Some(format!("http://127.0.0.1:{}/", free_port())));
    rig.call(1);
    assert!(is_not_taken(&rig.placed(1)));

    let rig = Rig::new(Some("https://no-such-name.invalid/".into()));
    rig.call(1);
    assert!(is_not_taken(&rig.placed(1)));

    let rig = Rig::new(None);
    rig.call(1);
    assert!(is_not_taken(&rig.placed(1)));

    let provider = Provider::start(Answer::Nothing);
    let rig = Rig::new(Some(provider.url()));
    let refusals = [
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "408 Late",
        "429 Slow Down",
        "503 Busy",
        "302 Found",
        "307 Again",
    ];
    for (status, number) in refusals.into_iter().zip(1..) {
        provider.answer(Answer::Status(status));
        rig.call(number);
        let placed = rig.placed(number);
        assert!(is_not_taken(&placed), "{status}: {placed:?}");
        provider.asked();
    }
    assert_eq!(provider.unseen().len(), 0, "a redirect was followed");
}

#[test]
fn a_tls_handshake_that_fails_has_done_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || drop(listener.accept().unwrap()));
    let rig = Rig::new(Some(format!("https://127.0.0.1:{port}/")));
    rig.call(1);
    let placed = rig.placed(1);
    assert!(is_not_taken(&placed), "{placed:?}");
}

#[test]
fn a_request_that_left_and_was_not_answered_may_have_rung() {
    let provider = Provider::start(Answer::Nothing);
    let rig = Rig::new(Some(provider.url()));
    let answers = [
        Answer::Nothing,
        Answer::Status("500 Broken"),
        Answer::Status("502 Bad Gateway"),
        Answer::Status("504 Late"),
        Answer::Bytes(b"no http at all\r\n\r\n".to_vec()),
        Answer::Bytes(b"HTTP/1.1 20".to_vec()),
        Answer::Bytes(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes()),
    ];
    for (answer, number) in answers.into_iter().zip(1..) {
        provider.answer(answer.clone());
        rig.call(number);
        let placed = rig.placed(number);
        assert!(is_unclear(&placed), "{placed:?} after {number}");
        provider.asked();
    }
    provider.answer(Answer::Silence);
    rig.call(99);
    let placed = rig.placed(99);
    assert!(is_unclear(&placed), "{placed:?}");
    provider.asked();
    assert_eq!(provider.unseen().len(), 0, "it was asked twice");
}

#[test]
fn an_answer_without_end_is_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n".to_vec();
    let provider = Provider::start(Answer::Bytes([head, vec![b'x'; 1 << 20]].concat()));
    let rig = Rig::new(Some(provider.url()));
    rig.call(1);
    assert_eq!(rig.placed(1), Placed::Taken);
}

#[test]
fn at_most_sixteen_requests_are_under_way_and_all_are_made() {
    let provider = Provider::start(Answer::Held);
    let rig = Rig::new(Some(provider.url()));
    for number in 0..20 {
        rig.call(number);
    }
    for _ in 0..16 {
        provider.asked();
    }
    assert!(provider.asked_within(Duration::from_secs(1)).is_none(), "more than sixteen at once");
    for _ in 0..20 {
        provider.release();
        let placed = rig.told.recv_timeout(DEADLINE).unwrap();
        assert!(matches!(placed, Input::Placed { outcome: Placed::Taken, .. }), "{placed:?}");
    }
    assert_eq!(provider.unseen().len(), 4);
}

#[test]
fn a_call_does_not_wait_behind_alarms_that_nobody_takes() {
    let provider = Provider::start(Answer::Held);
    let rig = Rig::new(Some(provider.url()));
    for number in 0..20 {
        let (account, incident, service) = (AccountId::new("a-17"), Id(100 + number), Service::Fire);
        rig.telephone.alert(Box::new(AlertRequest { account, incident, service, received_wall: AT }));
    }
    rig.call(1);
    let is_call = || provider.asked().header("idempotency-key") == Some(&*Id(1).to_string());
    assert!((0..5).any(|_| is_call()), "the call is not among the first five that are asked");
    for _ in 0..21 {
        provider.release();
    }
    assert_eq!(rig.placed(1), Placed::Taken);
}

#[test]
fn a_callback_token_is_good_for_its_call_and_its_center_alone() {
    let (keys, other) = (Keys::fresh(), Keys::fresh());
    let tokens = |keys: &Keys| CallbackTokens::from_pem(keys.private_pem.as_bytes()).unwrap();
    let token = tokens(&keys).token(Id(5));
    assert!(tokens(&keys).is_token(Id(5), &token), "it does not survive a restart");
    assert!(!tokens(&keys).is_token(Id(6), &token));
    assert!(!tokens(&other).is_token(Id(5), &token));
    for wrong in ["", "x", &token[1..], &format!("{token}A"), &token.to_uppercase()] {
        assert!(!tokens(&keys).is_token(Id(5), wrong), "{wrong}");
    }
}
