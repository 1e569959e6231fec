//! The queue of what is to be done at the broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use switchboard_core::cluster::BackplaneEffect;
use tokio::sync::{mpsc, oneshot};

use super::status::Status;

/// How many bytes of messages may wait for the broker. Further messages are not published, and counted; the other nodes
/// notice by their sequence numbers that they are missing. Subscriptions and leases always find room: the engine bounds them.
const MAX_WAITING: usize = 32 * 1024 * 1024;

/// What a message costs in the queue beside its payload, in bytes.
const COST: usize = 128;

/// How many orders are carried out together at most.
const TOGETHER: usize = 1_024;

/// Gives orders. They are carried out in the order in which they were given.
#[derive(Clone)]
pub(crate) struct BackplaneOrders {
    sender: mpsc::UnboundedSender<Order>,
    waiting: Arc<AtomicUsize>,
    status: Arc<Status>,
}

/// Takes orders.
pub(super) struct OrderReceiver {
    receiver: mpsc::UnboundedReceiver<Order>,
    waiting: Arc<AtomicUsize>,
    taken: Vec<Order>,
}

enum Order {
    Effect(BackplaneEffect),
    /// Tell that everything before it is carried out.
    Tell(oneshot::Sender<()>),
}

/// BackplaneOrders that are carried out together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) effects: Vec<BackplaneEffect>,
    /// Who waits for them.
    pub(super) told: Vec<oneshot::Sender<()>>,
}

/// The two ends of the queue.
pub(super) fn channel(status: Arc<Status>) -> (BackplaneOrders, OrderReceiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let orders = BackplaneOrders { sender, waiting: waiting.clone(), status };
    (orders, OrderReceiver { receiver, waiting, taken: Vec::new() })
}

impl BackplaneOrders {
    /// Gives an order. Called in the engine's order, under the host's lock.
    pub(crate) fn give(&self, effect: BackplaneEffect) {
        let cost = cost(&effect);
        if cost > 0 && self.waiting.load(Ordering::Relaxed) + cost > MAX_WAITING {
            return self.status.count_unsent(1);
        }
        self.waiting.fetch_add(cost, Ordering::Relaxed);
        // Its task ends with the host.
        let _ = self.sender.send(Order::Effect(effect));
    }

    /// How many messages the broker did not get, beside those that the engine counts.
    pub(crate) fn unsent(&self) -> u64 {
        self.status.unsent()
    }

    /// Waits until everything that was given so far is carried out, or given up as there is no link.
    pub(super) async fn carried_out(&self) {
        let (sender, receiver) = oneshot::channel();
        if self.sender.send(Order::Tell(sender)).is_ok() {
            let _ = receiver.await;
        }
    }
}

impl OrderReceiver {
    /// The next orders, in their order. `None`: no more will come.
    ///
    /// Nothing is lost when this future is dropped before it is done.
    pub(super) async fn next(&mut self) -> Option<Batch> {
        if self.receiver.recv_many(&mut self.taken, TOGETHER).await == 0 {
            return None;
        }
        Some(self.batch())
    }

    /// Takes everything away that waits, and says how many messages were among it.
    pub(super) fn give_up(&mut self) -> u64 {
        while let Ok(order) = self.receiver.try_recv() {
            self.taken.push(order);
        }
        messages(&self.batch().effects)
    }

    fn batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        for order in self.taken.drain(..) {
            match order {
                Order::Effect(effect) => batch.effects.push(effect),
                Order::Tell(sender) => batch.told.push(sender),
            }
        }
        let cost = batch.effects.iter().map(cost).sum();
        self.waiting.fetch_sub(cost, Ordering::Relaxed);
        batch
    }
}

/// How many messages are to be published.
pub(super) fn messages(effects: &[BackplaneEffect]) -> u64 {
    let is_message = |effect: &&BackplaneEffect| {
        matches!(effect, BackplaneEffect::Publish { .. } | BackplaneEffect::PublishAndKeep { .. })
    };
    effects.iter().filter(is_message).count() as u64
}

fn cost(effect: &BackplaneEffect) -> usize {
    match effect {
        BackplaneEffect::Publish { payload, .. } | BackplaneEffect::PublishAndKeep { payload, .. } => {
            payload.len() + COST
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(bytes: usize) -> BackplaneEffect {
        BackplaneEffect::Publish { channel: "a".into(), payload: vec![0; bytes].into() }
    }

    #[tokio::test]
    async fn what_has_no_room_is_counted_and_makes_room_for_nothing() {
        let status = Arc::new(Status::new("redis://h".to_owned()));
        let (orders, mut receiver) = channel(status.clone());
        let large = MAX_WAITING / 4;
        for _ in 0..5 {
            orders.give(publish(large));
        }
        orders.give(BackplaneEffect::Subscribe { channel: "b".into() });
        assert_eq!(status.unsent(), 2);
        let batch = receiver.next().await.expect("orders");
        assert_eq!((batch.effects.len(), messages(&batch.effects)), (4, 3));
        orders.give(publish(large));
        assert_eq!(status.unsent(), 2);
        assert_eq!(receiver.give_up(), 1);
        assert_eq!(receiver.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn who_waits_is_told_after_what_came_before() {
        let (orders, mut receiver) = channel(Arc::new(Status::new(String::new())));
        orders.give(publish(1));
        let waiting = orders.carried_out();
        let carrying = async {
            let batch = receiver.next().await.expect("orders");
            assert_eq!(batch.effects, [publish(1)]);
            drop(batch.told);
        };
        tokio::join!(waiting, carrying);
    }
}
