//! Where people find the panel.

use std::net::SocketAddr;

use super::certificate::address_of_this_machine;
use super::keeper::machine_name;
use crate::config::PanelTls;

/// What to type into a browser, the best one first. Where the panel listens on every address, these are the machine's
/// name and the address by which others in its network know it, as far as the machine itself knows them.
pub fn addresses(listen: SocketAddr, tls: &PanelTls) -> Vec<String> {
    let scheme = if matches!(tls, PanelTls::Off) { "http" } else { "https" };
    if !listen.ip().is_unspecified() {
        return vec![format!("{scheme}://{listen}/")];
    }
    let port = listen.port();
    let name = machine_name().map(|name| format!("{scheme}://{name}.local:{port}/"));
    let address = address_of_this_machine().map(|ip| format!("{scheme}://{}/", SocketAddr::new(ip, port)));
    let found: Vec<String> = name.into_iter().chain(address).collect();
    if found.is_empty() { vec![format!("{scheme}://127.0.0.1:{port}/")] } else { found }
}
