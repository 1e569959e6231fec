//! Where a placeholder's value comes from: a dotted path into the scope of an event.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value, json};

use super::Scope;
use super::generated::Generated;
use crate::schema::suggest::nearest;

/// The dotted paths that placeholders, and the keys of a rule's `match`, are made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The message, or a part of its JSON.
    Message(Vec<String>),
    Id,
    Path,
    Subprotocol,
    Params,
    Param(String),
    Query,
    QueryValue(String),
    AuthData(Vec<String>),
    Rooms,
    Now,
    NowIso,
    RandomId,
    RandomUuid,
    CloseCode,
    CloseReason,
    /// A rule's own value, or a part of it.
    Let(String, Vec<String>),
    /// Made up.
    Generated(Generated),
}

/// Why a path leads nowhere.
#[derive(Debug)]
pub(crate) struct SourceError {
    pub(super) reason: String,
    /// The braces were perhaps not meant as a placeholder at all.
    pub(super) may_be_text: bool,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The path, as the keys of a rule's `match` name it: fields of the message without `message.`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = |path: &[String]| path.iter().map(|key| format!(".{key}")).collect::<String>();
        match self {
            Source::Message(path) => f.write_str(&path.join(".")),
            Source::Id => f.write_str("connection.id"),
            Source::Path => f.write_str("connection.path"),
            Source::Subprotocol => f.write_str("connection.subprotocol"),
            Source::Params => f.write_str("connection.params"),
            Source::Param(name) => write!(f, "connection.params.{name}"),
            Source::Query => f.write_str("connection.query"),
            Source::QueryValue(name) => write!(f, "connection.query.{name}"),
            Source::AuthData(path) => write!(f, "connection.authData{}", rest(path)),
            Source::Rooms => f.write_str("connection.rooms"),
            Source::Now => f.write_str("now"),
            Source::NowIso => f.write_str("now.iso"),
            Source::RandomId => f.write_str("random.id"),
            Source::RandomUuid => f.write_str("random.uuid"),
            Source::CloseCode => f.write_str("close.code"),
            Source::CloseReason => f.write_str("close.reason"),
            Source::Let(name, path) => write!(f, "let.{name}{}", rest(path)),
            Source::Generated(_) => f.write_str("a made-up value"),
        }
    }
}

const ROOTS: &[&str] = &["message", "connection", "now", "random", "counter", "walk", "fake", "let", "close"];
const CONNECTION: &[&str] = &["id", "path", "subprotocol", "params", "query", "authData", "rooms"];

