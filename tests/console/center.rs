//! A monitoring center without its link: the real desk, store and console in this process, and alarms handed to the desk
//! as the link would.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use sos_hub::center::console::{self, CallbackCheck, Console, ConsoleSettings};
use sos_hub::center::desk::Desk;
use sos_hub::center::desk::effect::Effect;
use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::settings::{CallMode, DispatchMode, Settings};
use sos_hub::center::desk::view::IncidentView;
use sos_hub::center::desk::words::{Account, AccountId, Contact, Signal, SignalKind};
use sos_hub::center::office::{Bell, Mail, Office, office};
use sos_hub::center::secrets;
use sos_hub::center::store::books::{Books, Entry, Hand};
use sos_hub::center::store::{Archive, Ledger, Store, Told};
use sos_hub::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::controller::moment::{ClockStanding, Id};
use sos_hub::controller::words::Service;
use sos_hub::drivers::clock::{self, Clock};
use sos_hub::mailbox::{Mailbox, Sender, mailbox};
use tempfile::TempDir;

use crate::support::mosquitto::free_port;
use crate::support::wait_until;

pub const OPERATOR: &str = "ann";
pub const PASSWORD: &str = "correct horse battery";
/// The verbal password of every account.
pub const VERBAL: &str = "blue whale";
/// What the provider of a call has to bear.
pub const TOKEN: &str = "the token of this call";

pub struct Center {
    console: Option<Console>,
    port: u16,
    office: Office,
    archive: Archive,
    mail: Sender<Mail>,
    thread: Option<JoinHandle<()>>,
    dir: TempDir,
}

pub struct Setup {
    pub operators: &'static [&'static str],
    pub calls: CallMode,
    pub ring: Duration,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup { operators: &[OPERATOR], calls: CallMode::Operator, ring: Duration::from_secs(600) }
    }
}

impl Center {
    /// With the operator, and the accounts A1 and A2.
    pub fn start() -> Center {
        Center::start_with(Setup::default())
    }

    pub fn start_with(setup: Setup) -> Center {
        let dir = TempDir::new().expect("a directory for the center");
        let plans = BTreeMap::from([("protect_plus".to_owned(), true), ("none".to_owned(), false)]);
        fill(dir.path(), setup.operators, &plans);
        let (sender, mails) = mailbox();
        let (office, bell) = office(sender.clone());
        let told = sender.clone();
        let (restored, first) = channel();
        let store = Store::start(dir.path(), move |said| {
            let input = match said {
                Told::Restored(found, _) => return restored.send(Input::Restored(found)).expect("the desk waits"),
                Told::Accounts(accounts) => Input::Accounts(accounts.into_iter().map(|(account, _)| account).collect()),
                Told::Report(report) => Input::Store(report),
                Told::Pong(_) => return,
                Told::Fatal(problem) => panic!("{problem}"),
            };
            told.urgent(Mail::Input(input));
        })
        .expect("the store starts");
        let archive = store.archive();
        let settings = Settings { calls: setup.calls, ring: setup.ring, dispatch: DispatchMode::Operator, plans };
        let looked_up = sender.clone();
        let thread = std::thread::spawn(move || {
            let mut desk = Desk::new(settings);
            take(&mut desk, &store, &looked_up, &bell, first.recv().expect("what the store holds"));
            run(&mut desk, &store, &mails, &looked_up, &bell);
        });
        sender.urgent(Mail::Input(Input::Broker(LinkChange::Up)));
        let mut center =
            Center { console: None, port: free_port(), office, archive, mail: sender, thread: Some(thread), dir };
        center.start_console();
        center
    }

    /// On the same port each time: one that nothing else is given meanwhile.
    pub fn start_console(&mut self) {
        let settings = ConsoleSettings {
            listen: ([127, 0, 0, 1], self.port).into(),
            hosts: vec!["center.example".to_owned()],
            callback_url: Some("https://calls.example:8443".to_owned()),
        };
        let callback: CallbackCheck = Arc::new(|_, token| token == TOKEN);
        let console = console::start(settings, self.office.clone(), self.archive.clone(), callback);
        let console = console.expect("the console starts");
        self.console = Some(console);
    }

