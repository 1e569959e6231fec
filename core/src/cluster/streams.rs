//! The messages of each channel, counted: by who publishes them, and by who hears them.
//!
//! A node numbers its messages on a channel from 1 in a *run*. Of very many channels those that were idle longest are forgotten,
//! and begin another run with a higher number, so that memory does not grow with the rooms that ever were.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hashlink::LinkedHashMap;
use indexmap::IndexMap;

use super::node::Node;
use crate::time::Instant;

/// How many channels are numbered.
const MOST_CHANNELS: usize = 100_000;

/// How many channels a sign of life tells about. Others wait for the next one.
const MOST_TOLD: usize = 4_096;

/// How many announcements of what has not come yet are kept.
const MOST_AWAITED: usize = 100_000;

/// How many nodes may have messages counted of which no sign of life has come. Beyond it all of them are forgotten, and count
/// from their next message on.
const MOST_STRANGERS: usize = 10_000;

/// In how many signs of life. Whoever misses all of them takes the node for dead, and asks when it is back.
const TOLD: u8 = 3;

/// What this node publishes.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// In the order in which something was published on them.
    channels: LinkedHashMap<Arc<str>, Sent>,
    most: usize,
    /// Channels of which the others have to be told, in so many signs of life.
    untold: BTreeMap<Arc<str>, u8>,
    runs: u64,
}

#[derive(Debug)]
struct Sent {
    run: u64,
    sequence: u64,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { channels: LinkedHashMap::new(), most: MOST_CHANNELS, untold: BTreeMap::new(), runs: 0 }
    }
}

impl Outgoing {
    /// The run and the sequence number of the next message on a channel.
    pub(super) fn next(&mut self, channel: &str) -> (u64, u64) {
        let (name, mut sent) = self.channels.remove_entry(channel).unwrap_or_else(|| {
            self.runs += 1;
            (channel.into(), Sent { run: self.runs, sequence: 0 })
        });
        sent.sequence += 1;
        let numbers = (sent.run, sent.sequence);
        self.untold.insert(name.clone(), TOLD);
        self.channels.insert(name, sent);
        if self.channels.len() > self.most
            && let Some((idle, _)) = self.channels.pop_front()
        {
            self.untold.remove(&idle);
        }
        numbers
    }

    /// The channels on which something was published, with the run and the last sequence number, for a sign of life.
    pub(super) fn tell(&mut self) -> Vec<(Arc<str>, u64, u64)> {
        let mut told: Vec<_> = self.untold.iter().map(|(name, left)| (*left, name.clone())).collect();
        // Those that were told least first.
        told.sort_by(|(left, _), (other, _)| other.cmp(left));
        told.truncate(MOST_TOLD);
        let mut sent = Vec::with_capacity(told.len());
        for (left, name) in told {
            match left {
                1 => self.untold.remove(&name),
                left => self.untold.insert(name.clone(), left - 1),
            };
            sent.extend(self.channels.get(&name).map(|last| (name, last.run, last.sequence)));
        }
        sent
    }

    /// Somebody may have missed what was told.
    pub(super) fn tell_all_again(&mut self) {
        self.untold = self.channels.keys().map(|name| (name.clone(), TOLD)).collect();
    }
}

/// What this node hears.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// In the order in which they were wanted: what a node does depends on its inputs alone.
    channels: IndexMap<Arc<str>, Channel>,
    /// What others have announced and what has not come yet.
    awaited: Vec<Awaited>,
    /// How often somebody has come to a channel of whom nothing else is known.
    strangers: usize,
}

/// What a node has published, by its own account, and what has not come.
#[derive(Debug)]
struct Awaited {
    since: Instant,
    channel: Arc<str>,
    node: Node,
    received: Received,
}

/// A channel that this node is subscribed to at the broker.
#[derive(Debug, Default)]
struct Channel {
    nodes: HashMap<Arc<str>, Received>,
    /// Since when nobody here wants it. The subscription stays for a while: a page that is loaded anew empties a room for a
    /// moment.
    unwanted: Option<Instant>,
}

/// The last message of one node on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Received {
    incarnation: u64,
    run: u64,
    sequence: u64,
}

/// What a message is among the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nobody here wants it any more.
    NotSubscribed,
    /// It came already, or too late.
    Again,
    Next {
        /// How many before it are missing.
        lost: u64,
    },
}

impl Incoming {
    /// Whether the broker has to be told.
    pub(super) fn subscribe(&mut self, channel: &str) -> bool {
        if let Some(known) = self.channels.get_mut(channel) {
            known.unwanted = None;
            return false;
        }
        self.channels.insert(channel.into(), Channel::default());
        true
    }

    /// Nobody here wants the channel any more.
    pub(super) fn unsubscribe(&mut self, now: Instant, channel: &str) {
        if let Some(known) = self.channels.get_mut(channel) {
            known.unwanted.get_or_insert(now);
        }
    }

    /// Forgets the channels that nobody has wanted for so many ms; gives their names.
    pub(super) fn forget_unwanted(&mut self, now: Instant, ms: u64) -> Vec<Arc<str>> {
        let is_over = |channel: &Channel| channel.unwanted.is_some_and(|since| now.ms_since(since) >= ms);
        self.channels.extract_if(.., |_, channel| is_over(channel)).map(|(name, _)| name).collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.channels.keys()
    }

