//! Async closures that look at what passes a proxy.

use std::future::Future;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_core::{HandlerError, Message};

use super::Custom;
use crate::callbacks::peer::Peer;

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

pub(super) fn inspector<F, R>(callback: impl Fn(Peer, Message) -> F + Send + Sync + 'static) -> Custom
where
    F: Future<Output = R> + Send + 'static,
    R: IntoPassed,
{
    Box::new(move |peer, crossing| {
        let future = decode(&crossing).map(|message| callback(peer, message));
        Box::pin(async move { Ok(encode(future?.await.into_passed()?)) })
    })
}

fn decode(crossing: &Value) -> Result<Message, HandlerError> {
    match (crossing["text"].as_str(), crossing["base64"].as_str()) {
        (Some(text), _) => Ok(text.into()),
        (None, Some(text)) => Ok(Message::Binary(BASE64_STANDARD.decode(text)?.into())),
        (None, None) => Err("the proxy shows no message".into()),
    }
}

fn encode(message: Option<Message>) -> Value {
    match message {
        Some(Message::Text(text)) => json!({ "text": text.as_str() }),
        Some(Message::Binary(bytes)) => json!({ "base64": BASE64_STANDARD.encode::<Bytes>(bytes) }),
        None => false.into(),
    }
}
