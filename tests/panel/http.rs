//! HTTP as bytes, for what no browser would send.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::installation::PANEL_PIN;
use crate::support::{DEADLINE, wait_until};

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
    answer(open(panel, lines, body))
}

/// Waits for the whole answer.
pub fn answer(mut stream: TcpStream) -> Answer {
    let mut answer = Vec::new();
    // The other side may cut off a request that it has refused.
    let _ = stream.read_to_end(&mut answer);
    parse(&answer)
}

/// The same, and leaves the answer on the way.
pub fn open(panel: SocketAddr, lines: &[&str], body: &str) -> TcpStream {
    let stream = TcpStream::connect(panel).expect("the panel");
    write(stream, lines, body)
}

fn write(mut stream: TcpStream, lines: &[&str], body: &str) -> TcpStream {
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
    post_over(TcpStream::connect(panel).expect("the panel"), panel, path, cookie, body)
}

/// The same from another address of this machine.
pub fn from(address: IpAddr, panel: SocketAddr, path: &str, cookie: &str, body: &str) -> Answer {
    post_over(connect(address, panel), panel, path, cookie, body)
}

fn connect(address: IpAddr, panel: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let connecting = async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(address, 0)).expect("another address");
        socket.connect(panel).await.expect("the panel").into_std()
    };
    let stream = runtime.block_on(connecting).expect("a connection");
    stream.set_nonblocking(false).expect("a connection that waits");
    stream
}

fn post_over(stream: TcpStream, panel: SocketAddr, path: &str, cookie: &str, body: &str) -> Answer {
    let (request, host) = (format!("POST {path} HTTP/1.1"), format!("Host: {panel}"));
    let (origin, cookie) = (format!("Origin: http://{panel}"), format!("Cookie: {cookie}"));
    answer(write(stream, &[&request, &host, "Connection: close", &origin, &cookie], body))
}

/// A page without a browser: the stream of its updates.
pub struct Stream(BufReader<TcpStream>);

impl Stream {
    pub fn open(panel: SocketAddr, cookie: &str) -> Stream {
        Stream::over(TcpStream::connect(panel).expect("the panel"), panel, cookie)
    }

    /// The same from another address of this machine.
    pub fn open_from(address: IpAddr, panel: SocketAddr, cookie: &str) -> Stream {
        Stream::over(connect(address, panel), panel, cookie)
    }

    /// A connection from another address that asks for nothing.
    pub fn mute(address: IpAddr, panel: SocketAddr) -> Stream {
        Stream(BufReader::new(connect(address, panel)))
    }

    /// A connection that begins TLS with a greeting that is as long as it may be, and does not come to its end.
    pub fn hello(panel: SocketAddr) -> Stream {
        let mut stream = connect([127, 0, 0, 2].into(), panel);
        let mut record = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
        // ClientHello, of almost 64 KiB.
        record[5..9].copy_from_slice(&[1, 0, 0xff, 0xf0]);
        stream.set_nonblocking(true).expect("a connection that does not wait");
        while stream.write_all(&record).is_ok() {
            record[5..].fill(0);
        }
        Stream(BufReader::new(stream))
    }

    fn over(stream: TcpStream, panel: SocketAddr, cookie: &str) -> Stream {
        let (host, cookie) = (format!("Host: {panel}"), format!("Cookie: {cookie}"));
        Stream(BufReader::new(write(stream, &["GET /updates HTTP/1.1", &host, &cookie], "")))
    }

    /// Where it comes from.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.get_ref().local_addr().expect("an address")
    }

    /// Whether the other side has cut it off, and keeps nothing for it.
    pub fn is_reset(&mut self) -> bool {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        self.0.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    }

    /// Of the answer, before anything else is read.
    pub fn status(&mut self) -> u16 {
        let line = self.line().unwrap_or_default();
        line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Waits for a line with this in it; `false` if the stream ends before.
    pub fn sees(&mut self, wanted: &str) -> bool {
        let until = Instant::now() + DEADLINE;
        while let Some(line) = self.line().filter(|_| Instant::now() < until) {
            if line.contains(wanted) {
                return true;
            }
        }
        false
    }

    /// What the next event of this name says.
    pub fn next(&mut self, name: &str) -> String {
        assert!(self.sees(&format!("event: {name}\n")), "the stream ends without {name}");
        self.data()
    }

    /// What the next event says that is no sign of life.
    pub fn next_but_life(&mut self) -> String {
        let until = Instant::now() + DEADLINE;
        while let Some(line) = self.line().filter(|_| Instant::now() < until) {
            if line.starts_with("event: ") && line != "event: alive\n" {
                return self.data();
            }
        }
        panic!("the stream ends");
    }

    /// How long the next line may take.
    pub fn patience(&self, patience: Duration) {
        self.0.get_ref().set_read_timeout(Some(patience)).expect("a time-out");
    }

    /// All events until the stream ends.
    pub fn until_it_ends(&mut self) -> String {
        let (rest, has_ended) = self.rest_and_end();
        assert!(has_ended, "the stream goes on");
        rest
    }

    /// All events until the stream is silent for longer than it may.
    pub fn rest(&mut self) -> String {
        self.rest_and_end().0
    }

    fn rest_and_end(&mut self) -> (String, bool) {
        let mut rest = String::new();
        let until = Instant::now() + DEADLINE;
        while let Some(line) = self.line().filter(|_| Instant::now() < until) {
            // The last chunk; the connection may stay for another request.
            if line == "0\r\n" {
                return (rest, true);
            }
            if line.starts_with("event:") || line.starts_with("data:") {
                rest += &line;
            }
        }
        (rest, false)
    }

    /// Whether it is not, and nothing has come.
    pub fn is_open(&mut self) -> bool {
        self.0.get_ref().set_nonblocking(true).expect("a connection that does not wait");
        self.0.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn data(&mut self) -> String {
        let line = self.line().unwrap_or_default();
        line.strip_prefix("data: ").unwrap_or_default().trim_end().to_owned()
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|length| *length > 0).map(|_| line)
    }
}

/// Gives the PIN; returns the cookie.
pub fn unlock(panel: SocketAddr) -> String {
    let mut answer = post(panel, "/pin", "", PANEL_PIN);
    // For some seconds after its start a panel whose disk is slow does not know the PIN itself.
    wait_until("the PIN is known", || {
        if answer.status == 503 {
            answer = post(panel, "/pin", "", PANEL_PIN);
        }
        answer.status != 503
    });
    assert_eq!(answer.status, 204, "{}", answer.body);
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
