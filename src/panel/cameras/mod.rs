//! The cameras' pictures. The hub fetches them, so that no browser has to reach a camera or know its password, and once
//! for all who look: many cameras serve one viewer alone.
//!
//! Pages ask for one picture after the other. An endless response to each would look simpler, but browsers open six
//! connections to a site, and with six cameras none would be left for the SOS.

mod access;
pub(super) mod memory;
pub(super) mod pages;
mod parts;
mod playlist;
mod source;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::StreamExt;

use crate::config::Camera;
use memory::Memory;
use parts::Parts;
use source::{Answer, Source, too_large};

/// A camera that nobody has looked at for this long is left alone.
const UNWATCHED: Duration = Duration::from_secs(10);
/// A camera that is away is tried again after this.
const AGAIN: Duration = Duration::from_secs(3);
/// Between two pictures of a camera that gives single ones.
const STILL_GAP: Duration = Duration::from_secs(1);
/// A stream without a picture for this long has broken off.
const SILENCE: Duration = Duration::from_secs(10);
const PICTURE_BYTES: usize = 1024 * 1024;
/// What all cameras may take, with what is on its way to browsers.
const MEMORY_BYTES: usize = 6 * 1024 * 1024;
/// Playlists and pieces of video under way at the same time.
const MOST_FETCHES: usize = 16;
/// Pictures on their way to browsers at the same time.
const MOST_SENT: usize = 64;

/// How a camera is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One picture after the other, from MJPEG or single ones.
    Pictures,
    /// HTTP Live Streaming.
    Video,
    /// A protocol that browsers do not speak.
    Unsupported,
}

/// All cameras, in the order of the configuration.
pub struct Cameras {
    list: Vec<Arc<Feed>>,
    /// Signs the addresses in playlists, so that pages can fetch those and no other page of a camera.
    key: Option<hmac::Key>,
    means: Arc<Means>,
}

/// What all cameras share.
struct Means {
    memory: Memory,
    fetches: Arc<Semaphore>,
    sent: Arc<Semaphore>,
    /// Of what may block: one thread.
    lookups: Arc<Semaphore>,
}

/// One camera.
pub struct Feed {
    pub name: String,
    pub kind: Kind,
    source: Option<Source>,
    means: Arc<Means>,
    latest: watch::Sender<Latest>,
    life: Mutex<Life>,
}

#[derive(Clone, Default)]
enum Latest {
    #[default]
    Nothing,
    Picture(Picture),
    /// Why there is none, as a sentence.
    Away(Arc<str>),
}

/// A picture as the camera gave it.
#[derive(Clone)]
struct Picture {
    content_type: &'static str,
    bytes: Bytes,
}

#[derive(Default)]
struct Life {
    runs: bool,
    asked: Option<Instant>,
}

impl Cameras {
    pub fn new(cameras: Vec<Camera>) -> Cameras {
        let means = Arc::new(Means {
            memory: Memory::new(MEMORY_BYTES),
            fetches: Arc::new(Semaphore::new(MOST_FETCHES)),
            sent: Arc::new(Semaphore::new(MOST_SENT)),
            lookups: Arc::new(Semaphore::new(1)),
        });
        let list = cameras.into_iter().map(|camera| Arc::new(Feed::new(camera, Arc::clone(&means)))).collect();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok();
        Cameras { list, key, means }
    }

    pub fn list(&self) -> &[Arc<Feed>] {
        &self.list
    }
}

impl Feed {
    fn new(camera: Camera, means: Arc<Means>) -> Feed {
        let source = Source::new(&camera);
        let kind = match &source {
            Some(source) if source.names_a_playlist() => Kind::Video,
            Some(_) => Kind::Pictures,
            None => Kind::Unsupported,
        };
        Feed { name: camera.name, kind, source, means, latest: watch::Sender::default(), life: Mutex::default() }
    }