    /// `http://127.0.0.1:PORT` and then this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn stop_console(&mut self, within: Duration) {
        if let Some(console) = self.console.take() {
            console.stop(within);
        }
    }

    /// A new alarm of the account; returns once it is shown.
    pub fn alarm(&self, account: &str, service: Service) -> Id {
        let incident = self.fresh_id();
        self.hear(account, SignalKind::Alarm { incident, service, resumed: false, repeat: false });
        wait_until("the desk has the incident", || self.view(incident).is_some());
        incident
    }

    pub fn hear(&self, account: &str, kind: SignalKind) {
        let wall = clock::wall();
        let signal = Signal {
            jti: self.fresh_id(),
            account: AccountId::new(account),
            kind,
            source: Some("button:hallway".to_owned()),
            user: Some("Grandma".to_owned()),
            raised_wall: Some(wall),
            sent_wall: Some(wall),
            age: Duration::ZERO,
            clock: ClockStanding::Synced,
            seq: u64::try_from(wall.0).expect("a time after 1970"),
            claims: "{}".to_owned(),
        };
        self.mail.urgent(Mail::Input(Input::Signal(Box::new(signal))));
    }

    pub fn broker_is_down(&self) {
        let problem = LinkProblem {
            kind: LinkProblemKind::Unreachable,
            detail: "the broker at broker.example:8883 is not reached".to_owned(),
        };
        self.mail.urgent(Mail::Input(Input::Broker(LinkChange::Down(problem))));
    }

    pub fn broker_is_up(&self) {
        self.mail.urgent(Mail::Input(Input::Broker(LinkChange::Up)));
    }

    pub fn view(&self, incident: Id) -> Option<IncidentView> {
        block_on(self.office.ask(move |desk, now| desk.incident(incident, now))).expect("the desk answers")
    }

    /// The path of an incident's page.
    pub fn page(incident: Id) -> String {
        format!("/incidents/{incident}")
    }

    pub fn remove_operator(&self, name: &str) {
        Books::open(self.dir.path()).expect("the books").remove_operator(name, &hand()).expect("an operator less");
    }

    fn fresh_id(&self) -> Id {
        Id::v7(clock::wall(), Clock::new(true).moment().random)
    }
}

impl Drop for Center {
    fn drop(&mut self) {
        self.stop_console(Duration::from_secs(5));
        self.mail.urgent(Mail::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn hand() -> Hand {
    Hand { who: "command line (test)".to_owned(), wall: clock::wall() }
}

fn fill(dir: &Path, operators: &[&str], plans: &BTreeMap<String, bool>) {
    let mut books = Books::open(dir).expect("the books");
    for operator in operators {
        let hash = secrets::hash(PASSWORD).expect("a hash");
        books.add_operator(operator, &hash, &hand()).expect("an operator");
    }
    for (id, name, address) in [
        ("A1", "Ann & Bob <Miller>", "1 Long Lane, Exeter EX1 1AA"),
        ("A2", "The Hill Road household", "22 Hill Road, Bath BA1 2BB"),
    ] {
        let contact = |name: &str, phone: &str| Contact { name: name.to_owned(), phone: phone.to_owned() };
        let account = Account {
            id: AccountId::new(id),
            name: name.to_owned(),
            address: address.to_owned(),
            plan: "protect_plus".to_owned(),
            contacts: vec![contact("Ann", "+44 20 7946 0001"), contact("Bob", "+44 20 7946 0002")],
            has_password: true,
            closed: false,
        };
        let entry = Entry {
            account,
            password_hash: Some(secrets::hash(&secrets::verbal(VERBAL)).expect("a hash")),
            key_pem: "none".to_owned(),
        };
        books.add(&entry, plans, &hand(), |_| Ok(())).expect("an account");
    }
}

fn run(desk: &mut Desk, store: &Store, mails: &Mailbox<Mail>, looked_up: &Sender<Mail>, bell: &Bell) {
    loop {
        let patience = desk.deadline().map(|deadline| deadline.since(clock::boottime()));
        match mails.next(patience) {
            Some(Mail::Input(input)) => take(desk, store, looked_up, bell, input),
            Some(Mail::Question(ask)) => ask(desk, clock::boottime()),
            Some(Mail::Stop) => return,
            None => take(desk, store, looked_up, bell, Input::Elapsed),
        }
    }
}

fn take(desk: &mut Desk, store: &Store, looked_up: &Sender<Mail>, bell: &Bell, input: Input) {
    for effect in desk.step(Clock::new(true).moment(), input) {
        match effect {
            Effect::Persist(batch) => store.persist(batch),
            Effect::LookUp { signal, incidents } => {
                let looked_up = looked_up.clone();
                store.look_up(signal, incidents, move |signal, past| {
                    let past = past.expect("the store answers");
                    looked_up.urgent(Mail::Input(Input::LookedUp { signal, past }));
                });
            }
            Effect::Answer { ticket, outcome } => bell.answer(ticket, outcome),
            Effect::Changed(changed) => bell.changed(changed),
            _ => {}
        }
    }
}
