//! The questions about the monitoring center.

use std::path::Path;

use super::{Asker, Center, Secret};
use crate::setup::Failure;
use crate::setup::bundle::Bundle;
use crate::setup::dialogue::Question;

impl Asker<'_> {
    pub(super) fn center(&self) -> Result<Option<Center>, Failure> {
        let is_there = self.existing.word("center", "account").is_some();
        let question = Question {
            question: "Where are the files of the monitoring center?",
            why: if is_there {
                "A directory with hub.key, center.pub, plan.jwt and hub.toml; \"keep\" leaves the center as it is."
            } else {
                "A directory with hub.key, center.pub, plan.jwt and hub.toml. Without a center there is no help."
            },
            option: "--center",
        };
        let given = self.options.center.as_deref().map(|dir| dir.to_string_lossy().into_owned());
        let bundle =
            self.dialogue.text(&question, given.as_deref(), is_there.then_some("keep"), |answer| match answer {
                "" => Err("Name a directory.".to_owned()),
                "keep" if is_there => Ok(None),
                dir => Bundle::read(Path::new(dir)).map(Some),
            })?;
        let Some(bundle) = bundle else { return Ok(None) };
        let same_account = self.existing.word("center", "account").as_deref() == Some(bundle.account.as_str());
        let stays = same_account && self.existing.file("center", "password_file").is_some_and(|file| file.is_file());
        let its_certificate = same_account.then(|| self.existing.file("center", "client_cert_file")).flatten();
        let certificate_stays = its_certificate.is_some_and(|file| file.is_file());
        let password = self.center_password(&bundle, stays, certificate_stays)?;
        Ok(Some(Center { bundle, password }))
    }

    /// A broker that knows the hub by its certificate wants no password, unless somebody gives one all the same.
    fn center_password(&self, bundle: &Bundle, stays: bool, certificate_stays: bool) -> Result<Secret, Failure> {
        let given = self.options.center_password_file.as_deref();
        if bundle.client.is_some() && given.is_none() {
            return Ok(if stays { Secret::Stays } else { Secret::None });
        }
        let question = Question {
            question: "What is the hub's password at the center's broker?",
            why: match &bundle.ca {
                _ if stays => "The center gives it out. Empty: the one that is there stays.",
                _ if certificate_stays => "The center gives it out. Empty: there is none, the certificate stays.",
                // By TLS a broker may ask for the one or for the other.
                Some(_) => {
                    "The center gives it out, or center-client.pem and center-client.key, which belong into its directory. \
                     Empty: there is none."
                }
                None => "The center gives it out. Empty: there is none.",
            },
            option: "--center-password-file",
        };
        self.secret(&question, given, stays)
    }
}
