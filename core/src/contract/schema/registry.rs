//! The documents of a schema, and what references in them refer to.

use std::collections::{BTreeMap, HashMap};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::error::SchemaError;
use super::uri;

/// A subschema, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Place<'s> {
    pub(super) schema: &'s Value,
    /// The index of its resource.
    pub(super) resource: usize,
    /// The URI of its document, `#`, and the way there as a pointer (RFC 6901).
    pub(super) location: String,
}

/// A schema with a URI of its own: a document, or what has an `$id`.
#[derive(Debug)]
pub(super) struct Resource<'s> {
    /// Its base URI.
    uri: String,
    root: Place<'s>,
    anchors: BTreeMap<&'s str, Place<'s>>,
    pub(super) dynamic_anchors: BTreeMap<&'s str, Place<'s>>,
    /// The URI of its meta-schema.
    dialect: Option<&'s str>,
}

/// What a reference refers to.
#[derive(Debug)]
pub(super) struct Target<'s> {
    pub(super) place: Place<'s>,
    /// Its name, if that is a `$dynamicAnchor`.
    pub(super) dynamic_anchor: Option<String>,
}

/// All documents and what is in them.
#[derive(Debug)]
pub(super) struct Registry<'s> {
    pub(super) resources: Vec<Resource<'s>>,
    by_uri: HashMap<String, usize>,
    /// The resource of each known subschema, by its address.
    known: HashMap<*const Value, usize>,
}

/// Where subschemas are, by their keyword.
const ONE: [&str; 11] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const LISTED: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

impl<'s> Registry<'s> {
    pub(super) fn new(document: &'s Value) -> Result<Self, SchemaError> {
        let mut registry = Self { resources: Vec::new(), by_uri: HashMap::new(), known: HashMap::new() };
        registry.add("", document)?;
        Ok(registry)
    }

    /// Adds a document.
    pub(super) fn add(&mut self, uri: &str, document: &'s Value) -> Result<(), SchemaError> {
        let (uri, _) = uri::resolve("", uri);
        let place = Place { schema: document, resource: self.resources.len(), location: format!("{uri}#") };
        let resource = self.resource(uri, place.clone());
        self.scan(Place { resource, ..place })
    }

    fn resource(&mut self, uri: String, root: Place<'s>) -> usize {
        let index = self.resources.len();
        let dialect = root.schema.get("$schema").and_then(Value::as_str);
        let root = Place { resource: index, ..root };
        self.resources.push(Resource {
            uri: uri.clone(),
            root,
            anchors: BTreeMap::new(),
            dynamic_anchors: BTreeMap::new(),
            dialect,
        });
        self.by_uri.entry(uri).or_insert(index);
        index
    }

