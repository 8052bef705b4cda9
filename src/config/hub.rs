//! The keys of `hub.toml`: where each is, what it may be, what it is when it is not there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::broker::{self, Broker, Tls};
use super::reader::{Table, Unique};
use super::{
    App, Button, Camera, Center, Clock, Config, Gpio, HomeAssistant, Hub, Login, Outputs, Panel, PanelTls, Siren,
    files, rules,
};
use crate::controller::settings::Press;
use crate::controller::words::Service;

const CLOCKS: &[(&str, Clock)] = &[("auto", Clock::Auto), ("trusted", Clock::Trusted)];

const PANEL_TLS: &[(&str, PanelTls)] = &[("off", PanelTls::Off), ("self-made", PanelTls::SelfMade)];

/// Four digits last for two months against somebody who guesses without a pause, six for many years.
const LONG_PIN: usize = 6;

const BACKENDS: &[(&str, Backend)] =
    &[("auto", Backend::Auto), ("rppal", Backend::Rppal), ("cdev", Backend::Cdev), ("mock", Backend::Mock)];

const PRESSES: &[(&str, Press)] = &[
    ("police", Press::Request(Service::Police)),
    ("fire", Press::Request(Service::Fire)),
    ("siren", Press::Request(Service::Siren)),
    ("cancel", Press::Cancel),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Backend {
    Auto,
    Rppal,
    Cdev,
    Mock,
}

/// What must not be used twice.
#[derive(Default)]
struct Taken {
    lines: Unique<u8>,
    names: Unique<String>,
}

pub(super) fn schema(file: &Table) -> Config {
    let taken = Taken::default();
    let Outputs { gpio, siren, led } = driven(file, &taken);
    let config = Config {
        hub: file.table("hub", hub),
        gpio,
        siren,
        led,
        buttons: file.tables("button", |table| button(table, &taken)),
        countdown: file.table("countdown", |table| table.or("seconds", Duration::from_secs(5), rules::seconds(1..=60))),
        app: file.table("app", app),
        center: file.table("center", center),
        panel: file.table("panel", panel),
        cameras: file.tables("camera", camera),
        home_assistant: file.table("home_assistant", home_assistant),
    };
    if file.lacks("button") {
        file.warn(
            "button",
            "is nowhere in this file: without a [[button]] an SOS comes from an app or the panel alone",
        );
    }
    config
}

pub(super) fn outputs(file: &Table) -> Outputs {
    driven(file, &Taken::default())
}

fn driven(file: &Table, taken: &Taken) -> Outputs {
    let gpio = file.table("gpio", gpio);
    let siren = file.table("siren", |table| siren(table, taken, &gpio));
    let led = file.table("led", |table| table.optional("line", |value| taken.lines.claim(rules::line(value)?, value)));
    Outputs { gpio, siren, led }
}

fn hub(table: &Table) -> Hub {
    let id = table.required("id", "\"home\"", rules::topic_word);
    let state_dir = table.or("state_dir", PathBuf::from(super::DEFAULT_STATE_DIR), |value| value.file_path());
    if files::is_no_directory(&state_dir) {
        let problem =
            format!("names {}, which is a file: the hub forgets everything at a restart", state_dir.display());
        table.warn("state_dir", problem + " until you name a directory, or one to be made");
    }
    Hub {
        name: table.or("name", id.clone(), rules::name(64)),
        id,
        state_dir,
        clock: table.or("clock", Clock::Auto, rules::one_of(CLOCKS)),
    }
}

fn gpio(table: &Table) -> Gpio {
    let backend = table.or("backend", Backend::Auto, rules::one_of(BACKENDS));
    let mock_dir = table.optional("mock_dir", |value| value.file_path());
    match (backend, mock_dir) {
        (Backend::Auto, _) => Gpio::Auto,
        (Backend::Rppal, _) => Gpio::Rppal,
        (Backend::Cdev, _) => Gpio::Cdev,
        (Backend::Mock, dir) => {
            if table.lacks("mock_dir") {
                table.error("backend", "is \"mock\", which needs mock_dir beside it: name a directory for its lines");
            }
            Gpio::Mock(dir.unwrap_or_default())
        }
    }
}

fn siren(table: &Table, taken: &Taken, gpio: &Gpio) -> Siren {
    let siren = Siren {
        line: table.required("line", "17", |value| taken.lines.claim(rules::line(value)?, value)),
        active_low: table.or("active_low", false, rules::flag),
        max: table.or("max_seconds", Duration::from_secs(240), rules::seconds(1..=3600)),
    };
    // A Pi pulls lines 0 to 8 up and the others down until a program takes them.
    let pulled_up = siren.line <= 8;
    if !table.has("line") || matches!(gpio, Gpio::Mock(_)) {
        return siren;
    }
    if [14, 15].contains(&siren.line) && !siren.active_low {
        table.warn(
            "line",
            "is one of the serial console's, which is high while the Pi boots and may sound the siren: take one of 9 to 13 \
             or 16 to 27",
        );
    } else if pulled_up != siren.active_low {
        let better = if siren.active_low { "4 to 8" } else { "9 to 13 or 16 to 27" };
        table.warn(
            "line",
            format!("may sound the siren while the Pi boots, as it is pulled that way: take one of {better}, or add a resistor"),
        );
    }
    siren
}

fn button(table: &Table, taken: &Taken) -> Button {
    let service = table.required("service", "\"police\"", |value| rules::one_of(PRESSES)(value).map(Some));
    Button {
        name: table.required("name", "\"hallway\"", |value| taken.names.claim(rules::name(32)(value)?, value)),
        line: table.required("line", "22", |value| taken.lines.claim(rules::line(value)?, value)),
        press: service.unwrap_or(Press::Cancel),
        hold: table.or("hold_ms", Duration::from_secs(1), rules::milliseconds(50..=10_000)),
        active_low: table.or("active_low", true, rules::flag),
    }
}

fn app(table: &Table) -> App {
    let broker = Broker {
        host: table.or("host", "127.0.0.1".to_owned(), rules::host),
        port: table.or("port", 1883, rules::port),
        login: broker::login(table),
        tls: table.optional("ca_file", files::authorities).map(|ca_file| Tls { ca_file, client: None }),
    };
    broker::warn_of_plain_tcp(table, "host", &broker.host, "ca_file");
    App {
        broker,
        topic_prefix: table.or("topic_prefix", "sos".to_owned(), rules::topic_prefix),
        max_age: table.or("max_age_seconds", Duration::from_secs(60), rules::seconds(1..=86_400)),
    }
}

fn center(table: &Table) -> Center {
    let broker = broker::remote(table);
    let hub_key_file = table.required("hub_key_file", "\"hub.key\"", files::ed25519_private_key);
    broker::warn_if_open_to_all(table, "hub_key_file", &hub_key_file);
    Center {
        broker,
        account: table.required("account", "\"a-1234\"", rules::topic_word),
        hub_key_file,
        center_key_file: table.required("center_key_file", "\"center.pub\"", files::ed25519_public_key),
        heartbeat: table.or("heartbeat_seconds", Duration::from_secs(60), rules::seconds(1..=3600)),
    }
}

fn panel(table: &Table) -> Panel {
    let panel = Panel {
        listen: table.or("listen", SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080), rules::listen),
        pin_file: broker::secret(table, "pin_file"),
        hosts: table.or("hosts", Vec::new(), |value| value.list(rules::host)),
        tls: panel_tls(table),
    };
    if let Some(file) = panel.pin_file.as_deref().filter(|file| files::length_of_secret(file) < LONG_PIN) {
        let file = file.display();
        table.warn(
            "pin_file",
            format!("names {file}, whose PIN can be guessed in time: take {LONG_PIN} characters or more"),
        );
    }
    if !panel.listen.ip().is_loopback() && table.lacks("pin_file") {
        table.warn(
            "listen",
            "shows the panel to the whole network: without a pin_file anyone sees it and no one can act",
        );
    } else if !panel.listen.ip().is_loopback() && table.lacks("tls") && table.lacks("tls_cert_file") {
        table.warn(
            "listen",
            "sends the PIN through the network by plain HTTP, which it can read: set tls = \"self-made\"",
        );
    }
    panel
}

