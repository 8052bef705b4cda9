//! What pages ask for of a camera.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::super::{Hub, Site, words};
use super::memory::carried;
use super::source::{Answer, Source};
use super::{Cameras, SILENCE, playlist};

const PLAYLIST: &str = "application/vnd.apple.mpegurl";
const PLAYLIST_BYTES: usize = 64 * 1024;
const PLAYLIST_LINES: usize = 1000;
/// With our addresses, which are longer than the camera's.
const REWRITTEN_BYTES: usize = 256 * 1024;
const ADDRESS_BYTES: usize = 2048;

/// `GET /cameras/{number}/picture`: the camera's next picture.
pub async fn picture<H: Hub>(State(site): State<Arc<Site<H>>>, Path(number): Path<usize>) -> Response {
    let Some(feed) = site.cameras.list.get(number) else { return no_camera() };
    match feed.picture().await {
        Ok(picture) => {
            let Some(room) = room(&site.cameras.means.sent).await else { return busy() };
            let bytes = carried(picture.bytes, room);
            ([(CONTENT_TYPE, HeaderValue::from_static(picture.content_type))], bytes).into_response()
        }
        Err(problem) => away(problem.to_string()),
    }
}

/// `GET /cameras/{number}/playlist.m3u8`: the camera's playlist, with our addresses.
pub async fn playlist<H: Hub>(State(site): State<Arc<Site<H>>>, Path(number): Path<usize>) -> Response {
    let Some(source) = video(&site.cameras, number) else { return no_camera() };
    let Some(room) = room(&site.cameras.means.fetches).await else { return busy() };
    match source.get(source.address(), None, &site.cameras.means.lookups).await {
        Ok(answer) => site.cameras.renamed(number, source, source.address(), answer, room).await,
        Err(problem) => away(problem),
    }
}

/// `GET /cameras/{number}/media/{name}`: what a playlist of ours names.
pub async fn media<H: Hub>(
    State(site): State<Arc<Site<H>>>,
    Path((number, name)): Path<(usize, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(source) = video(&site.cameras, number) else { return no_camera() };
    let Some(address) = site.cameras.signed_address(number, &name) else { return no_camera() };
    let Some(room) = room(&site.cameras.means.fetches).await else { return busy() };
    let answer = match source.get(&address, headers.get(RANGE), &site.cameras.means.lookups).await {
        Ok(answer) => answer,
        Err(problem) => return away(problem),
    };
    if answer.content_type.contains("mpegurl") {
        return site.cameras.renamed(number, source, &address, answer, room).await;
    }
    let (status, range) = (answer.status, answer.content_range.clone());
    let content_type = media_type(&answer.content_type);
    let mut pieces = answer.pieces();
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let room = Arc::new(room);
    tokio::spawn(async move {
        while let Ok(Some(piece)) = timeout(SILENCE, pieces.next()).await {
            // Until the last of them is sent, there is room for no other.
            let piece = piece.map(|piece| carried(piece, Arc::clone(&room)));
            if sender.send(piece.map_err(std::io::Error::other)).await.is_err() {
                break;
            }
        }
    });
    let mut response = (status, Body::from_stream(ReceiverStream::new(receiver))).into_response();
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    if let Some(range) = range {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

impl Cameras {
    /// A playlist of the camera with our addresses in it.
    async fn renamed(
        &self,
        number: usize,
        source: &Source,
        base: &str,
        answer: Answer,
        room: OwnedSemaphorePermit,
    ) -> Response {
        let bytes = match answer.whole(PLAYLIST_BYTES, &self.means.memory).await {
            Ok(bytes) => bytes,
            Err(problem) => return away(problem),
        };
        let text = String::from_utf8_lossy(&bytes);
        if !text.trim_start_matches('\u{feff}').starts_with("#EXTM3U") {
            return away("The camera's address gives no HLS playlist.".to_owned());
        }
        let text = playlist::rewritten(&text, PLAYLIST_LINES, REWRITTEN_BYTES, |named| {
            let address = source.resolved(base, named).filter(|address| address.len() <= ADDRESS_BYTES)?;
            Some(format!("/cameras/{number}/media/{}", self.name_of(number, &address)?))
        });
        match text {
            Some(text) => ([(CONTENT_TYPE, HeaderValue::from_static(PLAYLIST))], carried(text, room)).into_response(),
            None => away("The camera's HLS playlist is too long.".to_owned()),
        }
    }

    /// The name that an address of a camera has in our playlists.
    fn name_of(&self, camera: usize, address: &str) -> Option<String> {
        let tag = hmac::sign(self.key.as_ref()?, &signed(camera, address));
        Some(format!("{}.{}", URL_SAFE_NO_PAD.encode(address), URL_SAFE_NO_PAD.encode(tag)))
    }

    /// The address behind such a name, if we gave it.
    fn signed_address(&self, camera: usize, name: &str) -> Option<String> {
        let (address, tag) = name.split_once('.')?;
        let address = String::from_utf8(URL_SAFE_NO_PAD.decode(address).ok()?).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(self.key.as_ref()?, &signed(camera, &address), &tag).ok()?;
        Some(address)
    }
}

/// By the camera's number: two may bear the same name.
fn signed(camera: usize, address: &str) -> Vec<u8> {
    [camera.to_be_bytes().as_slice(), address.as_bytes()].concat()
}

fn video(cameras: &Cameras, number: usize) -> Option<&Source> {
    cameras.list.get(number)?.source.as_ref().filter(|source| source.names_a_playlist())
}

/// A place among those that are served; `None` if none comes free in time.
async fn room(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    timeout(SILENCE, Arc::clone(places).acquire_owned()).await.ok()?.ok()
}

/// Video and sound as the camera calls it; all else as bytes that no browser takes for a page.
fn media_type(content_type: &str) -> HeaderValue {
    let is_media = ["video/", "audio/"].iter().any(|kind| content_type.starts_with(kind));
    let unknown = HeaderValue::from_static("application/octet-stream");
    if is_media { HeaderValue::from_str(content_type).unwrap_or(unknown) } else { unknown }
}

fn away(problem: String) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, problem).into_response()
}

fn busy() -> Response {
    away(words::TOO_MANY_PICTURES.to_owned())
}

fn no_camera() -> Response {
    (StatusCode::NOT_FOUND, words::NO_SUCH_PAGE).into_response()
}
