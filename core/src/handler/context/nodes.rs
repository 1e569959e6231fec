//! What a handler tells itself on the other nodes of a cluster. Without one nothing happens.

use bytes::Bytes;

use super::Context;
use crate::cluster::Node;
use crate::interface::effect::Effect;
use crate::message::Message;
use crate::state::cluster_node::{Addressee, own_channel};

impl Context<'_> {
    /// Publishes a message for [`Handler::node_message`](crate::Handler::node_message) of this route on those nodes that have
    /// members of a room. The header says what it is to them. Messages of one node on one room come in order and at most once.
    ///
    /// Within [`Handler::publish`](crate::Handler::publish) nothing is published, as it is called on each node.
    pub fn publish_to_nodes(&mut self, room: &str, header: &[u8], message: &Message) {
        let Some(node) = &mut self.state.cluster else { return };
        let channel = self.state.routes[self.route].channel(self.route, Some(room));
        let published = node.publish(&channel, Addressee::Handler.header_with(header), message);
        self.effects.extend(published.map(Effect::Backplane));
    }

    /// Sends a message to [`Handler::node_message`](crate::Handler::node_message) of this route on one node, such as one whose
    /// [entries](crate::Handler::node_entries) are known. Messages of one node to another come in order and at most once.
    pub fn send_to_node(&mut self, to: &Node, header: &[u8], message: &Message) {
        let Some(node) = &mut self.state.cluster else { return };
        let route = self.state.routes[self.route].channel(self.route, None);
        // No pattern has a line feed.
        let header = [route.as_bytes(), b"\n", header].concat();
        let published = node.publish(&own_channel(to), Addressee::Node.header_with(&header), message);
        self.effects.extend(published.map(Effect::Backplane));
    }

    /// Sets an entry of this node, which all nodes come to know
    /// ([`Handler::node_entries`](crate::Handler::node_entries)); `None` takes it back. It is gone when this node is. A key of
    /// more than about 4 KiB or a value of more than 1 MiB is refused with `false`.
    pub fn set_entry(&mut self, key: &str, value: Option<Bytes>) -> bool {
        let Some(node) = &mut self.state.cluster else { return true };
        let key = format!("{}{key}", self.state.routes[self.route].own_entries(self.route));
        let is_set = node.cluster.set(&key, value);
        let at = node.next_telling;
        self.state.tell_nodes_at(at);
        is_set
    }
}