impl Source {
    /// Parses a path such as `connection.params.room`.
    pub(crate) fn parse(path: &str) -> Result<Self, SourceError> {
        if let Some(generated) = Generated::parse(path) {
            return generated.map(Source::Generated);
        }
        let keys: Vec<&str> = path.split('.').collect();
        let fail = |reason: String| Err(SourceError { reason, may_be_text: false });
        if keys.len() > 1 && keys.contains(&"") {
            return fail("there is nothing between two dots".to_owned());
        }
        let known = match keys[0] {
            "message" => return Ok(Source::Message(owned(&keys[1..]))),
            "let" => {
                return match keys.get(1) {
                    Some(name) => Ok(Source::Let((*name).to_owned(), owned(&keys[2..]))),
                    None => fail("write {let.name} with a name that the rule's \"let\" defines".to_owned()),
                };
            }
            "connection" => CONNECTION,
            "now" => &["iso"],
            "random" => &["id", "uuid", "int", "float", "bool", "pick"],
            "close" => &["code", "reason"],
            root => {
                return match nearest(root, ROOTS.iter().copied()) {
                    Some(near) => fail(format!("did you mean {{{}}}?", replaced(&keys, 0, near))),
                    None => Err(SourceError {
                        reason: format!("known are {}", ROOTS.join(", ")),
                        may_be_text: true,
                    }),
                };
            }
        };
        let (source, length) = match (keys[0], keys.get(1).copied(), keys.get(2).copied()) {
            ("connection", Some("id"), _) => (Source::Id, 2),
            ("connection", Some("path"), _) => (Source::Path, 2),
            ("connection", Some("subprotocol"), _) => (Source::Subprotocol, 2),
            ("connection", Some("rooms"), _) => (Source::Rooms, 2),
            ("connection", Some("params"), None) => (Source::Params, 2),
            ("connection", Some("params"), Some(name)) => (Source::Param(name.to_owned()), 3),
            ("connection", Some("query"), None) => (Source::Query, 2),
            ("connection", Some("query"), Some(name)) => (Source::QueryValue(name.to_owned()), 3),
            ("connection", Some("authData"), _) => (Source::AuthData(owned(&keys[2..])), keys.len()),
            ("now", None, _) => (Source::Now, 1),
            ("now", Some("iso"), _) => (Source::NowIso, 2),
            ("random", Some("id"), _) => (Source::RandomId, 2),
            ("random", Some("uuid"), _) => (Source::RandomUuid, 2),
            ("close", Some("code"), _) => (Source::CloseCode, 2),
            ("close", Some("reason"), _) => (Source::CloseReason, 2),
            (root, second, _) => {
                return fail(match second.and_then(|key| nearest(key, known.iter().copied())) {
                    Some(near) => format!("did you mean {{{}}}?", replaced(&keys, 1, near)),
                    None => format!("{root} has {}", known.join(", ")),
                });
            }
        };
        if keys.len() > length {
            return fail(format!("nothing is inside {{{}}}", keys[..length].join(".")));
        }
        Ok(source)
    }

    /// The value, if there is one.
    pub(crate) fn value<'a>(&self, scope: &mut Scope<'a>) -> Option<Cow<'a, Value>> {
        let connection = &scope.connection;
        let value = match self {
            Source::Message(path) => return scope.message_part(path),
            Source::AuthData(path) => return at(connection.auth_data, path).map(Cow::Borrowed),
            Source::Let(name, path) => {
                let (_, value) = scope.lets.iter().rfind(|(known, _)| known == name)?;
                return at(value, path).cloned().map(Cow::Owned);
            }
            Source::Id => json!(connection.id),
            Source::Path => json!(connection.path),
            Source::Subprotocol => json!(connection.subprotocol?),
            Source::Params => json!(connection.params),
            Source::Param(name) => json!(connection.params.get(name)?),
            Source::Query => {
                let mut query = Map::new();
                for (name, value) in form_urlencoded::parse(connection.query.as_bytes()) {
                    // The first of a repeated name counts, as with `URLSearchParams.get`.
                    query.entry(name).or_insert_with(|| json!(value));
                }
                Value::Object(query)
            }
            Source::QueryValue(name) => json!(connection.query_value(name)?),
            Source::Rooms => json!((connection.rooms)()),
            Source::Now => json!(scope.now.as_ms()),
            Source::NowIso => json!(scope.now.to_string()),
            Source::RandomId => json!(random_id(scope.random)),
            Source::RandomUuid => json!(random_uuid(scope.random)),
            Source::CloseCode => json!(scope.close?.code.0),
            Source::CloseReason => json!(scope.close?.reason.as_str()),
            Source::Generated(generated) => generated.value(scope.random, scope.series.as_deref_mut())?,
        };
        Some(Cow::Owned(value))
    }
}

/// The part of `value` at `path`; numbers are indices of lists.
pub(super) fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Object(object) => object.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// 8 letters and digits: 40 bits, without `i l o u`, which are easily misread.
fn random_id(random: &mut dyn FnMut(&mut [u8])) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 8];
    random(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// A version 4 UUID (RFC 9562 section 5.4).
fn random_uuid(random: &mut dyn FnMut(&mut [u8])) -> String {
    let mut bytes = [0; 16];
    random(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).as_uuid().hyphenated().to_string()
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// The path with one key put right.
fn replaced(keys: &[&str], index: usize, key: &str) -> String {
    let mut keys = keys.to_vec();
    keys[index] = key;
    keys.join(".")
}
