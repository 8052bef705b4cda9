//! Any topic: what is recognised is exactly what we listen on.

use sos_hub::controller::words::CommandName;
use sos_hub::wire::topics::{AppTopics, CenterTopics, parse_hub_topic};

/// Lines: prefix, hub or account, topic.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let (prefix, name, topic) = (line(), line(), line());

    let app = AppTopics { prefix, hub: name.clone() };
    let command = app.parse(&topic);
    let listens_on = CommandName::ALL.into_iter().find(|command| app.command(*command) == topic);
    assert_eq!(command, listens_on);
    assert!(command.is_none() || app.is_taken(&topic));
    for ours in [app.state(), app.event(), app.reply(), app.availability()] {
        assert!(app.is_taken(&ours) && app.parse(&ours).is_none(), "the hub does not obey itself");
    }

    let center = CenterTopics { account: name };
    if let Some(spoken) = center.parse(&topic) {
        assert_eq!(center.from_center(spoken), topic);
    }
    if let Some((account, spoken)) = parse_hub_topic(&topic) {
        assert!(!account.is_empty() && !account.contains('/'));
        assert_eq!(CenterTopics { account: account.to_owned() }.from_hub(spoken), topic);
    }
}
