//! How a camera is reached: its name becomes addresses, its files a login and a list of authorities. All that may block,
//! and a name that nobody answers for blocks for long; so it is done on a thread, one camera at a time, and remembered.

use std::fs;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::config::Login;

/// What could not be found out is not tried again for this long, so that it leaves the thread to the other cameras.
const FAILED_FOR: Duration = Duration::from_secs(30);

/// What the configuration says.
pub struct Ways {
    /// Without brackets.
    pub host: String,
    pub port: u16,
    /// In the camera's URL, as `user:password`.
    pub userinfo: Option<String>,
    pub login: Option<Login>,
    /// `None`: plain HTTP.
    pub authorities: Option<PathBuf>,
}

/// What was found out.
pub struct Known {
    pub addresses: Vec<SocketAddr>,
    pub authorization: Option<HeaderValue>,
    pub tls: Option<Arc<ClientConfig>>,
}

pub struct Access {
    ways: Arc<Ways>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
enum Memory {
    #[default]
    Nothing,
    Known(Arc<Known>),
    Failed(String, Instant),
}

impl Access {
    pub fn new(ways: Ways) -> Access {
        Access { ways: Arc::new(ways), memory: Arc::default() }
    }

    /// What is known, or can be found out. `lookups` has a permit for each thread that may be busy with that. The error
    /// is a sentence.
    pub async fn known(&self, lookups: &Arc<Semaphore>) -> Result<Arc<Known>, String> {
        if let Some(remembered) = lock(&self.memory).remembered() {
            return remembered;
        }
        let closed = |_| "The hub stops.".to_owned();
        let turn = Arc::clone(lookups).acquire_owned().await.map_err(closed)?;
        // Another request of the same camera may have waited before this one.
        if let Some(remembered) = lock(&self.memory).remembered() {
            return remembered;
        }
        let (ways, memory) = (Arc::clone(&self.ways), Arc::clone(&self.memory));
        let finding = spawn_blocking(move || {
            // It goes on where whoever asked has given up.
            let _turn = turn;
            let found = ways.find_out().map(Arc::new);
            *lock(&memory) = match &found {
                Ok(known) => Memory::Known(Arc::clone(known)),
                Err(problem) => Memory::Failed(problem.clone(), Instant::now()),
            };
            found
        });
        finding.await.unwrap_or_else(|_| Err("The hub stops.".to_owned()))
    }

    /// The camera did not do what was expected: its address or its password may be another one by now.
    pub fn forget(&self, known: &Arc<Known>) {
        let mut memory = lock(&self.memory);
        if matches!(&*memory, Memory::Known(remembered) if Arc::ptr_eq(remembered, known)) {
            *memory = Memory::Nothing;
        }
    }
}

impl Memory {
    fn remembered(&self) -> Option<Result<Arc<Known>, String>> {
        match self {
            Memory::Known(known) => Some(Ok(Arc::clone(known))),
            Memory::Failed(problem, at) if at.elapsed() < FAILED_FOR => Some(Err(problem.clone())),
            Memory::Nothing | Memory::Failed(..) => None,
        }
    }
}

impl Ways {
    /// May block for long.
    fn find_out(&self) -> Result<Known, String> {
        let addresses = match self.host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, self.port)],
            Err(_) => (self.host.as_str(), self.port)
                .to_socket_addrs()
                .map_err(|error| format!("The camera cannot be reached ({error})."))?
                .collect(),
        };
        let authorization = self.credentials()?.map(|credentials| {
            HeaderValue::try_from(format!("Basic {}", STANDARD.encode(credentials)))
                .map_err(|error| format!("The camera's password cannot be sent ({error})."))
        });
        let tls = self.authorities.as_deref().map(tls).transpose()?;
        Ok(Known { addresses, authorization: authorization.transpose()?, tls: tls.map(Arc::new) })
    }

    fn credentials(&self) -> Result<Option<String>, String> {
        let Some(Login { username, password_file }) = &self.login else { return Ok(self.userinfo.clone()) };
        let Some(file) = password_file else { return Ok(Some(format!("{username}:"))) };
        let password = fs::read_to_string(file)
            .map_err(|error| format!("The camera's password file {} cannot be read ({error}).", file.display()))?;
        Ok(Some(format!("{username}:{}", password.trim_end_matches(['\r', '\n']))))
    }
}

fn tls(authorities: &Path) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(authorities)
        .map_err(|error| format!("The authorities in {} cannot be read ({error}).", authorities.display()))?;
    roots.add_parsable_certificates(found.flatten());
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| format!("TLS cannot be set up ({error})."))
}

/// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}
