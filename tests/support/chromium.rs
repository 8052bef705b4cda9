//! Chromium and its driver, lent to one test after another: their start takes more time than most tests. Nothing is left
//! for the next one to see: each gets a browser context of its own, with cookies, storage, caches and workers of its own.

use std::cell::Cell;
use std::net::TcpStream;
use std::num::NonZero;
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use fantoccini::wd::{TimeoutConfiguration, WindowHandle};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tungstenite::{Message, WebSocket};

use crate::support::mosquitto::free_port;
use crate::support::{DEADLINE, wait_until};

/// Those that wait for the next test, and how many are in tests.
struct Shelf {
    idle: Vec<Chromium>,
    lent: usize,
}

static SHELF: Mutex<Shelf> = Mutex::new(Shelf { idle: Vec::new(), lent: 0 });
static RETURNED: Condvar = Condvar::new();

thread_local! {
    /// How many the test has that runs here.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Browsers compute where other tests wait: more of them at a time than this make all of them late. A test that has one
/// gets a second one all the same, or two such tests would wait for each other.
fn is_room(lent: usize) -> bool {
    HELD.get() > 0 || lent < 2 * std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn shelf() -> MutexGuard<'static, Shelf> {
    SHELF.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A Chromium that is one test's until this is dropped.
pub struct Loan(Option<Chromium>);

impl Loan {
    /// With further command line flags one is started for this test alone.
    pub fn new(flags: &[&str]) -> Loan {
        let idle = {
            let waiting = RETURNED.wait_while(shelf(), |shelf| !is_room(shelf.lent));
            let mut shelf = waiting.unwrap_or_else(PoisonError::into_inner);
            shelf.lent += 1;
            HELD.set(HELD.get() + 1);
            if flags.is_empty() { shelf.idle.pop() } else { None }
        };
        // From here on its drop counts it back, whatever happens.
        let mut loan = Loan(idle);
        // One that waited may have ended meanwhile.
        if loan.0.as_mut().is_none_or(|idle| idle.open_context().is_none()) {
            let mut started = Chromium::start(flags);
            started.open_context().expect("a window");
            loan.0 = Some(started);
        }
        loan
    }
}

impl Deref for Loan {
    type Target = Chromium;

    fn deref(&self) -> &Chromium {
        self.0.as_ref().expect("it is lent until the drop")
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // After a test that failed nobody knows what it is good for.
        let good =
            self.0.take().and_then(|chromium| if std::thread::panicking() { None } else { chromium.close_context() });
        let mut shelf = shelf();
        shelf.lent -= 1;
        HELD.set(HELD.get().saturating_sub(1));
        shelf.idle.extend(good);
        // Nothing is left behind by the last test.
        let over = if shelf.lent == 0 { std::mem::take(&mut shelf.idle) } else { Vec::new() };
        drop(shelf);
        RETURNED.notify_one();
        drop(over);
    }
}

/// A Chromium that runs, with a profile of its own; it ends when this is dropped.
pub struct Chromium {
    pub runtime: Runtime,
    pub client: Client,
    /// The port of its driver.
    pub port: u16,
    driver: Child,
    /// For what belongs to no page: the driver passes on only what concerns the page that it has before it.
    devtools: WebSocket<TcpStream>,
    /// Nobody looks into this window, which is there so that another can be closed.
    first: WindowHandle,
    context: Option<Value>,
    has_flags: bool,
    _profile: TempDir,
}

impl Chromium {
    fn start(flags: &[&str]) -> Chromium {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let profile = TempDir::new().expect("a directory for the profile");
        let port = free_port();
        let mut driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // The browsers that it starts stay in its group and are ended with it.
            .process_group(0)
            .spawn()
            .expect("chromedriver starts: install the packages chromium and chromium-driver");
        wait_until("chromedriver answers", || {
            let ended = driver.try_wait().expect("chromedriver's state");
            assert!(ended.is_none(), "chromedriver ended at once");
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let data = format!("--user-data-dir={}", profile.path().display());
        let fixed = [
            data.as_str(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let arguments: Vec<&str> = fixed.iter().chain(flags).copied().collect();
        let capabilities = json!({ "goog:chromeOptions": { "args": arguments } });
        let session = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.as_object().expect("an object").clone());
            let client = builder.connect(&format!("http://127.0.0.1:{port}")).await.map_err(|e| e.to_string())?;
            let patience = TimeoutConfiguration::new(Some(DEADLINE), Some(DEADLINE), None);
            // A browser that does not take it waits longer for pages, and that is all.
            let _ = client.update_timeouts(patience).await;
            let first = client.window().await.map_err(|e| e.to_string())?;
            Ok::<_, String>((client, first))
        });
        match session.and_then(|(client, first)| Ok((client, first, devtools(&profile)?))) {
            Ok((client, first, devtools)) => {
                let has_flags = !flags.is_empty();
                Chromium { runtime, client, port, driver, devtools, first, context: None, has_flags, _profile: profile }
            }
            Err(error) => {
                end(&mut driver);
                panic!("the browser does not start: {error}");
            }
        }
    }

    /// Opens a window that knows nothing of any other, and has the driver look into it; `None` if the browser is gone.
    fn open_context(&mut self) -> Option<()> {
        let context = self.ask("Target.createBrowserContext", &json!({}))?["browserContextId"].clone();
        let window = json!({ "url": "about:blank", "newWindow": true, "browserContextId": context });
        let window = self.ask("Target.createTarget", &window)?["targetId"].clone();
        self.context = Some(context);
        let handle = WindowHandle::try_from(window.as_str()?.to_owned()).ok()?;
        self.runtime.block_on(self.client.switch_to_window(handle)).ok()
    }

    /// Closes what the test has opened; `None` if this is of no use for another one.
    fn close_context(mut self) -> Option<Chromium> {
        let context = self.context.take()?;
        self.runtime.block_on(self.client.switch_to_window(self.first.clone())).ok()?;
        self.ask("Target.disposeBrowserContext", &json!({ "browserContextId": context }))?;
        (!self.has_flags).then_some(self)
    }

    /// A command of the Chrome DevTools Protocol to the browser itself; what it returns, unless it fails.
    fn ask(&mut self, method: &str, params: &Value) -> Option<Value> {
        let command = json!({ "id": 1, "method": method, "params": params }).to_string();
        self.devtools.send(Message::text(command)).ok()?;
        loop {
            let message = self.devtools.read().ok()?;
            let Ok(mut answer) = serde_json::from_slice::<Value>(&message.into_data()) else { continue };
            if answer["id"] == 1 {
                return answer.get_mut("result").map(Value::take);
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends the browser that it started, if it can.
        let _ = self.runtime.block_on(self.client.clone().close());
        end(&mut self.driver);
    }
}

/// The way to a browser that has just begun, which writes into its profile where that is.
fn devtools(profile: &TempDir) -> Result<WebSocket<TcpStream>, String> {
    let written = std::fs::read_to_string(profile.path().join("DevToolsActivePort")).map_err(|e| e.to_string())?;
    let (port, path) = written.trim().split_once('\n').ok_or("there is no path in DevToolsActivePort")?;
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).map_err(|e| e.to_string())?;
    stream.set_read_timeout(Some(DEADLINE)).map_err(|e| e.to_string())?;
    let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).map_err(|e| e.to_string())?;
    Ok(socket)
}

fn end(driver: &mut Child) {
    let group = -i32::try_from(driver.id()).expect("a process id");
    // The driver was not waited for yet, so the id of its group is still its own.
    unsafe { libc::kill(group, libc::SIGKILL) };
    let _ = driver.wait();
}
