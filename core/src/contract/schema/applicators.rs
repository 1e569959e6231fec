//! What each keyword says about a value.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::equality::{digest, equal};
use super::evaluated::Evaluated;
use super::node::{Bound, Counted, Keyword, Node, NodeId, Properties};
use super::number;
use super::validator::{Segment, Validator};
use super::violation::Violation;

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
    fn each<Part>(
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

    fn bound(&mut self, node: &'v Node, bound: Bound, limit: &Number, number: &Number) -> bool {
        let order = number::compare(number, limit);
        let (keyword, holds, words) = match bound {
            Bound::Minimum => ("minimum", order != Ordering::Less, "at least"),
            Bound::ExclusiveMinimum => ("exclusiveMinimum", order == Ordering::Greater, "more than"),
            Bound::Maximum => ("maximum", order != Ordering::Greater, "at most"),
            Bound::ExclusiveMaximum => ("exclusiveMaximum", order == Ordering::Less, "less than"),
        };
        holds || self.violate(node, keyword, || format!("expected {words} {limit}, got {number}"))
    }

    fn count(&mut self, node: &'v Node, of: Counted, limit: u64, is_most: bool, value: &Value) -> bool {
        let (count, [least, most], unit) = match (of, value) {
            (Counted::Characters, Value::String(text)) => {
                self.step(text.len() as u64 / 16);
                (text.chars().count(), ["minLength", "maxLength"], "characters")
            }
            (Counted::Items, Value::Array(list)) => (list.len(), ["minItems", "maxItems"], "items"),
            (Counted::Properties, Value::Object(object)) => {
                (object.len(), ["minProperties", "maxProperties"], "keys")
            }
            _ => return true,
        };
        let count = count as u64;
        match is_most {
            true if count > limit => {
                self.violate(node, most, || format!("expected at most {limit} {unit}, got {count}"))
            }
            false if count < limit => {
                self.violate(node, least, || format!("expected at least {limit} {unit}, got {count}"))
            }
            _ => true,
        }
    }

    fn unique(&mut self, node: &'v Node, list: &'v [Value]) -> bool {
        let mut seen: HashMap<u64, Vec<usize>> = HashMap::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let mut steps = 0;
            let same = seen.entry(digest(value, &mut steps)).or_default();
            // A peer could make many digests equal.
            self.step(steps * (1 + same.len() as u64));
            if self.exhausted.is_some() {
                return false;
            }
            if let Some(first) = same.iter().copied().find(|first| equal(&list[*first], value)) {
                return self
                    .violate(node, "uniqueItems", || format!("the items {first} and {index} are equal"));
            }
            same.push(index);
        }
        true
    }

    fn required(&mut self, node: &'v Node, names: &[String], object: &Map<String, Value>) -> bool {
        let mut holds = true;
        for name in names.iter().filter(|name| !object.contains_key(*name)) {
            holds = self.violate(node, "required", || format!("the key {:?} is missing", cut(name)));
        }
        holds
    }

    fn all(&mut self, schemas: &[NodeId], value: &'v Value, evaluated: &mut Evaluated<'v>) -> bool {
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

    fn any(
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

    fn exactly_one(
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

    fn items(
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

    fn contains(
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

    fn properties(
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

    fn property_names(&mut self, node: &'v Node, schema: NodeId, object: &'v Map<String, Value>) -> bool {
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

/// What kind of value it is. What it is is not said: it may be a secret.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value where a few are allowed; the beginning of a long one.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        value => {
            let text = value.to_string();
            match text.len() > SHOWN {
                true => format!("{}…", cut(&text)),
                false => text,
            }
        }
    }
}

fn not_among(values: &[Value], value: &Value) -> String {
    /// How many are named.
    const NAMED: usize = 8;
    let mut names: Vec<String> = values.iter().take(NAMED).map(shown).collect();
    if values.len() > NAMED {
        names.push("…".to_owned());
    }
    format!("expected one of {}, got {}", names.join(", "), shown(value))
}

/// How many bytes of a value or key are shown.
const SHOWN: usize = 60;

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN)]
}
