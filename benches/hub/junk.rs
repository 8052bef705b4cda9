//! A flood of junk on the hub's request topic: JSON that asks for nothing, bytes that are no text, what is to be stored,
//! and now and then something huge. QoS 0, so that nothing but the broker and the hub slows it down.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::measure::clock::Instant;
use super::measure::peer::Peer;

const SENT_BY_BROKER: &str = "$SYS/broker/publish/messages/sent";
/// How often a batch goes out.
const BEAT: Duration = Duration::from_millis(1);
/// About as large as the shipped broker passes on, and one of so many.
const HUGE_BYTES: usize = 8_000;
const HUGE_EVERY: u64 = 500;
/// No flood lasts longer, whatever happens to what it was for.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs until [`Flood::stop`], a minute at most.
pub struct Flood {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
    started: Instant,
    counts: Peer,
}

/// How many a second, measured.
pub struct Rate {
    pub published: f64,
    /// What the broker wrote to its subscribers, of which the hub is the only one for junk; what else it delivers is
    /// some tens a second.
    pub delivered: f64,
}

impl Flood {
    /// At the broker on this port of 127.0.0.1, whose `sys_interval` has to be 1.
    pub fn start(port: u16, topic: &str, a_second: u32) -> Flood {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the broker");
        stream.write_all(CONNECT).expect("a connection");
        let json: &[u8] = br#"{"service": "junk", "nonsense": 12345678}"#;
        let kinds = [json, b"\xff\x00\xfe\xc3\x28", b"[[[[[["]
            .map(|payload| [false, true].map(|retain| packet(topic, payload, retain)));
        let kinds = kinds.as_flattened().to_vec();
        let huge = packet(topic, &[0xa5; HUGE_BYTES], true);
        let stop = Arc::new(AtomicBool::new(false));
        let started = Instant::now();
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut sent: u64 = 0;
                let mut beat = started;
                while !stop.load(Ordering::Relaxed) && beat < started.plus(LONGEST) {
                    beat = beat.plus(BEAT);
                    beat.sleep();
                    let due = (Instant::now().ms_since(started) / 1e3 * f64::from(a_second)) as u64;
                    let one = |number: u64| match number % HUGE_EVERY {
                        0 => &huge,
                        _ => &kinds[number as usize % kinds.len()],
                    };
                    let batch: Vec<u8> = (sent..due).flat_map(one).copied().collect();
                    stream.write_all(&batch).expect("the broker takes junk");
                    sent = due;
                }
                sent
            }
        });
        Flood { stop, thread, started, counts: Peer::connect(port, "counts", &[SENT_BY_BROKER]) }
    }

    pub fn stop(self) -> Rate {
        // The broker counts for itself, once a second; the first count is the stored one.
        let counts = self.counts.drain();
        self.stop.store(true, Ordering::Relaxed);
        let sent = self.thread.join().expect("the flood's thread");
        let lasted = Instant::now().ms_since(self.started) / 1e3;
        let counts: Vec<(Instant, f64)> = counts
            .iter()
            .skip(2)
            .filter_map(|heard| Some((heard.at, std::str::from_utf8(&heard.payload).ok()?.parse().ok()?)))
            .collect();
        let delivered = match (counts.first(), counts.last()) {
            (Some((start, first)), Some((end, last))) if end > start => (last - first) / (end.ms_since(*start) / 1e3),
            _ => f64::NAN,
        };
        Rate { published: sent as f64 / lasted, delivered }
    }
}

/// PUBLISH of MQTT 3.1.1 at QoS 0.
fn packet(topic: &str, payload: &[u8], retain: bool) -> Vec<u8> {
    let mut left = 2 + topic.len() + payload.len();
    let mut packet = vec![0x30 | u8::from(retain)];
    while left >= 128 {
        packet.push((left % 128) as u8 | 128);
        left /= 128;
    }
    packet.push(left as u8);
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend([topic.as_bytes(), payload].concat());
    packet
}

/// MQTT 3.1.1, clean session, no keep-alive, client id "junk".
const CONNECT: &[u8] = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04junk";
