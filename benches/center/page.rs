//! An operator's browser, as far as the network sees it: it logs in and holds the queue's stream open.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::measure::clock::Instant;
use super::measure::support::DEADLINE;
use super::rig::{Center, OPERATOR, PASSWORD};

pub struct Page {
    stream: BufReader<TcpStream>,
}

impl Page {
    pub fn open(center: &Center) -> Page {
        let host = format!("127.0.0.1:{}", center.console);
        let body = format!("name={OPERATOR}&password={}", PASSWORD.replace(' ', "+"));
        let length = body.len();
        let answer = exchange(
            center.console,
            &format!(
                "POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
        );
        let cookies: Vec<&str> = answer
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .filter_map(|(_, value)| value.split(';').next())
            .collect();
        assert!(!cookies.is_empty(), "no log-in: {answer}");
        let mut stream = connect(center.console);
        let cookies = cookies.join("; ");
        let request = format!("GET /live?page=%2F HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut page = Page { stream: BufReader::new(stream) };
        page.wait_for("event: page");
        page
    }

    /// When the page was told of this.
    pub fn wait_for(&mut self, what: &str) -> Instant {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            let read = self.stream.read_line(&mut line).expect("the page's stream");
            assert!(read > 0, "the page's stream ended before {what}");
        }
        Instant::now()
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the console");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    stream
}

fn exchange(port: u16, request: &str) -> String {
    let mut stream = connect(port);
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
