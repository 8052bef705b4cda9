//! Accounts and operators from the command line: what is given is judged, kept, audited, and told to a running center.

mod bundle;
mod people;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use people::{add_operator, operators, remove_operator};

use super::desk::words::{Account, AccountId, Contact};
use super::store::books::{Books, Entry, Hand};
use super::{key, nudge, secrets};
use crate::config::center::CenterConfig;
use crate::config::is_topic_word;
use crate::drivers::clock;
use crate::wire::text::tidy;
use crate::wire::tokens::{Signer, Verifier};
use bundle::Bundle;

/// The longest name and telephone number, and the longest address, in characters.
const LONGEST_NAME: usize = 64;
const LONGEST_ADDRESS: usize = 256;
/// How many people can be called.
const MOST_CONTACTS: usize = 16;

/// Why something was not done: a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The arguments have to be corrected.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failed(String),
}

impl From<String> for Failure {
    fn from(sentence: String) -> Failure {
        Failure::Failed(sentence)
    }
}

/// What a new account is made of, as it was typed.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub id: String,
    pub name: String,
    pub address: String,
    pub plan: String,
    /// `NAME:PHONE`, in the order in which they are called.
    pub contacts: Vec<String>,
    /// The verbal password.
    pub password: Option<String>,
    /// The bundle's directory.
    pub out: PathBuf,
    /// The hub's public key, made elsewhere.
    pub hub_key: Option<PathBuf>,
}

/// Adds an account, or opens a closed one again, and writes what its hub needs. Returns what is to be done next, for
/// people.
pub fn add(config: &CenterConfig, new: NewAccount) -> Result<String, Failure> {
    let account = judge(&new, &config.plans)?;
    let hub_key = new.hub_key.as_deref().map(public_key).transpose()?;
    let bundle = Bundle::prepare(&new.out)?;
    let center_key = key::load_or_make(&config.key_file)?;
    let signer = Signer::from_pem(center_key.private_pem.as_bytes(), &config.id)
        .map_err(|problem| format!("{} {problem}.", config.key_file.display()))?;
    let pair = if hub_key.is_none() { Some(key::new_pair()?) } else { None };
    let key_pem = match (&hub_key, &pair) {
        (Some(pem), _) => pem.clone(),
        (None, pair) => pair.as_ref().map(|pair| pair.public_pem.clone()).unwrap_or_default(),
    };
    let password = new.password.as_deref().map(secrets::verbal).filter(|word| !word.is_empty());
    let password_hash = password.as_deref().map(secrets::hash).transpose()?;
    let entry = Entry { account, password_hash, key_pem };

    let mut books = Books::open(&config.state_dir)?;
    let private_pem = pair.as_ref().map(|pair| pair.private_pem.as_str());
    let added = books.add(&entry, &config.plans, &hand(), |token| {
        bundle.fill(config, &entry.account.id, private_pem, &center_key.public_pem, &bundle::plan(token, &signer)?)
    });
    if let Err(problem) = added {
        bundle.remove();
        return Err(Failure::Failed(problem));
    }
    Ok(format!("Account {} is added{}.\n{}", entry.account.id, heard(config), bundle.next_commands(config, &entry)))
}

/// Changes an account's plan. Returns what was done.
pub fn set_plan(config: &CenterConfig, id: &str, plan: &str) -> Result<String, Failure> {
    let id = account_id(id)?;
    require_plan(plan, &config.plans)?;
    let before = Books::open(&config.state_dir)?.set_plan(&id, plan, &config.plans, &hand())?;
    Ok(format!("The plan of account {id} is {plan}, and was {before}{}.", heard(config)))
}

/// Ends an account. Returns what was done.
pub fn close(config: &CenterConfig, id: &str) -> Result<String, Failure> {
    let id = account_id(id)?;
    Books::open(&config.state_dir)?.close_account(&id, &config.plans, &hand())?;
    Ok(format!("Account {id} is closed{}: its hub's signals are refused.", heard(config)))
}

