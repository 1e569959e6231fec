//! A handler that checks that connect and close come in pairs: for properties, and for the fuzz target of the engine.

use switchboard_core::{CloseCause, CloseFrame, Context, Handler, HandlerResult, Message};

pub(super) struct Ledger;

#[derive(Clone)]
struct Opened;

impl Handler for Ledger {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let connection = cx.connection_mut().ok_or("a connect without a connection")?;
        assert!(connection.metadata_mut().insert(Opened).is_none(), "connected twice");
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.broadcast_to_all(message);
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, _: &CloseFrame, _: CloseCause) -> HandlerResult {
        let connection = cx.connection_mut().ok_or("a close without a connection")?;
        assert!(connection.metadata_mut().remove::<Opened>().is_some(), "closed twice or never opened");
        assert!(!connection.is_open());
        Ok(())
    }
}
