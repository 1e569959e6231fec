//! The queue of what came from the broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

/// How many bytes of messages may wait for the engine. Further messages are dropped, which the engine notices by their
/// sequence numbers, counts and logs.
const MAX_WAITING: usize = 32 * 1024 * 1024;

/// What a message costs in the queue beside its payload and its channel, in bytes.
const COST: usize = 128;

/// What comes from a broker.
#[derive(Debug)]
pub(super) enum Delivery {
    /// A message on a channel.
    Message {
        /// The channel.
        channel: Arc<str>,
        /// What was published.
        payload: Bytes,
    },
    /// The connection is gone, for this reason.
    Gone(String),
}

/// Gives deliveries. They are taken in the order in which they were given.
#[derive(Clone)]
pub(super) struct Deliveries {
    sender: mpsc::UnboundedSender<Delivery>,
    waiting: Arc<AtomicUsize>,
}

/// Takes deliveries.
pub(super) struct DeliveryReceiver {
    receiver: mpsc::UnboundedReceiver<Delivery>,
    waiting: Arc<AtomicUsize>,
}

/// The two ends of the queue.
pub(super) fn channel() -> (Deliveries, DeliveryReceiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    (Deliveries { sender, waiting: waiting.clone() }, DeliveryReceiver { receiver, waiting })
}

impl Deliveries {
    /// Gives a delivery, or drops a message that finds no room. False: nobody takes any more.
    pub(super) fn give(&self, delivery: Delivery) -> bool {
        let cost = cost(&delivery);
        let before = self.waiting.fetch_add(cost, Ordering::Relaxed);
        // One alone has room, however large it is.
        if cost > 0 && before > 0 && before + cost > MAX_WAITING {
            self.waiting.fetch_sub(cost, Ordering::Relaxed);
            return !self.sender.is_closed();
        }
        self.sender.send(delivery).is_ok()
    }
}

impl DeliveryReceiver {
    /// The next delivery. `None`: no more will come.
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        let delivery = self.receiver.recv().await?;
        self.waiting.fetch_sub(cost(&delivery), Ordering::Relaxed);
        Some(delivery)
    }

    /// Takes so many at most that wait already; waits for one if there is none. How many there were: 0 if no more will come.
    pub(super) async fn take(&mut self, most: usize, into: &mut Vec<Delivery>) -> usize {
        let count = self.receiver.recv_many(into, most).await;
        let taken = &into[into.len() - count..];
        self.waiting.fetch_sub(taken.iter().map(cost).sum(), Ordering::Relaxed);
        count
    }
}

/// What it is to be told of the end costs nothing: it always finds room.
fn cost(delivery: &Delivery) -> usize {
    match delivery {
        Delivery::Message { channel, payload } => payload.len() + channel.len() + COST,
        Delivery::Gone(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Delivery {
        Delivery::Message { channel: "a".into(), payload: vec![0; bytes].into() }
    }

    #[tokio::test]
    async fn what_has_no_room_is_dropped_but_for_the_end() {
        let (deliveries, mut receiver) = channel();
        for _ in 0..5 {
            assert!(deliveries.give(message(MAX_WAITING / 4)));
        }
        assert!(deliveries.give(Delivery::Gone("it is over".to_owned())));
        let mut taken = Vec::new();
        assert_eq!(receiver.take(10, &mut taken).await, 4);
        assert!(matches!(&taken[3], Delivery::Gone(reason) if reason == "it is over"), "after 3 that fit");
        assert_eq!(receiver.waiting.load(Ordering::Relaxed), 0);
        assert!(deliveries.give(message(2 * MAX_WAITING)), "alone");
        assert!(deliveries.give(message(1)), "dropped");
        assert!(
            matches!(receiver.next().await, Some(Delivery::Message { payload, .. }) if payload.len() > 1)
        );
        assert_eq!(receiver.waiting.load(Ordering::Relaxed), 0);
        assert!(deliveries.give(message(1)));
        drop(receiver);
        assert!(!deliveries.give(message(1)), "nobody is there");
    }

    /// Many small messages have a limit, too.
    #[test]
    fn small_messages_cost_more_than_their_bytes() {
        let (deliveries, receiver) = channel();
        let most = MAX_WAITING / (COST + 1);
        for _ in 0..most + 10 {
            deliveries.give(message(0));
        }
        assert_eq!(receiver.receiver.len(), most);
    }
}
