//! What async closures that look at messages of a proxy may return.

use switchboard_core::{HandlerError, Message};

/// What becomes of a message that passes a proxy: the message as `Some`, another one, or none; or a `Result` of that.
pub trait IntoPassed {
    /// The one form.
    fn into_passed(self) -> Result<Option<Message>, HandlerError>;
}

impl IntoPassed for Option<Message> {
    fn into_passed(self) -> Result<Option<Message>, HandlerError> {
        Ok(self)
    }
}

impl IntoPassed for Message {
    fn into_passed(self) -> Result<Option<Message>, HandlerError> {
        Ok(Some(self))
    }
}

impl<P: IntoPassed, E: Into<HandlerError>> IntoPassed for Result<P, E> {
    fn into_passed(self) -> Result<Option<Message>, HandlerError> {
        self.map_err(Into::into)?.into_passed()
    }
}
