//! What clients receive.

use serde::Serialize;
use serde_json::Value;

use super::client::Client;
use super::{CommandsOptions, PresenceFormat, Profile};
use crate::message::Message;
use crate::time::WallTime;

/// `{"client_id":…,"message":…}`.
pub(super) fn message(sender: &str, text: &str) -> Message {
    #[derive(Serialize)]
    struct Spoken<'a> {
        client_id: &'a str,
        message: &'a str,
    }
    encode(&Spoken { client_id: sender, message: text })
}

/// `{"channel":…,"data":…,"client_id":…}`.
pub(super) fn channel_message(channel: &str, data: &Value, sender: &str) -> Message {
    #[derive(Serialize)]
    struct ChannelMessage<'a> {
        channel: &'a str,
        data: &'a Value,
        client_id: &'a str,
    }
    encode(&ChannelMessage { channel, data, client_id: sender })
}

/// `{"type":"presence","users":…}`.
pub(super) fn presence(options: &CommandsOptions, clients: &[&Client], now: WallTime) -> Message {
    #[derive(Serialize)]
    struct Presence<U> {
        r#type: &'static str,
        users: U,
    }
    let users = clients.iter().map(|client| User::new(options.profile, client, now));
    match options.presence_format() {
        PresenceFormat::Array => encode(&Presence { r#type: "presence", users: users.collect::<Vec<_>>() }),
        PresenceFormat::Map => {
            let users: indexmap::IndexMap<&str, User<'_>> = users.map(|user| (user.id, user)).collect();
            encode(&Presence { r#type: "presence", users })
        }
    }
}

/// Without the characters that PHP's `trim` takes off.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\0', '\x0b'])
}

#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    connected_at: u64,
}

impl<'a> User<'a> {
    fn new(profile: Profile, client: &'a Client, now: WallTime) -> Self {
        let (email, at) = match profile {
            Profile::Seed => (client.email.as_deref(), client.connected_at),
            Profile::Compat => (None, now),
        };
        Self { id: &client.id, name: &client.name, email, connected_at: at.as_ms() / 1000 }
    }
}

fn encode(value: &impl Serialize) -> Message {
    // Text, numbers and values always serialize.
    serde_json::to_string(value).unwrap_or_default().into()
}
