//! Which functions a route has.

use serde::Deserialize;

use crate::config::{NeededCallback, RouteCallbacks};
use crate::dialect::commands::ServerEventKind;
use crate::dialect::proxy::ProxyHooks;
use crate::handler::deferred::{Hooks, ResponseAudience};

/// Which functions a route has, as `npm/src/config/setup.ts` lists them. Default: none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HookSet {
    authenticate: bool,
    connect: bool,
    transform: bool,
    responses: Vec<ResponseBroadcast>,
    message: bool,
    ping: bool,
    pong: bool,
    close: bool,
    error: bool,
    proxy: ProxyHookSet,
    /// Of the dialect `commands`.
    events: Vec<ServerEventKind>,
    /// The topics of channels of the dialect `phoenix`.
    channels: Vec<String>,
    /// Another number when they are other functions than before.
    revision: u32,
}

/// Which functions there are for messages that pass a proxy.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct ProxyHookSet {
    client: bool,
    target: bool,
}

/// Where a response with functions goes: `broadcast` of its entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ResponseBroadcast {
    /// False: to the sender. True: to the others in its rooms.
    AllRooms(bool),
    /// To everyone on the route, or in a room.
    #[serde(rename_all = "camelCase")]
    Broadcast {
        /// The room; `None`: the whole route.
        room: Option<String>,
        /// Also to the sender. Default false.
        #[serde(default)]
        include_self: bool,
    },
}

impl HookSet {
    /// Whether the function that a configured route needs is among them.
    pub fn has(&self, needed: NeededCallback<'_>) -> bool {
        match needed {
            NeededCallback::Event(event) => self.events.contains(&event),
            NeededCallback::Channel(topic) => self.channels.iter().any(|known| known == topic),
        }
    }

    /// Whether a function decides who may come in.
    pub fn authenticates(&self) -> bool {
        self.authenticate
    }

    /// What a configured route is told of them.
    pub fn callbacks(&self) -> RouteCallbacks {
        let ProxyHookSet { client, target } = self.proxy;
        RouteCallbacks {
            hooks: self.hooks(),
            proxied: ProxyHooks { client, target },
            revision: self.revision.into(),
        }
    }

    /// Which hooks the engine has to call.
    pub fn hooks(&self) -> Hooks {
        Hooks {
            authenticate: self.authenticate,
            connect: self.connect,
            transform: self.transform,
            responses: self.responses.iter().cloned().map(ResponseAudience::from).collect(),
            message: self.message,
            ping: self.ping,
            pong: self.pong,
            close: self.close,
            error: self.error,
        }
    }
}

impl From<ResponseBroadcast> for ResponseAudience {
    fn from(broadcast: ResponseBroadcast) -> Self {
        match broadcast {
            ResponseBroadcast::AllRooms(false) => ResponseAudience::Sender,
            ResponseBroadcast::AllRooms(true) => ResponseAudience::AllRooms,
            ResponseBroadcast::Broadcast { room, include_self } => {
                ResponseAudience::Broadcast { room, include_self }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_say_who_gets_them() {
        let text = r#"{"message":true,"responses":[false,true,{"room":"a","includeSelf":true},{}]}"#;
        let set: HookSet = serde_json::from_str(text).unwrap_or_default();
        let expected = [
            ResponseAudience::Sender,
            ResponseAudience::AllRooms,
            ResponseAudience::Broadcast { room: Some("a".to_owned()), include_self: true },
            ResponseAudience::Broadcast { room: None, include_self: false },
        ];
        assert_eq!((set.hooks().message, set.hooks().responses.as_slice()), (true, expected.as_slice()));
    }
}
