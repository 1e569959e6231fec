//! The ids that a client may subscribe to, and the errors for others.
//!
//! | in this order | reason |
//! |---|---|
//! | too many | `[validation:too_many_systems] Too many systems (max: 50)` |
//! | one that is no integer | `[validation:non_integer_system_ids] System IDs must be integers` |
//! | one below 1 or above the limit | `[validation:invalid_system_ids] Invalid system IDs` |
//!
//! For characters likewise, with `character`. For what is not a list the text is our own.

use std::fmt;

use serde_json::Value;

use super::options::KillmailsOptions;
use super::subscription::Subject;

/// Why a list of ids is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    kind: String,
    message: String,
}

impl Invalid {
    pub(super) fn no_list(subject: Subject) -> Self {
        let plural = subject.plural();
        Self { kind: format!("invalid_{plural}"), message: format!("{plural} must be a list") }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[validation:{}] {}", self.kind, self.message)
    }
}

impl KillmailsOptions {
    /// The ids in a list, each once, in the client's order.
    pub(super) fn validate(&self, subject: Subject, list: &[Value]) -> Result<Vec<u64>, Invalid> {
        let (name, title, plural) = (subject.name(), subject.title(), subject.plural());
        let (max, max_id) = match subject {
            Subject::Systems => (self.max_subscribed_systems, Some(self.max_system_id)),
            Subject::Characters => (self.max_subscribed_characters, self.max_character_id),
        };
        if list.len() > max {
            let message = format!("Too many {plural} (max: {max})");
            return Err(Invalid { kind: format!("too_many_{plural}"), message });
        }
        if !list.iter().all(|id| id.is_i64() || id.is_u64()) {
            let message = format!("{title} IDs must be integers");
            return Err(Invalid { kind: format!("non_integer_{name}_ids"), message });
        }
        let valid = |id: &Value| id.as_u64().filter(|id| *id > 0 && max_id.is_none_or(|max| *id <= max));
        let ids: Option<indexmap::IndexSet<u64>> = list.iter().map(valid).collect();
        ids.map(|ids| ids.into_iter().collect()).ok_or_else(|| {
            let message = format!("Invalid {name} IDs");
            Invalid { kind: format!("invalid_{name}_ids"), message }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_mistake_has_its_words() {
        let options = KillmailsOptions::default();
        let check = |subject, list: Value| {
            options.validate(subject, list.as_array().unwrap()).map_err(|error| error.to_string())
        };
        let error = |text: &str| Err(text.to_owned());
        for (list, expected) in [
            (json!([3, 1, 3, 32_000_000]), Ok(vec![3, 1, 32_000_000])),
            (json!([]), Ok(vec![])),
            (
                (0..51).map(|_| "x").collect(),
                error("[validation:too_many_systems] Too many systems (max: 50)"),
            ),
            (json!([-1, "1"]), error("[validation:non_integer_system_ids] System IDs must be integers")),
            (json!([1.0]), error("[validation:non_integer_system_ids] System IDs must be integers")),
            (json!([0]), error("[validation:invalid_system_ids] Invalid system IDs")),
            (json!([32_000_001]), error("[validation:invalid_system_ids] Invalid system IDs")),
        ] {
            assert_eq!(check(Subject::Systems, list), expected);
        }
        for (list, expected) in [
            (json!([95_465_499, 2_120_000_000_000_u64]), Ok(vec![95_465_499, 2_120_000_000_000])),
            ((0..1001).collect(), error("[validation:too_many_characters] Too many characters (max: 1000)")),
            (json!([null]), error("[validation:non_integer_character_ids] Character IDs must be integers")),
            (json!([-5]), error("[validation:invalid_character_ids] Invalid character IDs")),
        ] {
            assert_eq!(check(Subject::Characters, list), expected);
        }
    }
}
