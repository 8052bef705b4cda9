//! Any `Host` and any cookie that a browser may send: only our own names and addresses are ours.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use sos_hub::web::hosts::{Hosts, host_of_url};
use sos_hub::web::sessions::cookie;

/// Lines: a host, then what a browser sends as its cookies.
pub fn check(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (host, cookies) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if let Ok(host) = str::from_utf8(host) {
        judge(host);
        if let Some(name) = host_of_url(host) {
            assert!(!name.is_empty() && !name.contains(['/', '?', '#', '@']), "{host:?} leads to {name:?}");
        }
    }
    if let Ok(value) = HeaderValue::from_bytes(cookies) {
        let headers = HeaderMap::from_iter([(COOKIE, value)]);
        if let Some(value) = cookie(&headers, "sos_center") {
            assert!(!value.contains(';') && str::from_utf8(cookies).is_ok_and(|all| all.contains(&value)));
        }
    }
}

fn judge(host: &str) {
    let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 5)), 8090);
    let hosts = Hosts::new(listen, &["center.example".to_owned()]);
    if !hosts.are_ours(host) {
        return;
    }
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_address = |address: IpAddr| address.is_loopback() || address == listen.ip();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    assert!(
        name == "localhost" || name == "center.example" || bare.parse().is_ok_and(is_address),
        "{host:?} is none of ours"
    );
}
