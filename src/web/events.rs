//! Server-sent events that end with the server.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::server::Shutdown;

/// Proxies and browsers give up what is silent for a minute; and the page knows after two of these that we are gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where a stream's events go.
pub struct Events(mpsc::Sender<Result<Event, Infallible>>);

/// Nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deaf;

impl Events {
    /// Sends an event once the one before has been taken.
    ///
    /// # Errors
    ///
    /// When the browser has gone.
    pub async fn send(&self, name: &str, data: &str) -> Result<(), Deaf> {
        self.0.send(Ok(Event::default().event(name).data(data))).await.map_err(|_| Deaf)
    }

    /// Returns once the browser has gone.
    pub async fn gone(&self) {
        self.0.closed().await;
    }
}

/// A stream of what `tell` sends, and of the event `alive` where that is silent, until it returns, the browser goes or
/// the server stops.
pub fn stream<F>(shutdown: Shutdown, tell: impl FnOnce(Events) -> F) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).event(Event::default().event("alive").data(""));
    told(shutdown, tell).keep_alive(keep_alive).into_response()
}

/// The same without a word of its own.
pub fn stream_alone<F>(shutdown: Shutdown, tell: impl FnOnce(Events) -> F) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    told(shutdown, tell).into_response()
}

fn told<F>(shutdown: Shutdown, tell: impl FnOnce(Events) -> F) -> Sse<ReceiverStream<Result<Event, Infallible>>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let gone = sender.clone();
    let telling = tell(Events(sender));
    tokio::spawn(async move {
        tokio::select! {
            () = telling => {}
            () = gone.closed() => {}
            () = shutdown.requested() => {}
        }
    });
    Sse::new(ReceiverStream::new(receiver))
}
