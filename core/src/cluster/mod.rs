//! Several servers as one: what a node publishes, whom it hears, what it knows of the others.
//!
//! [`Cluster`] is a state machine without a broker. It says what is to be published and subscribed to
//! ([`BackplaneEffect`]), is told what came and whether there is a link ([`BackplaneInput`]), and reports what that means
//! ([`ClusterEvent`]). Whoever carries that out needs a broker with channels: Redis, NATS, or a list in a test.
//!
//! # What is promised
//!
//! | | |
//! |---|---|
//! | messages of one node on one channel | arrive at most once, in the order in which they were published |
//! | messages of several nodes, or on several channels | in any order |
//! | a message that is lost | is noticed by the next one of its channel, or soon after the next sign of life of its node, counted, and told as [`ClusterEvent::Lost`] |
//! | messages published without a link | are lost, counted as unsent, and noticed by the others as above |
//! | a channel that was just subscribed to | counts, for each node, from its first message that comes |
//! | entries of another node | are replicated in the order of its changes; after a gap a snapshot is asked for, and until it comes the last known entries stand |
//! | a node that ends | takes its entries with it at once |
//! | a node that dies | takes its entries with it when its lease has run out |
//! | a node that comes back | has a higher incarnation; what is still on the way from the earlier one is left out |
//! | a lease | is held by one node; by each node that has been without a link for a whole lease, and for a moment by two when links come and go |
//! | two nodes of one name | the later one is heard; the earlier one is not, says so, and holds no lease while the later one lives |
//! | counts over all nodes | are made of replicated entries. No node ever waits for an answer of another one |
//!
//! Nothing here is ordered between a message and a change of entries.

mod backplane;
mod event;
mod frame;
mod hearing;
mod kept;
mod leases;
mod node;
mod own;
mod peers;
mod replica;
mod settings;
mod streams;

use std::sync::Arc;

use bytes::Bytes;

use crate::message::Message;
use crate::time::Instant;
use frame::{Body, Frame};
use leases::Leases;
use own::Own;
use peers::Peers;
use streams::{Incoming, Outgoing};

pub use backplane::{BackplaneEffect, BackplaneInput, KeepBounds, KeptMessage};
pub use event::{ClusterEvent, ClusterOutput, ClusterStats, EntryChange, KeptByBroker};
pub use frame::FrameError;
pub use node::Node;
pub use settings::ClusterSettings;

/// How long in ms a message may come after the sign of life that tells of it: brokers keep the order of each channel, and not
/// always that of several.
const GRACE: u64 = 300;

/// One node of a cluster.
#[derive(Debug)]
pub struct Cluster {
    settings: ClusterSettings,
    me: Node,
    link: Link,
    /// The channel of signs of life and entries, to which all nodes are subscribed.
    nodes_channel: Arc<str>,
    own: Own,
    outgoing: Outgoing,
    incoming: Incoming,
    peers: Peers,
    leases: Leases,
    /// When a later node of the same name was heard last, unless that was a lease ago.
    namesake: Option<Instant>,
    next_sign: Instant,
    stats: ClusterStats,
}

/// The way to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Up,
    /// Since when.
    Down(Instant),
}

impl Cluster {
    /// A node whose link to the broker is not up yet. `incarnation` must be higher each time a node of this name starts, such
    /// as the wall time.
    pub fn new(now: Instant, settings: ClusterSettings, incarnation: u64) -> Self {
        let me = Node { name: settings.name.as_str().into(), incarnation };
        let nodes_channel = format!("{}:nodes", settings.prefix).into();
        let (own, outgoing, incoming) = (Own::default(), Outgoing::default(), Incoming::default());
        let (peers, stats) = (Peers::default(), ClusterStats::default());
        let link = Link::Down(now);
        let leases = Leases::default();
        Self {
            settings,
            me,
            link,
            nodes_channel,
            own,
            outgoing,
            incoming,
            peers,
            leases,
            namesake: None,
            next_sign: now,
            stats,
        }
    }

    /// This node.
    pub fn me(&self) -> &Node {
        &self.me
    }

    /// Since when there has been no link to the broker; `None`: there is one.
    pub fn down_since(&self) -> Option<Instant> {
        match self.link {
            Link::Up => None,
            Link::Down(since) => Some(since),
        }
    }

    /// What was counted since the start.
    pub fn stats(&self) -> ClusterStats {
        let (nodes, channels) = (self.peers.live().count() + 1, self.incoming.channels());
        let incomplete = self.peers.live().filter(|peer| peer.replica.is_stale()).count();
        ClusterStats { nodes, incomplete, channels, ..self.stats }
    }

    /// The other nodes that are alive, by name.
    pub fn others(&self) -> impl Iterator<Item = &Node> {
        self.peers.live().map(|peer| &peer.node)
    }

