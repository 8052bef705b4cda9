//! What stands before every request: whose site is meant, who may change something, how large it may be; and what the
//! browser is told about the page.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, timeout};

use super::hosts::Hosts;

const BODY: Duration = Duration::from_secs(10);

/// When the head of a request was there, among its extensions: its body may have come much later.
#[derive(Clone, Copy, Debug)]
pub struct Begun(pub Instant);

const POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";

/// Puts the guard before a site that browsers use: only for these hosts, changes only from the site's own pages, bodies
/// of at most so many bytes.
pub fn of_pages(site: Router, hosts: Hosts, most: usize) -> Router {
    of_machines(site.layer(from_fn(own_origin)), hosts, most)
}

/// Puts the guard before what other programs call: the same but for the origin, which programs do not send. What comes
/// here must not be allowed by a cookie.
pub fn of_machines(site: Router, hosts: Hosts, most: usize) -> Router {
    site.layer(from_fn_with_state(most, bounded))
        .layer(from_fn_with_state(Arc::new(hosts), own_host))
        .layer(from_fn(headers))
}

async fn own_host(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let mut named = request.headers().get_all(HOST).iter();
    match (named.next().map(HeaderValue::to_str), named.next()) {
        (Some(Ok(host)), None) if hosts.are_ours(host) => next.run(request).await,
        _ => {
            let sentence =
                "This site is not known by that name. Use its address, or add the name to its configuration.";
            (StatusCode::MISDIRECTED_REQUEST, sentence).into_response()
        }
    }
}

async fn own_origin(request: Request, next: Next) -> Response {
    let changes_nothing = [Method::GET, Method::HEAD].contains(request.method());
    if changes_nothing || is_from_own_page(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "Only a page of this site can do that. Open the site itself and try again.")
            .into_response()
    }
}

/// Whether a page of the same origin sent this, as far as browsers say. Scheme and port before a proxy are the proxy's,
/// so an origin is compared by its host and port alone, and the host is one of ours already. Browsers without
/// `Sec-Fetch-Site`, and all of them on plain HTTP, send `Origin`.
fn is_from_own_page(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let origin = text(ORIGIN);
    let site_is_own = site.is_none_or(|site| site == "same-origin");
    let origin_is_own = origin.is_none_or(|origin| {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some() && authority == text(HOST)
    });
    (site.is_some() || origin.is_some()) && site_is_own && origin_is_own
}

/// Reads the body, so that no handler waits for a client that is slow on purpose.
async fn bounded(State(most): State<usize>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    head.extensions.insert(Begun(Instant::now()));
    match timeout(BODY, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "That is too much for one request.").into_response(),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive.").into_response(),
    }
}

/// Nothing may frame the pages, bring scripts into them, or keep them.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // Another site may not even show a camera's picture, whatever a browser makes of its cookies.
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: with that browsers send `Origin: null` along with forms, even to the page's own site.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
