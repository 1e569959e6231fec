//! Commands of user code for a channel, apart from its replies.
//!
//! | command | payload |
//! |---|---|
//! | `push` | `{topic, event, payload}`: to this connection |
//! | `broadcast` | `{topic, event, payload}`: to everyone on the topic |
//! | `broadcastFrom` | `{topic, event, payload}`: to everyone else |
//! | `reply` | `{topic, ref, status, response}`: to a message that was not replied to |
//! | `stop` | `{topic, error?}`: ends the channel with `phx_close`, or `phx_error` |
//! | `track` | `{topic, key, meta?}`: present, or with another meta |
//! | `untrack` | `{topic, key?}`: absent under this key or all |
//! | `presenceState` | `{topic}`: tells this connection who is present |
//!
//! Bytes are written in a payload as `{"$binary": "<base64>"}`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::ChannelContext;
use super::handler::Phoenix;
use crate::handler::HandlerResult;
use crate::handler::context::Context;
use crate::interface::channel::{Status, Termination};
use crate::interface::payload::Payload;

/// The fields of all commands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    topic: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    payload: Option<Value>,
    #[serde(default, rename = "ref")]
    reference: Value,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    response: Option<Value>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    meta: Map<String, Value>,
    #[serde(default)]
    error: bool,
}

impl Phoenix {
    pub(super) fn carry_out(&mut self, cx: &mut Context<'_>, name: &str, command: Value) -> HandlerResult {
        let topic = command.get("topic").and_then(Value::as_str).unwrap_or_default();
        let joining = self.pending.values_mut();
        let mut joining = joining.filter(|step| Some(step.id) == cx.id() && step.topic == topic);
        if name != "broadcast" && joining.any(|step| step.defer(name, &command)) {
            return Ok(());
        }
        let fields: Fields = serde_json::from_value(command)?;
        let Fields { topic, event, reference, key, meta, .. } = fields;
        let payload = fields.payload.map_or_else(Payload::empty, Payload::from_user);
        if name == "broadcast" {
            self.sockets.broadcast(cx, &topic, &event, &payload, None);
            return Ok(());
        }
        let Some((id, joined)) = cx.id().and_then(|id| Some((id, self.sockets.joined(id, &topic)?))) else {
            return Err(format!("{name}: the connection has not joined {topic:?}").into());
        };
        if name == "stop" {
            let why = if fields.error { Termination::Crashed } else { Termination::Stopped };
            self.finish(cx, id, &topic, why);
            return Ok(());
        }
        let mount = joined.mount;
        self.on_channel(cx, mount, &topic, &reference, |_, cx| {
            match name {
                "push" => cx.push(&event, payload),
                "broadcastFrom" => cx.broadcast_from(&event, payload),
                "reply" => {
                    let status =
                        if fields.status.as_deref() == Some("error") { Status::Error } else { Status::Ok };
                    cx.reply(status, fields.response.map_or_else(Payload::empty, Payload::from_user));
                }
                "track" => cx.track(key.as_deref().ok_or("track needs a key")?, meta)?,
                "untrack" => cx.untrack(key.as_deref()),
                "presenceState" => ChannelContext::push_presence_state(cx),
                _ => return Err(format!("phoenix knows no command {name:?}").into()),
            }
            Ok(())
        })
    }
}
