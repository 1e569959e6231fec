//! What a rule does.

use serde::{Deserialize, Deserializer};

use super::RoomTemplates;
use crate::template::{Scope, Source, Template, ValueTemplate};
use crate::{CloseCode, Command};

/// A [`Command`] with placeholders.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Keys")]
#[cfg_attr(feature = "json-schema", schemars(with = "Keys"))]
pub enum ActionTemplate {
    /// Send to the connection.
    Reply(ValueTemplate),
    /// Send to others on the route.
    Broadcast {
        /// What.
        value: ValueTemplate,
        /// The rooms; `None`: everyone on the route.
        rooms: Option<RoomTemplates>,
        /// Also to the connection.
        include_self: bool,
    },
    /// Send to the members of all rooms that the connection is in.
    BroadcastAllRooms {
        /// What.
        value: ValueTemplate,
        /// Also to the connection.
        include_self: bool,
    },
    /// Join rooms.
    Join(RoomTemplates),
    /// Leave rooms.
    Leave(RoomTemplates),
    /// Start the closing handshake.
    Close {
        /// The close code.
        code: CloseCode,
        /// The close reason.
        reason: Template,
    },
}

impl ActionTemplate {
    /// The commands for this event: none where there is nothing to send.
    pub(crate) fn fill(&self, scope: &mut Scope<'_>) -> Vec<Command> {
        let command = match self {
            ActionTemplate::Reply(value) => value.message(scope).map(Command::Send),
            ActionTemplate::Broadcast { value, rooms, include_self } => {
                value.message(scope).map(|message| Command::Broadcast {
                    message,
                    rooms: rooms.as_ref().map(|rooms| rooms.names(scope)),
                    include_self: *include_self,
                })
            }
            ActionTemplate::BroadcastAllRooms { value, include_self } => value
                .message(scope)
                .map(|message| Command::BroadcastAllRooms { message, include_self: *include_self }),
            ActionTemplate::Join(rooms) => {
                return rooms.names(scope).into_iter().map(Command::Join).collect();
            }
            ActionTemplate::Leave(rooms) => {
                return rooms.names(scope).into_iter().map(Command::Leave).collect();
            }
            ActionTemplate::Close { code, reason } => {
                Some(Command::Close { code: Some(code.0), reason: reason.text(scope) })
            }
        };
        command.into_iter().collect()
    }

    /// Shows `check` what each placeholder stands for, up to the first error.
    pub(crate) fn check<E>(&self, check: &mut impl FnMut(&Source) -> Result<(), E>) -> Result<(), E> {
        match self {
            ActionTemplate::Reply(value) | ActionTemplate::BroadcastAllRooms { value, .. } => {
                value.check(check)
            }
            ActionTemplate::Broadcast { value, rooms, .. } => {
                value.check(check)?;
                rooms.iter().try_for_each(|rooms| rooms.check(check))
            }
            ActionTemplate::Join(rooms) | ActionTemplate::Leave(rooms) => rooms.check(check),
            ActionTemplate::Close { reason, .. } => reason.sources().try_for_each(check),
        }
    }
}

/// An action as it is written: one of the first six keys, with those that go with it.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "Action"))]
struct Keys {
    /// Send this value to the connection: text as it is, anything else as JSON.
    #[serde(default, deserialize_with = "present")]
    reply: Option<ValueTemplate>,
    /// Send this value to everyone else on the route, or to the members of `rooms`.
    #[serde(default, deserialize_with = "present")]
    broadcast: Option<ValueTemplate>,
    /// Send this value to the members of all rooms that the connection is in; without rooms, to the whole route.
    #[serde(default, deserialize_with = "present")]
    broadcast_all_rooms: Option<ValueTemplate>,
    /// Join this room, or each of these.
    join: Option<RoomTemplates>,
    /// Leave this room, or each of these.
    leave: Option<RoomTemplates>,
    /// Close the connection.
    close: Option<CloseKeys>,
    /// With `broadcast`: the rooms whose members receive it, each once. With an empty list nobody does.
    rooms: Option<RoomTemplates>,
    /// With `broadcast`: the same for one room.
    room: Option<RoomTemplates>,
    /// With `broadcast` and `broadcastAllRooms`: also to the connection itself. Default false.
    include_self: Option<bool>,
}

/// How a rule closes a connection.
#[derive(Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "Close"))]
struct CloseKeys {
    /// 1000–1003, 1007–1014 or 3000–4999. Default 1000.
    code: Option<u16>,
    /// Cut at 123 bytes. Default empty.
    reason: Option<String>,
}

/// Distinguishes null from a missing key.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ValueTemplate>, D::Error> {
    ValueTemplate::deserialize(deserializer).map(Some)
}

