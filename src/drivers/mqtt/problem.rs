//! What went wrong with a connection, in words for a person.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rumqttc::v5::mqttbytes::Error as PacketError;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, DisconnectReasonCode, SubscribeReasonCode};
use rumqttc::v5::{ConnectionError, StateError};
use rustls::{AlertDescription, CertificateError};

use crate::controller::input::{LinkProblem, LinkProblemKind as Kind};

/// The address, as the sentences name it.
#[derive(Clone, Copy)]
pub struct Broker<'a> {
    pub host: &'a str,
    pub port: u16,
}

impl fmt::Display for Broker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The password in this file: all of it but the end of the line.
pub fn read_password(file: &Path) -> Result<String, LinkProblem> {
    let text = String::from_utf8(read_file("password", file)?)
        .map_err(|_| configuration(format!("the password file {} is not UTF-8 text", file.display())))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(configuration(format!("the password file {} is empty: write the password in it", file.display())));
    }
    Ok(password.to_owned())
}

/// The bytes of a file that the configuration names; `what` it holds goes into the sentence.
pub fn read_file(what: &str, file: &Path) -> Result<Vec<u8>, LinkProblem> {
    fs::read(file).map_err(|error| {
        configuration(format!(
            "the {what} file {} cannot be read ({error}): put it there and let the service's user read it",
            file.display()
        ))
    })
}

/// A file that the configuration names cannot be used.
pub fn configuration(detail: String) -> LinkProblem {
    LinkProblem { kind: Kind::Configuration, detail }
}

pub fn of_silence(broker: Broker) -> LinkProblem {
    LinkProblem { kind: Kind::Stalled, detail: format!("{broker} does not answer any more on a connection that stood") }
}

pub fn of_missing_suback(waited: Duration, broker: Broker) -> LinkProblem {
    let seconds = waited.as_secs();
    let detail = format!("{broker} did not confirm the subscriptions within {seconds} seconds");
    LinkProblem { kind: Kind::Stalled, detail }
}

pub fn of_short_suback(broker: Broker) -> LinkProblem {
    LinkProblem { kind: Kind::Protocol, detail: format!("{broker} did not answer every subscription") }
}

pub fn of_subscription(topic: &str, code: &SubscribeReasonCode, broker: Broker) -> LinkProblem {
    let detail =
        format!("{broker} refuses the subscription to {topic} ({code:?}): give this client the right to read it");
    LinkProblem { kind: Kind::Subscription, detail }
}

/// The host cannot be what a certificate is for.
pub fn of_server_name(broker: Broker) -> LinkProblem {
    configuration(format!("{} is no name or address that a certificate can be for", broker.host))
}

pub fn of_look_up(error: &io::Error, broker: Broker) -> LinkProblem {
    let detail = format!("{broker} cannot be reached: its name has no address ({error})");
    LinkProblem { kind: Kind::Unreachable, detail }
}

pub fn of_endless_look_up(broker: Broker) -> LinkProblem {
    let detail = format!("{broker} cannot be reached: no name server has answered for its name; check the network");
    LinkProblem { kind: Kind::Unreachable, detail }
}

pub fn of_time_out(broker: Broker) -> LinkProblem {
    LinkProblem { kind: Kind::Unreachable, detail: format!("{broker} did not answer in time") }
}

/// Of the TLS handshake.
pub fn of_handshake(error: &io::Error, broker: Broker) -> LinkProblem {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        let detail = format!("{broker} closed the connection in the TLS handshake: is it the port for TLS?");
        return LinkProblem { kind: Kind::Tls, detail };
    }
    of_io(error, broker)
}

/// Of the TCP or TLS stream.
pub fn of_io(error: &io::Error, broker: Broker) -> LinkProblem {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(error, broker);
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => of_closing(broker),
        _ => LinkProblem { kind: Kind::Unreachable, detail: format!("{broker} cannot be reached: {error}") },
    }
}

/// The library's errors.
pub fn of_connection(error: &ConnectionError, broker: Broker) -> LinkProblem {
    match error {
        ConnectionError::Timeout(_) => of_time_out(broker),
        ConnectionError::ConnectionRefused(code) => of_refusal(*code, broker),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            of_disconnect(*reason_code, broker)
        }
        ConnectionError::MqttState(StateError::AwaitPingResp | StateError::CollisionTimeout) => of_silence(broker),
        ConnectionError::Io(error)
        | ConnectionError::MqttState(StateError::Io(error) | StateError::Deserialization(PacketError::Io(error))) => {
            of_io(error, broker)
        }
        // A DISCONNECT without a reason has no payload, which the library does not know.
        ConnectionError::MqttState(
            StateError::ConnectionAborted | StateError::Deserialization(PacketError::PayloadRequired),
        ) => of_closing(broker),
        other => {
            let detail = format!("{broker} does not keep to MQTT 5 ({other})");
            LinkProblem { kind: Kind::Protocol, detail }
        }
    }
}

