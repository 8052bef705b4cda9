//! What the doctor says, as its JSON has it.

use std::process::{Command, Output};

use serde_json::Value;

/// The findings of one look.
pub struct Found {
    pub code: i32,
    report: Value,
}

impl Found {
    pub fn of(mut doctor: Command) -> Found {
        let output: Output = doctor.arg("--json").output().expect("sos-hub runs");
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        Found { code: output.status.code().expect("an exit code"), report }
    }

    pub fn verdict(&self) -> &str {
        self.report["verdict"].as_str().expect("a verdict")
    }

    /// The checks in their order, each once.
    pub fn checks(&self) -> Vec<&str> {
        let mut checks: Vec<&str> = self.list().map(|one| one["check"].as_str().expect("a check")).collect();
        checks.dedup();
        checks
    }

    /// The findings of one check, as `verdict message`; what is wrong says how to mend it.
    pub fn says(&self, check: &str) -> Vec<String> {
        let of_check = self.list().filter(|one| one["check"] == check);
        of_check
            .map(|one| {
                let (verdict, message) =
                    (one["verdict"].as_str().expect("a verdict"), one["message"].as_str().expect("a message"));
                assert_eq!(one["mend"].is_null(), verdict == "ok", "{one}");
                assert!(message.ends_with('.') && !message.contains(".."), "no sentence: {message}");
                format!("{verdict} {message}")
            })
            .collect()
    }

    /// Whether one finding of this check begins and goes on like that.
    pub fn has(&self, check: &str, verdict: &str, words: &str) {
        let said = self.says(check);
        let found = said.iter().any(|one| one.starts_with(verdict) && one.contains(words));
        assert!(found, "no {verdict} of {check} with {words:?}: {said:#?}");
    }

    fn list(&self) -> impl Iterator<Item = &Value> {
        self.report["findings"].as_array().expect("findings").iter()
    }
}
