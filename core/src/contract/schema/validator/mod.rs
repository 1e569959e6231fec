//! Holds a value to the nodes of a schema.

mod assertions;
mod children;
mod in_place;
mod keyword;

use serde_json::Value;

use crate::contract::schema::Schema;
use crate::contract::schema::evaluated::Evaluated;
use crate::contract::schema::node::{Keyword, Node, NodeId};
use crate::contract::schema::violation::Violation;

/// One value being validated.
pub(super) struct Validator<'v> {
    pub(super) schema: &'v Schema,
    /// The indices of the schema resources that were entered, for `$dynamicRef`.
    pub(super) scope: Vec<usize>,
    depth: usize,
    pub(super) steps: u64,
    /// Which limit was reached. From then on no result counts.
    pub(super) exhausted: Option<&'static str>,
    /// Where in the value.
    pub(super) path: Vec<Segment<'v>>,
    /// `None` where only the result counts.
    pub(super) report: Option<Vec<Violation>>,
}

/// One step down in a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Segment<'v> {
    Key(&'v str),
    Index(usize),
}

impl<'v> Validator<'v> {
    pub(super) fn new(schema: &'v Schema) -> Self {
        let (scope, path) = (Vec::new(), Vec::new());
        Self { schema, scope, depth: 0, steps: 0, exhausted: None, path, report: None }
    }

    pub(super) fn validate(mut self, value: &'v Value) -> Vec<Violation> {
        // What breaks no rule costs no text.
        if self.apply(self.schema.root, value, &mut Evaluated::default()) && self.exhausted.is_none() {
            return Vec::new();
        }
        if self.exhausted.is_none() {
            self.report = Some(Vec::new());
            self.apply(self.schema.root, value, &mut Evaluated::default());
        }
        let Some(message) = self.exhausted else { return self.report.unwrap_or_default() };
        vec![Violation {
            path: String::new(),
            keyword: "$schema",
            schema: self.schema.nodes[self.schema.root].location.clone(),
            message: message.to_owned(),
        }]
    }

    /// Whether a subschema holds for a value.
    pub(super) fn apply(&mut self, id: NodeId, value: &'v Value, evaluated: &mut Evaluated<'v>) -> bool {
        if self.depth == Schema::MAX_DEPTH {
            self.exhausted = Some("it cannot be validated: the schema applies itself too deeply");
        }
        if self.exhausted.is_some() {
            return false;
        }
        self.depth += 1;
        let node = &self.schema.nodes[id];
        let is_entered = self.scope.last() != Some(&node.resource);
        if is_entered {
            self.scope.push(node.resource);
        }
        let holds = if node.has_unevaluated {
            let mut own = Evaluated::asked_for();
            let holds = self.keywords(node, value, &mut own);
            evaluated.take(own);
            holds
        } else {
            self.keywords(node, value, evaluated)
        };
        if is_entered {
            self.scope.pop();
        }
        self.depth -= 1;
        holds
    }

    fn keywords(&mut self, node: &'v Node, value: &'v Value, evaluated: &mut Evaluated<'v>) -> bool {
        let mut holds = true;
        for keyword in &node.keywords {
            self.step(1);
            let is_last = matches!(keyword, Keyword::UnevaluatedItems(_) | Keyword::UnevaluatedProperties(_));
            // What is left over cannot be known where a keyword has failed.
            if is_last && !holds {
                break;
            }
            if !self.keyword(node, keyword, value, evaluated) {
                holds = false;
                if !self.wants_more() {
                    break;
                }
            }
        }
        holds
    }

    /// Counts work; beyond the limit nothing is validated any more.
    pub(super) fn step(&mut self, steps: u64) {
        self.steps += steps;
        if self.steps > Schema::MAX_STEPS {
            self.exhausted = Some("it cannot be validated: that would take too many steps");
        }
    }

    /// Whether, after a violation, others are looked for.
    pub(super) fn wants_more(&self) -> bool {
        let has_room = self.report.as_ref().is_some_and(|report| report.len() < Schema::MAX_VIOLATIONS);
        has_room && self.exhausted.is_none()
    }

    /// Whether a subschema holds, without a report.
    pub(super) fn holds(&mut self, id: NodeId, value: &'v Value, evaluated: &mut Evaluated<'v>) -> bool {
        let report = self.report.take();
        let holds = self.apply(id, value, evaluated);
        self.report = report;
        holds
    }

    /// Whether a subschema holds for a part of the value.
    pub(super) fn apply_below(&mut self, segment: Segment<'v>, id: NodeId, value: &'v Value) -> bool {
        self.path.push(segment);
        let holds = self.apply(id, value, &mut Evaluated::default());
        self.path.pop();
        holds
    }

    /// The node that a `$dynamicRef` means: of the outermost resource that has an anchor of its name.
    pub(super) fn dynamic(&self, name: &str) -> Option<NodeId> {
        self.scope.iter().find_map(|resource| self.schema.dynamic_anchors[*resource].get(name)).copied()
    }

    /// Reports a violation. Always false, as its keyword does not hold.
    pub(super) fn violate(
        &mut self,
        node: &Node,
        keyword: &'static str,
        message: impl FnOnce() -> String,
    ) -> bool {
        let path = &self.path;
        if let Some(report) = &mut self.report
            && report.len() < Schema::MAX_VIOLATIONS
        {
            let schema = match keyword {
                "false" => node.location.clone(),
                keyword => format!("{}/{keyword}", node.location),
            };
            report.push(Violation { path: text(path), keyword, schema, message: message() });
        }
        false
    }
}

/// A path as text, such as `bids[0].price`; the end of a long one is left out.
fn text(path: &[Segment<'_>]) -> String {
    const LONGEST: usize = 200;
    let mut text = String::new();
    for segment in path {
        if text.len() > LONGEST {
            text.push('…');
            break;
        }
        match segment {
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
            Segment::Key(key) if is_plain(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Key(key) => text.push_str(&format!("[{:?}]", &key[..key.floor_char_boundary(LONGEST)])),
        }
    }
    text
}

/// Whether a key stands in a path as it is. Others are quoted, as clients choose them and logs show them.
fn is_plain(key: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_$-@".contains(character);
    (1..=100).contains(&key.len()) && key.chars().all(is_plain)
}
