//! What callbacks may return.

use serde_json::Value;
use switchboard_core::{Admission, HandlerError, HandlerResult, Message};

/// What most callbacks return: nothing, or a `Result` of nothing with any error.
pub trait IntoHandlerResult {
    /// The one form.
    fn into_handler_result(self) -> HandlerResult;
}

impl IntoHandlerResult for () {
    fn into_handler_result(self) -> HandlerResult {
        Ok(())
    }
}

impl<E: Into<HandlerError>> IntoHandlerResult for Result<(), E> {
    fn into_handler_result(self) -> HandlerResult {
        self.map_err(Into::into)
    }
}

/// What `authenticate` returns: a `bool`, a [`Admission`], or a `Result` of either with any error.
pub trait IntoAdmission {
    /// The one form.
    fn into_admission(self) -> Result<Admission, HandlerError>;
}

impl IntoAdmission for Admission {
    fn into_admission(self) -> Result<Admission, HandlerError> {
        Ok(self)
    }
}

impl IntoAdmission for bool {
    fn into_admission(self) -> Result<Admission, HandlerError> {
        Ok(if self { Admission::accept() } else { Admission::refuse(None, "") })
    }
}

impl<V: IntoAdmission, E: Into<HandlerError>> IntoAdmission for Result<V, E> {
    fn into_admission(self) -> Result<Admission, HandlerError> {
        self.map_err(Into::into)?.into_admission()
    }
}

/// What a response is: a message, a string, a JSON value, nothing (`()` or `None`), or a `Result` of these.
pub trait IntoResponseMessage {
    /// The one form.
    fn into_response_message(self) -> Result<Option<Message>, HandlerError>;
}

impl IntoResponseMessage for () {
    fn into_response_message(self) -> Result<Option<Message>, HandlerError> {
        Ok(None)
    }
}

impl IntoResponseMessage for Message {
    fn into_response_message(self) -> Result<Option<Message>, HandlerError> {
        Ok(Some(self))
    }
}

impl IntoResponseMessage for &'static str {
    fn into_response_message(self) -> Result<Option<Message>, HandlerError> {
        Ok(Some(self.into()))
    }
}

impl IntoResponseMessage for String {
    fn into_response_message(self) -> Result<Option<Message>, HandlerError> {
        Ok(Some(self.into()))
    }
}

impl IntoResponseMessage for Value {
    fn into_response_message(self) -> Result<Option<Message>, HandlerError> {
        Ok(Some(Message::from(&self)))
    }
}

impl<M: IntoResponseMessage> IntoResponseMessage for Option<M> {
    fn into_response_message(self) -> Result<Option<Message>, HandlerError> {
        self.map_or(Ok(None), M::into_response_message)
    }
}

impl<M: IntoResponseMessage, E: Into<HandlerError>> IntoResponseMessage for Result<M, E> {
    fn into_response_message(self) -> Result<Option<Message>, HandlerError> {
        self.map_err(Into::into)?.into_response_message()
    }
}
