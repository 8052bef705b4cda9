//! The operator console: who needs help, what to do next, and the buttons for it. The pages add nothing to what the
//! [desk](super::desk) says but words and pixels; what is pressed goes to the desk as an order.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`address`] | which page has which address |
//! | `login`, `orders`, `callback` | what somebody may send: a name and password, a button, a telephony provider's word |
//! | `live` | what an open page is sent when something changes |
//! | `pages` | what stands on each page; `queue`, `incident`, `hubs`, `lists` draw them, `layout` what is around them |
//! | `words` | how stages, services and times are said |

pub mod address;
mod callback;
mod hubs;
mod incident;
mod layout;
mod lists;
mod live;
mod login;
mod orders;
mod pages;
mod queue;
mod words;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;
use tokio::sync::Semaphore;

use super::office::Office;
use super::store::Archive;
use crate::controller::moment::Id;
use crate::drivers::clock;
use crate::web::assets::{self, Asset};
use crate::web::attempts::Attempts;
use crate::web::guard;
use crate::web::hosts::Hosts;
use crate::web::places;
use crate::web::server::{Server, ServerSettings, Shutdown};
use crate::web::sessions::Sessions;

const SESSION_IDLE: Duration = Duration::from_secs(12 * 60 * 60);
const MOST_SESSIONS: usize = 1000;
/// Of those who are logged in, and of all others.
const MOST_CONNECTIONS: usize = 384;
const MOST_OF_STRANGERS: usize = 128;
/// Of those, pages that are kept up to date.
const MOST_STREAMS: usize = 256;

const ASSETS: &[Asset] = &[
    Asset { name: "console.css", content_type: "text/css; charset=utf-8", content: include_str!("assets/console.css") },
    Asset {
        name: "console.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("assets/console.js"),
    },
    Asset {
        name: "morph.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("assets/morph.js"),
    },
    Asset {
        name: "sound.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("assets/sound.js"),
    },
    Asset { name: "time.js", content_type: "text/javascript; charset=utf-8", content: include_str!("assets/time.js") },
    Asset { name: "icon.svg", content_type: "image/svg+xml", content: include_str!("assets/icon.svg") },
];

/// The largest body of a request.
pub(super) const BODY_BYTES: usize = 16 * 1024;
/// Once many guesses at passwords were wrong, one more is heard each time that this has passed.
const GUESS_EACH: Duration = Duration::from_secs(60);

/// Where the console listens, and the names that it answers to.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    pub listen: SocketAddr,
    /// Host names besides `localhost` and the address: of a proxy before it, or from the network's name service.
    pub hosts: Vec<String>,
    /// The URL that a telephony provider calls back; its host is allowed for that alone.
    pub callback_url: Option<String>,
}

/// Says whether a call's provider bears the token that it was given for that call.
pub type CallbackCheck = Arc<dyn Fn(Id, &str) -> bool + Send + Sync>;

/// The console, which runs until it is stopped.
pub struct Console {
    server: Server,
}

/// What the pages share.
struct Site {
    office: Office,
    archive: Archive,
    board: live::Board,
    sessions: Sessions<login::Holder>,
    attempts: Attempts<String>,
    /// One at a time: each takes much memory and time.
    hashing: Semaphore,
    streams: Arc<Semaphore>,
    callback: CallbackCheck,
    shutdown: Shutdown,
}

/// Starts the console.
///
/// # Errors
///
/// When the address cannot be listened on, or the system gives no thread.
pub fn start(
    settings: ConsoleSettings,
    office: Office,
    archive: Archive,
    callback: CallbackCheck,
) -> io::Result<Console> {
    let server = ServerSettings {
        name: "console",
        listen: settings.listen,
        most_known: MOST_CONNECTIONS,
        most_strangers: MOST_OF_STRANGERS,
        most_blocking: 2,
    };
    let server = Server::start(server, move |shutdown| {
        let site = Arc::new(Site {
            office,
            archive,
            board: live::Board::default(),
            sessions: Sessions::new("sos_center", SESSION_IDLE, MOST_SESSIONS),
            attempts: Attempts::new(GUESS_EACH),
            hashing: Semaphore::new(1),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            callback,
            shutdown,
        });
        routes(&settings, site)
    })?;
    Ok(Console { server })
}