/// The accounts, for people or as JSON.
pub fn list(config: &CenterConfig, json: bool) -> Result<String, Failure> {
    let accounts = Books::open(&config.state_dir)?.accounts()?;
    if json {
        let listed: Vec<_> = accounts.iter().map(|account| as_json(account, &config.plans)).collect();
        return Ok(serde_json::Value::from(listed).to_string());
    }
    if accounts.is_empty() {
        return Ok("There are no accounts yet: add one with `sos-center account add`.".to_owned());
    }
    let line = |account: &Account| {
        let plan = if account.closed { "closed" } else { &account.plan };
        let contacts: Vec<&str> = account.contacts.iter().map(|contact| contact.name.as_str()).collect();
        let Account { id, name, address, .. } = account;
        format!("{:<16} {plan:<16} {name}, {address} ({})", id.as_str(), contacts.join(", "))
    };
    Ok(accounts.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn as_json(account: &Account, plans: &BTreeMap<String, bool>) -> serde_json::Value {
    let contacts = account.contacts.iter();
    let contacts: Vec<_> =
        contacts.map(|contact| serde_json::json!({"name": contact.name, "phone": contact.phone})).collect();
    serde_json::json!({
        "account": account.id.as_str(),
        "name": account.name,
        "address": account.address,
        "plan": account.plan,
        "professional_monitoring": !account.closed && plans.get(&account.plan).copied().unwrap_or(false),
        "contacts": contacts,
        "has_password": account.has_password,
        "closed": account.closed,
    })
}

fn judge(new: &NewAccount, plans: &BTreeMap<String, bool>) -> Result<Account, Failure> {
    require_plan(&new.plan, plans)?;
    let contacts: Vec<Contact> = new.contacts.iter().map(|text| contact(text)).collect::<Result<_, _>>()?;
    if contacts.len() > MOST_CONTACTS {
        return Err(Failure::Usage(format!("There are more than {MOST_CONTACTS} contacts: leave some out.")));
    }
    Ok(Account {
        id: account_id(&new.id)?,
        name: short("--name", &new.name, LONGEST_NAME)?,
        address: short("--address", &new.address, LONGEST_ADDRESS)?,
        plan: new.plan.clone(),
        contacts,
        has_password: new.password.as_deref().is_some_and(|word| !secrets::verbal(word).is_empty()),
        closed: false,
    })
}

fn account_id(text: &str) -> Result<AccountId, Failure> {
    if is_topic_word(text) {
        return Ok(AccountId::new(text));
    }
    let problem = format!("{text:?} is no name for an account: use 1 to 64 letters (a-z), digits, - and _.");
    Err(Failure::Usage(problem))
}

fn require_plan(plan: &str, plans: &BTreeMap<String, bool>) -> Result<(), Failure> {
    if plans.contains_key(plan) {
        return Ok(());
    }
    let known: Vec<&str> = plans.keys().map(String::as_str).collect();
    Err(Failure::Usage(format!("There is no plan {plan:?}: take one of {}.", known.join(", "))))
}

/// `Ann:+44 20 7946 0000`. The name may hold a colon, the number cannot.
fn contact(text: &str) -> Result<Contact, Failure> {
    let wrong = |why: &str| {
        Failure::Usage(format!("--contact {text:?} {why}: write \"NAME:PHONE\", as \"Ann:+442079460000\"."))
    };
    let (name, phone) = text.rsplit_once(':').ok_or_else(|| wrong("has no colon"))?;
    let name = short("--contact", name, LONGEST_NAME)?;
    let phone = phone.trim();
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let fits = phone.chars().all(|letter| letter.is_ascii_digit() || "+-()./ *#".contains(letter));
    if name.is_empty() {
        return Err(wrong("has no name"));
    }
    if !fits || !(2..=20).contains(&digits) || phone.len() > LONGEST_NAME {
        return Err(wrong("has no telephone number"));
    }
    Ok(Contact { name, phone: phone.to_owned() })
}

/// Without control characters and surrounding white space.
fn short(argument: &str, text: &str, longest: usize) -> Result<String, Failure> {
    if text.chars().count() > longest {
        return Err(Failure::Usage(format!("{argument} is longer than {longest} characters: shorten it.")));
    }
    Ok(tidy(text, longest))
}

fn public_key(path: &Path) -> Result<String, Failure> {
    let pem = std::fs::read_to_string(path).map_err(|error| {
        Failure::Usage(format!("--hub-key {} cannot be read ({error}): correct the path.", path.display()))
    })?;
    Verifier::from_pem(pem.as_bytes())
        .map_err(|problem| Failure::Usage(format!("--hub-key {} {problem}.", path.display())))?;
    Ok(pem)
}

/// Tells a running center; the words say whether there is one.
fn heard(config: &CenterConfig) -> &'static str {
    if nudge::nudge(&config.state_dir) { ", and the running center takes it over" } else { "; no center is running" }
}

fn hand() -> Hand {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let number =
        || std::fs::metadata("/proc/self").map_or_else(|_| "unknown".to_owned(), |own| format!("uid {}", own.uid()));
    let user = named.map(|name| tidy(&name, LONGEST_NAME)).filter(|name| !name.is_empty()).unwrap_or_else(number);
    Hand { who: format!("command line ({user})"), wall: clock::wall() }
}
