//! The route of those who are told live events.

use std::time::Duration;

use crate::control::event::Event;
use crate::control::subscription::Subscription;
use crate::handler::context::Context;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::effect::{Effect, Recipients};
use crate::message::{CloseCode, CloseFrame, Message};

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
                tell(cx, subscription.message());
                if let Some(control) = &mut cx.state.control {
                    control.subscribers.add(id, subscription);
                    cx.state.note(|trace| trace.is_told = true);
                }
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
        let answer = match Subscription::from_message(&message) {
            Ok(subscription) => {
                subscriber.subscription = subscription;
                subscriber.subscription.message()
            }
            Err(error) => Event::Rejected { error: &error }.message(),
        };
        tell(cx, answer);
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, _: &CloseFrame, _: CloseCause) -> HandlerResult {
        if let (Some(id), Some(control)) = (cx.id(), &mut cx.state.control) {
            control.subscribers.remove(id);
            let is_told = !control.subscribers.is_empty();
            cx.state.note(|trace| trace.is_told = is_told);
        }
        Ok(())
    }

    fn error(&mut self, _: &mut Context<'_>, _: &HandlerError) -> HandlerResult {
        Ok(())
    }
}

/// Sends to the subscriber without counting it among what clients are sent.
fn tell(cx: &mut Context<'_>, message: Message) {
    if let Some(id) =
        cx.connection().filter(|connection| connection.is_open()).map(|connection| connection.id())
    {
        cx.effects.push(Effect::Send { to: Recipients::One(id), message });
    }
}
