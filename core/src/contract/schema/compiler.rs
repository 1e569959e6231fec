//! From schemas to nodes that refer to one another by index.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::error::SchemaError;
use super::keywords::Assertions;
use super::node::{Keyword, Node, NodeId, Properties};
use super::registry::{Place, Registry, escaped};
use super::{Schema, pattern};

/// Compiles a schema and all that it refers to; nothing else of its documents.
#[derive(Debug)]
pub(super) struct Compiler<'s> {
    registry: Registry<'s>,
    nodes: Vec<Node>,
    /// By the address of the schema.
    ids: HashMap<*const Value, NodeId>,
    /// What has an id and no keywords yet.
    open: Vec<(NodeId, Place<'s>)>,
    /// Of each resource that has a node.
    dynamic_anchors: BTreeMap<usize, BTreeMap<String, NodeId>>,
}

impl<'s> Compiler<'s> {
    pub(super) fn new(registry: Registry<'s>) -> Self {
        let (nodes, ids, open) = (Vec::new(), HashMap::new(), Vec::new());
        Self { registry, nodes, ids, open, dynamic_anchors: BTreeMap::new() }
    }

    pub(super) fn compile(mut self, pointer: &str) -> Result<Schema, SchemaError> {
        let entry = self.registry.entry(pointer)?;
        let root = self.node(&entry)?;
        while let Some((id, place)) = self.open.pop() {
            self.take_dynamic_anchors(place.resource)?;
            self.nodes[id] = self.compiled(&place)?;
        }
        let last = self.registry.resources.len();
        let dynamic_anchors = (0..last).map(|index| self.dynamic_anchors.remove(&index).unwrap_or_default());
        let dynamic_anchors = dynamic_anchors.collect::<Vec<_>>().into();
        Ok(Schema { nodes: self.nodes.into(), root, dynamic_anchors })
    }

    /// The node of a place, to be compiled unless it is already.
    fn node(&mut self, place: &Place<'s>) -> Result<NodeId, SchemaError> {
        if let Some(id) = self.ids.get(&std::ptr::from_ref(place.schema)) {
            return Ok(*id);
        }
        if !(place.schema.is_object() || place.schema.is_boolean()) {
            let meant = match place.schema {
                Value::Array(_) if place.location.ends_with("/items") => {
                    "; a list of schemas is called \"prefixItems\""
                }
                _ => "",
            };
            let message = format!("expected a schema: an object, true or false{meant}");
            return Err(SchemaError::new(&place.location, message));
        }
        if self.nodes.len() == Schema::MAX_NODES {
            let message =
                format!("the schema is too large: it has more than {} subschemas", Schema::MAX_NODES);
            return Err(SchemaError::new(&place.location, message));
        }
        let id = self.nodes.len();
        self.nodes.push(Node::default());
        self.ids.insert(place.schema, id);
        self.open.push((id, place.clone()));
        Ok(id)
    }

    fn take_dynamic_anchors(&mut self, resource: usize) -> Result<(), SchemaError> {
        if self.dynamic_anchors.contains_key(&resource) {
            return Ok(());
        }
        let anchors = self.registry.resources[resource].dynamic_anchors.clone();
        let mut nodes = BTreeMap::new();
        for (name, place) in anchors {
            nodes.insert(name.to_owned(), self.node(&place)?);
        }
        self.dynamic_anchors.insert(resource, nodes);
        Ok(())
    }

    fn compiled(&mut self, place: &Place<'s>) -> Result<Node, SchemaError> {
        let mut keywords = Vec::new();
        if let Some(object) = place.schema.as_object() {
            let assertions = Assertions { object, location: &place.location };
            if !self.registry.is_without_validation(place.resource) {
                assertions.compile(&mut keywords)?;
            }
            self.references(place, object, &mut keywords)?;
            self.applicators(place, object, &mut keywords)?;
            self.of_lists(place, object, &assertions, &mut keywords)?;
            self.of_objects(place, object, &mut keywords)?;
        } else if place.schema == &Value::Bool(false) {
            keywords.push(Keyword::Never);
        }
        let before = keywords.len();
        // What is left over is known after all others.
        if let Some(schema) = self.one(place, "unevaluatedItems")? {
            keywords.push(Keyword::UnevaluatedItems(schema));
        }
        if let Some(schema) = self.one(place, "unevaluatedProperties")? {
            keywords.push(Keyword::UnevaluatedProperties(schema));
        }
        let has_unevaluated = keywords.len() > before;
        Ok(Node { location: place.location.clone(), resource: place.resource, keywords, has_unevaluated })
    }

    fn references(
        &mut self,
        place: &Place<'s>,
        object: &Map<String, Value>,
        keywords: &mut Vec<Keyword>,
    ) -> Result<(), SchemaError> {
        for keyword in ["$ref", "$dynamicRef"] {
            let Some(reference) = object.get(keyword) else { continue };
            let wrong = |message: String| SchemaError::at(&place.location, keyword, message);
            let reference =
                reference.as_str().ok_or_else(|| wrong("expected a URI, as \"#/$defs/order\"".into()))?;
            let target = self.registry.find(place, reference).map_err(wrong)?;
            let node = self.node(&target.place)?;
            keywords.push(match target.dynamic_anchor {
                Some(name) if keyword == "$dynamicRef" => Keyword::DynamicRef { name, otherwise: node },
                _ => Keyword::Ref(node),
            });
        }
        Ok(())
    }

