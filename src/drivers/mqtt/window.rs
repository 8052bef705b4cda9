//! What the broker has been sent and has not acknowledged.

use std::collections::VecDeque;

use super::outbox::Waiting;

/// The publications under way, in the order of sending. The library's packet identifiers go round a ring of the
/// window's size, and it stalls when it comes to one that is still in use. So the window only moves on when its
/// *oldest* publication is acknowledged: then the identifiers in it can never meet.
pub struct Window {
    under_way: VecDeque<UnderWay>,
    /// How many of them have a packet identifier; these stand before the others.
    sent: usize,
    limit: usize,
}

struct UnderWay {
    /// `None` until the library has drawn one.
    packet_id: Option<u16>,
    /// `None` once it is acknowledged.
    waiting: Option<Waiting>,
}

impl Window {
    /// `receive_maximum` is the broker's own limit, from its CONNACK; the lower one counts.
    pub fn new(limit: u16, receive_maximum: Option<u16>) -> Window {
        let limit = receive_maximum.map_or(limit, |maximum| maximum.min(limit)).max(1);
        Window { under_way: VecDeque::new(), sent: 0, limit: limit.into() }
    }

    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Whether one more may be sent.
    pub fn has_room(&self) -> bool {
        self.under_way.len() < self.limit
    }

    /// Handed to the library.
    pub fn handed_over(&mut self, waiting: Waiting) {
        self.under_way.push_back(UnderWay { packet_id: None, waiting: Some(waiting) });
    }

    /// The library is sending the next one under this identifier.
    pub fn sent(&mut self, packet_id: u16) {
        if let Some(next) = self.under_way.get_mut(self.sent) {
            next.packet_id = Some(packet_id);
            self.sent += 1;
        }
    }

    /// The broker has answered; returns what it was about.
    pub fn acknowledged(&mut self, packet_id: u16) -> Option<Waiting> {
        let waiting =
            self.under_way.iter_mut().find(|under_way| under_way.packet_id == Some(packet_id))?.waiting.take();
        while self.under_way.front().is_some_and(|under_way| under_way.waiting.is_none()) {
            self.under_way.pop_front();
            self.sent -= 1;
        }
        waiting
    }

    /// What was not acknowledged, in the order of sending.
    pub fn into_waiting(self) -> impl DoubleEndedIterator<Item = Waiting> {
        self.under_way.into_iter().filter_map(|under_way| under_way.waiting)
    }
}
