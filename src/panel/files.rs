//! Style sheets, scripts and icons, and what makes an app of the pages.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ring::digest::{Context, SHA256};

use super::words;
use crate::web::assets::{self, Asset};

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! script {
    ($name:literal) => {
        Asset { name: $name, content_type: SCRIPT, content: include_str!(concat!("assets/", $name)) }
    };
}

const ASSETS: &[Asset] = &[
    Asset { name: "panel.css", content_type: "text/css; charset=utf-8", content: include_str!("assets/panel.css") },
    script!("app.js"),
    script!("armed.js"),
    script!("begin.js"),
    script!("card.js"),
    script!("commands.js"),
    script!("history.js"),
    script!("home.js"),
    script!("link.js"),
    script!("live.js"),
    script!("offline.js"),
    script!("page.js"),
    script!("setup.js"),
    script!("sheet.js"),
    script!("slider.js"),
    script!("turns.js"),
    Asset { name: "icon.svg", content_type: "image/svg+xml", content: include_str!("assets/icon.svg") },
    Asset {
        name: "offline.html",
        content_type: "text/html; charset=utf-8",
        content: include_str!("assets/offline.html"),
    },
];

/// The worker's script names its cache after what it keeps, so that another version of that is fetched anew.
static WORKER: LazyLock<String> = LazyLock::new(|| {
    let mut kept = Context::new(&SHA256);
    for asset in ASSETS {
        kept.update(asset.content.as_bytes());
    }
    let hash: String = kept.finish().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    include_str!("assets/worker.js").replace("CONTENT", &hash)
});

/// Icons for home screens, drawn from `icon.svg`.
const PICTURES: &[(&str, &[u8])] =
    &[("icon-192.png", include_bytes!("assets/icon-192.png")), ("icon-512.png", include_bytes!("assets/icon-512.png"))];

/// `GET /assets/{name}`
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    if let Some(asset) = assets::find(ASSETS, &name) {
        return asset.response(&headers);
    }
    match PICTURES.iter().find(|(known, _)| *known == name) {
        Some((_, picture)) => assets::response(picture, "image/png", &headers),
        None => (StatusCode::NOT_FOUND, words::NO_SUCH_PAGE).into_response(),
    }
}

/// `GET /worker.js`: at the top, so that it may work for all pages.
pub(super) async fn worker(headers: HeaderMap) -> Response {
    assets::response(WORKER.as_bytes(), SCRIPT, &headers)
}

/// `GET /manifest.webmanifest`
pub(super) async fn manifest() -> Response {
    let icon = |name: &str, sizes: &str, kind: &str| serde_json::json!({ "src": format!("/assets/{name}"), "sizes": sizes, "type": kind, "purpose": "any maskable" });
    let manifest = serde_json::json!({
        "id": "/",
        "name": words::APP,
        "short_name": words::APP,
        "start_url": "/",
        "display": "standalone",
        "background_color": "#f4f6fb",
        "theme_color": "#a50016",
        "icons": [
            icon("icon-192.png", "192x192", "image/png"),
            icon("icon-512.png", "512x512", "image/png"),
            icon("icon.svg", "any", "image/svg+xml"),
        ],
    });
    ([(axum::http::header::CONTENT_TYPE, "application/manifest+json")], manifest.to_string()).into_response()
}
