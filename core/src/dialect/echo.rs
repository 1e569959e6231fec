//! Every message goes back to its sender: text as text, binary as binary, byte for byte.

use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerResult};
use crate::message::Message;

/// The dialect `echo`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Handler for Echo {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.send(message);
        Ok(())
    }

    fn succeed(&mut self, _: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        predecessor.get::<Self>().is_some()
    }
}
