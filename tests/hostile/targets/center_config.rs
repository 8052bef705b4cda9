//! Any bytes as `center.toml`: every problem is told, or every value keeps its rules.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sos_hub::center::desk::settings::{CallMode, DispatchMode};
use sos_hub::config::center::{CenterConfig, NO_PLAN};
use sos_hub::config::is_topic_word;

use super::config::{assert_can_be_shown, in_home};

pub fn check(data: &[u8]) {
    in_home(|home| check_in(home, data));
}

fn check_in(home: &Path, data: &[u8]) {
    let file = home.join("center.toml");
    fs::write(&file, data).expect("write");
    match CenterConfig::load(&file) {
        Ok((config, warnings)) => {
            assert_keeps_the_rules(&config);
            assert_can_be_shown(&warnings);
        }
        Err(problems) => {
            assert!(!problems.to_string().is_empty());
            assert_can_be_shown(&problems);
        }
    }
}

fn assert_keeps_the_rules(config: &CenterConfig) {
    assert!(is_topic_word(&config.id), "{:?}", config.id);
    assert!(config.state_dir.is_absolute() && config.key_file.is_absolute());
    assert!((Duration::from_secs(1)..=Duration::from_secs(600)).contains(&config.call.ring));
    assert_eq!(config.plans.get(NO_PLAN), Some(&false), "there is always a plan without monitoring");
    assert!(config.plans.keys().all(|plan| is_topic_word(plan)), "{:?}", config.plans);
    match &config.call.mode {
        CallMode::Webhook => assert!(config.call.url.is_some()),
        CallMode::Simulated { answers } => assert!(!answers.is_empty()),
        CallMode::Operator => {}
    }
    assert!(config.dispatch.mode == DispatchMode::Operator || config.dispatch.url.is_some());
    let urls = [&config.call.url, &config.call.callback_url, &config.dispatch.url, &config.alert_url];
    for url in urls.into_iter().flatten() {
        assert!(url.starts_with("https://") || url.starts_with("http://"), "{url:?}");
        assert!(!url.contains(|c: char| c.is_control() || c == ' '), "{url:?}");
    }
    assert!(config.call.callback_url.as_ref().is_none_or(|url| !url.ends_with('/')));
}
