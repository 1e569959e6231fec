//! Who is told live events, and how far behind each of them is.

use crate::control::event::{Event, EventKind};
use crate::control::subscription::Subscription;
use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::time::Instant;

/// How many there may be at once; one more is answered 503.
pub(crate) const MOST: usize = 16;

/// How much may wait for a subscriber that does not read, in bytes. Then events are left out and counted.
pub(crate) const MAX_OUTBOUND: usize = 1 << 20;

/// Those who are told live events.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    all: Vec<Subscriber>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) id: ConnectionId,
    pub(crate) subscription: Subscription,
    /// How many events it was not told since it was told how many.
    left_out: u64,
    /// The moment of the latest event, and how many bytes it was told of that moment: hosts report that an outbox is full
    /// only when they have carried out what came of one moment.
    moment: Instant,
    told: usize,
}

impl Subscribers {
    pub(crate) fn add(&mut self, id: ConnectionId, subscription: Subscription) -> &mut Subscriber {
        let moment = Instant::default();
        self.all.push_mut(Subscriber { id, subscription, left_out: 0, moment, told: 0 })
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) {
        self.all.retain(|subscriber| subscriber.id != id);
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Subscriber> {
        self.all.iter_mut().find(|subscriber| subscriber.id == id)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscriber> {
        self.all.iter_mut()
    }

    /// Whether anybody is told of control frames.
    pub(crate) fn want_control_frames(&self) -> bool {
        self.all.iter().any(|subscriber| subscriber.subscription.kinds.contains(&EventKind::Control))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Subscriber {
    /// What it is told before anything else, if it missed something and `has_room` again.
    pub(crate) fn catch_up(&mut self, now: Instant, has_room: bool) -> Option<Message> {
        let count = self.left_out;
        let has_room = has_room && (self.moment != now || self.told < MAX_OUTBOUND);
        (has_room && count > 0).then(|| {
            self.left_out = 0;
            Event::Missed { count }.message()
        })
    }

    /// Whether it takes one more event now; otherwise that one is counted.
    pub(crate) fn takes(&mut self, now: Instant, has_room: bool) -> bool {
        self.note(now, 0);
        let takes = has_room && self.left_out == 0 && self.told < MAX_OUTBOUND;
        if !takes {
            self.left_out += 1;
        }
        takes
    }

    /// It is told an event of so many bytes.
    pub(crate) fn note(&mut self, now: Instant, bytes: usize) {
        if self.moment != now {
            (self.moment, self.told) = (now, 0);
        }
        self.told += bytes;
    }
}
