//! Accounts and operators through the shipped program: what a hub is given is what a hub takes, and what is wrong is
//! said in one sentence.

#[path = "support/home.rs"]
mod home;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use home::Home;
use rusqlite::Connection;
use serde_json::{Value, json};
use sos_hub::center::secrets;
use sos_hub::center::store::{Ledger, Store, Told};
use sos_hub::config::Config;
use sos_hub::wire::tokens::{Signer, Verifier};

const CENTER_TOML: &str = "\
[center]
state_dir = \"state\"
[broker]
host = \"127.0.0.1\"
port = 1884
";

/// A center's directory, in which the program is called.
struct Place {
    home: Home,
}

/// What a command said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Place {
        let home = Home::new();
        home.write("center.toml", CENTER_TOML);
        Place { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn call(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sos-center"))
            .args(arguments)
            .current_dir(self.home.path())
            .env("SUDO_USER", "ann")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What reads no input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    /// `account add A1 … --out OUT`, and more arguments.
    fn add(&self, account: &str, out: &str, more: &[&str]) -> Said {
        let plan = ["account", "add", account, "--config", "center.toml", "--plan", "protect_plus", "--out", out];
        self.call(&[&plan, more].concat(), "")
    }

    fn well(&self, arguments: &[&str]) -> String {
        let said = self.call(arguments, "");
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{arguments:?}");
        said.out
    }

    fn accounts(&self) -> Value {
        serde_json::from_str(&self.well(&["account", "list", "--json", "--config", "center.toml"])).unwrap()
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        Connection::open(self.path("state/center.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// The claims of a plan token that is signed by the center that the bundle names.
    fn plan_of(&self, out: &str) -> Value {
        let verifier = Verifier::from_pem(&fs::read(self.path(out).join("center.pub")).unwrap()).unwrap();
        let token = fs::read(self.path(out).join("plan.jwt")).unwrap();
        serde_json::from_str(&verifier.verify(&token).unwrap()).unwrap()
    }
}

const FAMILY: &[&str] = &[
    "--name",
    "The Smiths",
    "--address",
    "1 High Street",
    "--contact",
    "Ann:+44 20 7946 0000",
    "--contact",
    "Dr. Bob: 112",
    "--password",
    "  Blue WHALE ",
];

#[test]
fn what_a_hub_is_given_is_complete_and_a_hub_takes_it() {
    let place = Place::new();
    let said = place.add("A1234", "out", FAMILY);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("Account A1234 is added; no center is running."), "{}", said.out);
    assert!(said.out.contains("sudo sos-hub setup --center DIRECTORY"), "{}", said.out);
    assert!(said.out.contains("which only this machine reaches"), "{}", said.out);

    let out = place.path("out");
    let mode = |name: &str| out.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for name in ["hub.key", "center.pub", "plan.jwt", "hub.toml"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert!(!out.join("center-ca.pem").exists());

    let checked = Command::new(env!("CARGO_BIN_EXE_sos-hub"))
        .args(["check", "--config"])
        .arg(out.join("hub.toml"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert!(checked.stderr.is_empty(), "{}", String::from_utf8_lossy(&checked.stderr));
    let (config, _) = Config::load(&out.join("hub.toml")).unwrap();
    assert_eq!((config.hub.id.as_str(), config.center.account.as_str()), ("a1234", "A1234"));
    assert_eq!((config.center.broker.host.as_str(), config.center.broker.port), ("127.0.0.1", 1884));
    assert_eq!(config.center.broker.login.unwrap().username, "A1234");
    assert_eq!(config.siren.line, 17);

    let plan = place.plan_of("out");
    assert_eq!(plan["account"], "A1234");
    assert_eq!((&plan["plan"], &plan["professional_monitoring"]), (&json!("protect_plus"), &json!(true)));
    assert_eq!(plan["missing"], json!([]));
    assert_eq!(plan["exp"].as_i64().unwrap() - plan["iat"].as_i64().unwrap(), 30 * 24 * 60 * 60);
    assert_eq!(plan["serial"].as_i64(), Some(place.one("SELECT serial FROM token WHERE account = 'A1234'")));

    // The account's key is that of the bundle.
    let hub_key = fs::read(out.join("hub.key")).unwrap();
    let signed = Signer::from_pem(&hub_key, "hub").unwrap().sign(b"{}").unwrap();
    let known: String = place.one("SELECT key_pem FROM account");
    assert!(Verifier::from_pem(known.as_bytes()).unwrap().verify(signed.as_bytes()).is_ok());

    assert_eq!(
        place.accounts(),
        json!([{
            "account": "A1234", "name": "The Smiths", "address": "1 High Street", "plan": "protect_plus",
            "professional_monitoring": true, "has_password": true, "closed": false,
            "contacts": [{"name": "Ann", "phone": "+44 20 7946 0000"}, {"name": "Dr. Bob", "phone": "112"}],
        }])
    );
    let hash: String = place.one("SELECT password_hash FROM account");
    assert!(secrets::matches("blue whale", &hash) && !secrets::matches("Blue WHALE", &hash));
    let audited: String = place.one("SELECT who || ': ' || what FROM audit");
    assert_eq!(audited, "command line (ann): Account A1234 added, plan protect_plus.");
}

#[test]
fn a_bundle_names_the_broker_as_hubs_reach_it_and_brings_its_authority() {
    let place = Place::new();
    place.home.write(
        "center.toml",
        format!("{CENTER_TOML}hub_host = \"center.example.org\"\nhub_port = 8883\nhub_ca_file = \"center-ca.pem\"\n"),
    );
    let said = place.add("A1", "out", FAMILY);
    assert_eq!(said.code, 0);
    assert!(!said.out.contains("which only this machine reaches"), "{}", said.out);
    let (config, warnings) = Config::load(&place.path("out/hub.toml")).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let broker = config.center.broker;
    assert_eq!((broker.host.as_str(), broker.port), ("center.example.org", 8883));
    assert_eq!(broker.tls.unwrap().ca_file, place.path("out/center-ca.pem"));
    assert_eq!(fs::read(place.path("out/center-ca.pem")).unwrap(), fs::read(place.path("center-ca.pem")).unwrap());
}

#[test]
fn what_an_account_lacks_is_said_in_its_plan() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out", &["--password", " "]).code, 0);
    assert_eq!(place.plan_of("out")["missing"], json!(["contact", "address", "password"]));
    let without = ["account", "add", "A2", "--config", "center.toml", "--plan", "none", "--out", "out2"];
    place.well(&without);
    let plan = place.plan_of("out2");
    assert_eq!((&plan["professional_monitoring"], &plan["missing"]), (&json!(false), &json!([])));
}

#[test]
fn a_hub_that_has_made_its_own_key_keeps_it_to_itself() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out", &["--hub-key", "center.pub"]).code, 0);
    assert!(!place.path("out/hub.key").exists());
    let known: String = place.one("SELECT key_pem FROM account");
    assert_eq!(known, fs::read_to_string(place.path("center.pub")).unwrap());
}

#[test]
fn the_centers_key_is_made_once_and_one_that_is_there_is_used() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out1", &[]).code, 0);
    let key = fs::read(place.path("state/center.key")).unwrap();
    assert_eq!(place.path("state/center.key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(place.add("A2", "out2", &[]).code, 0);
    assert_eq!(fs::read(place.path("state/center.key")).unwrap(), key);
    let public = |out: &str| fs::read(place.path(out).join("center.pub")).unwrap();
    assert_eq!(public("out1"), public("out2"));
    place.plan_of("out2");

    for own in ["openssl.key", "hub.key"] {
        let with_own = CENTER_TOML.replace("[broker]", &format!("key_file = \"{own}\"\n[broker]"));
        place.home.write("center.toml", with_own);
        assert_eq!(place.add(&format!("B-{}", own.len()), &format!("out-{own}"), &[]).code, 0);
        place.plan_of(&format!("out-{own}"));
    }
}

#[test]
fn a_key_that_is_gone_is_not_made_anew_beside_accounts() {
    let place = Place::new();
    place.well(&["account", "list", "--config", "center.toml"]);
    assert_eq!(place.add("A1", "out1", FAMILY).code, 0, "without accounts it is made");
    fs::rename(place.path("state/center.key"), place.path("copy.key")).unwrap();
    let said = place.add("A2", "out2", FAMILY);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("center.key is gone") && said.err.contains("put a copy"), "{}", said.err);
    let said = place.call(&["run", "--config", "center.toml"], "");
    assert!(said.code == 1 && said.err.contains("center.key is gone"), "{}", said.err);
    assert!(!place.path("state/center.key").exists() && !place.path("out2").exists());
    fs::rename(place.path("copy.key"), place.path("state/center.key")).unwrap();
    assert_eq!(place.add("A2", "out2", FAMILY).code, 0);
}

#[test]
fn a_closed_account_may_be_opened_again_without_monitoring() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out1", FAMILY).code, 0);
    place.well(&["account", "close", "A1", "--config", "center.toml"]);
    let serial: i64 = place.one("SELECT serial FROM token");
    place.well(&["account", "add", "A1", "--config", "center.toml", "--plan", "none", "--out", "out2"]);
    assert_eq!(place.accounts()[0]["closed"], false);
    let plan = place.plan_of("out2");
    assert_eq!((plan["plan"].as_str(), plan["serial"].as_i64()), (Some("none"), Some(serial)));
}

#[test]
fn a_plan_that_is_changed_has_a_higher_serial() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out", FAMILY).code, 0);
    let serial = || place.one::<i64>("SELECT serial FROM token");
    let first = serial();
    let said = place.well(&["account", "plan", "A1", "protect_basic", "--config", "center.toml"]);
    assert!(said.contains("is protect_basic, and was protect_plus"), "{said}");
    let second = serial();
    assert!(second > first);
    let (plan, monitored): (String, i64) =
        (place.one("SELECT plan FROM token"), place.one("SELECT professional_monitoring FROM token"));
    assert_eq!((plan.as_str(), monitored), ("protect_basic", 0));
    place.well(&["account", "plan", "A1", "protect_plus", "--config", "center.toml"]);
    assert!(serial() > second);
    assert_eq!(place.accounts()[0]["plan"], "protect_plus");
    assert_eq!(place.one::<i64>("SELECT count(*) FROM audit WHERE account = 'A1'"), 3);
}

#[test]
fn a_closed_account_keeps_its_key_until_it_is_opened_again() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out1", FAMILY).code, 0);
    let again = place.add("A1", "out2", FAMILY);
    assert_eq!(again.code, 1);
    assert_eq!(again.err, "There is an account A1 already: change its plan with `account plan`, or close it first.\n");
    assert!(!place.path("out2").exists(), "nothing is left of what was refused");

    let key: String = place.one("SELECT key_pem FROM account");
    let serial: i64 = place.one("SELECT serial FROM token");
    place.well(&["account", "close", "A1", "--config", "center.toml"]);
    assert_eq!(place.accounts()[0]["closed"], true);
    assert_eq!(place.one::<String>("SELECT key_pem FROM account"), key);
    assert_eq!(place.one::<i64>("SELECT professional_monitoring FROM token"), 0);
    for refused in [&["account", "close", "A1"][..], &["account", "plan", "A1", "none"]] {
        let said = place.call(&[refused, &["--config", "center.toml"]].concat(), "");
        assert_eq!(said.code, 1);
        assert!(said.err.contains("is closed"), "{}", said.err);
    }

    assert_eq!(place.add("A1", "out3", &["--name", "The Browns"]).code, 0);
    assert_ne!(place.one::<String>("SELECT key_pem FROM account"), key);
    let account = &place.accounts()[0];
    assert_eq!((&account["name"], &account["closed"]), (&json!("The Browns"), &json!(false)));
    assert_eq!((&account["contacts"], &account["has_password"]), (&json!([]), &json!(false)));
    assert!(place.plan_of("out3")["serial"].as_i64().unwrap() > serial + 1);
}

#[test]
fn a_running_center_takes_changes_over() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out1", FAMILY).code, 0);
    let (sender, told) = mpsc::channel();
    let store = Store::start(&place.path("state"), move |one| drop(sender.send(one))).unwrap();
    let next = || told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(matches!(next(), Told::Restored(restored, _) if restored.accounts.len() == 1));

    let said = place.add("A2", "out2", FAMILY);
    assert!(said.out.contains("Account A2 is added, and the running center takes it over."), "{}", said.out);
    let Told::Accounts(accounts) = next() else { panic!("no accounts") };
    assert_eq!(accounts.len(), 1);
    assert_eq!((accounts[0].0.id.as_str(), accounts[0].0.contacts.len()), ("A2", 2));
    assert_eq!(accounts[0].1, place.one::<String>("SELECT key_pem FROM account WHERE id = 'A2'"));
    place.well(&["account", "plan", "A1", "none", "--config", "center.toml"]);
    assert!(matches!(next(), Told::Accounts(accounts) if accounts[0].0.plan == "none"));
    store.stop();
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let place = Place::new();
    assert_eq!(place.add("A1", "out", &[]).code, 0);
    let long = "x".repeat(65);
    let contact = "write \"NAME:PHONE\", as \"Ann:+442079460000\"";
    let cases: &[(&[&str], i32, &str)] = &[
        (&["A 2", "--plan", "none"], 64, "\"A 2\" is no name for an account: use 1 to 64 letters"),
        (&["a/+", "--plan", "none"], 64, "\"a/+\" is no name for an account"),
        (&["", "--plan", "none"], 64, "\"\" is no name for an account"),
        (&["A2", "--plan", "gold"], 64, "There is no plan \"gold\": take one of none, protect_basic, protect_plus."),
        (&["A2", "--plan", "none", "--contact", "Ann"], 64, contact),
        (&["A2", "--plan", "none", "--contact", ":112"], 64, contact),
        (&["A2", "--plan", "none", "--contact", "Ann:"], 64, contact),
        (&["A2", "--plan", "none", "--contact", "Ann:soon"], 64, contact),
        (&["A2", "--plan", "none", "--name", &long], 64, "--name is longer than 64 characters"),
        (&["A2", "--plan", "none", "--hub-key", "nothing.pub"], 64, "--hub-key nothing.pub cannot be read"),
        (&["A2", "--plan", "none", "--hub-key", "hub.key"], 64, "--hub-key hub.key holds no public key"),
        (&["A2", "--plan", "none", "--hub-key", "x25519.pub"], 64, "not a sound Ed25519 one"),
        (&["A2", "--plan", "none", "--password-file", "nothing"], 64, "--password-file nothing cannot be read"),
        (&["A2", "--plan", "none", "--out", "out"], 64, "out is not empty, and keys are not overwritten"),
        (&["A2", "--plan", "none", "--out", "hub.key"], 64, "--out hub.key cannot be used"),
        (&["A2", "--plan", "none", "--out", "hub.key/x"], 64, "--out hub.key/x cannot be used"),
        (&["A2"], 64, "--plan"),
        (&["A2", "--plan", "none", "--config", "nothing.toml"], 78, "there is no configuration at "),
    ];
    for (arguments, code, expected) in cases {
        let mut call = vec!["account", "add"];
        call.extend(*arguments);
        for (option, value) in [("--config", "center.toml"), ("--out", "new")] {
            if !arguments.contains(&option) {
                call.extend([option, value]);
            }
        }
        let said = place.call(&call, "");
        assert_eq!(said.code, *code, "{arguments:?}: {}", said.err);
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
        if *code != 78 && arguments.len() > 1 {
            assert_eq!(said.err.lines().count(), 1, "{}", said.err);
        }
        assert!(!place.path("new").exists(), "{arguments:?} leaves something behind");
    }
    assert_eq!(place.accounts().as_array().unwrap().len(), 1);
    for (arguments, code, expected) in [
        (&["account", "plan", "A9", "none"][..], 1, "There is no account A9"),
        (&["account", "plan", "A1", "gold"], 64, "There is no plan \"gold\""),
        (&["account", "close", "A9"], 1, "There is no account A9"),
        (&["operator", "remove", "bob"], 1, "There is no operator bob"),
    ] {
        let said = place.call(&[arguments, &["--config", "center.toml"]].concat(), "");
        assert_eq!(said.code, code, "{}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
    }
}

#[test]
fn a_database_that_is_no_use_is_left_alone() {
    let place = Place::new();
    fs::create_dir(place.path("state")).unwrap();
    fs::write(place.path("state/center.db"), "rubbish ".repeat(1_000)).unwrap();
    let said = place.add("A1", "out", &[]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("center.db cannot be used") && said.err.contains("restore a copy"), "{}", said.err);
    assert!(!place.path("out").exists());
    assert_eq!(fs::read_to_string(place.path("state/center.db")).unwrap(), "rubbish ".repeat(1_000));
}

#[test]
fn a_bundle_that_cannot_be_written_whole_leaves_neither_files_nor_account() {
    let place = Place::new();
    let disk = place.path("disk");
    fs::create_dir(&disk).unwrap();
    // Room for the directory and two files.
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "nr_inodes=4", "none"]).arg(&disk).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no tmpfs can be mounted");
        return;
    }
    let said = place.add("A1", "disk/out", FAMILY);
    let left = fs::read_dir(&disk).unwrap().count();
    let unmounted = Command::new("umount").arg("-l").arg(&disk).status().unwrap();
    assert!(unmounted.success());
    assert_eq!((said.code, left), (1, 0), "{}", said.err);
    assert!(said.err.contains("disk/out cannot be written"), "{}", said.err);
    assert_eq!(place.accounts(), json!([]));
}

