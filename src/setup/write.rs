//! From the answers to the files: all of them, or none.

mod judgement;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::answers::{Answers, Broker, Center, Secret};
use super::broker::{self, LocalBroker};
use super::bundle::{Bundle, CLIENT_CERT, CLIENT_KEY};
use super::document::{Document, quoted};
use super::existing::Existing;
use super::files::{self, Access, Changes};
use super::options::{Options, Reach};
use super::plan::Plan;
use super::users::{self, Owner};
use crate::config::{Config, Problems};

/// What came of it.
pub struct Written {
    /// The configuration, with what `check` warns of.
    pub loaded: (Config, Problems),
    pub has_local_broker: bool,
    /// To be undone if broker or hub do not start with it.
    pub changes: Changes,
    /// What the person has to know.
    pub notes: Vec<String>,
}

struct Writer<'a> {
    options: &'a Options,
    existing: &'a Existing,
    dir: PathBuf,
    /// Whom the hub runs as.
    service: Option<Owner>,
    /// The secrets that systemd hands to it: they stay closed to it.
    credentials: &'a [String],
    document: Document,
    plan: Plan,
    notes: Vec<String>,
}

/// Writes every file, and has the configuration read as the hub will read it. `credentials`: the names of the secrets that
/// systemd hands to the hub. `announce` is given the list of what changes, before anything does.
pub fn write(
    options: &Options,
    existing: &Existing,
    answers: &Answers,
    credentials: &[String],
    announce: impl FnOnce(&str),
) -> Result<Written, Failure> {
    let dir = options.config.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut writer = Writer {
        options,
        existing,
        dir: dir.to_owned(),
        service: users::owner(&options.service_user),
        credentials,
        document: Document::new(&existing.text),
        plan: Plan::default(),
        notes: Vec::new(),
    };
    writer.plan(answers)?;
    announce(&writer.plan.list(&options.config));
    let mut changes = Changes::default();
    let steps = std::mem::take(&mut writer.plan);
    match steps.carry_out(&mut changes).and_then(|()| writer.configuration(answers, &mut changes)) {
        Ok(loaded) => {
            let has_local_broker = matches!(answers.broker, Broker::Local(_));
            Ok(Written { loaded, has_local_broker, changes, notes: writer.notes })
        }
        Err(failure) => {
            changes.undo();
            Err(failure)
        }
    }
}

