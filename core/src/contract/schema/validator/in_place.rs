//! Keywords that apply subschemas to the value itself: `allOf`, `anyOf` and `oneOf`.

use serde_json::Value;

use super::Validator;
use crate::contract::schema::evaluated::Evaluated;
use crate::contract::schema::node::{Node, NodeId};
use crate::contract::schema::violation::Violation;

impl<'v> Validator<'v> {
    pub(super) fn all(
        &mut self,
        schemas: &[NodeId],
        value: &'v Value,
        evaluated: &mut Evaluated<'v>,
    ) -> bool {
        let mut hold = true;
        for schema in schemas {
            if !self.apply(*schema, value, evaluated) {
                hold = false;
                if !self.wants_more() {
                    break;
                }
            }
        }
        hold
    }

    pub(super) fn any(
        &mut self,
        node: &'v Node,
        schemas: &[NodeId],
        value: &'v Value,
        evaluated: &mut Evaluated<'v>,
    ) -> bool {
        let mut reports = Vec::new();
        let mut holds = false;
        for schema in schemas {
            let mut branch = evaluated.branch();
            if self.tried(*schema, value, &mut branch, &mut reports) {
                evaluated.take(branch);
                holds = true;
                if !evaluated.is_asked_for() {
                    break;
                }
            }
        }
        holds || self.none_fits(node, "anyOf", reports)
    }

    pub(super) fn exactly_one(
        &mut self,
        node: &'v Node,
        schemas: &[NodeId],
        value: &'v Value,
        evaluated: &mut Evaluated<'v>,
    ) -> bool {
        let (mut reports, mut fitting) = (Vec::new(), None);
        for (index, schema) in schemas.iter().enumerate() {
            let mut branch = evaluated.branch();
            if !self.tried(*schema, value, &mut branch, &mut reports) {
                continue;
            }
            if let Some(first) = fitting {
                return self.violate(node, "oneOf", || {
                    format!("fits both oneOf[{first}] and oneOf[{index}], and may fit only one")
                });
            }
            fitting = Some(index);
            evaluated.take(branch);
        }
        fitting.is_some() || self.none_fits(node, "oneOf", reports)
    }

    /// Whether a subschema holds; what it reports is kept apart.
    fn tried(
        &mut self,
        schema: NodeId,
        value: &'v Value,
        branch: &mut Evaluated<'v>,
        reports: &mut Vec<Vec<Violation>>,
    ) -> bool {
        let Some(report) = self.report.replace(Vec::new()) else {
            self.report = None;
            return self.apply(schema, value, branch);
        };
        let holds = self.apply(schema, value, branch);
        reports.extend(self.report.replace(report));
        holds
    }

    /// Reports what is wrong with the alternative that was probably meant: the one that names no other value, and fails in the
    /// fewest places and furthest down.
    fn none_fits(&mut self, node: &'v Node, keyword: &'static str, reports: Vec<Vec<Violation>>) -> bool {
        if let Some(own) = &mut self.report {
            // A property with one value, such as `type`, says which alternative was meant.
            let is_another = |violation: &Violation| matches!(violation.keyword, "const" | "enum" | "false");
            let rank = |report: &&Vec<Violation>| {
                let depth = report.iter().map(|violation| violation.path.matches(['.', '[']).count()).max();
                let others = report.iter().filter(|violation| is_another(violation)).count();
                (others, report.len(), std::cmp::Reverse(depth))
            };
            let count = reports.len();
            let nearest = reports.iter().min_by_key(rank).and_then(|report| report.first());
            let message = match nearest {
                Some(nearest) if count == 1 => nearest.message.clone(),
                Some(nearest) => {
                    format!("fits none of {count} alternatives; the nearest says: {}", nearest.message)
                }
                None => "fits no alternative".to_owned(),
            };
            let path = nearest.map(|nearest| nearest.path.clone()).unwrap_or_default();
            own.push(Violation { path, keyword, schema: format!("{}/{keyword}", node.location), message });
        }
        false
    }
}
