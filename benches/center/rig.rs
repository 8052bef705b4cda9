//! The shipped center at a real broker, with the accounts of a fleet.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use rusqlite::{Connection, OpenFlags, params};
use sos_hub::center::desk::words::{Account, AccountId, Contact};
use sos_hub::center::store::books::{Books, Entry, Hand};
use sos_hub::center::{key, secrets};
use sos_hub::drivers::clock;
use tempfile::TempDir;

use super::fleet::Fleet;
use super::measure::daemon::spawn;
use super::measure::process::Process;
use super::measure::support::mosquitto::{Mosquitto, free_port};

pub const CENTER: &str = env!("CARGO_BIN_EXE_sos-center");
pub const OPERATOR: &str = "ann";
pub const PASSWORD: &str = "correct horse battery";
/// The limits of the shipped `mosquitto-center.conf`.
const LIMITS: &str = "log_type none\nsys_interval 1\nmessage_size_limit 8192\nmax_packet_size 16384\n\
    max_inflight_messages 1000\nmax_queued_messages 100000\nmax_queued_bytes 67108864\n";

/// A center that runs, and ends when this is dropped.
pub struct Center {
    pub broker: Mosquitto,
    child: Child,
    dir: TempDir,
    /// Of the console.
    pub console: u16,
}

impl Center {
    /// Starts a center that knows every hub of the fleet. Returns once it is ready.
    pub fn start(fleet: &Fleet) -> Center {
        let broker = Mosquitto::start(LIMITS);
        let dir = TempDir::new().expect("a directory for the center");
        let console = free_port();
        let text = format!(
            "[center]\nstate_dir = \"state\"\nkey_file = \"center.key\"\n[broker]\nhost = \"127.0.0.1\"\nport = {}\n\
             [console]\nlisten = \"127.0.0.1:{console}\"\n",
            broker.port(),
        );
        fs::write(dir.path().join("center.toml"), text).expect("the center's configuration");
        fs::write(dir.path().join("center.key"), key::new_pair().expect("a key").private_pem)
            .expect("the center's key");
        open_accounts(&dir.path().join("state"), fleet);
        let (child, _) = spawn(CENTER, &dir.path().join("center.toml"));
        Center { broker, child, dir, console }
    }

    /// Ends it without a word and starts it again; how many milliseconds it took to be ready.
    pub fn restart_after_kill(&mut self) -> f64 {
        self.kill();
        let ready_ms;
        (self.child, ready_ms) = spawn(CENTER, &self.path("center.toml"));
        ready_ms
    }

    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// How many different test signals are on its disk.
    pub fn stored_tests(&self) -> usize {
        self.count("SELECT count(DISTINCT jti) FROM signal WHERE kind = 'test'")
    }

    pub fn stored_incidents(&self) -> usize {
        self.count("SELECT count(*) FROM incident")
    }

    fn count(&self, query: &str) -> usize {
        let database = Connection::open_with_flags(self.path("state/center.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
        let count: i64 = database
            .and_then(|database| database.query_row(query, [], |row| row.get(0)))
            .expect("the center's database");
        usize::try_from(count).expect("a count")
    }

    fn kill(&mut self) {
        // It may have ended by itself, and then something else has been said.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Center {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Adds the first account, and an operator, as the command line does; the others are copies of it, made at once.
fn open_accounts(state: &Path, fleet: &Fleet) {
    let plans = BTreeMap::from([("protect_plus".to_owned(), true)]);
    let hand = Hand { who: "command line (bench)".to_owned(), wall: clock::wall() };
    let mut books = Books::open(state).expect("the center's database");
    let first = Account {
        id: AccountId::new(&Fleet::account(0)),
        name: "The Bench Family".to_owned(),
        address: "1 Workshop Lane, Springfield".to_owned(),
        plan: "protect_plus".to_owned(),
        contacts: ["Ann", "Ben"].map(|name| Contact { name: name.to_owned(), phone: "+1 555 0100".to_owned() }).into(),
        has_password: true,
        closed: false,
    };
    let password_hash = Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ".to_owned());
    let entry = Entry { account: first, password_hash, key_pem: fleet.public_pem.clone() };
    books.add(&entry, &plans, &hand, |_| Ok(())).expect("the first account");
    books.add_operator(OPERATOR, &secrets::hash(PASSWORD).expect("a hash"), &hand).expect("an operator");
    drop(books);
    let mut database = Connection::open(state.join("center.db")).expect("the center's database");
    let copies = database.transaction().expect("a transaction");
    let first = Fleet::account(0);
    for number in 1..fleet.size {
        let account = Fleet::account(number);
        for copy in [
            "INSERT INTO account SELECT ?2, name, address, plan, password_hash, key_pem, closed, version + ?3
             FROM account WHERE id = ?1",
            "INSERT INTO contact SELECT ?2, position, name, phone FROM contact WHERE account = ?1 AND ?3 > 0",
            "INSERT INTO token SELECT ?2, plan, professional_monitoring, missing, serial, issued_wall_ms,
             expires_wall_ms FROM token WHERE account = ?1 AND ?3 > 0",
        ] {
            let number = i64::try_from(number).expect("a small number");
            let copied = copies.prepare_cached(copy).and_then(|mut copy| copy.execute(params![first, account, number]));
            copied.expect("a copy of the first account");
        }
    }
    copies.commit().expect("the accounts");
}