    /// The entries of all nodes whose key begins so, this node's first: the node, the key and the value.
    pub fn entries<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a Node, &'a str, &'a Bytes)> {
        let own = self.own.entries(prefix).map(|(key, value)| (&self.me, key, value));
        let others = self
            .peers
            .live()
            .flat_map(move |peer| peer.replica.entries(prefix).map(|(key, value)| (&peer.node, key, value)));
        own.chain(others)
    }

    /// Hears what others publish on a channel from now on.
    #[must_use = "it has to be carried out"]
    pub fn subscribe(&mut self, channel: &str) -> Option<BackplaneEffect> {
        let is_new = self.incoming.subscribe(channel) && self.link == Link::Up;
        is_new.then(|| BackplaneEffect::Subscribe { channel: self.full(channel) })
    }

    /// Hears that channel no longer. The subscription at the broker ends a lease later, so that a room that is empty for a
    /// moment costs nothing.
    pub fn unsubscribe(&mut self, now: Instant, channel: &str) {
        self.incoming.unsubscribe(now, channel);
    }

    /// Publishes a message to the subscribers of a channel on the other nodes, with a header that says what it is to them.
    /// Without a link it is lost and counted, and so is one whose header is longer than 1 MiB.
    #[must_use = "it has to be carried out"]
    pub fn publish(&mut self, channel: &str, header: Bytes, message: &Message) -> Option<BackplaneEffect> {
        let payload = self.next_frame(channel, header, message)?;
        Some(BackplaneEffect::Publish { channel: self.full(channel), payload })
    }

    fn next_frame(&mut self, channel: &str, header: Bytes, message: &Message) -> Option<Bytes> {
        let (run, sequence) = self.outgoing.next(channel);
        if self.link != Link::Up || header.len() > frame::MAX_VALUE {
            self.stats.unsent += 1;
            return None;
        }
        self.stats.published += 1;
        Some(self.frame(Body::Message { run, sequence, header, message: message.clone() }))
    }

    /// Sets an entry of this node, which all nodes come to know; `None` takes it back. A value that is there already changes
    /// nothing.
    ///
    /// Keys may have 4 KiB and values 1 MiB; what is longer is refused with `false`, and nothing changes.
    pub fn set(&mut self, key: &str, value: Option<Bytes>) -> bool {
        self.own.set(key, value)
    }

    /// Publishes the changes that [`set`](Self::set) made since the last call: once per turn of the host, so that many changes
    /// are one message.
    pub fn flush(&mut self, outputs: &mut Vec<ClusterOutput>) {
        if self.link != Link::Up {
            // Whoever hears this node again sees by its version that something is missing.
            return self.own.forget_changes();
        }
        while let Some((first, changes)) = self.own.take_changes() {
            self.tell(Body::Changes { first, changes }, outputs);
        }
    }

    /// Wants to be the one node that holds this lease. It is asked for until it is [released](Self::release_lease), and
    /// [`ClusterEvent::Lease`] tells when this node gets or loses it.
    ///
    /// A node whose broker has been away for the duration of a lease holds all that it wants: what is done once in the cluster
    /// is then done by each node that is cut off. When the broker is back, one of them keeps it.
    #[must_use = "it has to be carried out"]
    pub fn want_lease(&mut self, name: &str) -> Option<BackplaneEffect> {
        (self.leases.want(name) && self.may_hold_leases()).then(|| self.lease(name))
    }

    /// Gives a lease up, so that another node may take it at once.
    #[must_use = "it has to be carried out"]
    pub fn release_lease(&mut self, name: &str) -> Option<BackplaneEffect> {
        let is_over = self.leases.release(name) && self.link == Link::Up;
        is_over.then(|| BackplaneEffect::Release { name: self.full_lease(name) })
    }

    /// Whether this node holds a lease that it wants.
    pub fn holds_lease(&self, name: &str) -> bool {
        self.leases.is_held(name)
    }

    /// Leaves the cluster on purpose: the others take its entries away at once, and may take its leases.
    pub fn leave(&mut self, outputs: &mut Vec<ClusterOutput>) {
        if self.link == Link::Up {
            let held = self.leases.names().filter(|name| self.leases.is_held(name));
            let names = held.map(|name| self.full_lease(name));
            outputs.extend(names.map(|name| BackplaneEffect::Release { name }.into()));
            self.tell(Body::Leaving, outputs);
        }
    }

    /// Takes what the broker's client reports.
    pub fn handle(&mut self, now: Instant, input: BackplaneInput, outputs: &mut Vec<ClusterOutput>) {
        match input {
            BackplaneInput::Up => self.up(now, outputs),
            BackplaneInput::Down if self.link == Link::Up => self.link = Link::Down(now),
            BackplaneInput::Down => {}
            BackplaneInput::Lease { name, is_held } => self.lease_answered(&name, is_held, outputs),
            BackplaneInput::Kept { channel, messages, next, notes } => {
                self.kept(&channel, messages, (next, notes), outputs);
            }
            BackplaneInput::Message { channel, payload } => match Frame::decode(payload) {
                Ok(frame) => self.heard(now, &channel, frame, outputs),
                Err(error) => {
                    self.stats.undecodable += 1;
                    outputs.push(ClusterEvent::Undecodable { channel, error }.into());
                }
            },
        }
    }

    /// How often in ms a node gives a sign of life.
    pub(crate) fn sign_interval(&self) -> u64 {
        self.settings.lease / 3
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Instant {
        let expiry = self.peers.next_expiry(self.settings.lease);
        let late = self.incoming.awaited_since().map(|since| since + GRACE);
        expiry.into_iter().chain(late).fold(self.next_sign, Instant::min)
    }

    /// Gives a sign of life when it is due, and lets the leases of the silent run out.
    pub fn handle_timeout(&mut self, now: Instant, outputs: &mut Vec<ClusterOutput>) {
        for gone in self.peers.expire(now, self.settings.lease) {
            self.told_gone(gone, outputs);
        }
        for (channel, node, count) in self.incoming.give_up(now, GRACE) {
            self.lost(&channel, &node, count, outputs);
        }
        if now < self.next_sign {
            return;
        }
        self.next_sign = now + self.settings.lease / 3;
        self.namesake = self.namesake.filter(|heard| now.ms_since(*heard) <= self.settings.lease);
        for name in self.peers.forget_gone() {
            self.incoming.forget(&name);
        }
        let unwanted = self.incoming.forget_unwanted(now, self.settings.lease);
        if let Link::Down(since) = self.link
            && now.ms_since(since) >= self.settings.lease
        {
            let taken = self.leases.take_all().into_iter();
            outputs.extend(taken.map(|name| ClusterEvent::Lease { name, is_held: true }.into()));
        }
        if self.link == Link::Up {
            self.ask_for_leases(outputs);
            let channels = unwanted.iter().map(|name| self.full(name));
            outputs.extend(channels.map(|channel| BackplaneEffect::Unsubscribe { channel }.into()));
            self.give_sign(outputs);
            for node in self.peers.stale() {
                self.tell(Body::Ask { of: Some(node) }, outputs);
            }
        }
    }

    fn up(&mut self, now: Instant, outputs: &mut Vec<ClusterOutput>) {
        self.link = Link::Up;
        outputs.push(BackplaneEffect::Subscribe { channel: self.nodes_channel.clone() }.into());
        let channels: Vec<_> = self.incoming.names().map(|name| self.full(name)).collect();
        outputs.extend(channels.into_iter().map(|channel| BackplaneEffect::Subscribe { channel }.into()));
        self.ask_for_leases(outputs);
        self.own.forget_changes();
        self.outgoing.tell_all_again();
        self.give_sign(outputs);
        // The others cannot know it, or not all of it.
        self.tell_snapshot(outputs);
        self.tell(Body::Ask { of: None }, outputs);
        self.next_sign = now + self.settings.lease / 3;
    }

    fn may_hold_leases(&self) -> bool {
        self.link == Link::Up && self.namesake.is_none()
    }

    fn ask_for_leases(&self, outputs: &mut Vec<ClusterOutput>) {
        if !self.may_hold_leases() {
            return;
        }
        outputs.extend(self.leases.names().map(|name| self.lease(name).into()));
    }

    fn lease_answered(&mut self, full: &str, is_held: bool, outputs: &mut Vec<ClusterOutput>) {
        let name: Arc<str> = self.short(full, ":lease:").into();
        if self.may_hold_leases() && self.leases.answered(&name, is_held) {
            outputs.push(ClusterEvent::Lease { name, is_held }.into());
        }
    }

    fn give_sign(&mut self, outputs: &mut Vec<ClusterOutput>) {
        self.flush(outputs);
        let sent = self.outgoing.tell();
        self.tell(Body::Alive { version: self.own.version(), sent }, outputs);
    }

    fn tell(&self, body: Body, outputs: &mut Vec<ClusterOutput>) {
        let (channel, payload) = (self.nodes_channel.clone(), self.frame(body));
        outputs.push(BackplaneEffect::Publish { channel, payload }.into());
    }

    fn frame(&self, body: Body) -> Bytes {
        Frame { node: self.me.clone(), body }.encode()
    }

    /// The channel's name at the broker.
    fn full(&self, channel: &str) -> Arc<str> {
        format!("{}:channel:{channel}", self.settings.prefix).into()
    }

    fn lease(&self, name: &str) -> BackplaneEffect {
        BackplaneEffect::Lease { name: self.full_lease(name), ttl: self.settings.lease }
    }

    /// The lease's name at the broker.
    fn full_lease(&self, name: &str) -> Arc<str> {
        format!("{}:lease:{name}", self.settings.prefix).into()
    }

    /// A name of the broker without what it begins with there.
    fn short<'a>(&self, full: &'a str, kind: &str) -> &'a str {
        let rest = full.strip_prefix(self.settings.prefix.as_str());
        rest.and_then(|rest| rest.strip_prefix(kind)).unwrap_or(full)
    }
}
