//! A channel without code: it passes what one client sends to the others.

use std::any::Any;

use serde_json::{Map, Value};

use super::channel::{Channel, ChannelContext, Reply};
use super::options::ChannelOptions;
use crate::feed::FeedValue;
use crate::handler::{HandlerError, HandlerResult};
use crate::interface::effect::Level;
use crate::interface::payload::Payload;
use crate::routing::authentication::query_value;
use crate::schema::Toggle;
use crate::state::connection::Connection;

/// A declared channel.
#[derive(Debug)]
pub struct Broadcast {
    options: ChannelOptions,
    /// The field that holds a client's key, if there is presence.
    presence_key: Option<String>,
    /// The payloads of joins that have not been answered yet.
    joining: Option<Value>,
}

impl Broadcast {
    /// A channel with these options.
    pub fn new(options: ChannelOptions) -> Self {
        let presence = options.presence.as_ref().and_then(Toggle::options);
        let presence_key = presence.map(|presence| presence.key);
        Self { options, presence_key, joining: None }
    }
}

impl Channel for Broadcast {
    fn join(&mut self, _: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError> {
        self.joining = Some(payload.json().clone());
        Ok(Reply::Ok(self.options.join.clone().into()))
    }

    fn joined(&mut self, cx: &mut ChannelContext<'_, '_>) -> HandlerResult {
        let payload = self.joining.take().unwrap_or_default();
        if let Some(name) = &self.presence_key {
            let key = presence_key(cx.connection(), &payload, name);
            let mut meta = Map::new();
            let seconds = cx.context().now().wall.as_ms() / 1000;
            meta.insert("online_at".into(), seconds.to_string().into());
            if let Value::Object(fields) = payload {
                meta.extend(fields);
            }
            // It has joined all the same; only the others do not see it.
            if let Err(error) = cx.track(&key, meta) {
                let topic = cx.topic().to_owned();
                let text = || format!("a client of {topic} is not present: {error}");
                cx.context().log_throttled("presence", Level::Warn, text);
            }
            cx.push_presence_state();
        }
        for push in &self.options.pushes {
            cx.push(&push.event, push.payload.clone());
        }
        Ok(())
    }

    fn handle_in(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        event: &str,
        payload: Payload,
    ) -> Result<Reply, HandlerError> {
        if let Some(response) = self.options.replies.get(event) {
            return Ok(Reply::Ok(response.clone().into()));
        }
        match self.options.echo {
            true => cx.broadcast(event, payload),
            false => cx.broadcast_from(event, payload),
        }
        Ok(Reply::Ok(Payload::empty()))
    }

    fn succeed(&mut self, predecessor: &mut dyn Any) -> bool {
        predecessor.is::<Self>()
    }

    fn publish(&mut self, cx: &mut ChannelContext<'_, '_>, feed: &str, value: &FeedValue) -> HandlerResult {
        if self.options.feed.as_deref() == Some(feed) {
            cx.broadcast_on_each_topic(&self.options.feed_event, (*value.value).clone());
        }
        Ok(())
    }
}

/// The key of a client: the field of the join's payload, or of its query, or its id.
fn presence_key(connection: Option<&Connection>, payload: &Value, name: &str) -> String {
    match payload.get(name) {
        Some(Value::String(key)) if !key.is_empty() => return key.clone(),
        Some(Value::Number(key)) => return key.to_string(),
        _ => {}
    }
    let key = connection.and_then(|connection| query_value(connection.query(), name));
    key.or_else(|| connection.map(|connection| connection.public_id().to_string())).unwrap_or_default()
}
