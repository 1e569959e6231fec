//! A message as callbacks get it.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use switchboard_core::{HandlerError, Message};

/// One message from a client: as it came, or what `transform_raw_data` made of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// As it came. Text is parsed only on demand.
    Message(Message),
    /// A value that `transform_raw_data` made.
    Value(Value),
}

impl Incoming {
    /// The text, if it is a text message or a transformed string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Incoming::Message(message) => message.as_text(),
            Incoming::Value(value) => value.as_str(),
        }
    }

    /// The payload as it came; `None` after a transformation.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Incoming::Message(message) => Some(message.payload()),
            Incoming::Value(_) => None,
        }
    }

    /// Parses the message as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HandlerError> {
        match self {
            Incoming::Message(message) => Ok(serde_json::from_slice(message.payload())?),
            Incoming::Value(value) => Ok(T::deserialize(value)?),
        }
    }

    /// The message as a value: its JSON, or its text if it is not JSON, or null if it is binary.
    pub fn value(&self) -> Value {
        match self {
            Incoming::Value(value) => value.clone(),
            Incoming::Message(message) => match message.as_text() {
                Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
                None => Value::Null,
            },
        }
    }
}

impl From<Message> for Incoming {
    fn from(message: Message) -> Self {
        Incoming::Message(message)
    }
}

impl From<Value> for Incoming {
    fn from(value: Value) -> Self {
        Incoming::Value(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_json_when_it_can_be() {
        let incoming = |text: &str| Incoming::from(Message::from(text));
        assert_eq!(incoming("{\"a\":1}").value(), json!({"a": 1}));
        assert_eq!(incoming("null").value(), Value::Null);
        assert_eq!(incoming("hello").value(), json!("hello"));
        assert_eq!(incoming("[1,2]").json::<Vec<u8>>().unwrap_or_default(), [1, 2]);
        assert!(incoming("hello").json::<Value>().is_err());
    }

    #[test]
    fn a_transformed_message_has_no_bytes() {
        let incoming = Incoming::from(json!("text"));
        assert_eq!((incoming.as_text(), incoming.as_bytes()), (Some("text"), None));
    }
}