impl Writer<'_> {
    /// Everything but the configuration itself, which is the last to be written.
    fn plan(&mut self, answers: &Answers) -> Result<(), Failure> {
        self.plan.directory(&self.dir, 0o755, None);
        self.hub(answers);
        self.lines(answers);
        self.broker(&answers.broker)?;
        if let Some(center) = &answers.center {
            self.center(center)?;
        }
        self.panel(answers);
        if self.existing.is_set_up {
            let text = self.document.text();
            self.keep_other(&self.options.config, text.as_bytes())?;
        }
        Ok(())
    }

    fn hub(&mut self, answers: &Answers) {
        self.document.set("hub", "id", &quoted(&answers.id));
        if let Some(name) = &answers.name {
            self.document.set("hub", "name", &quoted(name));
        }
        if let Some(dir) = &self.options.state_dir {
            self.document.set("hub", "state_dir", &quoted(&dir.to_string_lossy()));
        }
        if let Some(dir) = &self.options.mock_dir {
            self.document.set("gpio", "backend", "\"mock\"");
            self.document.set("gpio", "mock_dir", &quoted(&dir.to_string_lossy()));
        }
    }

    fn lines(&mut self, answers: &Answers) {
        self.document.set("siren", "line", &answers.siren_line.to_string());
        if answers.siren_active_low {
            self.document.set("siren", "active_low", "true");
        } else {
            self.document.unset("siren", "active_low");
        }
        match answers.led_line {
            Some(line) => self.document.set("led", "line", &line.to_string()),
            None => self.document.unset("led", "line"),
        }
        if let Some(buttons) = &answers.buttons {
            self.document.set_buttons(buttons);
        }
    }

    fn broker(&mut self, answer: &Broker) -> Result<(), Failure> {
        match answer {
            Broker::Local(local) => self.local_broker(local),
            Broker::There { host, port, username, password, ca_file } => {
                self.set_broker(host, *port);
                match username {
                    Some(username) => self.document.set("app", "username", &quoted(username)),
                    None => self.document.unset("app", "username"),
                }
                self.secret("app", "password_file", "app.password", password);
                if let Some(ca_file) = ca_file {
                    let content = fs::read(ca_file).map_err(|error| {
                        let file = ca_file.display();
                        Failure::Usage(format!("--broker-ca-file {file} cannot be read ({error}): correct the path."))
                    })?;
                    self.plan.write(&self.dir.join("home-ca.pem"), &content, Access::Open);
                    self.document.set("app", "ca_file", "\"home-ca.pem\"");
                } else if self.existing.app_host().as_ref() != Some(host) {
                    self.document.unset("app", "ca_file");
                }
                Ok(())
            }
        }
    }

    fn local_broker(&mut self, local: &LocalBroker) -> Result<(), Failure> {
        self.set_broker("127.0.0.1", local.port);
        self.document.set("app", "username", &quoted(broker::HUB_USER));
        self.document.set("app", "password_file", "\"app.password\"");
        self.document.unset("app", "ca_file");
        let mut users = BTreeMap::new();
        let own = self.dir.join("app.password");
        let password = broker::password_in(&own)?;
        self.plan.write(&own, line(&password).as_bytes(), self.secret_access("app.password"));
        users.insert(broker::HUB_USER.to_owned(), password);
        for client in local.clients() {
            let (user, file) = (client.user, self.dir.join(client.file));
            if !client.is_let_in {
                self.plan.remove(&file);
            } else if !file.is_file() && broker::knows(&local.mosquitto_dir, user) {
                self.notes.push(format!("The broker's user {user} keeps its password, which is written down nowhere."));
            } else {
                let password = broker::password_in(&file)?;
                self.plan.write(&file, line(&password).as_bytes(), Access::Private(None));
                users.insert(user.to_owned(), password);
                self.notes.push(format!("The password of the broker's user {user} is in {}.", file.display()));
            }
        }
        for copy in local.write(&users, &mut self.plan)? {
            self.notes.push(format!("What the broker had there is kept as {}.", copy.display()));
        }
        Ok(())
    }

    /// Who reads the secret of this name.
    fn secret_access(&self, name: &str) -> Access {
        if self.credentials.iter().any(|handed_over| handed_over == name) {
            return Access::Private(None);
        }
        Access::Service(self.service)
    }

    fn keep_other(&mut self, path: &Path, content: &[u8]) -> Result<(), Failure> {
        if let Some(copy) = self.plan.keep_other(path, content)? {
            self.notes.push(format!("What was there is kept as {}.", copy.display()));
        }
        Ok(())
    }

    fn set_broker(&mut self, host: &str, port: u16) {
        self.document.set("app", "host", &quoted(host));
        self.document.set("app", "port", &port.to_string());
    }

    fn center(&mut self, center: &Center) -> Result<(), Failure> {
        let bundle = &center.bundle;
        let key = self.dir.join("hub.key");
        let content = match &bundle.hub_key {
            Some(content) => content.clone(),
            None if key.is_file() => fs::read(&key).map_err(|error| {
                Failure::Failed(format!("{} cannot be read ({error}): run the setup with sudo.", key.display()))
            })?,
            None => {
                return Err(Failure::Usage(format!(
                    "The center has no key for this hub, so it must be the one that was made here: put it at {}.",
                    key.display()
                )));
            }
        };
        self.keep_other(&key, &content)?;
        // Also where it was there: whoever made it has perhaps kept it from the service.
        self.plan.write(&key, &content, self.secret_access("hub.key"));
        let center_key = self.dir.join("center.pub");
        self.keep_other(&center_key, &bundle.center_pub)?;
        self.plan.write(&center_key, &bundle.center_pub, Access::Open);
        for (key, value) in [
            ("host", quoted(&bundle.host)),
            ("port", bundle.port.to_string()),
            ("account", quoted(&bundle.account)),
            ("hub_key_file", "\"hub.key\"".to_owned()),
            ("center_key_file", "\"center.pub\"".to_owned()),
        ] {
            self.document.set("center", key, &value);
        }
        match &bundle.ca {
            Some(ca) => {
                self.plan.write(&self.dir.join("center-ca.pem"), ca, Access::Open);
                self.document.set("center", "ca_file", "\"center-ca.pem\"");
            }
            None => self.document.unset("center", "ca_file"),
        }
        let username = bundle.username.as_deref().unwrap_or(&bundle.account);
        if matches!(center.password, Secret::None) && bundle.username.is_none() {
            self.document.unset("center", "username");
        } else {
            self.document.set("center", "username", &quoted(username));
        }
        self.secret("center", "password_file", "center.password", &center.password);
        self.client_certificate(bundle);
        self.first_plan(center);
        Ok(())
    }

    /// The one that came with the bundle; without one, that of the same account stays.
    fn client_certificate(&mut self, bundle: &Bundle) {
        let keys = [("client_cert_file", CLIENT_CERT), ("client_key_file", CLIENT_KEY)];
        if let Some((cert, key)) = &bundle.client {
            self.plan.write(&self.dir.join(CLIENT_CERT), cert, Access::Open);
            self.plan.write(&self.dir.join(CLIENT_KEY), key, self.secret_access(CLIENT_KEY));
            for (key, name) in keys {
                self.document.set("center", key, &quoted(name));
            }
        } else if self.existing.word("center", "account").as_ref() != Some(&bundle.account) {
            for (key, _) in keys {
                self.document.unset("center", key);
            }
        }
    }

    /// The first plan goes to the hub's memory, unless a newer one is there.
    fn first_plan(&mut self, center: &Center) {
        let state_dir = self.options.state_dir.clone().unwrap_or_else(|| self.existing.state_dir());
        self.plan.directory(&state_dir, 0o700, self.service);
        let file = state_dir.join("plan.jwt");
        if !center.bundle.is_older_than(&file) {
            self.plan.write(&file, &center.bundle.plan, Access::Private(self.service));
        }
        if let Some(dir) = &self.options.center {
            let dir = dir.display();
            self.notes.push(format!("{dir} is not needed any more and holds the hub's key: remove it."));
        }
    }

    fn panel(&mut self, answers: &Answers) {
        let listen = self.existing.word("panel", "listen");
        let address = if answers.reach == Reach::Network { "0.0.0.0" } else { "127.0.0.1" };
        let there: Option<std::net::SocketAddr> = listen.and_then(|listen| listen.parse().ok());
        let is_as_wanted = there.is_some_and(|there| {
            there.port() == answers.panel_port && there.ip().is_loopback() == (answers.reach == Reach::Local)
        });
        if !is_as_wanted {
            self.document.set("panel", "listen", &quoted(&format!("{address}:{}", answers.panel_port)));
        }
        let has_tls = self.existing.word("panel", "tls").is_some_and(|tls| tls != "off");
        if answers.reach == Reach::Network && !has_tls && self.existing.word("panel", "tls_cert_file").is_none() {
            self.document.set("panel", "tls", "\"self-made\"");
        }
        self.secret("panel", "pin_file", "panel.pin", &answers.pin);
    }

    fn secret(&mut self, table: &str, key: &str, name: &str, secret: &Secret) {
        match secret {
            Secret::None => self.document.unset(table, key),
            Secret::Stays => {}
            Secret::New(text) => {
                self.plan.write(&self.dir.join(name), line(text).as_bytes(), self.secret_access(name));
                self.document.set(table, key, &quoted(name));
            }
        }
    }

    /// Read as the hub will read it, under another name first: what is refused never takes the place of what works.
    fn configuration(&self, answers: &Answers, changes: &mut Changes) -> Result<(Config, Problems), Failure> {
        let path = &self.options.config;
        let text = self.document.text();
        // Closed by its owner it stays, but for the service.
        let is_closed = files::mode(path).is_some_and(|mode| mode & 0o004 == 0);
        let access = if is_closed { Access::Service(self.service) } else { Access::Open };
        let candidate = self.dir.join(".hub.toml.candidate");
        let mut trial = Changes::default();
        trial.write(&candidate, text.as_bytes(), access)?;
        let loaded = match self.service {
            // What systemd hands to the service is there for root alone until then.
            Some(owner) if self.credentials.is_empty() => {
                users::acting_as(&self.options.service_user, owner, || Config::load(&candidate))
            }
            _ => Ok(Config::load(&candidate)),
        };
        trial.undo();
        let (config, warnings) = loaded?.map_err(|problems| Failure::Refused(problems.of(path)))?;
        let warnings = warnings.of(path);
        if !judgement::is_as_answered(&config, answers) {
            return Err(Failure::Configuration(format!(
                "{} is written in a way that the setup cannot change: change it by hand, or begin anew with --fresh.",
                path.display()
            )));
        }
        changes.write(path, text.as_bytes(), access)?;
        Ok((config, warnings))
    }
}

/// A secret as its file has it.
fn line(secret: &str) -> String {
    format!("{secret}\n")
}