    pub(super) fn channels(&self) -> usize {
        self.channels.values().filter(|channel| channel.unwanted.is_none()).count()
    }

    /// A message came. `is_known` says of which names there have been signs of life.
    pub(super) fn heard(
        &mut self,
        channel: &str,
        node: &Node,
        (run, sequence): (u64, u64),
        is_known: impl Fn(&str) -> bool,
    ) -> Heard {
        if self.strangers >= MOST_STRANGERS {
            self.strangers = 0;
            for channel in self.channels.values_mut() {
                channel.nodes.retain(|name, _| is_known(name));
                channel.nodes.shrink_to_fit();
            }
        }
        let Some(Channel { nodes, unwanted }) = self.channels.get_mut(channel) else {
            return Heard::NotSubscribed;
        };
        let received = Received { incarnation: node.incarnation, run, sequence };
        let is_wanted = unwanted.is_none();
        let Some(last) = nodes.get_mut(&node.name) else {
            self.strangers += usize::from(!is_known(&node.name));
            nodes.insert(node.name.clone(), received);
            return if is_wanted { Heard::Next { lost: 0 } } else { Heard::NotSubscribed };
        };
        if received <= *last {
            return Heard::Again;
        }
        // Who counts from 0 on has missed nothing.
        let lost = last.missing_before(received).saturating_sub(1);
        *last = received;
        if is_wanted { Heard::Next { lost } } else { Heard::NotSubscribed }
    }

    /// A node says what it has published. What has not come may still be on its way. True: none of its messages has come before.
    pub(super) fn announced(
        &mut self,
        now: Instant,
        channel: &str,
        node: &Node,
        run: u64,
        sequence: u64,
    ) -> bool {
        let received = Received { incarnation: node.incarnation, run, sequence };
        let Some(known) = self.channels.get(channel) else { return false };
        // Unless one of its messages has come before: the broker may know of the subscription only since then.
        let last = known.nodes.get(&node.name);
        let is_unheard = last.is_none() && known.unwanted.is_none();
        // What has no room is told again, or noticed by the next message.
        if last.is_some_and(|last| *last < received) && self.awaited.len() < MOST_AWAITED {
            let (channel, node) = (channel.into(), node.clone());
            self.awaited.push(Awaited { since: now, channel, node, received });
        }
        is_unheard
    }

    /// Since when the first of it is waited for.
    pub(super) fn awaited_since(&self) -> Option<Instant> {
        self.awaited.first().map(|awaited| awaited.since)
    }

    /// Gives up what has not come for so many ms: on which channel it was, from whom, and how many messages.
    pub(super) fn give_up(&mut self, now: Instant, ms: u64) -> Vec<(Arc<str>, Node, u64)> {
        let mut given_up = Vec::new();
        for awaited in self.awaited.extract_if(.., |awaited| now.ms_since(awaited.since) >= ms) {
            let Awaited { channel: name, node, received, .. } = awaited;
            let Some(Channel { nodes, unwanted }) = self.channels.get_mut(&name) else { continue };
            let Some(last) = nodes.get_mut(&node.name).filter(|last| **last < received) else { continue };
            let lost = last.missing_before(received);
            *last = received;
            if unwanted.is_none() {
                given_up.push((name, node, lost));
            }
        }
        given_up
    }

    /// A node is gone for good.
    pub(super) fn forget(&mut self, name: &str) {
        for channel in self.channels.values_mut() {
            channel.nodes.remove(name);
        }
    }
}

