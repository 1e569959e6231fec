//! A socket with other channels takes over its clients.
//!
//! | The channel of a topic | Clients on the topic |
//! |---|---|
//! | has the same pattern and is of the same sort | stay, with their presence, subscriptions and timers; what they send is for the new options |
//! | is of another sort, or another channel comes before it | the channel ends with `phx_error`; Phoenix's clients join again |
//! | is gone | the same, and joining again is answered `unmatched topic` |

use std::any::Any;
use std::time::Duration;

use super::channel::refusal;
use super::handler::{IDLE, Mount, Phoenix};
use super::sockets::ReplyTo;
use super::step::{Joining, Stage, Step};
use super::topic::TopicPattern;
use crate::handler::context::Context;
use crate::interface::channel::{Status, Termination};
use crate::interface::connection_id::ConnectionId;
use crate::interface::hook::CallId;

impl Phoenix {
    pub(super) fn take_over(&mut self, cx: &mut Context<'_>, predecessor: &mut Phoenix) {
        let successors = self.successors(predecessor);
        predecessor.end_where(cx, |_, mount| successors[mount].is_none());
        self.sockets = std::mem::take(&mut predecessor.sockets);
        self.presence = std::mem::take(&mut predecessor.presence);
        self.pending = std::mem::take(&mut predecessor.pending);
        let number = |mount: usize| successors[mount].unwrap_or_default();
        self.sockets.renumber(number);
        self.pending.values_mut().for_each(|step| step.mount = number(step.mount));
        let patterns: Vec<TopicPattern> = self.mounts.iter().map(|mount| mount.topic.clone()).collect();
        self.end_where(cx, |topic, mount| {
            patterns.iter().position(|pattern| pattern.matches(topic)) != Some(mount)
        });
        if self.timeout != predecessor.timeout {
            self.restart_timeouts(cx);
        }
    }

    /// Which of these channels takes over from each of the predecessor's.
    fn successors(&mut self, predecessor: &mut Phoenix) -> Vec<Option<usize>> {
        let mut is_taken = vec![false; self.mounts.len()];
        let successor = |Mount { topic, channel }: &mut Mount| {
            let channel: &mut dyn Any = channel.as_mut();
            let found = self.mounts.iter_mut().zip(&is_taken).position(|(mount, is_taken)| {
                !is_taken && mount.topic == *topic && mount.channel.succeed(channel)
            })?;
            is_taken[found] = true;
            Some(found)
        };
        predecessor.mounts.iter_mut().map(successor).collect()
    }

    /// Ends the channels of clients, and refuses the joins under way, by topic and channel.
    fn end_where(&mut self, cx: &mut Context<'_>, is_lost: impl Fn(&str, usize) -> bool) {
        let joined = self.sockets.iter().flat_map(|(id, socket)| {
            socket.channels.iter().map(move |(topic, joined)| (id, topic, joined.mount))
        });
        let mut lost: Vec<(ConnectionId, String)> = joined
            .filter(|(_, topic, mount)| is_lost(topic, *mount))
            .map(|(id, topic, _)| (id, topic.clone()))
            .collect();
        lost.sort_unstable();
        for (id, topic) in lost {
            self.finish(&mut cx.with(id), id, &topic, Termination::Crashed);
        }
        let pending = self.pending.iter().filter(|(_, step)| is_lost(&step.topic, step.mount));
        let mut pending: Vec<CallId> = pending.map(|(call, _)| *call).collect();
        pending.sort_unstable();
        for call in pending {
            // To an event the end of its channel is the answer.
            if let Some(Step { id, topic, reference, stage: Stage::Join(Joining { join_ref, .. }), .. }) =
                self.pending.remove(&call)
            {
                let to = ReplyTo { join_ref: &join_ref, reference: &reference, topic: &topic };
                self.sockets.reply(cx, id, to, Status::Error, &refusal("join crashed"));
            }
        }
    }

    /// Gives all clients the timeout of now; their silence so far counts.
    fn restart_timeouts(&self, cx: &mut Context<'_>) {
        let now = cx.now().instant;
        for (id, socket) in self.sockets.iter() {
            let mut cx = cx.with(id);
            cx.cancel_timer(IDLE);
            let is_open = cx.connection().is_some_and(|connection| connection.is_open());
            if let Some(timeout) = self.timeout.filter(|_| is_open) {
                let silent = Duration::from_millis(now.ms_since(socket.active));
                cx.set_timer(IDLE, timeout.saturating_sub(silent));
            }
        }
    }
}