    /// The next picture; the error is a sentence.
    async fn picture(self: &Arc<Self>) -> Result<Picture, Arc<str>> {
        let mut latest = self.latest.subscribe();
        self.is_watched();
        let is_fresh = !matches!(&*latest.borrow(), Latest::Nothing);
        if is_fresh && let Latest::Away(problem) = &*latest.borrow() {
            return Err(Arc::clone(problem));
        }
        match timeout(SILENCE, latest.changed()).await {
            Ok(Ok(())) => match &*latest.borrow() {
                Latest::Picture(picture) => Ok(picture.clone()),
                Latest::Away(problem) => Err(Arc::clone(problem)),
                Latest::Nothing => Err("The camera is being reached.".into()),
            },
            _ => Err("The camera gives no picture.".into()),
        }
    }

    /// Starts looking at the camera, unless that goes on already.
    fn is_watched(self: &Arc<Self>) {
        let mut life = self.life();
        life.asked = Some(Instant::now());
        if !life.runs {
            life.runs = true;
            let feed = Arc::clone(self);
            tokio::spawn(async move { feed.run().await });
        }
    }

    /// Whether somebody still looks; if not, the camera is left.
    fn goes_on(&self) -> bool {
        let mut life = self.life();
        life.runs = life.asked.is_some_and(|asked| asked.elapsed() < UNWATCHED);
        if !life.runs {
            self.latest.send_replace(Latest::Nothing);
        }
        life.runs
    }

    async fn run(&self) {
        while self.goes_on() {
            let gap = match self.look().await {
                Ok(gap) => gap,
                Err(problem) => {
                    self.latest.send_replace(Latest::Away(problem.into()));
                    AGAIN
                }
            };
            sleep(gap).await;
        }
    }

    /// Takes pictures until the camera ends or nobody looks; says when to come again.
    async fn look(&self) -> Result<Duration, String> {
        let Some(source) = &self.source else { return Err("Browsers do not speak this camera's protocol.".to_owned()) };
        let answer = source.get(source.address(), None, &self.means.lookups).await?;
        if answer.content_type.starts_with("multipart/") {
            return self.take_parts(answer).await;
        }
        let Some(content_type) = picture_type(&answer.content_type) else {
            return Err(format!("The camera's address gives no picture but {}.", answer.content_type));
        };
        let bytes = answer.whole(PICTURE_BYTES, &self.means.memory).await?.freeze();
        self.latest.send_replace(Latest::Picture(Picture { content_type, bytes }));
        Ok(STILL_GAP)
    }

    async fn take_parts(&self, answer: Answer) -> Result<Duration, String> {
        let Some(mut parts) = Parts::new(&answer.content_type, PICTURE_BYTES, &self.means.memory) else {
            return Err("The camera's stream does not say where a picture begins.".to_owned());
        };
        let mut pieces = answer.pieces();
        let mut begun = Instant::now();
        while self.goes_on() {
            let piece = match timeout(SILENCE.saturating_sub(begun.elapsed()), pieces.next()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(_)) | None) => return Err("The camera has ended its stream.".to_owned()),
                Err(_) => return Err("The camera has stopped giving pictures.".to_owned()),
            };
            parts.feed(&piece).map_err(too_large)?;
            while let Some(part) = parts.next().map_err(too_large)? {
                let content_type = picture_type(&part.content_type).unwrap_or("image/jpeg");
                self.latest.send_replace(Latest::Picture(Picture { content_type, bytes: part.bytes }));
                begun = Instant::now();
            }
        }
        Ok(Duration::ZERO)
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pictures that cannot hold a script.
fn picture_type(content_type: &str) -> Option<&'static str> {
    let bare = content_type.split(';').next().unwrap_or_default().trim();
    let known = ["image/jpeg", "image/png", "image/webp", "image/gif"];
    if bare.eq_ignore_ascii_case("image/jpg") {
        return Some("image/jpeg");
    }
    known.into_iter().find(|known| bare.eq_ignore_ascii_case(known))
}
