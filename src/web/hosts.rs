//! The names and addresses that a site answers to. A page of another site can have its own name lead to our address
//! (DNS rebinding); its requests then bear that name in `Host`, and that gives them away.

use std::net::{IpAddr, SocketAddr};

/// Who a site is. Ports do not count: a rebound name is wrong on each.
#[derive(Clone, Debug)]
pub struct Hosts {
    listens_on: IpAddr,
    names: Vec<String>,
}

impl Hosts {
    /// Besides these names: `localhost`, loopback addresses, and the address listened on, which is any address if the
    /// site listens on all of them. (Nobody can have an address lead elsewhere.)
    pub fn new(listen: SocketAddr, names: &[String]) -> Hosts {
        Hosts { listens_on: listen.ip(), names: names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Whether the value of a `Host` header is one of ours.
    pub fn are_ours(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        if let Ok(address) = address.parse::<IpAddr>() {
            return address.is_loopback() || self.listens_on.is_unspecified() || address == self.listens_on;
        }
        name == "localhost" || self.names.contains(&name)
    }
}

/// The lower-case name or address of `name:port`; `None` if that is no port.
fn without_port(host: &str) -> Option<String> {
    let end = match host.rfind(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let is_port = |port: &str| !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        .then(|| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
}

/// The host of an `http` or `https` URL.
pub fn host_of_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    without_port(host).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listen: &str) -> Hosts {
        Hosts::new(listen.parse().unwrap(), &["Center.example".to_owned()])
    }

    #[test]
    fn our_names_and_addresses_are_ours() {
        for host in
            ["localhost", "LOCALHOST:8090", "127.0.0.1:8090", "[::1]:8090", "center.example", "center.example.:1"]
        {
            assert!(hosts("127.0.0.1:8090").are_ours(host), "{host}");
        }
        assert!(hosts("192.168.1.5:80").are_ours("192.168.1.5"));
        assert!(hosts("0.0.0.0:80").are_ours("192.168.1.5:80"));
    }

    #[test]
    fn a_rebound_name_is_not_ours() {
        for host in ["evil.example", "localhost.evil.example:8090", "center.example.evil", "", ":8090", "192.168.1.5"] {
            assert!(!hosts("127.0.0.1:8090").are_ours(host), "{host}");
        }
        for host in ["localhost:evil", "localhost:", "localhost:123456", "[::1]evil", "127.0.0.1.evil.example"] {
            assert!(!hosts("0.0.0.0:8090").are_ours(host), "{host}");
        }
    }

    #[test]
    fn the_host_of_a_url_is_found() {
        assert_eq!(host_of_url("https://Center.example:8443/calls").as_deref(), Some("center.example"));
        assert_eq!(host_of_url("http://10.0.0.1/"), Some("10.0.0.1".to_owned()));
        assert_eq!(host_of_url("ftp://center.example"), None);
    }
}
