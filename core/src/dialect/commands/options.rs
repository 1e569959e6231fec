//! The settings of the dialect `commands`.

use http::header::COOKIE;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::ServerEventKind;

/// The dialect's settings. By default it behaves as Rakit documents, but for the command `disconnect`, which in Rakit is
/// everyone's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CommandsOptions {
    /// `seed`: everything sent is JSON, as documented. `compat`: byte for byte what Rakit's server sends.
    /// Default `seed`.
    pub profile: Profile,
    /// How presence lists the users: `array` or `map`. Default: as the profile has it.
    pub presence: Option<PresenceFormat>,
    /// Who may use commands: `everyone`, `nobody`, or the `authenticated`, which are clients with
    /// data from authentication or the session. Commands of others are ignored. Default `everyone`.
    pub commands: WhoMayCommand,
    /// Who of these may close the connections of others with the command `disconnect`; their own may all. Default
    /// `authenticated`; in Rakit everyone may.
    pub disconnect: WhoMayCommand,
    /// Seconds without any frame of a client after which it is closed with 1000. Default 0: never.
    pub ping_timeout: u64,
    /// Refuse clients that send no `Origin` with 403. The route's `origins` decides which origins may connect. Default false.
    pub origin_required: bool,
    /// Refuse clients that offer none of the route's `subprotocols` with 400. Default false.
    pub protocol_required: bool,
    /// Refuse clients that offer no extension with 400. Default false.
    pub extensions_required: bool,
    /// The values of `Host` that are served, with the port if there is one; others are refused with 400. Default:
    /// all.
    pub allowed_hosts: Vec<String>,
    /// The server events for which the host has callbacks: hosts fill this in themselves. Default none.
    pub events: Vec<ServerEventKind>,
    /// Users by their session cookie. Default none.
    pub session: Option<SessionOptions>,
}

/// Identifies clients by a cookie. Clients without one may connect as well, as guests.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionOptions {
    /// The cookie's name.
    pub cookie: String,
    /// The users by the cookie's value, each with `name` and `email`.
    pub users: IndexMap<String, Value>,
}

/// Which behaviour is used where Rakit's documentation and its server differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Profile {
    /// That of the documentation.
    #[default]
    Seed,
    /// That of the server.
    Compat,
}

/// The shape of `users` in presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PresenceFormat {
    /// A list of users.
    Array,
    /// An object of users by their ids.
    Map,
}

/// Who may use commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WhoMayCommand {
    /// All clients, as in Rakit.
    #[default]
    Everyone,
    /// No client.
    Nobody,
    /// Clients with data from authentication or the session.
    Authenticated,
}

impl Default for CommandsOptions {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            presence: None,
            commands: WhoMayCommand::default(),
            disconnect: WhoMayCommand::Authenticated,
            ping_timeout: 0,
            origin_required: false,
            protocol_required: false,
            extensions_required: false,
            allowed_hosts: Vec::new(),
            events: Vec::new(),
            session: None,
        }
    }
}

impl CommandsOptions {
    /// The format of presence, also where it follows from the profile.
    pub fn presence_format(&self) -> PresenceFormat {
        self.presence.unwrap_or(match self.profile {
            Profile::Seed => PresenceFormat::Array,
            Profile::Compat => PresenceFormat::Map,
        })
    }
}

impl SessionOptions {
    /// The user of the cookie that came with the opening handshake.
    pub(super) fn user(&self, request: &http::Request<()>) -> Option<&Value> {
        request
            .headers()
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie)
            .and_then(|(_, value)| self.users.get(value.trim_matches('"')))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let users = IndexMap::from_iter([("a1".to_owned(), json!({ "name": "Alice" }))]);
        let session = SessionOptions { cookie: "rakit_session".into(), users };
        for (cookies, known) in [
            (&["rakit_session=a1"][..], true),
            (&["x=1; rakit_session=\"a1\"; y=2"], true),
            (&["x=1", "rakit_session=a1"], true),
            (&["rakit_session=a2"], false),
            (&["session=a1; rakit_sessions=a1", "rakit_session"], false),
            (&[], false),
        ] {
            let mut request = http::Request::new(());
            for line in cookies {
                request.headers_mut().append(COOKIE, line.parse().unwrap());
            }
            assert_eq!(session.user(&request).is_some(), known, "{cookies:?}");
        }
    }
}
