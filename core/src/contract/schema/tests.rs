//! What is said of values and of schemas, and the limits. That verdicts are right is for the official suite to say.

use serde_json::{Value, json};

use super::*;

fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let schema = Schema::new(schema).unwrap();
    schema.validate(value).iter().map(ToString::to_string).collect()
}

#[test]
fn violations_say_where_and_what() {
    let long = "x".repeat(200);
    for (schema, value, expected) in [
        (json!(false), json!(1), "nothing is allowed here"),
        (json!({ "type": ["number", "null"] }), json!("1"), "expected null or a number, got text"),
        (json!({ "type": "integer" }), json!(1.5), "expected an integer, got a number"),
        (json!({ "const": { "a": 1 } }), json!([]), "expected an object, got a list"),
        (json!({ "enum": ["a", "b"] }), json!("c"), "expected one of \"a\", \"b\", got \"c\""),
        (json!({ "minimum": 3 }), json!(2.5), "expected at least 3, got 2.5"),
        (json!({ "exclusiveMaximum": 3 }), json!(3), "expected less than 3, got 3"),
        (json!({ "multipleOf": 0.01 }), json!(0.005), "expected a multiple of 0.01, got 0.005"),
        (json!({ "maxLength": 3 }), json!("é💙xx"), "expected at most 3 characters, got 4"),
        (json!({ "minItems": 1 }), json!([]), "expected at least 1 items, got 0"),
        (json!({ "pattern": "^a" }), json!("secret"), "expected text that matches \"^a\""),
        (json!({ "uniqueItems": true }), json!([1, 2, 1.0]), "the items 0 and 2 are equal"),
        (json!({ "required": ["id"] }), json!({}), "the key \"id\" is missing"),
        (
            json!({ "dependentRequired": { "a": ["b"] } }),
            json!({ "a": 1 }),
            "with the key \"a\" the key \"b\" is needed too",
        ),
        (json!({ "not": {} }), json!(1), "fits what it must not fit"),
        (
            json!({ "contains": { "const": 1 } }),
            json!([2]),
            "expected at least 1 of the items to fit \"contains\", 0 do",
        ),
        (
            json!({ "propertyNames": { "maxLength": 1 } }),
            json!({ "ab": 1 }),
            "\"ab\" is no key that may be here",
        ),
        (
            json!({ "properties": { "bids": { "items": { "properties": { "price": { "type": "number" } } } } } }),
            json!({ "bids": [{}, { "price": "4" }] }),
            "bids[1].price: expected a number, got text",
        ),
        (json!({ "additionalProperties": false }), json!({ "x": 1 }), "x: nothing is allowed here"),
        (json!({ "unevaluatedProperties": false }), json!({ "x": 1 }), "x: nothing is allowed here"),
        (
            json!({ "additionalProperties": { "additionalProperties": false } }),
            json!({ "a": { "b\nc": 1 } }),
            "a[\"b\\nc\"]: nothing is allowed here",
        ),
        (json!({ "const": 1 }), json!(long), &format!("expected 1, got \"{}…", "x".repeat(59))),
    ] {
        assert_eq!(violations(&schema, &value), [expected], "{schema}");
    }
}

#[test]
fn of_alternatives_the_nearest_one_speaks() {
    let schema = json!({ "oneOf": [
        { "properties": { "type": { "const": "order" }, "price": { "type": "number" } }, "required": ["price"] },
        { "properties": { "type": { "const": "cancel" }, "id": { "type": "integer" } }, "required": ["id"] },
    ] });
    assert_eq!(
        violations(&schema, &json!({ "type": "cancel", "id": "7" })),
        ["id: fits none of 2 alternatives; the nearest says: expected an integer, got text"]
    );
    let both = json!({ "oneOf": [{ "type": "integer" }, { "minimum": 2 }] });
    assert_eq!(violations(&both, &json!(3)), ["fits both oneOf[0] and oneOf[1], and may fit only one"]);
}

#[test]
fn a_violation_names_the_keyword_and_its_place() {
    let schema = json!({ "$defs": { "price": { "type": "number" } }, "items": { "$ref": "#/$defs/price" } });
    let violations = Schema::new(&schema).unwrap().validate(&json!(["1"]));
    assert_eq!((violations[0].keyword, &*violations[0].schema), ("type", "#/$defs/price/type"));
}

