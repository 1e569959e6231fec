//! What templates and rules can see of one event.

use std::borrow::Cow;

use serde_json::Value;

use super::{Series, source};
use crate::message::{CloseFrame, Message};
use crate::routing::authentication::query_value;
use crate::routing::pattern::Params;
use crate::time::WallTime;

/// One event as templates and rules see it.
pub struct Scope<'a> {
    /// The message as it came, in a message event.
    pub message: Option<&'a Message>,
    /// The message's JSON, if it was parsed and is JSON.
    pub json: Option<&'a Value>,
    /// The connection that the event is about.
    pub connection: ConnectionScope<'a>,
    /// The time of the event.
    pub now: WallTime,
    /// How the connection ended, in a close event.
    pub close: Option<&'a CloseFrame>,
    /// Fills its argument with random bytes.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// What counters and random walks remember; without it they have no value.
    pub series: Option<&'a mut Series>,
    /// The values that a rule has set aside, the latest last.
    pub lets: Vec<(String, Value)>,
}

/// The connection of an event as templates and rules see it.
#[derive(Clone, Copy)]
pub struct ConnectionScope<'a> {
    /// The id that users see.
    pub id: &'a str,
    /// The whole path of the opening handshake, without the query.
    pub path: &'a str,
    /// The subprotocol both sides agreed on.
    pub subprotocol: Option<&'a str>,
    /// What the pattern's parameters stand for.
    pub params: &'a Params,
    /// The query string without its `?`.
    pub query: &'a str,
    /// What authentication found out; `null` for nothing.
    pub auth_data: &'a Value,
    /// The names of the joined rooms. Asked only where a template names them.
    pub rooms: &'a dyn Fn() -> Vec<String>,
}

impl<'a> Scope<'a> {
    /// An event that is neither a message nor a close.
    pub fn new(connection: ConnectionScope<'a>, now: WallTime, random: &'a mut dyn FnMut(&mut [u8])) -> Self {
        Self {
            message: None,
            json: None,
            connection,
            now,
            close: None,
            random,
            series: None,
            lets: Vec::new(),
        }
    }

    /// A part of the message. The whole of it is text where it is not JSON; bytes have no JSON form.
    pub(super) fn message_part(&self, path: &[String]) -> Option<Cow<'a, Value>> {
        match self.json {
            Some(json) => source::at(json, path).map(Cow::Borrowed),
            None if path.is_empty() => Some(Cow::Owned(Value::String(self.message?.as_text()?.to_owned()))),
            None => None,
        }
    }
}

impl<'a> ConnectionScope<'a> {
    /// The first value of `name` in the query, decoded.
    pub(super) fn query_value(&self, name: &str) -> Option<String> {
        query_value(self.query, name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// Owns everything that a scope borrows.
    pub(crate) struct Fixture {
        pub(crate) message: Option<Message>,
        pub(crate) json: Option<Value>,
        pub(crate) close: Option<CloseFrame>,
        pub(crate) auth_data: Value,
        params: Params,
        rooms: Box<dyn Fn() -> Vec<String>>,
        random: fn(&mut [u8]),
    }

    impl Fixture {
        /// In the event of this JSON message.
        pub(crate) fn new(message: Value) -> Self {
            Self { message: Some(Message::from(&message)), json: Some(message), ..Self::without_message() }
        }

        /// In an event of another kind.
        pub(crate) fn without_message() -> Self {
            Self {
                message: None,
                json: None,
                close: None,
                auth_data: json!({"user": "ada"}),
                params: [("room", "lobby")].into_iter().collect(),
                rooms: Box::new(|| vec!["lobby".to_owned(), "dev".to_owned()]),
                random: |bytes| (0..).zip(bytes).for_each(|(index, byte)| *byte = index),
            }
        }

        pub(crate) fn scope(&mut self) -> Scope<'_> {
            Scope {
                message: self.message.as_ref(),
                json: self.json.as_ref(),
                connection: ConnectionScope {
                    id: "c-1",
                    path: "/api/ws/lobby",
                    subprotocol: Some("chat"),
                    params: &self.params,
                    query: "q=a+b&x=1&x=2",
                    auth_data: &self.auth_data,
                    rooms: &*self.rooms,
                },
                now: WallTime::from_us(1_795_170_489_747_484),
                close: self.close.as_ref(),
                random: &mut self.random,
                series: None,
                lets: vec![("game".to_owned(), json!({"id": 7}))],
            }
        }
    }

    #[test]
    fn text_that_is_no_json_is_the_whole_message() {
        let mut fixture = Fixture::without_message();
        fixture.message = Some("hello".into());
        let scope = fixture.scope();
        assert_eq!(scope.message_part(&[]).as_deref(), Some(&json!("hello")));
        assert_eq!(scope.message_part(&["x".to_owned()]), None);
    }
}
