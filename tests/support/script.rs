//! A scripted broker, for what mosquitto does not do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

pub struct Script {
    pub listener: TcpListener,
    /// The properties of CONNACK.
    pub properties: &'static [u8],
    /// The codes of SUBACK for the two subscriptions of [`super::link::settings`]; without them it never answers.
    pub codes: Option<[u8; 2]>,
}

/// What [`Script::play`] does with a packet.
pub enum Act {
    Answer,
    /// Says this, if anything, and closes.
    Close(&'static [u8]),
    /// Keeps the connection and never reads again.
    Freeze,
}

impl Script {
    pub fn on(port: u16) -> Script {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
        Script { listener, properties: &[], codes: Some([1, 1]) }
    }

    pub fn new() -> Script {
        Script::on(0)
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().expect("its address").port()
    }

    /// So that little can be sent to it that it does not read.
    pub fn keep_buffers_small(&self) {
        let bytes: libc::c_int = 4096;
        let (value, length) = (std::ptr::from_ref(&bytes).cast(), size_of_val(&bytes).try_into().expect("a length"));
        // The value outlives the call.
        let set =
            unsafe { libc::setsockopt(self.listener.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, value, length) };
        assert_eq!(set, 0);
    }

    /// Serves one connection after the other, on a thread of its own, for as long as the test's process lives. `act`
    /// gets the first byte of each packet and what follows its length.
    pub fn play(self, mut act: impl FnMut(u8, &[u8]) -> Act + Send + 'static) {
        thread::spawn(move || {
            for stream in self.listener.incoming() {
                let mut stream = stream.expect("a connection");
                while let Some((packet, body)) = read_packet(&mut stream) {
                    match act(packet, &body) {
                        Act::Answer => {
                            if stream.write_all(&self.answer(packet, &body)).is_err() {
                                break;
                            }
                        }
                        Act::Close(said) => {
                            let _ = stream.write_all(said);
                            break;
                        }
                        Act::Freeze => loop {
                            thread::park();
                        },
                    }
                }
            }
        });
    }

    /// Acknowledges all; returns what is published.
    pub fn play_well(self) -> Receiver<String> {
        let (published, publications) = channel();
        self.play(move |packet, body| {
            if let Some(text) = published_text(packet, body) {
                let _ = published.send(text);
            }
            Act::Answer
        });
        publications
    }

    fn answer(&self, packet: u8, body: &[u8]) -> Vec<u8> {
        match (packet & 0xf0, self.codes) {
            (0x10, _) => {
                let length = u8::try_from(self.properties.len()).expect("few properties");
                [&[0x20, 3 + length, 0, 0, length], self.properties].concat()
            }
            (0x80, Some(codes)) => vec![0x90, 5, body[0], body[1], 0, codes[0], codes[1]],
            (0x30, _) => {
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                vec![0x40, 2, body[2 + topic], body[3 + topic]]
            }
            (0xc0, _) => vec![0xd0, 0],
            _ => Vec::new(),
        }
    }
}

/// The payload, if this is a PUBLISH of QoS 1 without properties.
pub fn published_text(packet: u8, body: &[u8]) -> Option<String> {
    let topic = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let after_properties = 2 + topic + 2 + 1;
    (packet & 0xf0 == 0x30).then(|| String::from_utf8_lossy(&body[after_properties..]).into_owned())
}

/// The first byte of a packet, and what follows its length.
fn read_packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let packet = byte[0];
    let (mut length, mut shift) = (0, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((packet, body))
}
