//! Which events a subscriber wants.

use serde::Deserialize;
use serde_json::Value;

use crate::control::event::{Event, EventKind, Happening};
use crate::control::operation::Operation;
use crate::control::query::Query;
use crate::message::Message;
use crate::schema::{nearest, read};

/// The longest route or connection id that is asked for, in bytes.
const MAX_NAME: usize = 4_096;

/// How much of a message is shown where nothing else is asked for, in bytes.
const USUAL_PAYLOAD: usize = 4_096;

/// How much of a message may be shown, in bytes.
const MAX_PAYLOAD: usize = 65_536;

/// How many events that were kept may be told first.
const MAX_RECENT: usize = 1_000;

/// What a subscriber of live events sends to be told others from now on.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlSubscribe"))]
pub(crate) enum Request {
    /// Replaces the subscription.
    Subscribe(Subscription),
}

/// Which events are told, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlSubscription"))]
pub(crate) struct Subscription {
    /// The kinds of events. Default: all but `control`.
    pub(crate) kinds: Vec<EventKind>,
    /// Only events of the route with this pattern, as it was written or with its first prefix. Default: of all.
    pub(crate) route: Option<String>,
    /// Only events of the connection with this id. Default: of all.
    pub(crate) connection: Option<String>,
    /// How much of a message is shown, 0 to 65536 bytes. Default 4096.
    pub(crate) payload_bytes: usize,
    /// How many of the latest events that are kept are told first, 0 to 1000, as far as they fit in 512 KiB. Default 0.
    pub(crate) recent: usize,
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            kinds: EventKind::usual(),
            route: None,
            connection: None,
            payload_bytes: USUAL_PAYLOAD,
            recent: 0,
        }
    }
}

impl Subscription {
    /// Reads the query of the opening handshake; otherwise says what is wrong with it.
    pub(crate) fn from_query(query: &str) -> Result<Self, String> {
        let query = Query::read(Operation::Events, Some(query))?;
        let own = |name| query.get(name).map(str::to_owned);
        let kinds = match query.get("kinds") {
            None => EventKind::usual(),
            Some(names) => names.split(',').map(kind).collect::<Result<_, _>>()?,
        };
        let payload_bytes = query.number("payloadBytes", 0, MAX_PAYLOAD)?.unwrap_or(USUAL_PAYLOAD);
        let recent = query.number("recent", 0, MAX_RECENT)?.unwrap_or(0);
        Self { kinds, route: own("route"), connection: own("connection"), payload_bytes, recent }.checked()
    }

    /// Reads what a subscriber sent; otherwise says what is wrong with it.
    pub(crate) fn from_message(message: &Message) -> Result<Self, String> {
        let explain = |error| {
            format!("{error}; send for example {{\"type\":\"subscribe\",\"kinds\":[\"opened\",\"closed\"]}}")
        };
        let value: Value = message.parse_json().map_err(|error| explain(format!("not JSON: {error}")))?;
        let Request::Subscribe(subscription) = read(value).map_err(|error| explain(error.to_string()))?;
        subscription.checked()
    }

    fn checked(self) -> Result<Self, String> {
        for (name, value) in [("route", &self.route), ("connection", &self.connection)] {
            if value.as_ref().is_some_and(|value| value.len() > MAX_NAME) {
                return Err(format!("{name}: expected at most {MAX_NAME} bytes"));
            }
        }
        let numbers =
            [("payloadBytes", self.payload_bytes, MAX_PAYLOAD), ("recent", self.recent, MAX_RECENT)];
        match numbers.into_iter().find(|(_, number, most)| number > most) {
            Some((name, number, most)) => Err(format!("{name}: expected 0 to {most}, got {number}")),
            None => Ok(self),
        }
    }

    /// Whether something that happened is told. `label` and `pattern` are the route's; `is_receiver` is asked whether a
    /// connection is among the receivers.
    pub(crate) fn wants(
        &self,
        happening: &Happening,
        label: &str,
        pattern: &str,
        is_receiver: impl Fn(&str) -> bool,
    ) -> bool {
        let is_route = |route: &String| happening.route.is_some() && (*route == label || *route == pattern);
        let is_connection = |id: &String| match &happening.peer {
            Some(peer) => *peer.public_id == **id,
            None => is_receiver(id),
        };
        self.kinds.contains(&happening.what.kind())
            && self.route.as_ref().is_none_or(is_route)
            && self.connection.as_ref().is_none_or(is_connection)
    }

    /// What the subscriber is told of it: so many recent events follow.
    pub(crate) fn message(&self, recent: usize) -> Message {
        let (kinds, payload_bytes) = (&self.kinds, self.payload_bytes);
        let (route, connection) = (self.route.as_deref(), self.connection.as_deref());
        Event::Subscribed { kinds, route, connection, payload_bytes, recent }.message()
    }
}

fn kind(name: &str) -> Result<EventKind, String> {
    let known = || EventKind::ALL.iter().map(|kind| kind.name());
    EventKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        match nearest(&shown, known()) {
            Some(near) => format!("kinds: there is no {shown:?}; did you mean {near:?}?"),
            None => {
                format!("kinds: there is no {shown:?}; there are {}", known().collect::<Vec<_>>().join(", "))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_comes_in_the_query_or_in_a_message() {
        let query =
            Subscription::from_query("token=t0p&kinds=opened,closed&route=%2Fa&payloadBytes=10&recent=7");
        let message =
            r#"{"type":"subscribe","kinds":["opened","closed"],"route":"/a","payloadBytes":10,"recent":7}"#;
        let expected = Subscription {
            kinds: vec![EventKind::Opened, EventKind::Closed],
            route: Some("/a".into()),
            connection: None,
            payload_bytes: 10,
            recent: 7,
        };
        assert_eq!(query, Ok(expected.clone()));
        assert_eq!(Subscription::from_message(&message.into()), Ok(expected));
        assert_eq!(Subscription::from_query(""), Ok(Subscription::default()));
    }

    #[test]
    fn mistakes_are_named() {
        for (query, expected) in [
            ("kinds=opend", "kinds: there is no \"opend\"; did you mean \"opened\"?"),
            ("kind=opened", "unknown parameter \"kind\"; did you mean \"kinds\"?"),
            ("recent=1001", "recent: expected a number from 0 to 1000, got \"1001\""),
            ("payloadBytes=-1", "payloadBytes: expected a number from 0 to 65536, got \"-1\""),
        ] {
            assert_eq!(Subscription::from_query(query).expect_err("a mistake"), expected);
        }
        for (message, expected) in [
            (r#"{"type":"subscribe","payloadBytes":70000}"#, "payloadBytes: expected 0 to 65536, got 70000"),
            (r#"{"type":"subscribe","recent":1001}"#, "recent: expected 0 to 1000, got 1001"),
            (r#"{"type":"subscribe","kinds":["x"]}"#, "got \"x\""),
            (r#"{"type":"subscribed"}"#, "did you mean \"subscribe\"?"),
            ("{", "send for example {\"type\":\"subscribe\""),
        ] {
            let error = Subscription::from_message(&message.into()).expect_err("a mistake");
            assert!(error.contains(expected), "{error}");
        }
        let long = "x".repeat(5_000);
        assert!(Subscription::from_query(&format!("route={long}")).is_err());
    }
}
