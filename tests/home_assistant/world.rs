//! A home whose app is Home Assistant: it logs in as that, under the shipped rules.

use std::fs;

use serde_json::Value;

use crate::installation::{Installation, Setup};
use crate::support::mosquitto::Mosquitto;

pub const CONFIG: &str = "homeassistant/device/sos-hub-home/config";

const USERS: [(&str, &str); 2] = [("sos-hub", "hub-word"), ("homeassistant", "ha-word")];

/// `keys`: those of `[home_assistant]`.
pub fn home(keys: &str) -> Installation {
    let home = Mosquitto::start_with(|dir| {
        let acl = dir.join("acl");
        fs::copy("config/mosquitto-home.acl", &acl).expect("the shipped rules");
        let passwords = Mosquitto::password_lines(dir, &USERS);
        format!("{passwords}\nacl_file {}\nmessage_size_limit 8192\n", acl.display())
    });
    let word = home.dir().join("word");
    fs::write(&word, USERS[0].1).expect("the hub's password");
    Installation::new(Setup {
        home,
        login: Some(USERS[1]),
        // Time for who presses and looks, on a machine that is slow.
        countdown_seconds: 5,
        clock: "trusted",
        app_keys: format!("username = \"sos-hub\"\npassword_file = \"{}\"", word.display()),
        panel_keys: format!("[home_assistant]\n{keys}"),
        ..Setup::default()
    })
}

/// The same with a hub that is in use.
pub fn running(keys: &str) -> Installation {
    let mut home = home(keys);
    home.start();
    home.in_use();
    home
}

/// What was last said on a discovery topic since the mark; empty where the device was taken back.
pub fn said(home: &Installation, since: usize, topic: &str) -> String {
    home.app.client.wait(topic, since, |heard| heard.iter().rev().find(|one| one.topic == topic).map(|one| one.text()))
}

/// The components of the announcement.
pub fn components(home: &Installation) -> Value {
    let config: Value = serde_json::from_str(&said(home, 0, CONFIG)).expect("JSON");
    config["components"].clone()
}

/// Waits until the latest word on this topic is that the device is gone.
pub fn is_gone(home: &Installation, since: usize, topic: &str) {
    home.app.client.wait(&format!("nothing on {topic}"), since, |heard| {
        heard.iter().rev().find(|one| one.topic == topic)?.payload.is_empty().then_some(())
    });
}