#[test]
fn operators_have_passwords_that_are_long_enough_and_never_kept() {
    let place = Place::new();
    let add = |name: &str, input: &str| place.call(&["operator", "add", name, "--config", "center.toml"], input);
    let said = add("ann", "correct horse\n");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    place.home.write("bob.password", "battery staple\nnot this\n");
    place.well(&["operator", "add", "bob", "--password-file", "bob.password", "--config", "center.toml"]);
    assert_eq!(place.well(&["operator", "list", "--config", "center.toml"]), "ann\nbob\n");
    let hash = |name: &str| place.one::<String>(&format!("SELECT password_hash FROM operator WHERE name = '{name}'"));
    assert!(secrets::matches("correct horse", &hash("ann")));
    assert!(secrets::matches("battery staple", &hash("bob")));

    let again = add("ann", "another horse\n");
    assert_eq!(again.code, 1);
    assert!(again.err.contains("There is an operator ann already"), "{}", again.err);
    for (name, input, expected) in [
        ("carl", "too short\n", "The password has 9 characters: take one of at least 10."),
        ("carl", "", "The password has 0 characters"),
        ("no name", "long enough\n", "\"no name\" is no name to log in with"),
    ] {
        let said = add(name, input);
        assert_eq!(said.code, 64);
        assert!(said.err.contains(expected), "{}", said.err);
    }
    place.well(&["operator", "remove", "ann", "--config", "center.toml"]);
    assert_eq!(place.well(&["operator", "list", "--config", "center.toml"]), "bob\n");
    let audited: String = place.one("SELECT group_concat(what, ' ') FROM (SELECT what FROM audit ORDER BY ordinal)");
    assert_eq!(audited, "Operator ann added. Operator bob added. Operator ann removed.");
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_directory() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: only root may give files to another user");
        return;
    }
    const NOBODY: u32 = 65_534;
    let place = Place::new();
    fs::create_dir(place.path("state")).unwrap();
    chown(place.path("state"), Some(NOBODY), Some(NOBODY)).unwrap();
    assert_eq!(place.add("A1", "out", &[]).code, 0);
    for entry in fs::read_dir(place.path("state")).unwrap().map(Result::unwrap) {
        assert_eq!(entry.metadata().unwrap().uid(), NOBODY, "{:?}", entry.file_name());
    }
    for name in ["center.db", "center.key"] {
        assert!(place.path("state").join(name).exists());
    }
}

#[test]
fn a_configuration_is_checked_and_help_is_given() {
    let place = Place::new();
    let good = place.call(&["check", "--config", "center.toml"], "");
    assert_eq!((good.code, good.out.as_str()), (0, "center.toml is good.\n"));
    place.home.write("center.toml", CENTER_TOML.replace("1884", "0"));
    let bad = place.call(&["check", "--config", "center.toml"], "");
    assert_eq!(bad.code, 78);
    assert!(bad.err.contains("center.toml:5:8"), "{}", bad.err);
    assert_eq!(place.call(&["account", "list", "--config", "center.toml"], "").code, 78);
    assert_eq!(place.call(&["--version"], "").out, format!("sos-center {}\n", env!("CARGO_PKG_VERSION")));
    assert!(place.call(&["account", "add", "--help"], "").out.contains("NAME:PHONE"));
    assert_eq!(place.call(&[], "").code, 64);
    assert_eq!(place.call(&["acount"], "").code, 64);
}