    /// Takes up the identifiers of a subschema and of all below it.
    fn scan(&mut self, place: Place<'s>) -> Result<(), SchemaError> {
        let Place { schema, mut resource, location } = place;
        let Some(object) = schema.as_object() else {
            self.known.insert(schema, resource);
            return Ok(());
        };
        let text = |keyword: &str| match object.get(keyword) {
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            None => Ok(None),
            Some(_) => Err(SchemaError::at(&location, keyword, "expected text")),
        };
        if let Some(id) = text("$id")? {
            let (uri, fragment) = uri::resolve(&self.resources[resource].uri, id);
            if !fragment.is_empty() {
                return Err(SchemaError::at(
                    &location,
                    "$id",
                    "has a fragment; write \"$anchor\" beside it instead",
                ));
            }
            let root = self.resources[resource].root.schema;
            if std::ptr::eq(root, schema) {
                // The document itself says where it is.
                self.resources[resource].uri.clone_from(&uri);
                self.by_uri.insert(uri, resource);
            } else {
                resource = self.resource(uri, Place { schema, resource, location: location.clone() });
            }
        }
        self.known.insert(schema, resource);
        let place = Place { schema, resource, location: location.clone() };
        if let Some(anchor) = text("$anchor")? {
            self.resources[resource].anchors.insert(anchor, place.clone());
        }
        if let Some(anchor) = text("$dynamicAnchor")? {
            self.resources[resource].dynamic_anchors.insert(anchor, place);
        }
        let at =
            |keyword: &str, schema| Place { schema, resource, location: format!("{location}/{keyword}") };
        for keyword in ONE {
            if let Some(schema) = object.get(keyword) {
                self.scan(at(keyword, schema))?;
            }
        }
        for keyword in LISTED {
            for (index, schema) in
                object.get(keyword).and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                self.scan(at(&format!("{keyword}/{index}"), schema))?;
            }
        }
        for keyword in NAMED {
            for (name, schema) in object.get(keyword).and_then(Value::as_object).into_iter().flatten() {
                self.scan(at(&format!("{keyword}/{}", escaped(name)), schema))?;
            }
        }
        Ok(())
    }

    /// The index of the resource that a known subschema belongs to.
    pub(super) fn resource_of(&self, schema: &Value) -> Option<usize> {
        self.known.get(&std::ptr::from_ref(schema)).copied()
    }

    /// What is at a pointer of the first document.
    pub(super) fn entry(&mut self, pointer: &str) -> Result<Place<'s>, SchemaError> {
        let root = self.resources[0].root.clone();
        let resource = self.resource_of(root.schema).unwrap_or(0);
        self.pointed(Place { resource, ..root }, pointer)?
            .ok_or_else(|| SchemaError::new("#", format!("there is nothing at {pointer:?}")))
    }

    /// What a `$ref` or `$dynamicRef` at a place refers to.
    pub(super) fn find(&mut self, from: &Place<'s>, reference: &str) -> Result<Target<'s>, String> {
        let (uri, fragment) = uri::resolve(&self.resources[from.resource].uri, reference);
        let Some(index) = self.by_uri.get(&uri).copied() else {
            return Err(format!(
                "there is no schema {uri:?} here; write it below \"$defs\" with that \"$id\", or refer to it as \"#/$defs/NAME\""
            ));
        };
        let fragment = percent_decode_str(fragment).decode_utf8_lossy();
        let resource = &self.resources[index];
        if fragment.is_empty() || fragment.starts_with('/') {
            let place = self.pointed(resource.root.clone(), &fragment).map_err(|error| error.to_string())?;
            let place = place.ok_or_else(|| format!("{reference:?} leads nowhere"))?;
            return Ok(Target { place, dynamic_anchor: None });
        }
        let is_dynamic = resource.dynamic_anchors.get(&*fragment);
        let place = is_dynamic.or_else(|| resource.anchors.get(&*fragment)).cloned();
        let dynamic_anchor = is_dynamic.map(|_| fragment.clone().into_owned());
        match place {
            Some(place) => Ok(Target { place, dynamic_anchor }),
            None => Err(format!("{reference:?} leads nowhere: there is no \"$anchor\": {fragment:?}")),
        }
    }

    /// Whether the meta-schema of a resource leaves the keywords of the validation vocabulary out.
    pub(super) fn is_without_validation(&self, resource: usize) -> bool {
        const VALIDATION: &str = "https://json-schema.org/draft/2020-12/vocab/validation";
        let dialect = self.resources[resource].dialect.and_then(|dialect| self.by_uri.get(dialect));
        let vocabularies = dialect.and_then(|index| self.resources[*index].root.schema.get("$vocabulary"));
        vocabularies.is_some_and(|vocabularies| vocabularies.get(VALIDATION).is_none())
    }

    /// Goes a pointer down. What lies at a place where no keyword has subschemas is taken for one from now on.
    fn pointed(&mut self, from: Place<'s>, pointer: &str) -> Result<Option<Place<'s>>, SchemaError> {
        let Place { mut schema, mut resource, mut location } = from;
        for token in pointer.split('/').skip(1) {
            let name = token.replace("~1", "/").replace("~0", "~");
            let next = match schema {
                Value::Object(object) => object.get(&name),
                Value::Array(list) => name.parse().ok().and_then(|index: usize| list.get(index)),
                _ => None,
            };
            let Some(next) = next else { return Ok(None) };
            schema = next;
            resource = self.resource_of(schema).unwrap_or(resource);
            location = format!("{location}/{}", escaped(&name));
        }
        let place = Place { schema, resource, location };
        if self.resource_of(schema).is_none() {
            self.scan(place.clone())?;
        }
        let resource = self.resource_of(schema).unwrap_or(resource);
        Ok(Some(Place { resource, ..place }))
    }
}

/// A name as it stands in a pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
