//! Cameras: MJPEG, single pictures and HLS, each with a log of what it was asked for.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::pace;

/// A picture of 16 by 9 pixels.
const PICTURE: &[u8] = include_bytes!("../data/picture.png");
const FRAME_GAP: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
pub enum Kind {
    Mjpeg,
    Still,
    Hls,
    /// Takes connections and says nothing.
    Mute,
    /// Gives pictures as MJPEG until it is switched off, and then nothing more on an open connection.
    Stalling,
}

pub struct Camera {
    pub port: u16,
    /// The heads of all requests.
    asked: Arc<Mutex<Vec<String>>>,
    open: Arc<Mutex<usize>>,
    on: Arc<AtomicBool>,
}

impl Camera {
    pub fn start(kind: Kind) -> Camera {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a camera's port");
        let port = listener.local_addr().expect("its address").port();
        let camera = Camera { port, asked: Arc::default(), open: Arc::default(), on: Arc::new(AtomicBool::new(true)) };
        let (asked, open, on) = (Arc::clone(&camera.asked), Arc::clone(&camera.open), Arc::clone(&camera.on));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, open, on) = (Arc::clone(&asked), Arc::clone(&open), Arc::clone(&on));
                thread::spawn(move || {
                    *open.lock().expect("a number") += 1;
                    // The hub may go at any time.
                    let _ = serve(stream, kind, &asked, &on);
                    *open.lock().expect("a number") -= 1;
                });
            }
        });
        camera
    }

    /// Without its picture, until it is on again.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("what was asked").clone()
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        *self.open.lock().expect("a number")
    }
}

fn serve(stream: TcpStream, kind: Kind, asked: &Mutex<Vec<String>>, on: &AtomicBool) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    asked.lock().expect("what was asked").push(head.clone());
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut stream = stream;
    if !on.load(Ordering::SeqCst) && !matches!(kind, Kind::Stalling) {
        return stream.write_all(b"HTTP/1.1 503 Off\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let answer = |kind: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    match kind {
        Kind::Mute => reader.read_line(&mut head).map(|_| ()),
        Kind::Still => stream.write_all(&answer("image/png", PICTURE)),
        Kind::Mjpeg | Kind::Stalling => {
            stream
                .write_all(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--frame\r\n\r\n")?;
            while on.load(Ordering::SeqCst) {
                let part = format!("--frame\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n", PICTURE.len());
                stream.write_all(&[part.as_bytes(), PICTURE, b"\r\n"].concat())?;
                pace(FRAME_GAP);
            }
            if matches!(kind, Kind::Stalling) { reader.read_line(&mut head).map(|_| ()) } else { Ok(()) }
        }
        Kind::Hls if path.ends_with(".m3u8") => {
            let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nparts/one.ts?x=1\n#EXTINF:2,\nhttp://evil.example/two.ts\n";
            stream.write_all(&answer("application/vnd.apple.mpegurl", playlist.as_bytes()))
        }
        Kind::Hls => stream.write_all(&answer("video/mp2t", b"a piece of video")),
    }
}
