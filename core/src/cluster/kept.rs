//! What the broker keeps of channels, beside what it delivers.

use std::sync::Arc;

use bytes::Bytes;

use super::backplane::{BackplaneEffect, KeepBounds, KeptMessage};
use super::event::{ClusterEvent, ClusterOutput, KeptByBroker};
use super::frame::{Body, Frame};
use super::{Cluster, Link};
use crate::message::Message;

impl Cluster {
    /// Publishes a message as [`publish`](Self::publish) does, and has the broker keep it.
    #[must_use = "it has to be carried out"]
    pub fn publish_and_keep(
        &mut self,
        channel: &str,
        header: Bytes,
        message: &Message,
        bounds: KeepBounds,
    ) -> Option<BackplaneEffect> {
        let payload = self.next_frame(channel, header, message)?;
        Some(BackplaneEffect::PublishAndKeep { channel: self.full(channel), payload, bounds })
    }

    /// Has the broker keep a note of a channel, in place of the one with this key. Without a link it is not kept.
    #[must_use = "it has to be carried out"]
    pub fn note(&self, channel: &str, key: &str, note: Bytes, bounds: KeepBounds) -> Option<BackplaneEffect> {
        let channel = (self.link == Link::Up).then(|| self.full(channel))?;
        Some(BackplaneEffect::Note { channel, key: key.into(), note, bounds })
    }

    /// Asks for what the broker has kept of a channel, which comes as [`ClusterEvent::Kept`] if it keeps anything. `after`:
    /// where the last part has ended.
    #[must_use = "it has to be carried out"]
    pub fn read(&self, channel: &str, after: Option<Bytes>, bounds: KeepBounds) -> Option<BackplaneEffect> {
        let channel = (self.link == Link::Up).then(|| self.full(channel))?;
        Some(BackplaneEffect::Read { channel, after, bounds })
    }

    /// The broker reports what it has kept. What cannot be read is as if it was not kept.
    pub(super) fn kept(
        &mut self,
        channel: &str,
        messages: Vec<KeptMessage>,
        (next, notes): (Option<Bytes>, Vec<Bytes>),
        outputs: &mut Vec<ClusterOutput>,
    ) {
        let mut understood = Vec::with_capacity(messages.len());
        for KeptMessage { age, payload } in messages {
            match Frame::decode(payload) {
                Ok(Frame { node, body: Body::Message { header, message, .. } }) => {
                    understood.push(KeptByBroker { age, node, header, message });
                }
                Ok(_) => {}
                Err(error) => {
                    self.stats.undecodable += 1;
                    outputs.push(ClusterEvent::Undecodable { channel: channel.into(), error }.into());
                }
            }
        }
        let channel: Arc<str> = self.short(channel, ":channel:").into();
        outputs.push(ClusterEvent::Kept { channel, messages: understood, next, notes }.into());
    }
}
