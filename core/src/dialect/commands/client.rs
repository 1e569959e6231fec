//! A client as the others see it.

use std::sync::Arc;

use serde_json::Value;

use crate::time::WallTime;

/// Kept with the connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Client {
    pub(super) id: Arc<str>,
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) connected_at: WallTime,
    /// Whether anything is known of the user.
    pub(super) is_authenticated: bool,
    /// The user's code is being told of a crash; should that fail too, it is not told again.
    pub(super) is_crashing: bool,
}

impl Client {
    /// `user` is what authentication or the session knows: `name` and `email`, or both within `user`.
    pub(super) fn new(id: Arc<str>, user: &Value, connected_at: WallTime) -> Self {
        let text = |key: &str| user.get("user").unwrap_or(user).get(key)?.as_str().map(str::to_owned);
        Self {
            id,
            name: text("name").unwrap_or_else(|| "Guest".to_owned()),
            email: text("email"),
            connected_at,
            is_authenticated: !user.is_null(),
            is_crashing: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_user_has_a_name_or_is_a_guest() {
        for (user, name, email, is_authenticated) in [
            (json!(null), "Guest", None, false),
            (
                json!({ "name": "Alice", "email": "alice@example.com" }),
                "Alice",
                Some("alice@example.com"),
                true,
            ),
            (json!({ "user": { "name": "Bob" } }), "Bob", None, true),
            (json!({ "name": 5 }), "Guest", None, true),
            (json!("alice"), "Guest", None, true),
        ] {
            let client = Client::new("id".into(), &user, WallTime::default());
            assert_eq!(
                (client.name.as_str(), client.email.as_deref(), client.is_authenticated),
                (name, email, is_authenticated),
                "{user}"
            );
        }
    }
}
