//! The options of a Phoenix socket.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::broadcast::Broadcast;
use super::callbacks::CallbackChannel;
use super::handler::Phoenix;
use super::killmails::{Killmails, KillmailsOptions};
use super::realtime::Realtime;
use super::topic::TopicPattern;
use crate::schema::{Interval, Toggle};

/// A Phoenix socket and its channels. Topics are looked for in `killmails`, `realtime` and `channels`, in this
/// order.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PhoenixOptions {
    /// Ms without any frame of the client after which it is closed with 1000. Default 45000.
    pub timeout: Interval,
    /// The killmail channel: `true`, or its options. Default off.
    pub killmails: Option<Toggle<KillmailsOptions>>,
    /// The channel for clients of Supabase Realtime: `true`, or its options. Default off.
    pub realtime: Option<Toggle<RealtimeOptions>>,
    /// Any other channels. The first one whose topic matches counts.
    pub channels: Vec<ChannelOptions>,
}

/// A channel for Supabase Realtime's clients.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RealtimeOptions {
    /// Its topics. Default `realtime:*`.
    pub topic: TopicPattern,
    /// Whether broadcasts also come by `POST`: to `/realtime/v1/api/broadcast` for a socket at
    /// `/realtime/v1/websocket`, to `/api/broadcast` for one at `/socket/websocket`, which Supabase's clients use before they
    /// have joined. Clients that may open the socket may post; with an `authenticate` function nobody may. Default true.
    pub http: bool,
}

/// A channel that needs no code: it passes what a client sends to the others, with an `ok` to the sender.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelOptions {
    /// Its topics: one, or `room:*` for all that begin so.
    pub topic: TopicPattern,
    /// Whether the channel's behaviour is the host's callbacks, instead of the keys below. Default false.
    #[serde(default)]
    pub callbacks: bool,
    /// The response to a join. Default `{}`.
    #[serde(default = "empty")]
    pub join: Value,
    /// The messages that are pushed to a client after it has joined. Default none.
    #[serde(default)]
    pub pushes: Vec<PushOptions>,
    /// Responses by event: such an event is answered with the response, and not passed on. Default none.
    #[serde(default)]
    pub replies: IndexMap<String, Value>,
    /// Whether the sender receives its own events too. Default false.
    #[serde(default)]
    pub echo: bool,
    /// Whether presence is tracked, with `presence_state` and `presence_diff`: `true`, or the key by which. Default false.
    #[serde(default)]
    pub presence: Option<Toggle<PresenceOptions>>,
    /// The feed whose values go to everyone on the topics. Default none.
    #[serde(default)]
    pub feed: Option<String>,
    /// The event that carries them. Default `update`.
    #[serde(default = "default_feed_event")]
    pub feed_event: String,
}

/// One push after a join.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushOptions {
    /// The event.
    pub event: String,
    /// The payload. Default `{}`.
    #[serde(default = "empty")]
    pub payload: Value,
}

/// The key under which a client is present.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PresenceOptions {
    /// The field of the join's payload, or else of the query, that holds it; without one the connection's id
    /// does. Default `user_id`.
    pub key: String,
}

impl ChannelOptions {
    /// A channel whose behaviour is the host's callbacks.
    pub fn with_callbacks(topic: TopicPattern) -> Self {
        Self {
            topic,
            callbacks: true,
            join: empty(),
            pushes: Vec::new(),
            replies: IndexMap::new(),
            echo: false,
            presence: None,
            feed: None,
            feed_event: default_feed_event(),
        }
    }
}

impl PhoenixOptions {
    /// The handler. `paths` are those of its WebSockets.
    pub fn build(&self, paths: &[String]) -> Phoenix {
        let mut phoenix = Phoenix::new().with_timeout(self.timeout.duration());
        if let Some(options) = self.killmails.as_ref().and_then(Toggle::options) {
            let path = paths.first().map_or("", |path| path.trim_end_matches("/websocket"));
            let killmails =
                Killmails::new(options).with_socket(path, self.timeout.duration().unwrap_or_default());
            phoenix = phoenix.with_channel(killmails.topics(), killmails);
        }
        if let Some(options) = self.realtime.as_ref().and_then(Toggle::options) {
            let sockets = if options.http { paths } else { &[] };
            let realtime = Realtime::new().with_http(options.topic.clone(), sockets);
            phoenix = phoenix.with_channel(options.topic, realtime);
        }
        for options in self.channels.iter().cloned() {
            let topic = options.topic.clone();
            phoenix = match options.callbacks {
                true => phoenix.with_channel(topic, CallbackChannel::new(options.topic.as_str())),
                false => phoenix.with_channel(topic, Broadcast::new(options)),
            };
        }
        phoenix
    }

    /// Checks what depends on more than one key: the killmail channel has one topic.
    pub fn check(&self) -> Result<(), String> {
        match self.killmails.as_ref().and_then(Toggle::options) {
            Some(options) if options.topic.is_empty() || options.topic.contains('*') => {
                Err(format!("{:?}: write one topic, as \"killmails:lobby\"", options.topic))
            }
            _ => Ok(()),
        }
    }

    /// The feeds that its channels serve, each once.
    pub fn feeds(&self) -> Vec<String> {
        let killmails = self.killmails.as_ref().and_then(Toggle::options).map(|options| options.feed);
        let declared = self.channels.iter().filter_map(|channel| channel.feed.clone());
        let feeds: indexmap::IndexSet<_> = killmails.into_iter().chain(declared).collect();
        feeds.into_iter().collect()
    }
}

impl Default for PhoenixOptions {
    fn default() -> Self {
        Self {
            timeout: Interval::from_duration(Phoenix::TIMEOUT),
            killmails: None,
            realtime: None,
            channels: Vec::new(),
        }
    }
}

impl Default for RealtimeOptions {
    fn default() -> Self {
        Self { topic: TopicPattern::below("realtime:"), http: true }
    }
}

impl Default for PresenceOptions {
    fn default() -> Self {
        Self { key: "user_id".into() }
    }
}

fn empty() -> Value {
    json!({})
}

fn default_feed_event() -> String {
    "update".into()
}
