//! Whether what is read back is what was answered.

use crate::config::{self, Config};
use crate::controller::settings::Press;
use crate::setup::answers::{Answers, Broker, Center, Secret};
use crate::setup::broker;
use crate::setup::document::Button;
use crate::setup::options::Reach;

/// Lines were changed, and what they mean is known only now.
pub(super) fn is_as_answered(config: &Config, answers: &Answers) -> bool {
    let buttons = |list: &[Button]| {
        list.len() == config.buttons.len()
            && list.iter().zip(&config.buttons).all(|(asked, read)| is_button(asked, read))
    };
    let center = |center: &Center| {
        config.center.account == center.bundle.account
            && (&config.center.broker.host, config.center.broker.port) == (&center.bundle.host, center.bundle.port)
    };
    config.hub.id == answers.id
        && (config.siren.line, config.siren.active_low) == (answers.siren_line, answers.siren_active_low)
        && config.led == answers.led_line
        && answers.buttons.as_deref().is_none_or(buttons)
        && is_broker(&config.app.broker, &answers.broker)
        && answers.center.as_ref().is_none_or(center)
        && config.panel.listen.port() == answers.panel_port
        && config.panel.listen.ip().is_loopback() == (answers.reach == Reach::Local)
        && config.panel.pin_file.is_some() != matches!(answers.pin, Secret::None)
}

fn is_button(asked: &Button, read: &config::Button) -> bool {
    let press = match &read.press {
        Press::Request(service) => service.as_str(),
        Press::Cancel => "cancel",
    };
    let hold = asked.hold_ms.is_none_or(|hold| u128::try_from(hold).is_ok_and(|hold| hold == read.hold.as_millis()));
    (&asked.name, asked.line, asked.service.as_str()) == (&read.name, read.line, press)
        && hold
        && asked.active_low.unwrap_or(true) == read.active_low
}

fn is_broker(read: &config::Broker, asked: &Broker) -> bool {
    let user = read.login.as_ref().map(|login| login.username.as_str());
    match asked {
        Broker::Local(local) => {
            (read.host.as_str(), read.port, user) == ("127.0.0.1", local.port, Some(broker::HUB_USER))
                && read.tls.is_none()
        }
        Broker::There { host, port, username, ca_file, .. } => {
            (&read.host, read.port, user) == (host, *port, username.as_deref())
                && (ca_file.is_none() || read.tls.is_some())
        }
    }
}
