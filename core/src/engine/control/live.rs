//! The route of those who are told live events.

use std::time::Duration;

use crate::control::event::Event;
use crate::control::history::Kept;
use crate::control::subscription::Subscription;
use crate::handler::context::Context;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::effect::{Effect, Recipients};
use crate::message::{CloseCode, CloseFrame, Message};
use crate::state::connection::Connection;

/// How much of what was kept is told at once, in bytes.
const MAX_RECENT_BYTES: usize = 512 * 1024;

/// Takes subscriptions. What happens is told by the engine.
pub(super) struct Live;

impl Live {
    /// The route's dialect.
    pub(super) const KIND: &str = "control";

    /// The largest message of a subscriber in bytes. 64 KiB.
    pub(super) const MAX_PAYLOAD: usize = 1 << 16;

    /// Time between pings, by which a subscriber that is gone is noticed.
    pub(super) const HEARTBEAT: Duration = Duration::from_secs(30);
}

impl Handler for Live {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let Some(id) = cx.id() else { return Ok(()) };
        match Subscription::from_query(cx.connection().map_or("", |connection| connection.query())) {
            Ok(subscription) => {
                let bytes = tell_recent(cx, &subscription);
                let moment = cx.now.instant;
                if let Some(control) = &mut cx.state.control {
                    control.subscribers.add(id, subscription).note(moment, bytes);
                }
                update_trace(cx);
            }
            Err(error) => {
                tell(cx, Event::Rejected { error: &error }.message());
                cx.close(CloseCode::POLICY_VIOLATION, "The query is wrong")?;
            }
        }
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let (Some(id), Some(control)) = (cx.id(), &mut cx.state.control) else { return Ok(()) };
        let Some(subscriber) = control.subscribers.get_mut(id) else { return Ok(()) };
        match Subscription::from_message(&message) {
            Ok(subscription) => {
                subscriber.subscription = subscription.clone();
                let bytes = tell_recent(cx, &subscription);
                let moment = cx.now.instant;
                if let Some(subscriber) =
                    cx.state.control.as_mut().and_then(|control| control.subscribers.get_mut(id))
                {
                    subscriber.note(moment, bytes);
                }
                update_trace(cx);
            }
            Err(error) => tell(cx, Event::Rejected { error: &error }.message()),
        }
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, _: &CloseFrame, _: CloseCause) -> HandlerResult {
        if let (Some(id), Some(control)) = (cx.id(), &mut cx.state.control) {
            control.subscribers.remove(id);
        }
        update_trace(cx);
        Ok(())
    }

    fn error(&mut self, _: &mut Context<'_>, _: &HandlerError) -> HandlerResult {
        Ok(())
    }
}

/// Has noted what subscribers want to be told.
fn update_trace(cx: &mut Context<'_>) {
    let Some(control) = &cx.state.control else { return };
    let is_told = !control.subscribers.is_empty();
    let tells_control_frames = control.subscribers.want_control_frames();
    cx.state.note(|trace| {
        (trace.is_told, trace.tells_control_frames) = (is_told, tells_control_frames);
    });
}

/// Tells a subscriber what it has subscribed to, and what was kept of that: how many bytes the latter is.
fn tell_recent(cx: &mut Context<'_>, subscription: &Subscription) -> usize {
    let recent = cx.state.control.as_ref().map(|control| {
        let id = subscription.connection.as_ref().and_then(|name| {
            let is_named = |connection: &&Connection| **connection.public_id() == **name;
            let there = cx.state.connections.iter().find(is_named).map(Connection::id);
            there.or_else(|| control.history.ended_id(name))
        });
        let is_wanted = |kept: &Kept| {
            let is_receiver = |_: &str| id.is_some_and(|id| kept.happening.receivers.contains(&id));
            subscription.wants(&kept.happening, &kept.route.label, &kept.route.pattern, is_receiver)
        };
        let mut bytes = 0;
        let recent = control.history.recent(subscription.recent, is_wanted);
        let told = recent.iter().rev().map(|kept| kept.told(subscription.payload_bytes));
        let mut told: Vec<Message> = told
            .take_while(|message| {
                bytes += message.len();
                bytes <= MAX_RECENT_BYTES
            })
            .collect();
        told.reverse();
        told
    });
    let recent = recent.unwrap_or_default();
    tell(cx, subscription.message(recent.len()));
    let bytes = recent.iter().map(Message::len).sum();
    recent.into_iter().for_each(|message| tell(cx, message));
    bytes
}

/// Sends to the subscriber without counting it among what clients are sent.
fn tell(cx: &mut Context<'_>, message: Message) {
    if let Some(id) =
        cx.connection().filter(|connection| connection.is_open()).map(|connection| connection.id())
    {
        cx.effects.push(Effect::Send { to: Recipients::One(id), message });
    }
}
