//! Style sheets, scripts and icons in the binary.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// As in the address.
    pub name: &'static str,
    pub content_type: &'static str,
    pub content: &'static str,
}

impl Asset {
    /// The file, or that the browser has it already. It asks each time: after an upgrade it must not go on with the old
    /// script.
    pub fn response(&self, request: &HeaderMap) -> Response {
        response(self.content.as_bytes(), self.content_type, request)
    }
}

/// The same for content that is no text.
pub fn response(content: &'static [u8], content_type: &'static str, request: &HeaderMap) -> Response {
    let hash = digest(&SHA256, content);
    let tag: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let has_it = request.get(IF_NONE_MATCH).is_some_and(|had| had.as_bytes() == tag.as_bytes());
    let mut response = if has_it { StatusCode::NOT_MODIFIED.into_response() } else { content.into_response() };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// The file of this name.
pub fn find(assets: &'static [Asset], name: &str) -> Option<&'static Asset> {
    assets.iter().find(|asset| asset.name == name)
}
