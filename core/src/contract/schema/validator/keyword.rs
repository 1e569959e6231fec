//! What each keyword says about a value.

use serde_json::Value;

use super::assertions::{cut, kind, not_among, shown};
use super::{Segment, Validator};
use crate::contract::schema::equality::equal;
use crate::contract::schema::evaluated::Evaluated;
use crate::contract::schema::node::{Keyword, Node, NodeId};
use crate::contract::schema::number;

impl<'v> Validator<'v> {
    /// Whether a keyword holds for a value. Keywords about other kinds of values hold.
    pub(super) fn keyword(
        &mut self,
        node: &'v Node,
        keyword: &'v Keyword,
        value: &'v Value,
        evaluated: &mut Evaluated<'v>,
    ) -> bool {
        match (keyword, value) {
            (Keyword::Never, _) => self.violate(node, "false", || "nothing is allowed here".to_owned()),
            (Keyword::Ref(target), _) => self.apply(*target, value, evaluated),
            (Keyword::DynamicRef { name, otherwise }, _) => {
                let target = self.dynamic(name).unwrap_or(*otherwise);
                self.apply(target, value, evaluated)
            }
            (Keyword::Type(types), _) => {
                types.contain(value)
                    || self.violate(node, "type", || {
                        format!("expected {}, got {}", types.describe(), kind(value))
                    })
            }
            (Keyword::Const(expected), _) => {
                equal(expected, value)
                    || self.violate(node, "const", || {
                        format!("expected {}, got {}", shown(expected), shown(value))
                    })
            }
            (Keyword::Enum(values), _) => {
                self.step(values.len() as u64);
                values.iter().any(|expected| equal(expected, value))
                    || self.violate(node, "enum", || not_among(values, value))
            }
            (Keyword::Bound(bound, limit), Value::Number(number)) => self.bound(node, *bound, limit, number),
            (Keyword::MultipleOf(divisor), Value::Number(number)) => {
                number::is_multiple(number, divisor)
                    || self.violate(node, "multipleOf", || {
                        format!("expected a multiple of {divisor}, got {number}")
                    })
            }
            (Keyword::Count { of, limit, is_most }, _) => self.count(node, *of, *limit, *is_most, value),
            (Keyword::Pattern { regex, source }, Value::String(text)) => {
                self.step(text.len() as u64 / 16);
                regex.is_match(text)
                    || self.violate(node, "pattern", || format!("expected text that matches {source:?}"))
            }
            (Keyword::UniqueItems, Value::Array(list)) => self.unique(node, list),
            (Keyword::Required(names), Value::Object(object)) => self.required(node, names, object),
            (Keyword::DependentRequired(dependencies), Value::Object(object)) => {
                let missing = dependencies.iter().filter(|(name, _)| object.contains_key(name)).find_map(
                    |(name, needed)| {
                        Some((name, needed.iter().find(|needed| !object.contains_key(*needed))?))
                    },
                );
                match missing {
                    None => true,
                    Some((name, needed)) => self.violate(node, "dependentRequired", || {
                        format!("with the key {:?} the key {:?} is needed too", cut(name), cut(needed))
                    }),
                }
            }
            (Keyword::DependentSchemas(dependencies), Value::Object(object)) => {
                let given = dependencies.iter().filter(|(name, _)| object.contains_key(name));
                let schemas: Vec<NodeId> = given.map(|(_, schema)| *schema).collect();
                self.all(&schemas, value, evaluated)
            }
            (Keyword::AllOf(schemas), _) => self.all(schemas, value, evaluated),
            (Keyword::AnyOf(schemas), _) => self.any(node, schemas, value, evaluated),
            (Keyword::OneOf(schemas), _) => self.exactly_one(node, schemas, value, evaluated),
            (Keyword::Not(schema), _) => {
                !self.holds(*schema, value, &mut Evaluated::default())
                    || self.violate(node, "not", || "fits what it must not fit".to_owned())
            }
            (Keyword::If { condition, then, otherwise }, _) => {
                let mut branch = evaluated.branch();
                let holds = self.holds(*condition, value, &mut branch);
                if holds {
                    evaluated.take(branch);
                }
                let next = if holds { then } else { otherwise };
                next.is_none_or(|next| self.apply(next, value, evaluated))
            }
            (Keyword::Items { prefix, rest }, Value::Array(list)) => {
                self.items(prefix, *rest, list, evaluated)
            }
            (Keyword::Contains { schema, least, most }, Value::Array(list)) => {
                self.contains(node, *schema, *least..=most.unwrap_or(u64::MAX), list, evaluated)
            }
            (Keyword::Properties(properties), Value::Object(object)) => {
                self.properties(properties, object, evaluated)
            }
            (Keyword::PropertyNames(schema), Value::Object(object)) => {
                self.property_names(node, *schema, object)
            }
            (Keyword::UnevaluatedItems(schema), Value::Array(list)) => {
                let left: Vec<usize> = (0..list.len()).filter(|index| !evaluated.has_item(*index)).collect();
                evaluated.items_below(usize::MAX);
                self.each(left, |index| (Segment::Index(index), *schema, &list[index]))
            }
            (Keyword::UnevaluatedProperties(schema), Value::Object(object)) => {
                let left: Vec<_> = object.iter().filter(|(name, _)| !evaluated.has_property(name)).collect();
                evaluated.every_property();
                self.each(left, |(name, value)| (Segment::Key(name), *schema, value))
            }
            _ => true,
        }
    }

    /// Whether every one of some parts of the value fits its subschema.
    pub(super) fn each<Part>(
        &mut self,
        parts: impl IntoIterator<Item = Part>,
        of: impl Fn(Part) -> (Segment<'v>, NodeId, &'v Value),
    ) -> bool {
        let mut hold = true;
        for part in parts {
            let (segment, schema, value) = of(part);
            self.step(1);
            if !self.apply_below(segment, schema, value) {
                hold = false;
                if !self.wants_more() {
                    break;
                }
            }
        }
        hold
    }
}
