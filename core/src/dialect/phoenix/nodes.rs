//! Channels on several nodes: broadcasts as topic, event and payload, so that each node encodes them for its own clients, and
//! presence as entries.

use super::carried;
use super::elsewhere;
use super::handler::Phoenix;
use super::presence::Presence;
use super::sockets::Sockets;
use crate::cluster::{EntryChange, Node};
use crate::handler::HandlerError;
use crate::handler::context::Context;
use crate::interface::connection_id::ConnectionId;
use crate::interface::payload::Payload;
use crate::message::Message;

impl Sockets {
    /// Sends an event to everyone on a topic but `except`, on all nodes.
    pub(crate) fn broadcast(
        &self,
        cx: &mut Context<'_>,
        topic: &str,
        event: &str,
        payload: &Payload,
        except: Option<ConnectionId>,
    ) {
        match cx.has_history() {
            true => self.broadcast_kept(cx, topic, event, payload, except),
            false => self.broadcast_unkept(cx, topic, event, payload, except),
        }
    }

    /// The same where it does not become part of the history.
    pub(crate) fn broadcast_unkept(
        &self,
        cx: &mut Context<'_>,
        topic: &str,
        event: &str,
        payload: &Payload,
        except: Option<ConnectionId>,
    ) {
        self.broadcast_here(cx, topic, event, payload, except);
        if cx.is_in_cluster() {
            let (header, message) = encode(event, payload);
            cx.publish_to_nodes(topic, &header, &message);
        }
    }
}

impl Phoenix {
    /// A broadcast of another node.
    pub(super) fn broadcast_of_node(
        &self,
        cx: &mut Context<'_>,
        topic: &str,
        header: &[u8],
        message: Message,
    ) -> Result<(), HandlerError> {
        let (event, payload) = decode(header, message)?;
        self.sockets.broadcast_here(cx, topic, &event, &payload, None);
        Ok(())
    }

    /// Entries of another node have changed, and with them who is present.
    pub(super) fn presence_of_node(&mut self, cx: &mut Context<'_>, node: &Node, changes: Vec<EntryChange>) {
        for (topic, diff) in self.presence.elsewhere.change(node, changes) {
            self.sockets.broadcast_here(cx, &topic, "presence_diff", &diff.into(), None);
        }
    }
}

/// Tells the other nodes what the connection in focus tracks under a key.
pub(super) fn tell_tracked(cx: &mut Context<'_>, presence: &Presence, topic: &str, key: &str) {
    let tracked = cx.id().and_then(|id| presence.entry(topic, key, id)).filter(|_| cx.is_in_cluster());
    if let Some((number, meta)) = tracked {
        // A presence has less than a value may have.
        cx.set_entry(&number.to_string(), Some(elsewhere::encode(topic, key, meta)));
    }
}

/// Tells the other nodes what is no longer tracked.
pub(super) fn tell_untracked(cx: &mut Context<'_>, entries: &[u64]) {
    for number in entries {
        cx.set_entry(&number.to_string(), None);
    }
}

/// The header is the names as JSON.
fn encode(event: &str, payload: &Payload) -> (Vec<u8>, Message) {
    let (names, message) = carried::encode(event, payload);
    (serde_json::json!(names).to_string().into(), message)
}

fn decode(header: &[u8], message: Message) -> Result<(String, Payload), HandlerError> {
    carried::decode(serde_json::from_slice::<Vec<String>>(header)?.into_iter(), message)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_payload_goes_there_and_back() {
        let data = Bytes::from_static(&[0, 255]);
        for payload in [
            Payload::Json(json!({ "text": "grüße" })),
            Payload::Binary(data.clone()),
            Payload::UserBroadcast { event: "cursor".into(), data },
        ] {
            let (header, message) = encode("new\"msg", &payload);
            let there = decode(&header, message).expect("an event and a payload");
            assert_eq!(there, ("new\"msg".to_owned(), payload));
        }
        assert!(decode(b"[]", "{}".into()).is_err() && decode(b"x", "{}".into()).is_err());
    }
}
