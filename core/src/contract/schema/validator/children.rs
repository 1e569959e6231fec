//! Keywords that apply subschemas to the parts of a value: items, properties and their names.

use serde_json::{Map, Value};

use super::assertions::cut;
use super::{Segment, Validator};
use crate::contract::schema::evaluated::Evaluated;
use crate::contract::schema::node::{Node, NodeId, Properties};

impl<'v> Validator<'v> {
    pub(super) fn items(
        &mut self,
        prefix: &[NodeId],
        rest: Option<NodeId>,
        list: &'v [Value],
        evaluated: &mut Evaluated<'v>,
    ) -> bool {
        evaluated.items_below(if rest.is_some() { usize::MAX } else { prefix.len() });
        let schemas = prefix.iter().copied().map(Some).chain(std::iter::repeat(rest));
        let parts = list.iter().zip(schemas).enumerate();
        let parts = parts.map_while(|(index, (value, schema))| Some((Segment::Index(index), schema?, value)));
        self.each(parts, |part| part)
    }

    pub(super) fn contains(
        &mut self,
        node: &'v Node,
        schema: NodeId,
        wanted: std::ops::RangeInclusive<u64>,
        list: &'v [Value],
        evaluated: &mut Evaluated<'v>,
    ) -> bool {
        let mut count = 0;
        for (index, value) in list.iter().enumerate() {
            self.step(1);
            if self.holds(schema, value, &mut Evaluated::default()) {
                count += 1;
                evaluated.item(index);
            }
        }
        if wanted.contains(&count) {
            return true;
        }
        let (least, most) = (wanted.start(), wanted.end());
        let (keyword, words, limit) = match count < *least {
            true if *least == 1 => ("contains", "at least", least),
            true => ("minContains", "at least", least),
            false => ("maxContains", "at most", most),
        };
        self.violate(node, keyword, || {
            format!("expected {words} {limit} of the items to fit \"contains\", {count} do")
        })
    }

    pub(super) fn properties(
        &mut self,
        properties: &'v Properties,
        object: &'v Map<String, Value>,
        evaluated: &mut Evaluated<'v>,
    ) -> bool {
        let mut schemas = Vec::new();
        self.step(object.len() as u64);
        for (name, value) in object {
            let before = schemas.len();
            let segment = Segment::Key(name);
            if let Some(schema) = properties.named.get(name) {
                schemas.push((segment, *schema, value));
            }
            self.step(properties.patterns.len() as u64);
            for (regex, schema) in &properties.patterns {
                if regex.is_match(name) {
                    schemas.push((segment, *schema, value));
                }
            }
            if let Some(additional) = properties.additional
                && schemas.len() == before
            {
                schemas.push((segment, additional, value));
            }
            if schemas.len() > before {
                evaluated.property(name);
            }
        }
        self.each(schemas, |part| part)
    }

    pub(super) fn property_names(
        &mut self,
        node: &'v Node,
        schema: NodeId,
        object: &'v Map<String, Value>,
    ) -> bool {
        for name in object.keys() {
            self.step(1);
            let value = Value::String(name.clone());
            if !self.fits_name(schema, &value) {
                return self.violate(node, "propertyNames", || {
                    format!("{:?} is no key that may be here", cut(name))
                });
            }
        }
        true
    }

    /// Whether a key fits a schema: a value that is no part of the one being validated.
    fn fits_name(&mut self, schema: NodeId, name: &Value) -> bool {
        let mut validator = Validator::new(self.schema);
        (validator.steps, validator.scope) = (self.steps, self.scope.clone());
        let holds = validator.apply(schema, name, &mut Evaluated::default());
        (self.steps, self.exhausted) = (validator.steps, validator.exhausted);
        holds
    }
}
