//! What differs between a message that was recorded and the one that came.

use std::fmt;

use serde::Serialize;

/// How many differences of one message are told.
const MOST: usize = 8;

/// How many characters of a value are shown.
const SHOWN: usize = 120;

/// One place in which a message differs from the recorded one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "MessageDifference"))]
pub struct Difference {
    /// Where, such as `payload.items[2].id`; empty for the message as a whole.
    pub path: String,
    /// What was recorded there: a value as JSON, or a description such as `a list`. Long ones are cut.
    pub recorded: String,
    /// What came, in the same form.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "recorded {}, got {}", self.recorded, self.got)
    }
}

/// The differences of one message; only the first few are kept.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) list: Vec<Difference>,
    /// Where the comparison is now.
    path: Vec<Place>,
}

/// One step of a path.
#[derive(Debug)]
enum Place {
    Key(String),
    Index(usize),
}

impl Differences {
    /// Whether more of them would be kept.
    pub(super) fn has_room(&self) -> bool {
        self.list.len() < MOST
    }

    /// Notes one at the present place.
    pub(super) fn add(&mut self, recorded: impl fmt::Display, got: impl fmt::Display) {
        if self.has_room() {
            let path = self.path();
            let (recorded, got) = (shown(&recorded.to_string()), shown(&got.to_string()));
            self.list.push(Difference { path, recorded, got });
        }
    }

    /// Compares what is at a key.
    pub(super) fn at_key(&mut self, key: &str, compare: impl FnOnce(&mut Self)) {
        self.path.push(Place::Key(key.to_owned()));
        compare(self);
        self.path.pop();
    }

    /// Compares what is at an index.
    pub(super) fn at_index(&mut self, index: usize, compare: impl FnOnce(&mut Self)) {
        self.path.push(Place::Index(index));
        compare(self);
        self.path.pop();
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for place in &self.path {
            match place {
                Place::Index(index) => path.push_str(&format!("[{index}]")),
                Place::Key(key) if path.is_empty() => path.push_str(key),
                Place::Key(key) => {
                    path.push('.');
                    path.push_str(key);
                }
            }
        }
        path
    }
}

/// The beginning of a long value.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