impl Received {
    /// How many messages lie between this one and a later one, which is counted too. Of an earlier run
    /// those count that were told.
    fn missing_before(self, later: Received) -> u64 {
        match (self.incarnation, self.run) == (later.incarnation, later.run) {
            true => later.sequence - self.sequence,
            false => later.sequence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(incarnation: u64) -> Node {
        Node { name: "a".into(), incarnation }
    }

    fn hear(incoming: &mut Incoming, channel: &str, node: &Node, run: u64, sequence: u64) -> Heard {
        incoming.heard(channel, node, (run, sequence), |_| true)
    }

    /// Whoever may publish at the broker can take any name.
    #[test]
    fn of_very_many_names_those_are_forgotten_that_give_no_sign_of_life() {
        let mut incoming = Incoming::default();
        let is_known = |name: &str| name == "a";
        incoming.subscribe("x");
        assert_eq!(incoming.heard("x", &node(1), (1, 1), is_known), Heard::Next { lost: 0 });
        for number in 0..3 * MOST_STRANGERS {
            let stranger = Node { name: format!("stranger {number}").into(), incarnation: 1 };
            assert_eq!(incoming.heard("x", &stranger, (1, 5), is_known), Heard::Next { lost: 0 });
            assert!(incoming.channels["x"].nodes.len() <= MOST_STRANGERS + 1);
        }
        assert_eq!(
            incoming.heard("x", &node(1), (1, 3), is_known),
            Heard::Next { lost: 1 },
            "it was counted"
        );
    }

    #[test]
    fn what_is_missing_is_counted_once() {
        let mut incoming = Incoming::default();
        assert_eq!(hear(&mut incoming, "x", &node(1), 1, 1), Heard::NotSubscribed);
        assert!(incoming.subscribe("x") && !incoming.subscribe("x"));
        for (incarnation, run, sequence, expected) in [
            // The first one is where counting begins.
            (1, 1, 7, Heard::Next { lost: 0 }),
            (1, 1, 8, Heard::Next { lost: 0 }),
            (1, 1, 8, Heard::Again),
            (1, 1, 12, Heard::Next { lost: 3 }),
            (1, 1, 10, Heard::Again),
            // Another run, another life.
            (1, 4, 1, Heard::Next { lost: 0 }),
            (1, 6, 3, Heard::Next { lost: 2 }),
            (2, 1, 2, Heard::Next { lost: 1 }),
            (1, 9, 1, Heard::Again),
            // No node of ours says that.
            (2, 2, 0, Heard::Next { lost: 0 }),
            (2, 2, u64::MAX, Heard::Next { lost: u64::MAX - 1 }),
            (2, u64::MAX, u64::MAX, Heard::Next { lost: u64::MAX - 1 }),
        ] {
            let heard = hear(&mut incoming, "x", &node(incarnation), run, sequence);
            assert_eq!(heard, expected, "{incarnation} {run} {sequence}");
        }
    }

    #[test]
    fn what_was_announced_is_waited_for() {
        let mut incoming = Incoming::default();
        let at = Instant::from_ms;
        incoming.subscribe("x");
        assert!(incoming.announced(at(0), "x", &node(2), 1, 1), "nothing of it has come");
        assert_eq!(hear(&mut incoming, "x", &node(2), 1, 2), Heard::Next { lost: 0 });
        assert!(!incoming.announced(at(0), "x", &node(2), 1, 2));
        assert!(!incoming.announced(at(0), "y", &node(2), 1, 5), "nobody wants that");
        assert_eq!(incoming.give_up(at(100), 100), [], "nothing is missing");
        // The announcement has come first.
        incoming.announced(at(100), "x", &node(2), 1, 3);
        assert_eq!(hear(&mut incoming, "x", &node(2), 1, 3), Heard::Next { lost: 0 });
        assert_eq!(incoming.give_up(at(200), 100), []);
        incoming.announced(at(200), "x", &node(2), 1, 6);
        incoming.announced(at(250), "x", &node(2), 1, 7);
        assert_eq!(incoming.give_up(at(299), 100), []);
        assert_eq!(incoming.give_up(at(300), 100), [("x".into(), node(2), 3)]);
        assert_eq!(hear(&mut incoming, "x", &node(2), 1, 6), Heard::Again, "it was given up");
        assert_eq!(hear(&mut incoming, "x", &node(2), 1, 8), Heard::Next { lost: 1 });
        assert_eq!(incoming.give_up(at(400), 100), [], "it was counted");
        assert!(incoming.awaited.is_empty());
    }

    #[test]
    fn a_channel_that_nobody_wants_is_counted_until_it_is_forgotten() {
        let mut incoming = Incoming::default();
        let at = Instant::from_ms;
        incoming.subscribe("x");
        assert_eq!(hear(&mut incoming, "x", &node(1), 1, 1), Heard::Next { lost: 0 });
        incoming.unsubscribe(at(10), "x");
        incoming.unsubscribe(at(20), "x");
        assert_eq!(hear(&mut incoming, "x", &node(1), 1, 2), Heard::NotSubscribed);
        assert_eq!(incoming.forget_unwanted(at(59), 50), []);
        assert!(!incoming.subscribe("x"), "it is still there");
        assert_eq!(hear(&mut incoming, "x", &node(1), 1, 3), Heard::Next { lost: 0 });
        incoming.unsubscribe(at(60), "x");
        assert_eq!(incoming.forget_unwanted(at(110), 50), ["x".into()]);
        assert!(incoming.subscribe("x"));
    }

    #[test]
    fn what_was_published_is_told_in_a_few_signs_of_life() {
        let mut outgoing = Outgoing::default();
        assert_eq!([outgoing.next("x"), outgoing.next("y"), outgoing.next("x")], [(1, 1), (2, 1), (1, 2)]);
        let expected = [("x".into(), 1, 2), ("y".into(), 2, 1)];
        for _ in 0..TOLD {
            assert_eq!(outgoing.tell(), expected);
        }
        assert_eq!(outgoing.tell(), []);
        outgoing.tell_all_again();
        assert_eq!(outgoing.tell(), expected);
    }

    #[test]
    fn a_channel_that_was_forgotten_begins_another_run() {
        let mut outgoing = Outgoing { most: 2, ..Outgoing::default() };
        let numbers: Vec<_> = ["x", "y", "x", "z", "x", "y"].map(|channel| outgoing.next(channel)).into();
        assert_eq!(numbers, [(1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (4, 1)]);
        assert_eq!(outgoing.tell(), [("x".into(), 1, 3), ("y".into(), 4, 1)]);
    }
}