#[test]
fn mistakes_in_a_schema_are_named() {
    for (schema, path, message) in [
        (json!([]), "", "expected a schema: an object, true or false"),
        (json!({ "type": "nubmer" }), "type", "did you mean \"number\"?"),
        (
            json!({ "properties": { "a/b": { "minimum": "3" } } }),
            "properties.a/b.minimum",
            "expected a number",
        ),
        (json!({ "minLength": -1 }), "minLength", "expected a whole number that is not negative"),
        (json!({ "multipleOf": 0 }), "multipleOf", "expected a number above 0"),
        (json!({ "items": [{}] }), "items", "a list of schemas is called \"prefixItems\""),
        (json!({ "anyOf": [] }), "anyOf", "expected a list of schemas, at least one"),
        (json!({ "properties": [] }), "properties", "expected an object of schemas"),
        (json!({ "required": "id" }), "required", "expected a list of keys"),
        (json!({ "enum": 1 }), "enum", "expected a list of values"),
        (json!({ "uniqueItems": 1 }), "uniqueItems", "expected true or false"),
        (json!({ "pattern": "(?=a)" }), "pattern", "it looks ahead"),
        (json!({ "patternProperties": { "(": {} } }), "patternProperties", "unclosed group"),
        (json!({ "$ref": "#/$defs/none" }), "$ref", "\"#/$defs/none\" leads nowhere"),
        (json!({ "$ref": "#none" }), "$ref", "there is no \"$anchor\": \"none\""),
        (
            json!({ "$ref": "https://example.com/x.json" }),
            "$ref",
            "there is no schema \"https://example.com/x.json\"",
        ),
        (json!({ "$ref": 1 }), "$ref", "expected a URI"),
        (json!({ "$id": "x#y" }), "$id", "has a fragment"),
        (json!({ "$anchor": 1 }), "$anchor", "expected text"),
        (json!({ "not": 1 }), "not", "expected a schema"),
    ] {
        let error = Schema::new(&schema).unwrap_err();
        assert_eq!(error.path, path, "{schema}");
        assert!(error.message.contains(message), "{schema}: {error}");
    }
}

#[test]
fn a_schema_within_a_document_sees_all_of_it() {
    let document = json!({
        "components": { "schemas": { "id": { "type": "integer" } } },
        "channels": { "a/b": { "payload": { "properties": { "id": { "$ref": "#/components/schemas/id" } } } } },
    });
    let schema = Schema::within(&document, "/channels/a~1b/payload", &BTreeMap::new()).unwrap();
    assert!(schema.validate(&json!({ "id": 1 })).is_empty());
    assert_eq!(schema.validate(&json!({ "id": "1" })).len(), 1);
    let error = Schema::within(&document, "/channels/c", &BTreeMap::new()).unwrap_err();
    assert_eq!(error.message, "there is nothing at \"/channels/c\"");
}

#[test]
fn violations_are_bounded_in_number() {
    let value = Value::from(vec!["x"; 1_000]);
    assert_eq!(violations(&json!({ "items": { "type": "number" } }), &value).len(), Schema::MAX_VIOLATIONS);
}

#[test]
fn work_is_bounded() {
    // A schema that applies itself to the same value for ever.
    let endless = json!({ "anyOf": [{ "$ref": "#" }] });
    let said = violations(&endless, &json!(1));
    assert_eq!(said, ["it cannot be validated: the schema applies itself too deeply"]);
    // `not` turns every result around, but not that there is none.
    let endless = json!({ "not": { "$ref": "#" } });
    assert_eq!(violations(&endless, &json!(1)).len(), 1);

    // Two to the power of 40 ways through it.
    let mut defs = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/{}", level + 1) });
        defs.insert(level.to_string(), json!({ "allOf": [next, next] }));
    }
    defs.insert("40".to_owned(), json!(true));
    let wide = json!({ "$defs": defs, "$ref": "#/$defs/0" });
    assert_eq!(violations(&wide, &json!(1)), ["it cannot be validated: that would take too many steps"]);
}

#[test]
fn a_schema_is_bounded_in_size() {
    let large = json!({ "allOf": vec![Value::Bool(true); Schema::MAX_NODES + 1] });
    let error = Schema::new(&large).unwrap_err();
    assert!(error.message.contains("the schema is too large"), "{error}");
}