    fn applicators(
        &mut self,
        place: &Place<'s>,
        object: &Map<String, Value>,
        keywords: &mut Vec<Keyword>,
    ) -> Result<(), SchemaError> {
        if object.contains_key("allOf") {
            keywords.push(Keyword::AllOf(self.listed(place, "allOf")?));
        }
        if object.contains_key("anyOf") {
            keywords.push(Keyword::AnyOf(self.listed(place, "anyOf")?));
        }
        if object.contains_key("oneOf") {
            keywords.push(Keyword::OneOf(self.listed(place, "oneOf")?));
        }
        if let Some(schema) = self.one(place, "not")? {
            keywords.push(Keyword::Not(schema));
        }
        if let Some(condition) = self.one(place, "if")? {
            let (then, otherwise) = (self.one(place, "then")?, self.one(place, "else")?);
            keywords.push(Keyword::If { condition, then, otherwise });
        }
        Ok(())
    }

    fn of_lists(
        &mut self,
        place: &Place<'s>,
        object: &Map<String, Value>,
        assertions: &Assertions<'_>,
        keywords: &mut Vec<Keyword>,
    ) -> Result<(), SchemaError> {
        if object.contains_key("prefixItems") || object.contains_key("items") {
            let prefix = match object.contains_key("prefixItems") {
                true => self.listed(place, "prefixItems")?,
                false => Vec::new(),
            };
            keywords.push(Keyword::Items { prefix, rest: self.one(place, "items")? });
        }
        if let Some(schema) = self.one(place, "contains")? {
            let least = assertions.count("minContains")?.unwrap_or(1);
            let most = assertions.count("maxContains")?;
            keywords.push(Keyword::Contains { schema, least, most });
        }
        Ok(())
    }

    fn of_objects(
        &mut self,
        place: &Place<'s>,
        object: &'s Map<String, Value>,
        keywords: &mut Vec<Keyword>,
    ) -> Result<(), SchemaError> {
        let named = self.named(place, "properties")?;
        let patterned = self.named(place, "patternProperties")?;
        let additional = self.one(place, "additionalProperties")?;
        if !named.is_empty() || !patterned.is_empty() || additional.is_some() {
            let mut patterns = Vec::new();
            for (source, schema) in patterned {
                let wrong = |message| SchemaError::at(&place.location, "patternProperties", message);
                patterns.push((pattern::compile(&source).map_err(wrong)?, schema));
            }
            let named = named.into_iter().collect();
            keywords.push(Keyword::Properties(Box::new(Properties { named, patterns, additional })));
        }
        if let Some(schema) = self.one(place, "propertyNames")? {
            keywords.push(Keyword::PropertyNames(schema));
        }
        if object.contains_key("dependentSchemas") {
            keywords.push(Keyword::DependentSchemas(self.named(place, "dependentSchemas")?));
        }
        self.dependencies(place, object, keywords)
    }

    /// The keyword of earlier versions that became `dependentRequired` and `dependentSchemas`.
    fn dependencies(
        &mut self,
        place: &Place<'s>,
        object: &'s Map<String, Value>,
        keywords: &mut Vec<Keyword>,
    ) -> Result<(), SchemaError> {
        let (mut required, mut schemas) = (Vec::new(), Vec::new());
        for (name, dependency) in object.get("dependencies").and_then(Value::as_object).into_iter().flatten()
        {
            match dependency.as_array() {
                Some(names) => {
                    let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
                    required.push((name.clone(), names.collect()));
                }
                None => {
                    let way = format!("dependencies/{}", escaped(name));
                    schemas.push((name.clone(), self.below(place, &way, dependency)?));
                }
            }
        }
        if !required.is_empty() {
            keywords.push(Keyword::DependentRequired(required));
        }
        if !schemas.is_empty() {
            keywords.push(Keyword::DependentSchemas(schemas));
        }
        Ok(())
    }

    fn one(&mut self, place: &Place<'s>, keyword: &str) -> Result<Option<NodeId>, SchemaError> {
        match place.schema.get(keyword) {
            Some(schema) => Ok(Some(self.below(place, keyword, schema)?)),
            None => Ok(None),
        }
    }

    fn listed(&mut self, place: &Place<'s>, keyword: &str) -> Result<Vec<NodeId>, SchemaError> {
        let Some(list) = place.schema.get(keyword).and_then(Value::as_array).filter(|list| !list.is_empty())
        else {
            return Err(SchemaError::at(
                &place.location,
                keyword,
                "expected a list of schemas, at least one",
            ));
        };
        let nodes = list.iter().enumerate();
        nodes.map(|(index, schema)| self.below(place, &format!("{keyword}/{index}"), schema)).collect()
    }

    fn named(&mut self, place: &Place<'s>, keyword: &str) -> Result<Vec<(String, NodeId)>, SchemaError> {
        let object = match place.schema.get(keyword) {
            None => return Ok(Vec::new()),
            Some(Value::Object(object)) => object,
            Some(_) => {
                return Err(SchemaError::at(&place.location, keyword, "expected an object of schemas"));
            }
        };
        let nodes = object.iter().map(|(name, schema)| {
            Ok((name.clone(), self.below(place, &format!("{keyword}/{}", escaped(name)), schema)?))
        });
        nodes.collect()
    }

    fn below(&mut self, place: &Place<'s>, way: &str, schema: &'s Value) -> Result<NodeId, SchemaError> {
        let resource = self.registry.resource_of(schema).unwrap_or(place.resource);
        self.node(&Place { schema, resource, location: format!("{}/{way}", place.location) })
    }
}
