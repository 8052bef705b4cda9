//! A telephony provider: an HTTP server that answers as the test wants, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::DEADLINE;

/// What it does with a request that it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This status line's end, such as `200 OK`.
    Status(&'static str),
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// It closes without a word.
    Nothing,
    /// It keeps the connection and never answers.
    Silence,
    /// It answers 200 when the test lets it.
    Held,
}

/// A request, its head in lower case.
#[derive(Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

pub struct Provider {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    requests: Receiver<Request>,
    held: Receiver<TcpStream>,
}

impl Provider {
    pub fn start(answer: Answer) -> Provider {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let answer = Arc::new(Mutex::new(answer));
        let (asked, requests) = channel();
        let (holds, held) = channel();
        let its_answer = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, asked, holds) = (Arc::clone(&its_answer), asked.clone(), holds.clone());
                thread::spawn(move || serve(stream, &answer, &asked, &holds));
            }
        });
        Provider { port, answer, requests, held }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/ask", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().expect("the answer") = answer;
    }

    /// The next request, which must come.
    pub fn asked(&self) -> Request {
        self.requests.recv_timeout(DEADLINE).expect("a request to the provider")
    }

    /// The next request if one comes within this time.
    pub fn asked_within(&self, time: Duration) -> Option<Request> {
        self.requests.recv_timeout(time).ok()
    }

    /// What was asked and not looked at yet.
    pub fn unseen(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }

    /// Answers the next request that was held.
    pub fn release(&self) {
        let mut stream = self.held.recv_timeout(DEADLINE).expect("a request that is held");
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

fn serve(mut stream: TcpStream, answer: &Mutex<Answer>, asked: &Sender<Request>, holds: &Sender<TcpStream>) {
    let Some(request) = read(&stream) else { return };
    let answer = answer.lock().expect("the answer").clone();
    // At the end of a test nobody may listen any more.
    let _ = asked.send(request);
    match answer {
        Answer::Status(status) => {
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: /elsewhere\r\n\r\n");
        }
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Answer::Nothing => {}
        Answer::Silence => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0]);
        }
        Answer::Held => {
            let _ = holds.send(stream);
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: String::from_utf8(body).ok()? })
}
