//! How much memory somebody can make the hub take through its panel: all that takes much, at once.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::app::topic;
use crate::http::Stream;
use crate::installation::{Installation, Setup};
use crate::support::{End, wait_until};
use crate::tls::{Client, Tls};

/// Of what only the hub can give back: its own memory, and what lies in its sockets. At 64 MiB systemd ends it.
const MOST_KIB: u64 = 46 * 1024;

#[test]
fn all_that_takes_memory_at_once_takes_less_than_the_hub_has() {
    let (pictures, video) = (camera(), camera());
    let cameras: String = (0..8)
        .map(|number| {
            format!("[[camera]]\nname = \"P{number}\"\nurl = \"http://127.0.0.1:{pictures}/{number}.mjpg\"\n")
        })
        .chain((0..4).map(|number| {
            format!("[[camera]]\nname = \"V{number}\"\nurl = \"http://127.0.0.1:{video}/{number}.m3u8\"\n")
        }))
        .collect();
    let mut home = Installation::new(Setup {
        panel_keys: format!("tls = \"self-made\"\n{cameras}"),
        countdown_seconds: 30,
        ..Setup::default()
    });
    let pid = home.start_without_waiting().pid();
    home.in_use();
    let panel = home.panel();
    let certificate = home.state_dir().join("panel-cert.pem");
    wait_until("the certificate", || fs::metadata(&certificate).is_ok() && TcpStream::connect(panel).is_ok());
    let client = Client::new(panel, home.state_dir());
    let cookie = client.unlock();
    fill_the_history(&home);
    let quiet = taken(pid, panel);
    let over = AtomicBool::new(false);
    let (most, open, is_asked) = thread::scope(|scope| {
        let over = &over;
        let looking = scope.spawn(move || {
            let mut most = 0;
            while !over.load(Ordering::SeqCst) {
                most = most.max(taken(pid, panel));
                crate::support::pace(Duration::from_millis(10));
            }
            most
        });
        let end = End(over);
        let open = attack(&client, &cookie, panel);
        thread::scope(|scope| {
            let flooding = scope.spawn(|| flood(&home));
            while !flooding.is_finished() {
                client.status("POST /pin", "", "000000\n");
            }
        });
        let status = client.status("POST /commands/request", &cookie, r#"{"service": "police", "id": "x"}"#);
        drop(end);
        (looking.join().expect("the most"), open, status == 200)
    });
    println!("{} connections: {quiet} KiB before, {most} KiB at most, {} KiB now", open.len(), taken(pid, panel));
    assert!(open.len() > 384, "more than there is room for");
    assert!(most < MOST_KIB, "{most} KiB, {quiet} KiB of them before");
    assert!(is_asked, "and help can be asked for");
    assert!(home.hub().is_running());
}

/// Everything that is held as long as somebody wants, by those who know the PIN and by strangers.
fn attack(client: &Client, cookie: &str, panel: SocketAddr) -> Vec<Box<dyn Send>> {
    let mut open: Vec<Tls> = Vec::new();
    // Pages that nobody looks at; and requests without end, of whose answers nobody reads a word.
    for _ in 0..160 {
        open.push(client.ask("GET /updates", cookie, ""));
    }
    for _ in 0..80 {
        open.push(client.ask_on("GET /history.json", cookie));
    }
    // Pictures, playlists and pieces of video.
    for number in 0..40 {
        open.push(client.ask_on(&format!("GET /cameras/{}/picture", number % 8), cookie));
    }
    for number in 0..8 {
        open.push(client.ask_on(&format!("GET /cameras/{}/playlist.m3u8", 8 + number % 4), cookie));
    }
    // Bodies that do not come to their end.
    for _ in 0..20 {
        open.push(client.ask("POST /pin", "", &"1".repeat(4000)));
    }
    for _ in 0..40 {
        open.push(client.ask("GET /updates", "", ""));
    }
    let begun = (0..60).map(|_| Stream::hello(panel));
    open.into_iter().map(|one| Box::new(one) as Box<dyn Send>).chain(begun.map(|one| Box::new(one) as _)).collect()
}

/// Thousands of commands in seconds, of every size.
fn flood(home: &Installation) {
    let huge = vec![b'x'; 60_000];
    for _ in 0..500 {
        for command in ["request", "cancel", "silence", "test"] {
            home.app.client.publish(&topic(command), r#"{"service": "polis"}"#, false);
            home.app.client.publish(&topic(command), b"\xff\x00junk".to_vec(), false);
        }
        home.app.client.publish(&topic("request"), huge.clone(), false);
        crate::support::pace(Duration::from_millis(4));
    }
}

/// As long as it may be.
fn fill_the_history(home: &Installation) {
    let user = "u".repeat(60);
    for number in 0..50 {
        let id = format!("{number:064}");
        home.app.ask("request", &format!(r#"{{"service": "police", "id": "{id}", "user": "{user}"}}"#));
        home.app.ask("cancel", "");
    }
}

/// What a process has that is no file's, and what waits in its sockets of this port, in KiB.
fn taken(pid: i32, port: SocketAddr) -> u64 {
    let own = format!(":{:04X}", port.port());
    let sockets = fs::read_to_string("/proc/net/tcp").expect("the sockets");
    let waiting = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, queues) = (fields.next()?, fields.nth(2)?);
        let (out, into) = queues.split_once(':').filter(|_| local.ends_with(&own))?;
        Some(u64::from_str_radix(out, 16).ok()? + u64::from_str_radix(into, 16).ok()?)
    };
    let waiting: u64 = sockets.lines().filter_map(waiting).sum();
    kib(pid, "RssAnon") + waiting / 1024
}

/// A number of the kernel's about a process.
fn kib(pid: i32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// One that gives the largest pictures, the longest playlists and pieces of video without end.
fn camera() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a camera's port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // The hub may go at any time.
            thread::spawn(move || drop(serve(stream)));
        }
    });
    port
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = [0; 2048];
    let length = stream.read(&mut head)?;
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.ends_with(".m3u8") {
        let line = format!("#EXTINF:2,\n{}.ts\n", "x".repeat(50));
        let body = format!("#EXTM3U\n{}", line.repeat(490));
        let kind = "application/vnd.apple.mpegurl";
        let length = body.len();
        return write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
    }
    write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")?;
    let picture = vec![7; 1_000_000];
    loop {
        write!(stream, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len())?;
        stream.write_all(&picture)?;
        crate::support::pace(Duration::from_millis(100));
    }
}
