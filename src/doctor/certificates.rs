//! How long certificates are good for.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::Options;
use super::finding::{Finding, Findings};
use crate::config::{Broker, Config, PanelTls};
use crate::drivers::clock;

const DAY_SECONDS: i64 = 86_400;
/// Time enough to have a new one made.
const SOON_DAYS: i64 = 30;

/// `shown`: what the brokers have shown themselves, in DER.
pub fn look<'a>(
    findings: &mut Findings,
    options: &Options,
    config: &Config,
    shown: impl Iterator<Item = (&'static str, &'a [u8])>,
) {
    let now = clock::wall().0 / 1_000;
    let of_files = files(options, config).into_iter().map(|(what, path)| {
        let end = ends(&path);
        (format!("{what} in {}", path.display()), end)
    });
    let of_brokers = shown.map(|(broker, der)| (format!("The certificate that {broker} shows"), end_of(der)));
    let mut none = true;
    for (what, end) in of_files.chain(of_brokers) {
        none = false;
        findings.add(match end {
            Ok(end) => judge(&what, end, now),
            Err(problem) => Finding::warn(
                "certificates",
                format!("{what} could not be judged: {problem}."),
                "See whether it is there, run this with sudo, or ask `sudo sos-hub check`.",
            ),
        });
    }
    if none {
        findings.add(Finding::ok("certificates", "No certificate that has an end was found."));
    }
}

fn judge(what: &str, end: i64, now: i64) -> Finding {
    let days = (end - now).div_euclid(DAY_SECONDS);
    let mend = "Have a new one made by whoever made it, and put it in the place of the old one.";
    if end <= now {
        Finding::fail("certificates", format!("{what} has expired {} day(s) ago.", -days), mend)
    } else if days < SOON_DAYS {
        Finding::warn("certificates", format!("{what} expires in {days} day(s)."), mend)
    } else {
        Finding::ok("certificates", format!("{what} is good for {days} days."))
    }
}

fn files(options: &Options, config: &Config) -> Vec<(&'static str, PathBuf)> {
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
    let of_the_broker = certificate_for_apps(&options.mosquitto_dir.join("conf.d/sos-home-tls.conf"));
    files.extend(of_the_broker.map(|file| ("The certificate that this machine's broker shows to apps", file)));
    files
}

/// What the shipped configuration of mosquitto names for other machines; the hub itself may come by another port.
fn certificate_for_apps(conf: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(conf).ok()?;
    text.lines().find_map(|line| Some(line.trim().strip_prefix("certfile ")?.trim().into()))
}

/// When the last that is of use ends: of authorities any one is enough. Seconds since 1970.
fn ends(path: &Path) -> Result<i64, String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let mut last = None;
    for der in certificates {
        let der = der.map_err(|error| error.to_string())?;
        last = last.max(Some(end_of(&der)?));
        let certificate = Certificate::from_der(&der).map_err(|error| error.to_string())?;
        // What is shown with its chain ends with its own end, and it comes first.
        if !certificate_is_authority(&certificate) {
            break;
        }
    }
    last.ok_or_else(|| "it holds no certificate".to_owned())
}

/// Seconds since 1970.
fn end_of(der: &[u8]) -> Result<i64, String> {
    let certificate = Certificate::from_der(der).map_err(|error| error.to_string())?;
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
    Ok(i64::try_from(end).unwrap_or(i64::MAX))
}

/// One that is its own issuer.
fn certificate_is_authority(certificate: &Certificate) -> bool {
    certificate.tbs_certificate().subject() == certificate.tbs_certificate().issuer()
}
