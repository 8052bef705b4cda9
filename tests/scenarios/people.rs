//! What people, apps and the monitoring center do to a hub.

use sos_hub::controller::input::{
    Ack, AckResult, CancelTarget, CenterMessage, Content, Input, Malformed, Received, Update,
};
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::controller::report::Reply;
use sos_hub::controller::words::{CallStage, CommandName, Service, TestKind};

use crate::hub::{Hub, millis, seconds};

impl Hub {
    /// Publishes a command and gives its reply.
    pub fn command(&mut self, received: Received) -> Reply {
        let before = self.seen.replies.len();
        self.input(Input::Command(received));
        if self.seen.replies.len() == before {
            self.after(millis(250));
        }
        self.seen.replies.get(before).expect("every well-formed command has a reply").1.clone()
    }

    pub fn content(&mut self, command: CommandName, content: Content) -> Reply {
        self.command(self.received(command, Ok(content)))
    }

    /// A message as an app sends it: fresh, not retained.
    pub fn received(&self, command: CommandName, content: Result<Content, Malformed>) -> Received {
        let arrived = self.at.now;
        Received { arrived, command, retained: false, duplicate: false, reply_to: None, content }
    }

    pub fn request(&mut self, service: Service) -> Reply {
        self.request_with(service, None, None)
    }

    pub fn request_with(&mut self, service: Service, id: Option<&str>, sent_at: Option<Wall>) -> Reply {
        let content = Content::Request { service, id: id.map(Into::into), source: None, user: None, sent_at };
        self.command(self.received(CommandName::Request, Ok(content)))
    }

    pub fn cancel(&mut self) -> Reply {
        let content = Content::Cancel { incident: CancelTarget::Every, id: None };
        self.command(self.received(CommandName::Cancel, Ok(content)))
    }

    pub fn cancel_incident(&mut self, incident: Id) -> Reply {
        let content = Content::Cancel { incident: CancelTarget::One(incident), id: None };
        self.command(self.received(CommandName::Cancel, Ok(content)))
    }

    pub fn silence(&mut self) -> Reply {
        self.command(self.received(CommandName::Silence, Ok(Content::Silence { id: None })))
    }

    pub fn test(&mut self, kind: TestKind) -> Reply {
        self.command(self.received(CommandName::Test, Ok(Content::Test(kind))))
    }

    /// A police request whose countdown is over.
    pub fn alarm(&mut self, service: Service) -> Id {
        let id = self.request(service).incident.expect("accepted");
        self.after(seconds(5));
        id
    }

    /// A police alarm that the center has on its disk.
    pub fn acknowledged_alarm(&mut self) -> Id {
        let id = self.alarm(Service::Police);
        self.center_acks_everything();
        id
    }

    /// Holds a button for its whole time and lets go.
    pub fn hold(&mut self, index: usize) {
        self.press(index);
        self.after(seconds(1));
        self.release(index);
    }

    pub fn press(&mut self, index: usize) {
        self.input(Input::Button { index, asserted: true, at: self.at.now });
    }

    pub fn release(&mut self, index: usize) {
        self.input(Input::Button { index, asserted: false, at: self.at.now });
    }

    // What the center does.

    pub fn center(&mut self, message: CenterMessage) {
        self.input(Input::Center(message));
    }

    /// The center's ack of one signal: a new one, or the same again.
    pub fn center_acks(&mut self, signal: Id, result: AckResult) {
        let next = 1 + u64::try_from(self.acked.len()).expect("scenarios are short");
        let seq = *self.acked.entry(signal).or_insert(next);
        self.center(CenterMessage::Ack(Ack { signal, result, seq, reopened_after: None }));
    }

    /// The center acks the last alarm, which has opened its incident again, after it had said updates up to `seq`.
    pub fn center_reopens(&mut self, seq: u64) {
        let signal = self.alarms().last().expect("sent").jti;
        let ack_seq = 1 + u64::try_from(self.acked.len()).expect("scenarios are short");
        self.acked.insert(signal, ack_seq);
        let (result, reopened_after) = (AckResult::Accepted, Some(seq));
        self.center(CenterMessage::Ack(Ack { signal, result, seq: ack_seq, reopened_after }));
    }

    /// Acks every signal that came since the last time, a repeat with the same ack again.
    pub fn center_acks_everything(&mut self) {
        let came: Vec<Id> = self.seen.transmitted[self.answered..].iter().map(|(_, signal)| signal.jti).collect();
        self.answered = self.seen.transmitted.len();
        for jti in came {
            self.center_acks(jti, AckResult::Accepted);
        }
    }

    pub fn center_updates(&mut self, incident: Id, seq: u64, stage: CallStage) {
        self.center(CenterMessage::Update(Update { incident, seq, stage, contact: None, note: None }));
    }
}
