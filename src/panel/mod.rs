//! The web panel: the hub's state in words, the SOS, and the cameras, for phones, tablets and the wall. What is pressed
//! becomes the same words as a message of any app and goes the same way to the controller; there is no other way in.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `board` | what the hub said last, and which page waits for which reply |
//! | `updates` | what an open page is sent when something changes |
//! | `commands` | a request, cancel, silence or test of a page |
//! | `gate`, `browsers`, `pin` | who may see and act: the browsers that know the PIN, and its file |
//! | `history` | the incidents of the past, read once for all who ask at the same time |
//! | `cameras` | the cameras' pictures, through the hub |
//! | `pages`, `words`, `files` | what stands on the pages, in which words; style sheets, scripts, icons |
//! | `certificate` | the certificate for HTTPS: a file's, or one of our own making |
//! | `keeper` | the thread that listens, and tries again where it cannot |

mod addresses;
mod board;
mod browsers;
mod cameras;
mod certificate;
mod commands;
mod files;
mod gate;
mod history;
mod keeper;
mod pages;
mod pin;
mod updates;
mod words;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use crate::config::{Camera, PanelTls};
use crate::controller::input::Received;
use crate::controller::moment::{Boottime, Wall};
use crate::web::guard;
use crate::web::hosts::Hosts;
use crate::web::places;
use crate::web::server::Shutdown;

pub use addresses::addresses;
pub use board::Board;
use keeper::Keeper;

/// The largest body of a request: a command's.
const BODY_BYTES: usize = 4096;

/// Where the panel listens, and what it needs to know of the house.
#[derive(Clone, Debug)]
pub struct PanelSettings {
    pub listen: SocketAddr,
    /// Names that it answers to, besides its addresses.
    pub hosts: Vec<String>,
    pub tls: PanelTls,
    /// `None`: it shows and cannot act.
    pub pin_file: Option<PathBuf>,
    pub cameras: Vec<Camera>,
    /// Where it keeps its certificate and which browsers know the PIN.
    pub state_dir: PathBuf,
    /// The home's name, for people.
    pub name: String,
}

/// The hub, as the panel knows it.
pub trait Hub: Send + Sync + 'static {
    fn now(&self) -> Boottime;

    fn wall(&self) -> Wall;

    /// Whether the wall clock may be believed: the kernel says so, or whoever set the hub up.
    fn is_clock_set(&self) -> bool;

    /// The wall clock, where it may be believed.
    fn dated(&self) -> Option<Wall> {
        self.is_clock_set().then(|| self.wall())
    }

    /// Has the loop call [`Board::lives`] in its next turn. Never waits.
    fn ask_for_life(&self);

    /// Hands a command to the controller; waits where strangers' messages wait.
    fn command(&self, received: Received) -> impl Future<Output = ()> + Send;

    /// The latest incidents with their steps, newest first, each as JSON. May block.
    ///
    /// # Errors
    ///
    /// Why they cannot be read, as a sentence.
    fn history(&self, limit: usize) -> Result<Vec<String>, String>;

    /// The panel cannot be reached, because of this; or it can be again.
    fn panel_standing(&self, problem: Option<String>);
}

/// The panel, which runs until it is stopped.
pub struct Panel {
    keeper: Keeper,
}

/// What the handlers share.
struct Site<H> {
    hub: Arc<H>,
    board: Arc<Board>,
    name: String,
    gate: Arc<gate::Gate>,
    commands: Semaphore,
    streams: updates::Streams,
    cameras: cameras::Cameras,
    history: history::History,
    certificate: Option<Arc<certificate::Certificate>>,
    shutdown: Shutdown,
}

impl Panel {
    /// Starts the panel. What keeps it from listening is told to the hub, and tried again: it keeps nothing else from
    /// working.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(settings: PanelSettings, board: Arc<Board>, hub: impl Hub) -> io::Result<Panel> {
        Ok(Panel { keeper: Keeper::start(settings, board, hub)? })
    }

    /// Ends the open streams, lets what is being answered be answered, and gives up after `within`.
    pub fn stop(self, within: Duration) {
        self.keeper.stop(within);
    }
}

fn routes<H: Hub>(site: Arc<Site<H>>, hosts: Hosts) -> Router {
    let of_the_house = Router::new()
        .route("/history.json", get(history::json))
        .route("/cameras/{number}/picture", get(cameras::pages::picture))
        .route("/cameras/{number}/playlist.m3u8", get(cameras::pages::playlist))
        .route("/cameras/{number}/media/{name}", get(cameras::pages::media))
        .route_layer(from_fn_with_state(Arc::clone(&site), only_those_who_may_see));
    let of_all = Router::new()
        .route("/", get(pages::page))
        .route("/live", get(pages::page))
        .route("/history", get(pages::page))
        .route("/setup", get(pages::page))
        .route("/updates", get(updates::updates))
        .route("/commands/{name}", post(commands::command))
        .route("/pin", post(gate::enter))
        .route("/lock", post(gate::lock_browser))
        .route("/assets/{name}", get(files::asset))
        .route("/manifest.webmanifest", get(files::manifest))
        .route("/worker.js", get(files::worker))
        .fallback(pages::not_found);
    let gate = Arc::clone(&site.gate);
    let pages = guard::of_pages(of_the_house.merge(of_all).with_state(site), hosts, BODY_BYTES);
    places::shown_by(pages, move |headers| gate.name_of(headers))
}

/// What shows the inside of the house is for those who know the PIN, where there is one.
async fn only_those_who_may_see<H: Hub>(State(site): State<Arc<Site<H>>>, request: Request, next: Next) -> Response {
    if site.gate.standing(request.headers(), site.hub.dated()).await.may_see() {
        next.run(request).await
    } else if !site.gate.is_sure() {
        (StatusCode::SERVICE_UNAVAILABLE, words::TRY_AGAIN).into_response()
    } else {
        (StatusCode::UNAUTHORIZED, words::PIN_FIRST).into_response()
    }
}