impl Console {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Ends the open streams, lets what is being answered be answered, and gives up after `within`.
    pub fn stop(self, within: Duration) {
        self.server.stop(within);
    }
}

fn routes(settings: &ConsoleSettings, site: Arc<Site>) -> Router {
    let of_operators = Router::new()
        .route("/", get(page))
        .route("/incidents", get(page))
        .route("/incidents/{id}", get(page))
        .route("/incidents/{id}/orders", post(orders::order))
        .route("/hubs", get(page))
        .route("/security", get(page))
        .route("/audit", get(page))
        .route_layer(from_fn_with_state(Arc::clone(&site), only_operators));
    let of_all = Router::new()
        .route("/login", get(login::page).post(login::login))
        .route("/logout", post(login::logout))
        .route("/session", get(login::session))
        .route("/live", get(live::live))
        .route("/assets/{name}", get(asset));
    let pages = of_operators.merge(of_all).fallback(not_found).with_state(Arc::clone(&site));
    let sessions = Arc::clone(&site);
    let who = move |headers: &HeaderMap| sessions.sessions.find(headers, clock::boottime()).map(|holder| holder.name);
    let calls = Router::new().route("/calls/{id}", post(callback::outcome)).with_state(site);
    let hosts = Hosts::new(settings.listen, &settings.hosts);
    let called_back = settings.callback_url.as_deref().and_then(crate::web::hosts::host_of_url);
    let called_back: Vec<String> = settings.hosts.iter().cloned().chain(called_back).collect();
    let calls = guard::of_machines(calls, Hosts::new(settings.listen, &called_back), BODY_BYTES);
    places::shown_by(guard::of_pages(pages, hosts, BODY_BYTES).merge(calls), who)
}

/// A page as a whole; `/live` sends its later states.
async fn page(State(site): State<Arc<Site>>, headers: HeaderMap, address: Uri) -> Response {
    let address = address.path_and_query().map_or("/", |address| address.as_str());
    match (address::Page::at(address), site.operator(&headers).await) {
        (Some(page), Some(operator)) => site.shown(&page, &operator.name, None).await,
        _ => not_found().await,
    }
}

/// Sends others to the log-in, and back from there.
async fn only_operators(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    if site.operator(request.headers()).await.is_some() {
        return next.run(request).await;
    }
    if request.method() != axum::http::Method::GET {
        return (StatusCode::UNAUTHORIZED, "Log in first.").into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |address| address.as_str());
    Redirect::to(&format!("/login?next={}", address::encoded(wanted))).into_response()
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match assets::find(ASSETS, &name) {
        Some(asset) => asset.response(&headers),
        None => not_found().await,
    }
}

async fn not_found() -> Response {
    let main = maud::html! { h1 { "There is no such page" } p { a href="/" { "To the queue" } } };
    (StatusCode::NOT_FOUND, html(layout::stranger("Not found – sos-center", main))).into_response()
}

fn html(markup: Markup) -> Html<String> {
    Html(markup.into_string())
}

impl Site {
    /// The whole page, with what became of an order that was refused.
    async fn shown(&self, page: &address::Page, operator: &str, refusal: Option<&str>) -> Response {
        let now = clock::wall();
        let parts = async {
            let queue = self.board.queue(&self.office).await?;
            let parts = pages::parts(self, page, &queue, now, refusal).await?;
            Ok::<_, super::office::Gone>((parts.status, html(layout::page(page, operator, &queue, &parts, now))))
        };
        match parts.await {
            Ok((_, page)) if refusal.is_some() => (StatusCode::CONFLICT, page).into_response(),
            Ok(answer) => answer.into_response(),
            Err(gone) => unavailable(&gone.to_string()),
        }
    }
}

fn unavailable(problem: &str) -> Response {
    let main = maud::html! { h1 { "Not available" } p { "This did not work: " (problem) ". Try again in a moment." } };
    (StatusCode::SERVICE_UNAVAILABLE, html(layout::stranger("Not available – sos-center", main))).into_response()
}
