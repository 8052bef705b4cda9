//! A telephony provider and a dispatch service of the test's own.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::provider::{Answer, Provider, Request};
use crate::tokens;
use crate::world::{CONTACTS, Setup, World};

fn world(calls: &Provider, dispatch: &Provider) -> World {
    let calls = format!(
        "[call]\nmode = \"webhook\"\nring_seconds = 2\nurl = \"{}\"\n[dispatch]\nmode = \"webhook\"\nurl = \"{}\"\n",
        calls.url(),
        dispatch.url()
    );
    World::running(&Setup { calls, ..Setup::default() })
}

/// The claims of a request, which must be the center's.
fn claims(world: &World, request: &Request) -> Value {
    tokens::verify(request.body.as_bytes(), &world.center_public()).expect("a body that the center has signed")
}

/// Tells the center what came of a call; gives the status.
fn call_back(callback: &Value, token: &str, outcome: &Value) -> u16 {
    let url = callback["url"].as_str().expect("a URL").strip_prefix("http://").expect("plain HTTP");
    let (host, path) = url.split_once('/').expect("a path");
    let body = outcome.to_string();
    let mut stream = TcpStream::connect(host).expect("the console");
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[test]
fn a_provider_calls_says_what_came_of_it_and_a_service_sends_help() {
    let (calls, dispatch) = (Provider::start(Answer::Status("202 Taken")), Provider::start(Answer::Status("200 OK")));
    let world = world(&calls, &dispatch);
    let incident = world.sos("fire");
    let request = calls.asked();
    let said = claims(&world, &request);
    assert_eq!((&said["kind"], &said["incident"]), (&json!("call"), &json!(incident)), "{said}");
    assert_eq!((&said["contact"]["name"], &said["contact"]["position"]), (&json!(CONTACTS[0]), &json!(1)), "{said}");
    let token = said["callback"]["token"].as_str().expect("a token");
    assert_ne!(call_back(&said["callback"], "forged", &json!({"outcome": "confirmed"})) / 100, 2);
    assert_eq!(call_back(&said["callback"], token, &json!({"outcome": "confirmed"})) / 100, 2);
    world.stage(&incident, "confirmed");
    let said = claims(&world, &dispatch.asked());
    assert_eq!(
        (&said["kind"], &said["service"], &said["reason"]),
        (&json!("dispatch"), &json!("fire"), &json!("confirmed"))
    );
    world.stage(&incident, "dispatched");
    let mut called = vec![];
    for _ in 0..2 {
        let said = claims(&world, &calls.asked());
        called.push(said["contact"]["position"].as_u64());
        call_back(
            &said["callback"],
            said["callback"]["token"].as_str().expect("a token"),
            &json!({"outcome": "answered"}),
        );
    }
    assert_eq!(called, [Some(2), Some(3)]);
    world.stage(&incident, "closed");
}

#[test]
fn the_password_cancels_and_a_wrong_one_does_not() {
    let (calls, dispatch) = (Provider::start(Answer::Status("202 Taken")), Provider::start(Answer::Status("200 OK")));
    let world = world(&calls, &dispatch);
    let incident = world.sos("fire");
    let said = claims(&world, &calls.asked());
    let token = said["callback"]["token"].as_str().expect("a token");
    call_back(&said["callback"], token, &json!({"outcome": "cancelled", "password": "Blue  Whale"}));
    world.stage(&incident, "cancelled_by_contact");

    let incident = world.sos("police");
    let said = claims(&world, &calls.asked());
    let token = said["callback"]["token"].as_str().expect("a token");
    call_back(&said["callback"], token, &json!({"outcome": "cancelled", "password": "red whale"}));
    world.stage(&incident, "dispatched");
}

/// The provider's own time is added to the ringing, so this is longer than most waits.
fn dispatched_without_a_word(world: &World, incident: &str) {
    world.app.client.wait_within(4 * DEADLINE, "help is sent without the provider's word", 0, |heard| {
        heard.iter().any(|one| one.text().contains(incident) && one.text().contains("\"dispatched\"")).then_some(())
    });
}

/// How many of the requests are for the first contact, and under how many keys.
fn calls_of_the_first(world: &World, requests: &[Request]) -> (usize, usize) {
    let claims: Vec<Value> = requests.iter().map(|request| claims(world, request)).collect();
    let first: Vec<&Value> = claims.iter().filter(|said| said["contact"]["position"] == 1).collect();
    let keys: BTreeSet<&str> = first.iter().filter_map(|said| said["call"].as_str()).collect();
    (first.len(), keys.len())
}

#[test]
fn a_provider_that_does_not_answer_is_not_asked_twice_and_counts_as_no_answer() {
    let (calls, dispatch) = (Provider::start(Answer::Nothing), Provider::start(Answer::Status("200 OK")));
    let world = world(&calls, &dispatch);
    let incident = world.sos("fire");
    let first = calls.asked();
    dispatched_without_a_word(&world, &incident);
    let mut requests = vec![first];
    requests.extend(calls.unseen());
    assert_eq!(calls_of_the_first(&world, &requests), (1, 1), "{requests:?}");
}

#[test]
fn a_center_that_dies_in_a_call_does_not_have_another_one_placed() {
    let (calls, dispatch) = (Provider::start(Answer::Status("202 Taken")), Provider::start(Answer::Status("200 OK")));
    let mut world = world(&calls, &dispatch);
    let incident = world.sos("fire");
    let first = calls.asked();
    world.stage(&incident, "calling_first_contact");
    world.kill_center();
    world.start_center();
    dispatched_without_a_word(&world, &incident);
    let mut requests = vec![first];
    requests.extend(calls.unseen());
    let (_, keys) = calls_of_the_first(&world, &requests);
    assert_eq!(keys, 1, "what was asked for again has another key: {requests:?}");
}
