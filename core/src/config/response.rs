//! `responses`: the short form of rules, as vite-plugin-universal-api has it.

use serde::Deserialize;

use super::Toggle;
use crate::dialect::rules::{ActionTemplate, Match, On, RoomTemplates, Rule};
use crate::template::ValueTemplate;

/// An answer to messages of one kind. Only the first one that matches is used.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponseConfig {
    /// The messages to answer. Default: all.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// The answer: text is sent as it is, anything else as JSON.
    pub response: ValueTemplate,
    /// Who receives it. Default and false: the sender. True: everyone else in the sender's rooms. An object: everyone on
    /// the route, or in one of its rooms.
    #[serde(default)]
    pub broadcast: Option<Toggle<ResponseBroadcast>>,
}

/// Who receives a response.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ResponseBroadcast {
    /// The room whose members receive it. Default: everyone on the route.
    pub room: Option<RoomTemplates>,
    /// Also the sender. Default false.
    pub include_self: bool,
}

impl ResponseConfig {
    /// The rule that does the same.
    pub(super) fn rule(&self) -> Rule {
        let value = self.response.clone();
        let action = match self.broadcast.clone() {
            None | Some(Toggle::Switch(false)) => ActionTemplate::Reply(value),
            Some(Toggle::Switch(true)) => ActionTemplate::BroadcastAllRooms { value, include_self: false },
            Some(Toggle::Options(ResponseBroadcast { room, include_self })) => {
                ActionTemplate::Broadcast { value, rooms: room, include_self }
            }
        };
        Rule {
            on: On::Message,
            matching: self.matching.clone(),
            lets: Default::default(),
            actions: vec![action],
            proceed: false,
        }
    }
}
