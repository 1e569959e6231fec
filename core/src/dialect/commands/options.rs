//! The settings of the dialect `commands`.

use http::header::COOKIE;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::ServerEventKind;

/// The dialect's settings. The default is what Rakit documents, and like Rakit it trusts everyone who may connect.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CommandsOptions {
    /// `seed`: everything sent is JSON, as documented. `compat`: byte for byte what Rakit's server sends.
    /// Default `seed`.
    pub profile: Profile,
    /// How presence lists the users: `array` or `map`. Default: as the profile has it.
    pub presence: Option<PresenceFormat>,
    /// Who may use commands, `disconnect` among them: `everyone`, `nobody`, or the `authenticated`, of whom
    /// authentication or the session knows something. Everyone else's are ignored. Default `everyone`.
    pub commands: WhoMayCommand,
    /// Seconds of silence after which a client is closed with 1000. Frames of any kind break the silence. Default 0:
    /// never.
    pub ping_timeout: u64,
    /// Refuse with 403 who sends no `Origin`. Which origins may connect says the route's `origins`. Default false.
    pub origin_required: bool,
    /// Refuse with 400 who offers none of the route's `subprotocols`. Default false.
    pub protocol_required: bool,
    /// Refuse with 400 who offers no extension. Default false.
    pub extensions_required: bool,
    /// The values of `Host` that are served, with the port if there is one; others are refused with 400. Default:
    /// all.
    pub allowed_hosts: Vec<String>,
    /// The events of the server that the host's code has callbacks for: a host that takes callbacks writes it by itself.
    /// Default none.
    pub events: Vec<ServerEventKind>,
    /// Users by their session cookie. Default none.
    pub session: Option<SessionOptions>,
}

/// Who somebody is by a cookie. Whoever has none is let in as well, as a guest.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionOptions {
    /// The cookie's name.
    pub cookie: String,
    /// The users by the cookie's value, each with `name` and `email`.
    pub users: IndexMap<String, Value>,
}

/// Whose behaviour counts where Rakit's documentation and its server differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Profile {
    /// The documentation's.
    #[default]
    Seed,
    /// The server's.
    Compat,
}

/// The shape of `users` in presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PresenceFormat {
    /// A list of users.
    Array,
    /// An object of users by their ids.
    Map,
}

/// Who may use commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WhoMayCommand {
    /// All clients, as in Rakit.
    #[default]
    Everyone,
    /// No client.
    Nobody,
    /// Clients of whom authentication or the session knows something.
    Authenticated,
}

impl CommandsOptions {
    /// The format of presence, where it is not written too.
    pub fn presence_format(&self) -> PresenceFormat {
        self.presence.unwrap_or(match self.profile {
            Profile::Seed => PresenceFormat::Array,
            Profile::Compat => PresenceFormat::Map,
        })
    }
}

impl SessionOptions {
    /// Whose cookie it is that came with the opening handshake.
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
