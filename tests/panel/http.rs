//! HTTP as bytes, for what no browser would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::installation::PANEL_PIN;

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }
}

/// Sends a request of these lines and waits for the whole answer.
pub fn send(panel: SocketAddr, lines: &[&str], body: &str) -> Answer {
    let mut stream = open(panel, lines, body);
    let mut answer = Vec::new();
    // The other side may cut off a request that it has refused.
    let _ = stream.read_to_end(&mut answer);
    parse(&answer)
}

/// The same, and leaves the answer on the way.
pub fn open(panel: SocketAddr, lines: &[&str], body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(panel).expect("the panel");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    let mut text = lines.join("\r\n");
    if !body.is_empty() {
        text += &format!("\r\nContent-Length: {}", body.len());
    }
    text += "\r\n\r\n";
    text += body;
    // As above.
    let _ = stream.write_all(text.as_bytes());
    stream
}

pub fn get(panel: SocketAddr, path: &str, cookie: &str) -> Answer {
    let (request, host) = (format!("GET {path} HTTP/1.1"), format!("Host: {panel}"));
    send(panel, &[&request, &host, "Connection: close", &format!("Cookie: {cookie}")], "")
}

/// As the panel's own page would.
pub fn post(panel: SocketAddr, path: &str, cookie: &str, body: &str) -> Answer {
    let (request, host) = (format!("POST {path} HTTP/1.1"), format!("Host: {panel}"));
    let (origin, cookie) = (format!("Origin: http://{panel}"), format!("Cookie: {cookie}"));
    send(panel, &[&request, &host, "Connection: close", &origin, &cookie], body)
}

/// Gives the PIN; returns the cookie.
pub fn unlock(panel: SocketAddr) -> String {
    let answer = post(panel, "/pin", "", PANEL_PIN);
    assert_eq!(answer.status, 204, "{}", answer.body);
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
