//! The dialect `actions`: subscriptions to channels by exact name, as zKillboard's WebSocket has them and as
//! EVE-KILL documents them.
//!
//! | Client sends | What happens |
//! |---|---|
//! | `{"action":"sub","channel":"kills"}` | it is subscribed; no answer |
//! | `{"action":"unsub","channel":"kills"}` | it is no longer; no answer |
//! | anything else, binary, text that is no JSON | nothing |
//!
//! | Something for a channel | Each of its subscribers receives, once |
//! |---|---|
//! | a value of the channel's feed | `{"action":"kill","data":<the value>}`, or the bare value on a channel without an `action` |
//! | [`command`](Handler::command) `publish` with `{"channel":…,"message":…}` | the message: text as it is, everything else as JSON |
//!
//! Before the first `sub` nothing is ever sent. There are no acknowledgements, no errors and no pings of the
//! application's own; the route's `heartbeat` sends WebSocket pings.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::feed::FeedValue;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::effect::Level;
use crate::message::Message;

/// The dialect's settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ActionsOptions {
    /// The feeds and their channels. Default: the feed `killmails` to the channel `kills`, as
    /// `{"action":"kill","data":…}`.
    pub channels: Vec<ActionsChannel>,
    /// Channels that one connection can be subscribed to; the next `sub` does nothing. Default 100.
    pub max_channels: usize,
}

/// A feed whose values go to a channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionsChannel {
    /// The name to which clients subscribe.
    pub name: String,
    /// The feed whose values it carries.
    pub feed: String,
    /// The `action` of the object around each value; without it the value is sent alone.
    #[serde(default)]
    pub action: Option<String>,
}

impl Default for ActionsOptions {
    fn default() -> Self {
        let kills = ActionsChannel {
            name: "kills".to_owned(),
            feed: "killmails".to_owned(),
            action: Some("kill".to_owned()),
        };
        Self { channels: vec![kills], max_channels: 100 }
    }
}

impl ActionsOptions {
    /// The feeds of the route.
    pub fn feeds(&self) -> Vec<String> {
        self.channels.iter().map(|channel| channel.feed.clone()).collect()
    }
}

/// The dialect's handler. A channel is a room of the route.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    options: ActionsOptions,
}

impl Actions {
    /// With these settings.
    pub fn new(options: ActionsOptions) -> Self {
        Self { options }
    }

    fn subscribe(&self, cx: &mut Context<'_>, channel: &str) {
        let subscribed = cx.connection().map_or(0, |connection| connection.rooms().len());
        let result = match subscribed < self.options.max_channels {
            true => cx.join(channel).map_err(|error| error.to_string()),
            false => Err(format!("more than maxChannels = {} channels", self.options.max_channels)),
        };
        if let Err(reason) = result {
            cx.log(Level::Debug, format!("a sub is ignored: {reason}"));
        }
    }
}

impl Handler for Actions {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        match message.as_text().and_then(Request::decode) {
            Some(Request::Sub { channel }) => self.subscribe(cx, &channel),
            Some(Request::Unsub { channel }) => cx.leave(&channel),
            None => {}
        }
        Ok(())
    }

    /// Clients of this dialect get no error messages.
    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        cx.log(Level::Debug, format!("a client of the actions dialect: {error}"));
        Ok(())
    }

    fn publish(&mut self, cx: &mut Context<'_>, feed: &str, value: &FeedValue) -> HandlerResult {
        for channel in self.options.channels.iter().filter(|channel| channel.feed == feed) {
            if cx.is_heard(&channel.name) {
                let message = encode(channel.action.as_deref(), &value.value);
                cx.broadcast_to([&channel.name], true, message);
            }
        }
        Ok(())
    }

    fn command(&mut self, cx: &mut Context<'_>, name: &str, payload: Value) -> HandlerResult {
        if name != "publish" {
            return Err(format!("the actions dialect knows no command {name:?}, only \"publish\"").into());
        }
        let Publication { channel, message } = serde_json::from_value(payload)?;
        let message = match message {
            Value::String(text) => Message::from(text),
            value => Message::from(&value),
        };
        cx.broadcast_to([channel], true, message);
        Ok(())
    }

    fn succeed(&mut self, _: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        predecessor.get::<Self>().is_some()
    }
}

/// A client's request.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Request {
    Sub { channel: String },
    Unsub { channel: String },
}

impl Request {
    fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The payload of the command `publish`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Publication {
    channel: String,
    message: Value,
}

fn encode(action: Option<&str>, value: &Value) -> Message {
    #[derive(Serialize)]
    struct Envelope<'a> {
        action: &'a str,
        data: &'a Value,
    }
    let Some(action) = action else { return Message::from(value) };
    // Text and values always serialize.
    serde_json::to_string(&Envelope { action, data: value }).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_sub_and_unsub_are_requests() {
        let sub = Request::Sub { channel: "kills".into() };
        for (text, request) in [
            (r#"{"action":"sub","channel":"kills"}"#, Some(sub)),
            (r#"{"channel":"a","extra":1,"action":"unsub"}"#, Some(Request::Unsub { channel: "a".into() })),
            (r#"{"action":"sub"}"#, None),
            (r#"{"action":"sub","channel":5}"#, None),
            (r#"{"action":"SUB","channel":"kills"}"#, None),
            (r#"{"action":"kill","channel":"kills"}"#, None),
            ("sub kills", None),
            ("null", None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(Request::decode(text), request, "{text}");
        }
    }

    #[test]
    fn a_value_goes_out_in_its_envelope_or_bare() {
        let value = json!({ "killmail_id": 1, "zkb": { "hash": "a" } });
        assert_eq!(
            encode(Some("kill"), &value),
            r#"{"action":"kill","data":{"killmail_id":1,"zkb":{"hash":"a"}}}"#.into()
        );
        assert_eq!(encode(None, &value), r#"{"killmail_id":1,"zkb":{"hash":"a"}}"#.into());
    }
}
