//! How a broker is reached: the keys that the hub's and the center's configuration share.

use std::path::{Path, PathBuf};

use super::reader::Table;
use super::{files, rules};

/// How a broker is reached. Files are to be read anew at each connection.
#[derive(Clone, Debug)]
pub struct Broker {
    /// A name or an IP address, without scheme and port.
    pub host: String,
    pub port: u16,
    pub login: Option<Login>,
    /// `None`: plain TCP.
    pub tls: Option<Tls>,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    /// One line of text.
    pub password_file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Tls {
    /// The authorities that alone are trusted, in PEM.
    pub ca_file: PathBuf,
    pub client: Option<ClientCertificate>,
}

/// What a broker that asks for a certificate is shown, in PEM.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

/// A broker that must be named, with all that it may ask for.
pub(super) fn remote(table: &Table) -> Broker {
    let host = table.required("host", "\"mqtt.example.org\"", rules::host);
    let port = table.required("port", "8883", rules::port);
    let client = client_certificate(table);
    let tls = table.optional("ca_file", files::authorities).map(|ca_file| Tls { ca_file, client });
    warn_of_plain_tcp(table, "host", &host, "ca_file");
    Broker { host, port, login: login(table), tls }
}

pub(super) fn login(table: &Table) -> Option<Login> {
    let username = table.optional("username", rules::username);
    let password_file = secret(table, "password_file");
    table.needs("password_file", "username", "the broker asks whose password it is");
    username.map(|username| Login { username, password_file })
}

fn client_certificate(table: &Table) -> Option<ClientCertificate> {
    let cert_file = table.optional("client_cert_file", files::certificate);
    let key_file = table.optional("client_key_file", files::private_key);
    table.needs("client_cert_file", "client_key_file", "a certificate is shown with its key");
    table.needs("client_key_file", "client_cert_file", "a key is shown with its certificate");
    table.needs("client_cert_file", "ca_file", "without it the connection is plain TCP");
    let (cert_file, key_file) = (cert_file?, key_file?);
    warn_if_open_to_all(table, "client_key_file", &key_file);
    if let Err(problem) = files::belong_together(&cert_file, &key_file) {
        table.error("client_key_file", problem);
    }
    Some(ClientCertificate { cert_file, key_file })
}

pub(super) fn secret(table: &Table, key: &'static str) -> Option<PathBuf> {
    let path = table.optional(key, files::secret)?;
    warn_if_open_to_all(table, key, &path);
    Some(path)
}

pub(super) fn warn_if_open_to_all(table: &Table, key: &str, path: &Path) {
    if files::is_open_to_all(path) {
        let file = path.display();
        table.warn(key, format!("names {file}, which every user of this machine may read: chmod o= {file}"));
    }
}

/// `host_key` and `ca_key` say where the host's name and its authorities are set.
pub(super) fn warn_of_plain_tcp(table: &Table, host_key: &str, host: &str, ca_key: &str) {
    if !host.is_empty() && !rules::is_loopback(host) && table.lacks(ca_key) {
        let problem = format!("is reached by plain TCP, which the network can read and change: set {ca_key} for TLS");
        table.warn(host_key, problem);
    }
}