/// Without a word, or a reason.
pub fn of_closing(broker: Broker) -> LinkProblem {
    LinkProblem { kind: Kind::Unreachable, detail: format!("{broker} closed the connection") }
}

/// Whether the broker may have ended the connection over what it was asked or told last: without a word, or for a reason
/// that lies with the client. One that does not answer, goes away or has let another client in is no judge of that.
pub fn may_be_over_the_last(problem: &LinkProblem, broker: Broker) -> bool {
    match problem.kind {
        Kind::Credentials | Kind::Protocol => true,
        Kind::Unreachable => {
            *problem == of_closing(broker) || *problem == of_disconnect(DisconnectReasonCode::UnspecifiedError, broker)
        }
        Kind::Stalled | Kind::TakenOver | Kind::Tls | Kind::Subscription | Kind::Configuration => false,
    }
}

/// Again and again, while it takes new ones at once.
pub fn of_repeated_closing(broker: Broker) -> LinkProblem {
    let detail = format!(
        "{broker} keeps closing the connection and takes the next: most likely another client has our client id; look \
         for a second one with this identity"
    );
    LinkProblem { kind: Kind::TakenOver, detail }
}

fn of_refusal(code: ConnectReturnCode, broker: Broker) -> LinkProblem {
    use ConnectReturnCode as Code;
    let (kind, said) = match code {
        Code::BadUserNamePassword | Code::NotAuthorized | Code::BadAuthenticationMethod => {
            (Kind::Credentials, "refuses the user name or password: check both here and at the broker".to_owned())
        }
        Code::Banned => (Kind::Credentials, "has banned this client".to_owned()),
        Code::ServiceUnavailable
        | Code::ServerUnavailable
        | Code::ServerBusy
        | Code::ConnectionRateExceeded
        | Code::QuotaExceeded
        | Code::UseAnotherServer
        | Code::ServerMoved => (Kind::Unreachable, format!("takes no connection ({code:?})")),
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => {
            (Kind::Protocol, "does not speak MQTT 5".to_owned())
        }
        other => (Kind::Protocol, format!("refuses the connection ({other:?})")),
    };
    LinkProblem { kind, detail: format!("{broker} {said}") }
}

/// The reason of the broker's DISCONNECT.
pub fn of_disconnect(code: DisconnectReasonCode, broker: Broker) -> LinkProblem {
    use DisconnectReasonCode as Code;
    let (kind, said) = match code {
        Code::SessionTakenOver => (
            Kind::TakenOver,
            "ended the connection because another client came with our client id: look for a second one with this \
             identity"
                .to_owned(),
        ),
        Code::NotAuthorized => (Kind::Credentials, "ended the connection: this client has no right to it".to_owned()),
        Code::KeepAliveTimeout => (Kind::Stalled, "heard nothing of us for too long".to_owned()),
        Code::NormalDisconnection
        | Code::ServerBusy
        | Code::ServerShuttingDown
        | Code::MessageRateTooHigh
        | Code::QuotaExceeded
        | Code::AdministrativeAction
        | Code::UseAnotherServer
        | Code::ServerMoved
        | Code::ConnectionRateExceeded
        | Code::MaximumConnectTime
        | Code::UnspecifiedError => (Kind::Unreachable, format!("ended the connection ({code:?})")),
        other => (Kind::Protocol, format!("ended the connection ({other:?})")),
    };
    LinkProblem { kind, detail: format!("{broker} {said}") }
}

/// Also for a handshake that the broker refuses. Leaves out all that changes from one attempt to the next.
fn of_tls(error: &rustls::Error, broker: Broker) -> LinkProblem {
    use AlertDescription as Alert;
    let said = match error {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::AlertReceived(
            alert @ (Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::HandshakeFailure
            | Alert::AccessDenied),
        ) => format!("refuses our client certificate or has none of us ({alert:?})"),
        rustls::Error::InvalidMessage(_) => "does not answer in TLS: is it the port for TLS?".to_owned(),
        other => format!("cannot agree with us on TLS ({other})"),
    };
    LinkProblem { kind: Kind::Tls, detail: format!("{broker} {said}") }
}

fn of_certificate(error: &CertificateError) -> String {
    use CertificateError as Error;
    match error {
        Error::UnknownIssuer | Error::BadSignature => {
            "shows a certificate of an unknown issuer: ca_file must hold the authority that signed it".to_owned()
        }
        Error::Expired | Error::ExpiredContext { .. } => "shows a certificate that has expired".to_owned(),
        Error::NotValidYet | Error::NotValidYetContext { .. } => {
            "shows a certificate that is not valid yet by this machine's clock".to_owned()
        }
        Error::NotValidForName => "shows a certificate for another name".to_owned(),
        Error::NotValidForNameContext { presented, .. } => {
            format!("shows a certificate for another name ({})", presented.join(", "))
        }
        other => format!("shows a certificate that cannot be accepted ({other})"),
    }
}
