//! What a link hears and says beyond its purpose. A broker may end a connection over it, again and again; then the link
//! goes on without it.

use tracing::warn;

use super::problem::Broker;

/// So many connections in a row end over the same before it is left out: one may end by chance at that moment.
const ENDS: u32 = 2;

/// What a connection may have ended over: it was on its way, and the broker had not answered it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    Nothing,
    /// The optional subscriptions.
    Optional,
    Announcement,
}

/// What the next connection may try.
pub struct Extras {
    pub optional: bool,
    pub announcement: bool,
    doubt: Doubt,
    ends: u32,
}

impl Extras {
    pub fn new() -> Extras {
        Extras { optional: true, announcement: true, doubt: Doubt::Nothing, ends: 0 }
    }

    /// A connection is over. `over`: what the broker may have ended it over; `stood`: whether it was up.
    pub fn ended(&mut self, over: Doubt, stood: bool, broker: Broker) {
        self.ends = 1 + if over == self.doubt { self.ends } else { 0 };
        self.doubt = over;
        match over {
            // Somebody may have given the rights since.
            Doubt::Nothing if stood => *self = Extras::new(),
            Doubt::Optional if self.ends == ENDS => {
                self.optional = false;
                warn!(
                    "{broker} ends the connection over a subscription, so the link goes on without the optional ones: \
                     give this client the right to read what Home Assistant says."
                );
            }
            Doubt::Announcement if self.ends == ENDS => {
                self.announcement = false;
                warn!(
                    "{broker} ends the connection over the announcement to Home Assistant, so the link goes on without \
                     it: give this client the right to write it, or set home_assistant.discovery = false."
                );
            }
            _ => {}
        }
    }
}
