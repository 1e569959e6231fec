//! What a node reports.

use std::sync::Arc;

use bytes::Bytes;

use super::backplane::BackplaneEffect;
use super::frame::FrameError;
use super::node::Node;
use crate::message::Message;

/// A changed entry: its key, and its value; `None`: it is gone.
pub type EntryChange = (Arc<str>, Option<Bytes>);

/// What comes of an input, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterOutput {
    /// Something is to be done at the broker.
    Effect(BackplaneEffect),
    /// Something has happened.
    Event(ClusterEvent),
}

/// A message that the broker has kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptByBroker {
    /// How long ago it was published, in ms.
    pub age: u64,
    /// Who has published it.
    pub node: Node,
    /// What it was published with.
    pub header: Bytes,
    /// The message.
    pub message: Message,
}

/// What has happened in the cluster.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClusterEvent {
    /// A message of another node, for the local subscribers of a channel.
    Message {
        /// The channel.
        channel: Arc<str>,
        /// Who published it.
        node: Node,
        /// What it was published with.
        header: Bytes,
        /// The message.
        message: Message,
    },
    /// Messages of another node are lost; they will not come any more.
    Lost {
        /// The channel.
        channel: Arc<str>,
        /// Who published them.
        node: Node,
        /// How many.
        count: u64,
    },
    /// Another node has published on a channel, and nothing of that has come: the broker may have learned of this node's
    /// subscription only since then. This is told in a few signs of life of that node.
    Unheard {
        /// The channel.
        channel: Arc<str>,
        /// Who has published.
        node: Node,
    },
    /// What the broker has kept of a channel, or a part of it.
    Kept {
        /// The channel.
        channel: Arc<str>,
        /// What was understood of it, in the order in which it was published.
        messages: Vec<KeptByBroker>,
        /// Where this part ends; `None`: it is the last one.
        next: Option<Bytes>,
        /// With the last part all notes of the channel.
        notes: Vec<Bytes>,
    },
    /// An entry of another node is new or another one, or gone with `None`.
    Changed {
        /// Whose entry.
        node: Node,
        /// Its key.
        key: Arc<str>,
        /// Its value.
        value: Option<Bytes>,
    },
    /// Another node is there.
    NodeJoined {
        /// Which.
        node: Node,
    },
    /// A node has left, or its lease has run out. Its entries were told as gone before.
    NodeLeft {
        /// Which.
        node: Node,
    },
    /// This node holds a lease that it [wants](super::Cluster::want_lease), or no longer holds it.
    Lease {
        /// The name of the lease.
        name: Arc<str>,
        /// Whether this node holds it.
        is_held: bool,
    },
    /// A node that started later has the name of this one: the others do not hear this node any more, and it holds no leases
    /// until that one is silent for a lease.
    NameTaken {
        /// The other one.
        node: Node,
    },
    /// A message of the broker that no node has sent, or one of another version.
    Undecodable {
        /// The channel at the broker.
        channel: Arc<str>,
        /// What is wrong with it.
        error: FrameError,
    },
}

/// What a node has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterStats {
    /// How many nodes are alive, this one included.
    pub nodes: usize,
    /// Of how many other nodes this one does not know all entries: they are on their way, or there is no room for them.
    pub incomplete: usize,
    /// To how many channels this node is subscribed.
    pub channels: usize,
    /// Messages that were given to the broker.
    pub published: u64,
    /// Messages that were not, as there was no link.
    pub unsent: u64,
    /// Messages of other nodes that came.
    pub received: u64,
    /// Messages of other nodes that were lost on the way.
    pub lost: u64,
    /// Messages that came once more, or too late, and were left out.
    pub repeated: u64,
    /// Messages of the broker that were not understood.
    pub undecodable: u64,
}

impl From<BackplaneEffect> for ClusterOutput {
    fn from(effect: BackplaneEffect) -> Self {
        Self::Effect(effect)
    }
}

impl From<ClusterEvent> for ClusterOutput {
    fn from(event: ClusterEvent) -> Self {
        Self::Event(event)
    }
}