fn panel_tls(table: &Table) -> PanelTls {
    let chosen = table.or("tls", PanelTls::Off, rules::one_of(PANEL_TLS));
    let cert_file = table.optional("tls_cert_file", files::certificate);
    let key_file = table.optional("tls_key_file", files::private_key);
    table.needs("tls_cert_file", "tls_key_file", "a certificate is shown with its key");
    table.needs("tls_key_file", "tls_cert_file", "a key is shown with its certificate");
    if chosen == PanelTls::SelfMade && table.has("tls_cert_file") {
        table.error("tls", "makes a certificate of its own, and tls_cert_file names another: take one of the two");
    }
    match (cert_file, key_file) {
        (Some(cert_file), Some(key_file)) => {
            broker::warn_if_open_to_all(table, "tls_key_file", &key_file);
            if let Err(problem) = files::belong_together(&cert_file, &key_file) {
                table.error("tls_key_file", problem);
            }
            PanelTls::Files { cert_file, key_file }
        }
        _ => chosen,
    }
}

fn camera(table: &Table) -> Camera {
    let camera = Camera {
        name: table.required("name", "\"Front door\"", rules::name(64)),
        url: table.required("url", "\"http://192.168.1.20/stream.mjpg\"", rules::camera_url),
        login: camera_login(table),
        ca_file: table.optional("ca_file", files::authorities),
    };
    if camera.url.starts_with("rtsp") {
        table.warn("url", "is rtsp, which no browser shows: name the camera's http stream (MJPEG, HLS) if it has one");
    }
    if camera.has_its_password_in_its_url() {
        table.warn(
            "url",
            "holds a password, which everyone sees who reads this file: write username and password_file instead",
        );
    }
    camera
}

fn camera_login(table: &Table) -> Option<Login> {
    let username = table.optional("username", rules::username);
    let password_file = broker::secret(table, "password_file");
    table.needs("password_file", "username", "the camera asks whose password it is");
    username.map(|username| Login { username, password_file })
}

fn home_assistant(table: &Table) -> HomeAssistant {
    HomeAssistant {
        discovery: table.or("discovery", true, rules::flag),
        prefix: table.or("prefix", "homeassistant".to_owned(), rules::topic_prefix),
    }
}
