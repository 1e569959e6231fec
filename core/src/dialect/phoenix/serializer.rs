//! Which of the three wire formats a client speaks.

use bytes::Bytes;

use super::message::{ClientMessage, Outgoing, Undecodable};
use super::{v1, v2, v2_binary};
use crate::message::Message;

/// The serializer that a client asked for by the `vsn` of its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Objects, by `vsn` 1.0.x or none.
    V1,
    /// Arrays and binary frames, by `vsn` 2.0.x.
    V2,
}

/// The shape of the text frames that a client understands. Follows what it sent last, because some clients
/// ask for `vsn=2.0.0` and then send objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Form {
    /// `{"topic":…,"event":…,"payload":…,"ref":…}`
    Object,
    /// `[join_ref, ref, topic, event, payload]`
    Array,
}

impl Version {
    /// By the value of `vsn`; `None` where Phoenix refuses the handshake.
    pub(crate) fn parse(vsn: Option<&str>) -> Option<Self> {
        let mut parts = vsn.unwrap_or("1.0.0").split('.');
        let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number = !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit());
        match (major, minor, parts.next()) {
            ("1", "0", None) if is_number => Some(Version::V1),
            ("2", "0", None) if is_number => Some(Version::V2),
            _ => None,
        }
    }

    /// The form of a client that has sent nothing yet.
    pub(crate) fn form(self) -> Form {
        match self {
            Version::V1 => Form::Object,
            Version::V2 => Form::Array,
        }
    }

    /// The message in a frame, and the form to answer in.
    pub(crate) fn decode(self, message: &Message) -> Result<(Form, ClientMessage), Undecodable> {
        match (self, message) {
            // Phoenix's V1 reads binary frames as JSON too.
            (Version::V1, message) => Ok((Form::Object, v1::decode(message.payload(), v1::Keys::All)?)),
            (Version::V2, Message::Binary(bytes)) => Ok((Form::Array, v2_binary::decode(bytes)?)),
            (Version::V2, Message::Text(text)) => decode_either(text.as_bytes()),
        }
    }
}

impl Form {
    /// The frame of a message; `None` where the form cannot carry it.
    pub(crate) fn encode(self, message: &Outgoing<'_>) -> Option<Message> {
        match self {
            Form::Object => v1::encode(message).map(Message::from),
            Form::Array => match v2::encode(message) {
                Some(text) => Some(text.into()),
                None => v2_binary::encode(message).map(Message::Binary),
            },
        }
    }
}

fn decode_either(text: &Bytes) -> Result<(Form, ClientMessage), Undecodable> {
    if text.trim_ascii_start().starts_with(b"{") {
        Ok((Form::Object, v1::decode(text, v1::Keys::TopicAndEvent)?))
    } else {
        Ok((Form::Array, v2::decode(text)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn vsn_chooses_the_serializer_or_is_refused() {
        for vsn in [None, Some("1.0.0"), Some("1.0.7")] {
            assert_eq!(Version::parse(vsn), Some(Version::V1), "{vsn:?}");
        }
        assert_eq!(Version::parse(Some("2.0.0")), Some(Version::V2));
        for vsn in
            ["3.0.0", "abc", "", "2", "2.0", "2.1.0", "1.1.0", "2.0.0.0", "02.0.0", "2.0.0-rc.1", "+2.0.0"]
        {
            assert_eq!(Version::parse(Some(vsn)), None, "{vsn}");
        }
    }

    #[test]
    fn objects_on_the_array_serializer_are_answered_as_objects() {
        let decode = |text: &str| Version::V2.decode(&text.into());
        let (form, message) = decode(r#" {"topic":"t","event":"e","payload":{},"ref":1}"#).unwrap();
        assert_eq!((form, message.reference), (Form::Object, json!(1)));
        let (form, message) = decode(r#"{"topic":"t","event":"e"}"#).unwrap();
        assert_eq!((form, message.reference, message.payload), (Form::Object, Value::Null, json!({}).into()));
        assert_eq!(decode(r#"["1","2","t","e",{}]"#).unwrap().0, Form::Array);
        assert!(decode(r#"{"topic":"t"}"#).is_err());
        assert!(Version::V1.decode(&r#"{"topic":"t","event":"e"}"#.into()).is_err());
        assert!(Version::V1.decode(&r#"["1","2","t","e",{}]"#.into()).is_err());
    }
}