impl TryFrom<Keys> for ActionTemplate {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let rooms_key = if keys.rooms.is_some() { Some("rooms") } else { keys.room.as_ref().map(|_| "room") };
        if keys.rooms.is_some() && keys.room.is_some() {
            return Err("write either \"room\" or \"rooms\"".to_owned());
        }
        let rooms = keys.rooms.or(keys.room);
        let include_self = keys.include_self.unwrap_or(false);
        let close = keys.close.map(CloseKeys::template).transpose()?;
        let mut actions = [
            keys.reply.map(|value| ("reply", ActionTemplate::Reply(value))),
            keys.broadcast
                .map(|value| ("broadcast", ActionTemplate::Broadcast { value, rooms, include_self })),
            keys.broadcast_all_rooms.map(|value| {
                ("broadcastAllRooms", ActionTemplate::BroadcastAllRooms { value, include_self })
            }),
            keys.join.map(|rooms| ("join", ActionTemplate::Join(rooms))),
            keys.leave.map(|rooms| ("leave", ActionTemplate::Leave(rooms))),
            close.map(|close| ("close", close)),
        ]
        .into_iter()
        .flatten();
        let Some((verb, action)) = actions.next() else {
            return Err(
                "an action is one of reply, broadcast, broadcastAllRooms, join, leave, close".to_owned()
            );
        };
        if let Some((other, _)) = actions.next() {
            return Err(format!("one action does one thing; write {verb} and {other} as two actions"));
        }
        if let Some(key) = rooms_key.filter(|_| verb != "broadcast") {
            return Err(format!("{key:?} goes with broadcast, not with {verb}"));
        }
        if keys.include_self.is_some() && !verb.starts_with("broadcast") {
            return Err(format!(
                "\"includeSelf\" goes with broadcast and broadcastAllRooms, not with {verb}"
            ));
        }
        Ok(action)
    }
}

impl CloseKeys {
    fn template(self) -> Result<ActionTemplate, String> {
        let code = self.code.map_or(CloseCode::NORMAL, CloseCode);
        if !code.is_sendable() {
            return Err(format!("close code {code} cannot be sent; use 1000-1003, 1007-1014 or 3000-4999"));
        }
        let reason = Template::new(&self.reason.unwrap_or_default()).map_err(|error| error.to_string())?;
        Ok(ActionTemplate::Close { code, reason })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::template::scope::tests::Fixture;

    fn fill(action: Value) -> Vec<Command> {
        let action: ActionTemplate = serde_json::from_value(action).expect("an action");
        let message = json!({"room": "dev", "rooms": ["dev", "", 7, null], "empty": "", "nil": null, "n": 5});
        action.fill(&mut Fixture::new(message).scope())
    }

    #[test]
    fn rooms_come_as_one_or_as_a_list() {
        let join =
            |names: &[&str]| names.iter().map(|name| Command::Join((*name).to_owned())).collect::<Vec<_>>();
        for (rooms, expected) in [
            (json!("lobby"), join(&["lobby"])),
            (json!("{message.room}"), join(&["dev"])),
            (json!("room-{message.n}"), join(&["room-5"])),
            (json!("{message.n}"), join(&["5"])),
            (json!(["lobby", "{message.room}"]), join(&["lobby", "dev"])),
            (json!("{message.rooms}"), join(&["dev", "7"])),
            (json!("{message.empty}"), join(&[])),
            (json!("{message.nil}"), join(&[])),
            (json!("{message.none}"), join(&[])),
        ] {
            assert_eq!(fill(json!({ "join": rooms })), expected, "{rooms}");
        }
    }

    #[test]
    fn a_missing_room_reaches_nobody() {
        let nobody = [Command::Broadcast { message: "x".into(), rooms: Some(vec![]), include_self: false }];
        assert_eq!(fill(json!({ "broadcast": "x", "rooms": "{message.none}" })), nobody);
        assert_eq!(fill(json!({ "broadcast": "x", "rooms": [] })), nobody);
        let everybody = Command::Broadcast { message: "x".into(), rooms: None, include_self: true };
        assert_eq!(fill(json!({ "broadcast": "x", "includeSelf": true })), [everybody]);
    }

    #[test]
    fn nothing_to_send_is_no_action_but_null_is_something() {
        assert_eq!(fill(json!({ "reply": "{message.none}" })), []);
        assert_eq!(fill(json!({ "reply": null })), [Command::Send("null".into())]);
    }

    #[test]
    fn a_close_has_a_code_and_a_reason() {
        let close = |code, reason: &str| Command::Close { code: Some(code), reason: reason.to_owned() };
        assert_eq!(fill(json!({ "close": {} })), [close(1000, "")]);
        assert_eq!(
            fill(json!({ "close": { "code": 4000, "reason": "{message.room}!" } })),
            [close(4000, "dev!")]
        );
    }

    #[test]
    fn wrong_actions_say_what_to_write() {
        for (action, expected) in [
            (json!({}), "an action is one of reply, broadcast, broadcastAllRooms, join, leave, close"),
            (
                json!({"reply": 1, "join": "x"}),
                "one action does one thing; write reply and join as two actions",
            ),
            (json!({"reply": 1, "rooms": "x"}), "\"rooms\" goes with broadcast, not with reply"),
            (
                json!({"broadcastAllRooms": 1, "room": "x"}),
                "\"room\" goes with broadcast, not with broadcastAllRooms",
            ),
            (
                json!({"join": "x", "includeSelf": true}),
                "\"includeSelf\" goes with broadcast and broadcastAllRooms, not with join",
            ),
            (json!({"broadcast": 1, "room": "x", "rooms": ["x"]}), "write either \"room\" or \"rooms\""),
            (
                json!({"close": {"code": 1006}}),
                "close code 1006 cannot be sent; use 1000-1003, 1007-1014 or 3000-4999",
            ),
            (json!({"join": {"x": 1}}), "a room is text that is not empty, or a list of such"),
            (json!({"join": ""}), "a room is text that is not empty, or a list of such"),
        ] {
            let error = serde_json::from_value::<ActionTemplate>(action).expect_err("no action");
            assert_eq!(error.to_string(), expected);
        }
    }
}
