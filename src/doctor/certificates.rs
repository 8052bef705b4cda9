//! How long certificates are good for.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::finding::{Finding, Findings};
use crate::config::{Broker, Config, PanelTls};
use crate::drivers::clock;

const DAY_SECONDS: i64 = 86_400;
/// Time enough to have a new one made.
const SOON_DAYS: i64 = 30;

pub fn look(findings: &mut Findings, config: &Config) {
    let now = clock::wall().0 / 1_000;
    let mut count = 0;
    for (what, path) in files(config) {
        match ends(&path) {
            Ok(end) => {
                count += 1;
                judge(findings, what, &path, end, now);
            }
            Err(problem) => findings.add(Finding::warn(
                "certificates",
                format!("{what} in {} could not be judged: {problem}.", path.display()),
                "sudo sos-hub check",
            )),
        }
    }
    if count == 0 {
        findings.add(Finding::ok("certificates", "No certificate is in use that has an end."));
    }
}

fn judge(findings: &mut Findings, what: &str, path: &Path, end: i64, now: i64) {
    let (days, path) = ((end - now).div_euclid(DAY_SECONDS), path.display());
    let mend = "Have a new one made by whoever made it, and put it in the place of the old one.";
    findings.add(if end <= now {
        Finding::fail("certificates", format!("{what} in {path} has expired {} day(s) ago.", -days), mend)
    } else if days < SOON_DAYS {
        Finding::warn("certificates", format!("{what} in {path} expires in {days} day(s)."), mend)
    } else {
        Finding::ok("certificates", format!("{what} in {path} is good for {days} days."))
    });
}

fn files(config: &Config) -> Vec<(&'static str, std::path::PathBuf)> {
    let mut files = Vec::new();
    let mut broker = |broker: &Broker, ca: &'static str, client: &'static str| {
        if let Some(tls) = &broker.tls {
            files.push((ca, tls.ca_file.clone()));
            files.extend(tls.client.iter().map(|own| (client, own.cert_file.clone())));
        }
    };
    broker(&config.app.broker, "The authority of the home's broker", "The hub's certificate for the home's broker");
    broker(&config.center.broker, "The center's authority", "The hub's certificate for the center");
    // One that the hub made itself has no end that anybody sees.
    if let PanelTls::Files { cert_file, .. } = &config.panel.tls {
        files.push(("The panel's certificate", cert_file.clone()));
    }
    let cameras = config.cameras.iter().filter_map(|camera| camera.ca_file.clone());
    files.extend(cameras.map(|file| ("A camera's authority", file)));
    files
}

/// When the last that is of use ends: of authorities any one is enough. Seconds since 1970.
fn ends(path: &Path) -> Result<i64, String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let mut last = None;
    for der in certificates {
        let der = der.map_err(|error| error.to_string())?;
        let certificate = Certificate::from_der(&der).map_err(|error| error.to_string())?;
        let end = certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        last = last.max(Some(i64::try_from(end).unwrap_or(i64::MAX)));
        // What is shown with its chain ends with its own end, and it comes first.
        if !certificate_is_authority(&certificate) {
            break;
        }
    }
    last.ok_or_else(|| "it holds no certificate".to_owned())
}

/// One that is its own issuer.
fn certificate_is_authority(certificate: &Certificate) -> bool {
    certificate.tbs_certificate().subject() == certificate.tbs_certificate().issuer()
}
