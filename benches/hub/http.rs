//! HTTP as bytes: a connection that asks again and again, and the stream of an open page.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::measure::clock::Instant;

/// A connection that stays.
pub struct Http {
    stream: BufReader<TcpStream>,
    panel: SocketAddr,
    cookie: String,
}

impl Http {
    pub fn connect(panel: SocketAddr) -> Http {
        let stream = TcpStream::connect(panel).expect("the panel");
        stream.set_nodelay(true).expect("a connection");
        Http { stream: BufReader::new(stream), panel, cookie: String::new() }
    }

    /// Gives the PIN, and bears the cookie from then on.
    pub fn unlocked(panel: SocketAddr, pin: &str) -> Http {
        let mut http = Http::connect(panel);
        http.send("POST /pin", pin);
        let head = http.answer();
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        http.cookie = cookie.split(';').next().expect("a cookie").to_owned();
        http
    }

    /// Another connection of the same browser.
    pub fn beside(&self) -> Http {
        Http { cookie: self.cookie.clone(), ..Http::connect(self.panel) }
    }

    /// Sends a request; says when that began.
    pub fn send(&mut self, request: &str, body: &str) -> Instant {
        let Http { panel, cookie, .. } = self;
        let text = format!(
            "{request} HTTP/1.1\r\nHost: {panel}\r\nOrigin: http://{panel}\r\nCookie: {cookie}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = Instant::now();
        self.stream.get_mut().write_all(text.as_bytes()).expect("a request");
        sent
    }

    /// Reads an answer; gives its head.
    pub fn answer(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.stream.read_line(&mut head).expect("a head") > 0, "the panel has ended: {head}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().expect("a length"));
        self.stream.read_exact(&mut vec![0; length]).expect("a body");
        head
    }

    pub fn ask(&mut self, request: &str, body: &str) {
        self.send(request, body);
        self.answer();
    }

    /// Opens the stream of a page.
    pub fn updates(mut self) -> Updates {
        self.send("GET /updates", "");
        let mut updates = Updates(self.stream);
        updates.wait_for("event: state");
        updates
    }
}

/// What an open page hears.
pub struct Updates(BufReader<TcpStream>);

impl Updates {
    /// Waits for a line that holds this; says when it was there.
    pub fn wait_for(&mut self, wanted: &str) -> Instant {
        self.hears(wanted).unwrap_or_else(|| panic!("the stream has ended before {wanted}"))
    }

    /// The same, or `None` if the stream ends before.
    pub fn hears(&mut self, wanted: &str) -> Option<Instant> {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            if self.0.read_line(&mut line).expect("a line") == 0 {
                return None;
            }
        }
        Some(Instant::now())
    }

    /// Another handle to its connection.
    pub fn connection(&self) -> TcpStream {
        self.0.get_ref().try_clone().expect("a descriptor")
    }
}
