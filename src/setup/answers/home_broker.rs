//! The questions about the home's broker.

use super::{Asker, Broker, Secret};
use crate::config;
use crate::setup::Failure;
use crate::setup::broker::{self, LocalBroker};
use crate::setup::dialogue::Question;
use crate::setup::options::Whether;

impl Asker<'_> {
    pub(super) fn broker(&self) -> Result<Broker, Failure> {
        let conf = broker::conf_file(&self.options.mosquitto_dir);
        let default = match self.existing.word("app", "host") {
            Some(host) => {
                if conf.is_file() && host == "127.0.0.1" {
                    "local".to_owned()
                } else {
                    host
                }
            }
            None if self.existing.is_set_up && self.existing.word("hub", "id").is_some() && !conf.is_file() => {
                "127.0.0.1".to_owned()
            }
            None => "local".to_owned(),
        };
        if !self.dialogue.asks && self.options.broker.is_none() && default == "local" && self.others_broker_runs {
            return Err(Failure::Usage(
                "A mosquitto runs here already, and whoever uses it without a login would be let in no more: let the hub \
                 have it with --broker local, or name a broker with --broker HOST."
                    .to_owned(),
            ));
        }
        let question = Question {
            question: "Which broker do apps and Home Assistant talk to?",
            why: if self.others_broker_runs {
                "\"local\" sets up the mosquitto of this machine. It runs already: whoever uses it then needs a user and \
                 rights, and what it keeps (retained messages) is lost. A name or address is one that is there already."
            } else {
                "\"local\" sets up the mosquitto of this machine; a name or address is one that is there already."
            },
            option: "--broker",
        };
        let host =
            self.dialogue.text(&question, self.options.broker.as_deref(), Some(&default), |answer| match answer {
                "local" => self.local_will_do().map(|()| answer.to_owned()),
                answer => match config::host_problem(answer) {
                    Some(problem) => Err(format!("{answer:?} {problem}.")),
                    None => Ok(answer.to_owned()),
                },
            })?;
        if host == "local" { self.local_broker() } else { self.broker_that_is_there(host) }
    }

    fn local_will_do(&self) -> Result<(), String> {
        let dir = &self.options.mosquitto_dir;
        if !broker::is_installed(dir) {
            return Err(format!(
                "There is no mosquitto in {}: install it with `sudo apt-get install mosquitto`, or name another broker.",
                dir.display()
            ));
        }
        broker::settings_of_others(dir).map_or(Ok(()), |other| {
            Err(format!(
                "mosquitto has settings of its own in {}, beside which those for the hub would keep it from starting: name \
                 it as one that is there (--broker 127.0.0.1) and give it the users and lines of sos-home.acl, or take \
                 that file away.",
                other.display()
            ))
        })
    }

    fn local_broker(&self) -> Result<Broker, Failure> {
        let former_port = self.existing.number("app", "port");
        let port = self.options.broker_port.or(former_port).unwrap_or(1883);
        let question = Question {
            question: "Does Home Assistant get a user at this broker?",
            why: "Its password is put into client-homeassistant.password beside hub.toml, for you to enter there.",
            option: "--home-assistant",
        };
        let dir = &self.options.mosquitto_dir;
        let given = self.options.home_assistant.map(|whether| whether == Whether::Yes);
        let home_assistant = self.dialogue.whether(&question, given, broker::knows_home_assistant(dir))?;
        let word = |table: &str, key: &str, default: &str| {
            self.existing.word(table, key).unwrap_or_else(|| default.to_owned())
        };
        let local = LocalBroker {
            mosquitto_dir: dir.clone(),
            port,
            former_port,
            topic_prefix: word("app", "topic_prefix", "sos"),
            discovery_prefix: word("home_assistant", "prefix", "homeassistant"),
            home_assistant,
        };
        for path in local.changed_by_others() {
            let question = format!("{} is not what this version would write. Replace it?", path.display());
            let question = Question {
                question: &question,
                why: "Somebody has changed it, or it is of another version. A copy is kept. No: the broker stays as it is.",
                option: "--yes",
            };
            if !self.dialogue.whether(&question, None, true)? {
                return self.broker_that_is_there("127.0.0.1".to_owned());
            }
        }
        Ok(Broker::Local(local))
    }

    fn broker_that_is_there(&self, host: String) -> Result<Broker, Failure> {
        let same_host = self.existing.app_host().as_deref() == Some(host.as_str());
        let ca_file = self.options.broker_ca_file.clone();
        let has_ca = ca_file.is_some() || (same_host && self.existing.word("app", "ca_file").is_some());
        let default = self.existing.number::<u16>("app", "port").filter(|_| same_host);
        let default = default.unwrap_or(if has_ca { 8883 } else { 1883 }).to_string();
        let question = Question {
            question: "On which port is it?",
            why: "Usually 1883, or 8883 where it speaks TLS (name its authority with --broker-ca-file).",
            option: "--broker-port",
        };
        let given = self.options.broker_port.map(|port| port.to_string());
        let port = self.dialogue.text(&question, given.as_deref(), Some(&default), |answer| {
            answer
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| "Answer a port from 1 to 65535.".to_owned())
        })?;
        let there = self.existing.word("app", "username").filter(|_| same_host);
        let question = Question {
            question: "Which user is the hub there?",
            why: "It must be allowed to read its commands and to write all else below sos/. \"none\": without a login.",
            option: "--broker-user",
        };
        let default = there.as_deref().unwrap_or(if same_host { "none" } else { broker::HUB_USER });
        let username = self.dialogue.text(&question, self.options.broker_user.as_deref(), Some(default), |answer| {
            Ok((answer != "none" && !answer.is_empty()).then(|| answer.to_owned()))
        })?;
        let stays = username == there && self.existing.file("app", "password_file").is_some_and(|file| file.is_file());
        let password = match username {
            None => Secret::None,
            Some(_) => self.secret(
                &Question {
                    question: "What is that user's password?",
                    why: if stays { "Empty: the one that is there stays." } else { "Empty: there is none." },
                    option: "--broker-password-file",
                },
                self.options.broker_password_file.as_deref(),
                stays,
            )?,
        };
        Ok(Broker::There { host, port, username, password, ca_file })
    }
}
