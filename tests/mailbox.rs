//! The loop's mailbox: what comes first, and what holds its sender back.

use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use sos_hub::mailbox::{Mailbox, Sender, mailbox, mailbox_for};

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));
/// More than there is room for.
const FLOOD: usize = 5_000;

/// Whether there was room for it.
fn is_taken(sender: &Sender<usize>, message: usize) -> bool {
    let taken = pin!(sender.bulk(message)).poll(&mut Context::from_waker(Waker::noop()));
    taken == Poll::Ready(())
}

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

#[test]
fn what_is_urgent_passes_every_message_that_waits() {
    let (sender, mailbox) = mailbox();
    let waiting = (0..100).filter(|message| is_taken(&sender, *message)).count();
    sender.urgent(1_000);
    sender.urgent(1_001);
    let order: Vec<usize> = (0..waiting + 2).filter_map(|_| mailbox.next(PATIENCE)).collect();
    let expected: Vec<usize> = [1_000, 1_001].into_iter().chain(0..waiting).collect();
    assert_eq!(order, expected);
}

#[test]
fn a_flood_of_messages_fills_a_bounded_room_and_urgent_ones_need_none() {
    let (sender, mailbox) = mailbox();
    let room = (0..FLOOD).take_while(|message| is_taken(&sender, *message)).count();
    assert!((1..=1_000).contains(&room), "{room} messages of strangers wait");
    for urgent in 0..FLOOD {
        sender.urgent(FLOOD + urgent);
    }
    for urgent in 0..FLOOD {
        assert_eq!(mailbox.next(PATIENCE), Some(FLOOD + urgent));
    }
    assert_eq!(mailbox.next(PATIENCE), Some(0));
    assert!(is_taken(&sender, room), "a message that was taken out makes room for one");
    assert!(!is_taken(&sender, room + 1), "and for one alone");
}

#[test]
fn who_waits_for_something_is_woken_by_either_lane_and_by_the_time() {
    let (sender, mailbox) = mailbox();
    let (heard, hears) = channel();
    let waiting = thread::spawn(move || {
        for patience in [None, None, Some(Duration::from_millis(1))] {
            heard.send(mailbox.next(patience)).expect("somebody listens");
        }
    });
    sender.urgent(1);
    assert_eq!(hears.recv_timeout(PATIENCE.unwrap()), Ok(Some(1)));
    assert!(is_taken(&sender, 2));
    assert_eq!(hears.recv_timeout(PATIENCE.unwrap()), Ok(Some(2)));
    assert_eq!(hears.recv_timeout(PATIENCE.unwrap()), Ok(None));
    waiting.join().expect("it ends");
}
