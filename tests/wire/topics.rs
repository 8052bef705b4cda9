use sos_hub::controller::words::CommandName;
use sos_hub::wire::topics::{AppTopics, CenterTopic, CenterTopics, HubTopic, parse_hub_topic};

fn home() -> AppTopics {
    AppTopics { prefix: "sos".into(), hub: "home".into() }
}

fn account() -> CenterTopics {
    CenterTopics { account: "a-17".into() }
}

#[test]
fn the_topics_of_the_home() {
    let topics = home();
    assert_eq!(topics.command(CommandName::Request), "sos/home/request");
    assert_eq!(topics.command(CommandName::Cancel), "sos/home/cancel");
    assert_eq!(topics.command(CommandName::Silence), "sos/home/silence");
    assert_eq!(topics.command(CommandName::Test), "sos/home/test");
    assert_eq!(topics.availability(), "sos/home/availability");
    assert_eq!(topics.state(), "sos/home/state");
    assert_eq!(topics.event(), "sos/home/event");
    assert_eq!(topics.reply(), "sos/home/reply");
}

#[test]
fn a_command_topic_is_recognised() {
    let nested = AppTopics { prefix: "house/1/sos".into(), hub: "attic".into() };
    for topics in [home(), nested] {
        for name in CommandName::ALL {
            assert_eq!(topics.parse(&topics.command(name)), Some(name));
        }
        assert_eq!(topics.parse(&topics.state()), None);
    }
    for other in
        ["sos/other/request", "sos/home2/request", "sos/homerequest", "sos/home/request/", "x/sos/home/request", ""]
    {
        assert_eq!(home().parse(other), None, "{other}");
    }
}

#[test]
fn the_topics_of_the_center() {
    assert_eq!(account().from_hub(HubTopic::Signal), "center/a-17/signal");
    assert_eq!(account().from_hub(HubTopic::Link), "center/a-17/link");
    assert_eq!(account().from_center(CenterTopic::Ack), "center/a-17/ack");
    assert_eq!(account().from_center(CenterTopic::Update), "center/a-17/update");
    assert_eq!(account().from_center(CenterTopic::Plan), "center/a-17/plan");
}

#[test]
fn each_end_recognises_the_topics_of_the_other() {
    for topic in CenterTopic::ALL {
        assert_eq!(account().parse(&account().from_center(topic)), Some(topic));
        assert_eq!(parse_hub_topic(&account().from_center(topic)), None);
    }
    for topic in HubTopic::ALL {
        assert_eq!(parse_hub_topic(&account().from_hub(topic)), Some(("a-17", topic)));
        assert_eq!(account().parse(&account().from_hub(topic)), None);
    }
    for other in ["center/b-18/ack", "center/a-17/ack/x", "center//ack", "Center/a-17/ack", "center/a-17"] {
        assert_eq!(account().parse(other), None, "{other}");
    }
    assert_eq!(parse_hub_topic("center//signal"), None);
}

#[test]
fn where_the_hub_speaks_or_listens_nobody_else_is_answered() {
    let topics = home();
    let listens = CommandName::ALL.map(|name| topics.command(name));
    let speaks = [topics.availability(), topics.state(), topics.event(), topics.reply()];
    assert!(listens.iter().chain(&speaks).all(|topic| topics.is_taken(topic)));
    assert!(!topics.is_taken("sos/other/state") && !topics.is_taken("replies/to/me"));
}
