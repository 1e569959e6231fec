//! A subschema as it is applied.

use std::collections::HashMap;

use regex::Regex;
use serde_json::{Number, Value};

use super::number;

/// The index of a node.
pub(super) type NodeId = usize;

/// A subschema: its keywords, in the order in which they are applied.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Where it stands.
    pub(super) location: String,
    /// The index of its schema resource.
    pub(super) resource: usize,
    pub(super) keywords: Vec<Keyword>,
    /// Whether one of them asks what the others have evaluated.
    pub(super) has_unevaluated: bool,
}

/// A keyword that says something, alone or together with those that it depends on.
#[derive(Debug)]
pub(super) enum Keyword {
    /// The schema `false`.
    Never,
    Ref(NodeId),
    /// Without a schema resource that has an anchor of this name among those that were entered, it is a `$ref`.
    DynamicRef {
        name: String,
        otherwise: NodeId,
    },
    Type(Types),
    Enum(Vec<Value>),
    Const(Value),
    MultipleOf(Number),
    Bound(Bound, Number),
    Count {
        of: Counted,
        limit: u64,
        is_most: bool,
    },
    Pattern {
        regex: Regex,
        source: String,
    },
    UniqueItems,
    Required(Vec<String>),
    DependentRequired(Vec<(String, Vec<String>)>),
    DependentSchemas(Vec<(String, NodeId)>),
    AllOf(Vec<NodeId>),
    AnyOf(Vec<NodeId>),
    OneOf(Vec<NodeId>),
    Not(NodeId),
    If {
        condition: NodeId,
        then: Option<NodeId>,
        otherwise: Option<NodeId>,
    },
    /// `prefixItems` and `items`.
    Items {
        prefix: Vec<NodeId>,
        rest: Option<NodeId>,
    },
    Contains {
        schema: NodeId,
        least: u64,
        most: Option<u64>,
    },
    Properties(Box<Properties>),
    PropertyNames(NodeId),
    UnevaluatedItems(NodeId),
    UnevaluatedProperties(NodeId),
}

/// `properties`, `patternProperties` and `additionalProperties`.
#[derive(Debug)]
pub(super) struct Properties {
    pub(super) named: HashMap<String, NodeId>,
    pub(super) patterns: Vec<(Regex, NodeId)>,
    pub(super) additional: Option<NodeId>,
}

/// `minimum` and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
}

/// What has a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// The characters of a text.
    Characters,
    /// The items of a list.
    Items,
    /// The keys of an object.
    Properties,
}

/// Kinds of values; an integer is a number too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    /// The names in a schema, and in a message about a value.
    pub(super) const NAMES: [(&'static str, &'static str); 7] = [
        ("null", "null"),
        ("boolean", "true or false"),
        ("integer", "an integer"),
        ("number", "a number"),
        ("string", "text"),
        ("array", "a list"),
        ("object", "an object"),
    ];

    /// Adds the one of this name; false if there is none.
    pub(super) fn add(&mut self, name: &str) -> bool {
        let index = Self::NAMES.iter().position(|(known, _)| *known == name);
        self.0 |= index.map_or(0, |index| 1 << index);
        index.is_some()
    }

    pub(super) fn contain(self, value: &Value) -> bool {
        let bits = match value {
            Value::Null => 1,
            Value::Bool(_) => 1 << 1,
            Value::Number(number) if number::is_integer(number) => 1 << 2 | 1 << 3,
            Value::Number(_) => 1 << 3,
            Value::String(_) => 1 << 4,
            Value::Array(_) => 1 << 5,
            Value::Object(_) => 1 << 6,
        };
        self.0 & bits != 0
    }

    /// In words.
    pub(super) fn describe(self) -> String {
        let names = Self::NAMES.iter().enumerate().filter(|(index, _)| self.0 & 1 << index != 0);
        names.map(|(_, (_, words))| *words).collect::<Vec<_>>().join(" or ")
    }
}
