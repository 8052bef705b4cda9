//! A client that sends what no browser would.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::center::{Center, OPERATOR, PASSWORD};
use crate::support::DEADLINE;

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers(name).first().copied().unwrap_or_default()
    }
}

/// A request in the making: by default one that the site itself could have made.
pub struct Request {
    port: u16,
    head: String,
    host: String,
    origin: Option<String>,
    body: String,
}

impl Request {
    pub fn new(center: &Center, method: &str, path: &str) -> Request {
        let host = format!("127.0.0.1:{}", center.port());
        Request {
            port: center.port(),
            head: format!("{method} {path} HTTP/1.1\r\n"),
            origin: Some(format!("http://{host}")),
            host,
            body: String::new(),
        }
    }

    pub fn get(center: &Center, path: &str) -> Request {
        Request::new(center, "GET", path)
    }

    pub fn post(center: &Center, path: &str, body: &str) -> Request {
        Request { body: body.to_owned(), ..Request::new(center, "POST", path) }
    }

    pub fn with(mut self, name: &str, value: &str) -> Request {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    pub fn host(self, host: &str) -> Request {
        Request { host: host.to_owned(), ..self }
    }

    /// Another origin, or none.
    pub fn origin(self, origin: Option<&str>) -> Request {
        Request { origin: origin.map(str::to_owned), ..self }
    }

    pub fn send(self) -> Answer {
        let mut stream = self.open();
        let mut bytes = Vec::new();
        // A server that has said enough may reset the connection while more is being sent to it.
        let _ = stream.read_to_end(&mut bytes);
        parse(&String::from_utf8_lossy(&bytes))
    }

    /// Sends it, and leaves the connection to be read.
    pub fn open(self) -> TcpStream {
        let mut stream = connect(self.port);
        let origin = self.origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        let Request { head, host, body, .. } = self;
        let length = body.len();
        let text = format!("{head}Host: {host}\r\n{origin}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        let _ = stream.write_all(text.as_bytes());
        stream
    }
}

pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    stream
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Logs in; the value of `Cookie` for what follows.
pub fn log_in(center: &Center) -> String {
    let answer = try_log_in(center, OPERATOR, PASSWORD).send();
    assert_eq!(answer.status, 303, "{answer:?}");
    session(&answer)
}

pub fn try_log_in(center: &Center, name: &str, password: &str) -> Request {
    let password = password.replace(' ', "+");
    Request::post(center, "/login", &format!("name={name}&password={password}&next=%2F"))
}

/// All cookies that an answer sets, as a browser sends them back.
pub fn session(answer: &Answer) -> String {
    let cookies = answer.headers("set-cookie");
    let pairs: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    pairs.join("; ")
}
