//! What one value may be. A rule answers with the value, or with how its problem goes on from the key's name.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::nearest::nearest;
use super::reader::Value;

/// The lines of a Pi's header, and of its mock.
const BCM_LINES: RangeInclusive<u8> = 0..=27;

pub fn flag(value: &Value) -> Result<bool, String> {
    value.boolean()
}

/// A GPIO line, as a BCM number.
pub fn line(value: &Value) -> Result<u8, String> {
    let (first, last) = (*BCM_LINES.start(), *BCM_LINES.end());
    u8::try_from(value.number()?).ok().filter(|line| BCM_LINES.contains(line)).ok_or_else(|| {
        format!("must be a BCM line from {first} to {last}: take the GPIO number, not the number of the pin")
    })
}

pub fn port(value: &Value) -> Result<u16, String> {
    u16::try_from(value.number()?)
        .ok()
        .filter(|&port| port > 0)
        .ok_or_else(|| "must be a port from 1 to 65535, as 1883 or 8883".to_owned())
}

pub fn seconds(range: RangeInclusive<u32>) -> impl Fn(&Value) -> Result<Duration, String> {
    move |value| Ok(Duration::from_secs(u64::from(within(value, &range, "seconds")?)))
}

pub fn milliseconds(range: RangeInclusive<u32>) -> impl Fn(&Value) -> Result<Duration, String> {
    move |value| Ok(Duration::from_millis(u64::from(within(value, &range, "milliseconds")?)))
}

fn within(value: &Value, range: &RangeInclusive<u32>, unit: &str) -> Result<u32, String> {
    u32::try_from(value.number()?)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("must be from {} to {} {unit}", range.start(), range.end()))
}

/// One of a few words.
pub fn one_of<T: Clone>(words: &'static [(&'static str, T)]) -> impl Fn(&Value) -> Result<T, String> {
    move |value| {
        let text = value.text()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(meaning.clone());
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let guess = nearest(text, &known).map(|word| format!(": did you mean \"{word}\"?")).unwrap_or_default();
        let quoted: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
        Err(format!("must be one of {}{guess}", quoted.join(", ")))
    }
}

/// What becomes one level of an MQTT topic: a hub's id, an account.
pub fn topic_word(value: &Value) -> Result<String, String> {
    let text = value.text()?;
    if is_topic_word(text) {
        Ok(text.to_owned())
    } else {
        Err("becomes part of an MQTT topic: use 1 to 64 letters (a-z), digits, - and _".to_owned())
    }
}

/// Whether it may be a hub's id, an account, or the name of a plan.
pub fn is_topic_word(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    (1..=64).contains(&text.len()) && text.chars().all(fits)
}

/// The topic levels before a hub's id, or before a discovery topic.
pub fn topic_prefix(value: &Value) -> Result<String, String> {
    let text = value.text()?;
    if text.is_empty() || text.len() > 128 {
        return Err("must be an MQTT topic of 1 to 128 bytes".to_owned());
    }
    if text.contains(['+', '#']) {
        return Err("must not hold + or #: those are wildcards of MQTT".to_owned());
    }
    if text.split('/').any(str::is_empty) {
        return Err("must not begin or end with / or hold //: every level of the topic needs a name".to_owned());
    }
    if text.starts_with('$') {
        return Err("must not begin with $: such topics belong to the broker".to_owned());
    }
    printable(text)
}

/// A name for people.
pub fn name(longest: usize) -> impl Fn(&Value) -> Result<String, String> {
    move |value| {
        let text = value.text()?;
        if text.trim().is_empty() || text.chars().count() > longest {
            return Err(format!("must be a name of 1 to {longest} characters"));
        }
        printable(text)
    }
}

/// What a broker calls its user.
pub fn username(value: &Value) -> Result<String, String> {
    name(128)(value)
}

fn printable(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters, such as a line break".to_owned());
    }
    Ok(text.to_owned())
}

/// The name or address of a machine, and nothing else.
pub fn host(value: &Value) -> Result<String, String> {
    let text = value.text()?;
    host_problem(text).map_or_else(|| Ok(text.to_owned()), |problem| Err(problem.to_owned()))
}

/// Why this is no name or address of a machine, as the rest of a sentence; `None`: it is one.
pub fn host_problem(text: &str) -> Option<&'static str> {
    if text.contains("://") {
        return Some("must be the name or address alone: leave out what comes before and with ://");
    }
    if text.contains(':') && text.parse::<Ipv6Addr>().is_err() {
        return Some("must be the name or address alone: the port has a key of its own");
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
    let is_host = !text.is_empty() && text.len() <= 253 && text.chars().all(fits);
    (!is_host).then_some("must be the name or address of a machine, such as \"mqtt.example.org\" or \"192.168.1.5\"")
}

/// Whether what is sent to this host stays on this machine.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// An address of this machine and a port.
pub fn listen(value: &Value) -> Result<SocketAddr, String> {
    value.text()?.parse().ok().filter(|address: &SocketAddr| address.port() > 0).ok_or_else(|| {
        "must be an address and a port from 1 to 65535, such as \"127.0.0.1:8080\" or \"[::1]:8080\"".to_owned()
    })
}

/// As [`listen`]; port 0 takes any that is free.
pub fn listen_or_any_port(value: &Value) -> Result<SocketAddr, String> {
    value
        .text()?
        .parse()
        .map_err(|_| "must be an address and a port, such as \"127.0.0.1:8090\" or \"[::1]:8090\"".to_owned())
}

/// Where a web service is asked: https, or http on this machine.
pub fn web_service(value: &Value) -> Result<String, String> {
    let text = value.text()?;
    let example = "must be an address such as \"https://calls.example.org/sos\"";
    let (scheme, rest) = text.split_once("://").ok_or(example)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let fits = |letter: char| letter.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(letter);
    if !["http", "https"].contains(&scheme) || authority.is_empty() || text.len() > 1024 || !text.chars().all(fits) {
        return Err(example.to_owned());
    }
    if authority.contains('@') {
        return Err("must not hold a password: what is sent is signed, so that none is needed".to_owned());
    }
    if scheme == "http" && !is_loopback(host_of(authority)) {
        return Err(
            "must begin with https:// as it is not on this machine: names and addresses are sent there".to_owned()
        );
    }
    Ok(text.to_owned())
}

/// Whether what is sent to this web address stays on this machine.
pub fn is_on_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    is_loopback(host_of(rest.split(['/', '?']).next().unwrap_or_default()))
}

/// Without the port, and without the brackets of IPv6.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

/// Where a camera's picture is.
pub fn camera_url(value: &Value) -> Result<String, String> {
    let text = value.text()?;
    let rest = text.split_once("://").filter(|(scheme, _)| ["http", "https", "rtsp", "rtsps"].contains(scheme));
    match rest {
        Some((_, rest)) if !rest.is_empty() && !rest.starts_with('/') && !text.contains(char::is_whitespace) => {
            printable(text)
        }
        _ => Err("must be an address such as \"http://192.168.1.20/stream.mjpg\" (http or https)".to_owned()),
    }
}
