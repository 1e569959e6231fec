//! A channel whose behaviour is the user's code in the host.
//!
//! Each step of it is a [`Hook::Channel`]. A hook that fails crashes the channel. Meanwhile and at any other time user
//! code may send the commands of [`command`](super::command).

use std::any::Any;
use std::sync::Arc;

use super::channel::{Channel, ChannelContext, Reply};
use crate::handler::HandlerError;
use crate::interface::channel::{ChannelCall, ChannelReply, ChannelStep, Status, Termination};
use crate::interface::hook::{Answer, Hook};
use crate::interface::payload::Payload;

/// Asks the host for everything.
#[derive(Debug)]
pub struct CallbackChannel {
    channel: Arc<str>,
}

impl CallbackChannel {
    /// The channel that the host's code knows by this name: its topic pattern.
    pub fn new(channel: impl Into<Arc<str>>) -> Self {
        Self { channel: channel.into() }
    }

    fn call(&self, cx: &mut ChannelContext<'_, '_>, step: ChannelStep) -> Reply {
        let call = ChannelCall { channel: self.channel.clone(), topic: cx.topic().to_owned(), step };
        cx.context().call(Hook::Channel(Box::new(call))).map_or(Reply::None, Reply::Later)
    }
}

impl Channel for CallbackChannel {
    fn join(&mut self, cx: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError> {
        let reference = cx.reference().clone();
        Ok(self.call(cx, ChannelStep::Join { payload: payload.clone(), reference }))
    }

    fn handle_in(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        event: &str,
        payload: Payload,
    ) -> Result<Reply, HandlerError> {
        let reference = cx.reference().clone();
        Ok(self.call(cx, ChannelStep::HandleIn { event: event.to_owned(), payload, reference }))
    }

    fn answer(&mut self, cx: &mut ChannelContext<'_, '_>, answer: Answer) -> Result<Reply, HandlerError> {
        let ChannelReply { reply, stops } = match answer {
            Answer::ChannelReply(reply) => reply,
            _ => ChannelReply::none(),
        };
        if stops {
            if let Some((status, response)) = reply {
                cx.reply(status, response);
            }
            return Ok(Reply::Stop);
        }
        Ok(match reply {
            Some((Status::Ok, response)) => Reply::Ok(response),
            Some((Status::Error, response)) => Reply::Error(response),
            None => Reply::None,
        })
    }

    fn succeed(&mut self, predecessor: &mut dyn Any) -> bool {
        predecessor.is::<Self>()
    }

    fn terminate(&mut self, cx: &mut ChannelContext<'_, '_>, reason: Termination) {
        self.call(cx, ChannelStep::Leave { reason });
    }
}
