//! Joining and leaving topics.

use serde_json::Value;

use super::channel::{Channel, ChannelContext, Reply, refusal};
use super::handler::Phoenix;
use super::history;
use super::message::{ClientMessage, Outgoing};
use super::nodes::tell_untracked;
use super::presence::Untracked;
use super::sockets::ReplyTo;
use super::step::{Joining, Stage, Step};
use crate::handler::HandlerResult;
use crate::handler::context::Context;
use crate::interface::channel::{Status, Termination};
use crate::interface::connection_id::ConnectionId;
use crate::interface::payload::Payload;

impl Phoenix {
    pub(super) fn join(
        &mut self,
        cx: &mut Context<'_>,
        id: ConnectionId,
        message: ClientMessage,
    ) -> HandlerResult {
        let Some(mount) = self.mounts.iter().position(|mount| mount.topic.matches(&message.topic)) else {
            self.unmatched(cx, id, &message);
            return Ok(());
        };
        let ClientMessage { join_ref, reference, topic, mut payload, .. } = message;
        let from = if cx.has_history() { history::take_from(&mut payload) } else { None };
        let replaced = self.sockets.joined(id, &topic).map(|joined| joined.join_ref.clone());
        if replaced.is_some() {
            self.end(cx, id, &topic, Termination::Replaced);
        }
        let stage = Stage::Join(Joining { join_ref, replaced, from, commands: Vec::new() });
        let turn = Step { id, topic, mount, reference, stage };
        self.run(cx, turn, |channel, cx| channel.join(cx, &payload))
    }

    pub(super) fn leave(&mut self, cx: &mut Context<'_>, id: ConnectionId, message: &ClientMessage) {
        let Some(joined) = self.sockets.joined(id, &message.topic) else {
            return self.sockets.reply(cx, id, ReplyTo::new(message), Status::Ok, &Payload::empty());
        };
        let join_ref = joined.join_ref.clone();
        // The client has joined again meanwhile, or leaves what was closed already.
        if !message.join_ref.is_null() && message.join_ref != join_ref {
            return;
        }
        let to = ReplyTo { join_ref: &join_ref, ..ReplyTo::new(message) };
        self.sockets.reply(cx, id, to, Status::Ok, &Payload::empty());
        self.finish(cx, id, &message.topic, Termination::Left);
    }

    /// The channel has decided about a join.
    pub(super) fn conclude_join(
        &mut self,
        cx: &mut Context<'_>,
        turn: Step,
        joining: Joining,
        reply: Reply,
    ) -> HandlerResult {
        let Joining { join_ref, replaced, from, commands } = joining;
        let Step { id, mount, ref topic, ref reference, .. } = turn;
        let (mut status, mut response) = match reply {
            Reply::Error(response) => (Status::Error, response),
            Reply::Stop => (Status::Error, refusal("join crashed")),
            Reply::Ok(response) => (Status::Ok, response),
            Reply::None | Reply::Later(_) => (Status::Ok, Payload::empty()),
        };
        let joins = |cx: &mut Context<'_>| match &from {
            Some(from) => cx.recover_in(topic, Some(from)),
            None => cx.join(topic),
        };
        if status == Status::Ok
            && let Err(error) = joins(cx)
        {
            (status, response) = (Status::Error, refusal(error.to_string()));
            let refused = |channel: &mut dyn Channel, cx: &mut ChannelContext<'_, '_>| {
                channel.terminate(cx, Termination::Stopped);
            };
            self.on_channel(cx, mount, topic, reference, refused);
        }
        if status == Status::Ok {
            self.sockets.join(id, topic, mount, join_ref.clone(), from.is_some());
        }
        let to = ReplyTo { join_ref: &join_ref, reference, topic };
        self.sockets.reply(cx, id, to, status, &response);
        if let Some(join_ref) = &replaced {
            self.sockets.send(cx, id, &Outgoing::End { join_ref, topic, event: "phx_close" });
        }
        if status == Status::Error {
            return Ok(());
        }
        self.sockets.deliver_kept(cx);
        let topic = topic.clone();
        self.running = Some(Step { reference: Value::Null, ..turn });
        self.on_channel(cx, mount, &topic, &Value::Null, |channel, cx| channel.joined(cx))?;
        self.running = None;
        for (name, payload) in commands {
            self.carry_out(cx, &name, payload)?;
        }
        Ok(())
    }

    /// Ends a channel and tells the client so.
    pub(super) fn finish(&mut self, cx: &mut Context<'_>, id: ConnectionId, topic: &str, why: Termination) {
        let Some(join_ref) = self.end(cx, id, topic, why) else {
            return;
        };
        let event = if why == Termination::Crashed { "phx_error" } else { "phx_close" };
        self.sockets.send(cx, id, &Outgoing::End { join_ref: &join_ref, topic, event });
    }

    /// Takes a client off a topic; returns the `join_ref` that it had.
    pub(super) fn end(
        &mut self,
        cx: &mut Context<'_>,
        id: ConnectionId,
        topic: &str,
        why: Termination,
    ) -> Option<Value> {
        let joined = self.sockets.leave(id, topic)?;
        let mut cx = cx.with(id);
        cx.leave(topic);
        if let Some(Untracked { diff, entries }) = self.presence.untrack(topic, None, id) {
            tell_untracked(&mut cx, &entries);
            self.sockets.broadcast_here(&mut cx, topic, "presence_diff", &diff.into(), Some(id));
        }
        let terminate =
            |channel: &mut dyn Channel, cx: &mut ChannelContext<'_, '_>| channel.terminate(cx, why);
        self.on_channel(&mut cx, joined.mount, topic, &Value::Null, terminate);
        Some(joined.join_ref)
    }
}
