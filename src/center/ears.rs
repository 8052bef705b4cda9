//! From the broker to the loop: signals are verified and read here, on the link's thread, and land in the mailbox.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::desk::input::Input;
use super::desk::words::{AccountId, SignalKind};
use super::office::Mail;
use super::wire::signals;
use crate::controller::input::LinkChange;
use crate::drivers::mqtt::{Listener, Message};
use crate::mailbox::Sender;
use crate::wire::tokens::Verifier;
use crate::wire::topics::{HubTopic, parse_hub_topic};

/// Which key each account's hub signs with. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct KeyDirectory {
    keys: Arc<RwLock<HashMap<AccountId, Verifier>>>,
}

impl KeyDirectory {
    /// Accounts that are new, or whose hub has another key now.
    pub fn learn(&self, keys: impl IntoIterator<Item = (AccountId, Verifier)>) {
        // A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
        self.keys.write().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    fn find(&self, account: &str) -> Option<(AccountId, Verifier)> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get_key_value(account).map(|(account, key)| (account.clone(), key.clone()))
    }
}

/// Hears the hubs, and believes each only its own key.
pub(super) struct HubEar {
    sender: Sender<Mail>,
    keys: KeyDirectory,
}

impl HubEar {
    pub fn new(sender: Sender<Mail>, keys: KeyDirectory) -> HubEar {
        HubEar { sender, keys }
    }

    fn signal(&self, account: &str, message: &Message) -> Input {
        let Some((account, verifier)) = self.keys.find(account) else {
            return Input::Rejected { account: None, problem: "is of an account that there is not".into() };
        };
        if message.retained {
            let problem = "was stored by the broker, so nobody knows how old it is".into();
            return Input::Rejected { account: Some(account), problem };
        }
        match signals::signal(&account, &message.payload, &verifier) {
            Ok(signal) => Input::Signal(Box::new(signal)),
            Err(problem) => Input::Rejected { account: Some(account), problem },
        }
    }

    /// Anything but the two words is nobody's harm: it is a hint at most.
    fn hint(&self, account: &str, payload: &[u8]) -> Option<Input> {
        let online = match payload {
            b"online" => true,
            b"offline" => false,
            _ => return None,
        };
        self.keys.find(account).map(|(account, _)| Input::Hint { account, online })
    }
}

impl Listener for HubEar {
    fn changed(&self, change: LinkChange) {
        self.sender.urgent(Mail::Input(Input::Broker(change)));
    }

    async fn message(&self, message: Message) {
        let input = match parse_hub_topic(&message.topic) {
            Some((account, HubTopic::Signal)) => self.signal(account, &message),
            Some((account, HubTopic::Link)) => match self.hint(account, &message.payload) {
                Some(hint) => hint,
                None => return,
            },
            None => return,
        };
        if is_grave(&input) {
            self.sender.grave(Mail::Input(input)).await;
        } else {
            self.sender.bulk(Mail::Input(input)).await;
        }
    }
}

/// Whether it must not wait behind heartbeats and junk. Of one account they stay in order: a cancel_request never
/// overtakes its alarm.
fn is_grave(input: &Input) -> bool {
    match input {
        Input::Signal(signal) => matches!(signal.kind, SignalKind::Alarm { .. } | SignalKind::CancelRequest { .. }),
        _ => false,
    }
}
