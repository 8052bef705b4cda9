//! The loop's mailbox: what comes first, and what holds its sender back.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use sos_hub::mailbox::{Mailbox, mailbox_for};

/// All that waits, without waiting for more.
fn all(mailbox: &Mailbox<u32>) -> Vec<u32> {
    std::iter::from_fn(|| mailbox.next(Some(Duration::ZERO))).collect()
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future);
}

#[test]
fn each_lane_is_served_before_the_next_and_in_its_own_order() {
    let (sender, mailbox) = mailbox_for(10);
    block_on(async {
        sender.bulk(5).await;
        sender.bulk(6).await;
        sender.grave(3).await;
        sender.grave(4).await;
    });
    sender.urgent(1);
    sender.urgent(2);
    assert_eq!(all(&mailbox), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_full_lane_holds_its_own_senders_back_and_no_others() {
    let (sender, mailbox) = mailbox_for(2);
    block_on(async {
        sender.bulk(2).await;
        sender.bulk(3).await;
    });
    let mut context = Context::from_waker(Waker::noop());
    let mut third = pin!(sender.bulk(4));
    assert!(third.as_mut().poll(&mut context).is_pending(), "the third of two is in");
    block_on(sender.grave(1));
    sender.urgent(0);
    assert_eq!([mailbox.next(None), mailbox.next(None), mailbox.next(None)], [Some(0), Some(1), Some(2)]);
    assert!(third.as_mut().poll(&mut context).is_ready(), "there is room again");
    assert_eq!(all(&mailbox), [3, 4]);

    block_on(async {
        sender.grave(1).await;
        sender.grave(2).await;
    });
    assert!(pin!(sender.grave(3)).poll(&mut context).is_pending(), "the third of two is in");
}
