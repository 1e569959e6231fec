//! AsyncAPI documents: what becomes of their channels, and documents of configurations.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use serde_json::{Value, json};
use support::World;
use switchboard_core::Config;
use switchboard_core::config::AsyncApiOptions;

/// Orders are received and confirmed, prices are sent; what Kafka carries is not for us.
fn shop() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": "Shop", "version": "1.0.0" },
        "servers": {
            "live": { "host": "shop.example.com", "protocol": "wss", "pathname": "/{stage}", "variables": { "stage": { "default": "v1" } } },
            "log": { "host": "kafka.example.com", "protocol": "kafka" },
        },
        "channels": {
            "orders": {
                "address": "/orders/{shop}",
                "servers": [{ "$ref": "#/servers/live" }],
                "parameters": { "shop": { "enum": ["berlin", "new.york"] } },
                "messages": {
                    "order": { "$ref": "#/components/messages/order" },
                    "cancel": { "payload": { "type": "object", "properties": { "type": { "const": "cancel" } } } },
                    "confirmed": {
                        "correlationId": { "location": "$message.payload#/meta/id" },
                        "payload": { "type": "object", "required": ["ok"] },
                        "examples": [{ "payload": { "ok": true, "meta": { "id": 0, "by": "{nobody}" } } }],
                    },
                    "cancelled": { "payload": { "type": "object", "properties": { "reason": { "type": "string", "minLength": 3 } }, "required": ["reason"] } },
                    "price": { "payload": { "properties": { "price": { "type": "number", "minimum": 0.5 } }, "required": ["price"] } },
                },
                "bindings": { "ws": { "method": "GET", "headers": { "properties": { "Sec-WebSocket-Protocol": { "const": "shop.v1" } } } } },
            },
            "audit": { "address": "audit", "servers": [{ "$ref": "#/servers/log" }], "messages": {} },
        },
        "operations": {
            "onOrder": {
                "action": "receive",
                "channel": { "$ref": "#/channels/orders" },
                "messages": [{ "$ref": "#/channels/orders/messages/order" }],
                "reply": { "messages": [{ "$ref": "#/channels/orders/messages/confirmed" }] },
            },
            "onCancel": {
                "action": "receive",
                "channel": { "$ref": "#/channels/orders" },
                "messages": [{ "$ref": "#/channels/orders/messages/cancel" }],
                "reply": { "messages": [{ "$ref": "#/channels/orders/messages/cancelled" }] },
            },
            "sendPrice": {
                "action": "send",
                "channel": { "$ref": "#/channels/orders" },
                "messages": [{ "$ref": "#/channels/orders/messages/price" }],
            },
            "log": { "action": "send", "channel": { "$ref": "#/channels/audit" } },
        },
        "components": {
            "messages": { "order": {
                "correlationId": { "$ref": "#/components/correlationIds/id" },
                "payload": { "$ref": "#/components/schemas/order" },
            } },
            "correlationIds": { "id": { "location": "$message.payload#/id" } },
            "schemas": {
                "order": {
                    "type": "object",
                    "required": ["type", "id", "items"],
                    "properties": {
                        "type": { "enum": ["order"] },
                        "id": { "type": "integer" },
                        // A tuple, as draft 07 writes it.
                        "items": { "type": "array", "items": [{ "$ref": "#/components/schemas/name" }], "additionalItems": false },
                    },
                },
                "name": { "type": "string" },
            },
        },
    })
}

fn config(options: Value, document: &Value) -> Config {
    let mut config = Config::from_value(options).unwrap();
    config
        .load(|file| if file == "shop.yaml" { Ok(document.clone()) } else { Err("no such file".to_owned()) })
        .unwrap();
    config
}

fn world(options: Value) -> World {
    World::with_engine(config(options, &shop()).engine([1; 32]).unwrap())
}

#[test]
fn channels_become_routes_that_answer_with_the_examples() {
    let mut world = world(json!({ "asyncapi": { "file": "shop.yaml", "mode": "refuse", "greet": true } }));
    let rejected = world.upgrade("/v1/orders/paris");
    assert_eq!(world.client(rejected).rejected, Some(404), "not one of the parameter's values");
    let other = world.upgrade("/audit");
    assert_eq!(world.client(other).rejected, Some(404), "Kafka's");
    let a = world.connect("/v1/orders/new.york");
    assert_eq!(world.received(a), [r#"{"price":0.5}"#]);
    world.text(a, r#"{"type":"order","id":7,"items":["x"]}"#);
    let answer: Value = serde_json::from_str(&world.received(a)[0]).unwrap();
    assert_eq!(
        answer,
        json!({ "ok": true, "meta": { "id": 7, "by": "{nobody}" } }),
        "with the correlation id"
    );
    world.text(a, r#"{"type":"cancel"}"#);
    assert_eq!(world.received(a), [r#"{"reason":"text"}"#]);
    world.text(a, r#"{"type":"order","id":7,"items":["x",1]}"#);
    let told = world.received(a).remove(0);
    assert!(
        told.contains("the message breaks the contract: items[1]: fits none of 2 alternatives"),
        "{told}"
    );
    world.text(a, r#"{"type":"other"}"#);
    assert!(world.received(a)[0].contains("the message breaks the contract"));
    assert_eq!(world.engine.stats().contract_violations["/v1/orders/{shop:(?:berlin|new\\.york)}"], 2);
}

#[test]
fn the_subprotocol_of_the_binding_is_spoken() {
    let mut world = world(json!({ "asyncapi": "shop.yaml" }));
    let id = world.upgrade_with("/v1/orders/berlin", &[("sec-websocket-protocol", "chat, shop.v1")]);
    let accept = format!("{:?}", world.client(id).accepted);
    assert!(accept.contains("shop.v1"), "{accept}");
}

#[test]
fn a_route_of_ones_own_gets_the_contract_and_keeps_what_it_does() {
    let options = json!({
        "asyncapi": "shop.yaml",
        "prefix": "/v1",
        "routes": [{ "pattern": "/orders/{id}", "dialect": "echo", "contract": "refuse" }],
    });
    let mut world = world(options);
    let a = world.connect("/v1/orders/paris");
    world.text(a, r#"{"type":"order","id":1.5,"items":[]}"#);
    assert!(
        world.received(a)[0]
            .contains("id: fits none of 2 alternatives; the nearest says: expected an integer, got a number")
    );
    // What it would send is no message that the document lets it send.
    world.text(a, r#"{"type":"order","id":1,"items":[]}"#);
    assert_eq!(world.received(a), [] as [&str; 0]);
    assert_eq!(world.engine.stats().contract_violations["/v1/orders/{id}"], 2);
}

#[test]
fn a_document_of_the_client_is_read_the_other_way_round() {
    let mut world =
        world(json!({ "asyncapi": { "file": "shop.yaml", "perspective": "client", "mode": "refuse" } }));
    let a = world.connect("/v1/orders/berlin");
    world.text(a, r#"{"price":1}"#);
    assert_eq!(world.received(a), [] as [&str; 0]);
    world.text(a, r#"{"price":0}"#);
    assert!(world.received(a)[0].contains("the message breaks the contract"));
}

#[test]
fn mistakes_in_a_document_are_named() {
    let with = |pointer: &str, value: Value| {
        let mut document = shop();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[key] = value;
        document
    };
    for (document, expected) in [
        (json!({}), "asyncapi: this is no AsyncAPI document"),
        (with("/asyncapi", json!("2.6.0")), "asyncapi: expected version 3, got \"2.6.0\""),
        (with("/channels", json!([])), "channels: expected an object"),
        (
            with("/channels/orders", json!({ "$ref": "#/nowhere" })),
            "channels.orders: \"#/nowhere\" leads nowhere",
        ),
        (
            with("/channels/orders", json!({ "$ref": "other.yaml#/x" })),
            "channels.orders: refers to another file",
        ),
        (
            with("/channels/orders/address", json!(null)),
            "channels.orders: a channel of a WebSocket needs an \"address\"",
        ),
        (with("/channels/orders/address", json!("/{a")), "channels.orders: pattern \"/v1/{a\""),
        (
            with("/channels/orders/bindings/ws/method", json!("POST")),
            "channels.orders.bindings.ws: a WebSocket opens with the method GET",
        ),
        (
            with("/operations/onOrder/action", json!("subscribe")),
            "operations.onOrder: the key \"action\" has to be",
        ),
        (
            with("/operations/onOrder/channel", json!({ "$ref": "#/channels/none" })),
            "operations.onOrder.channel: \"#/channels/none\" leads nowhere",
        ),
        (
            with("/components/schemas/order/properties/id/type", json!("int")),
            "components.schemas.order.properties.id.type: expected null, boolean",
        ),
        (
            with("/components/schemas/order/properties/id", json!({ "$ref": "other.json" })),
            "components.schemas.order.properties.id: refers to \"other.json\"",
        ),
        (
            with("/servers/live/protocol", json!("mqtt")),
            "channels: there is no channel of a server that speaks ws or wss",
        ),
    ] {
        let mut config = Config::from_value(json!({ "asyncapi": "shop.yaml" })).unwrap();
        let error = config.load(|_| Ok(document.clone())).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("asyncapi: shop.yaml: {expected}")),
            "expected {expected:?}, got {error:?}"
        );
    }
    let error = Config::from_value(
        json!({ "asyncapi": "shop.yaml", "routes": [{ "pattern": "/none", "contract": "warn", "dialect": "echo" }] }),
    );
    let error = error.unwrap().load(|_| Ok(shop())).unwrap_err().to_string();
    assert_eq!(
        error,
        "routes[0].contract: there is no schema: shop.yaml has no channel with the address /none; write receives, sends or both"
    );
    let error = Config::from_value(json!({ "asyncapi": { "file": "x", "mod": 1 } })).unwrap_err().to_string();
    assert_eq!(error, "asyncapi.mod: unknown key; did you mean \"mode\"?");
}

#[test]
fn a_document_of_a_configuration_makes_the_same_contracts() {
    let before = Config::from_value(json!({
        "prefix": "/api",
        "routes": [
            {
                "pattern": "/feed/{symbol:[A-Z]+}", "dialect": "echo", "subprotocols": ["v1"],
                "authenticate": { "token": { "query": "token", "values": ["S3CRET"] } },
                "contract": {
                    "receives": { "$defs": { "n": { "type": "number" } }, "properties": { "n": { "$ref": "#/$defs/n" }, "next": { "$ref": "#" } } },
                    "sends": { "type": "object" },
                },
            },
            { "pattern": "/any/**", "dialect": "relay", "contract": { "receives": true, "sends": false } },
            { "pattern": "/off", "disabled": true },
        ],
    }));
    let document = before.unwrap().asyncapi_document("Feeds");
    assert!(!document.to_string().contains("S3CRET"));
    let channel = &document["channels"]["api.feed.symbol"];
    assert_eq!(channel["address"], "/api/feed/{symbol}");
    assert_eq!(
        channel["bindings"]["ws"]["query"],
        json!({ "type": "object", "properties": { "token": { "type": "string" } } })
    );
    assert_eq!(document["channels"]["api.any.any1"]["parameters"], json!({ "any1": {} }));
    assert_eq!(document["channels"].as_object().unwrap().len(), 2);
    let schemas = &document["components"]["schemas"];
    assert_eq!(
        (&schemas["api.any.any1.received"], &schemas["api.any.any1.sent"]),
        (&json!({}), &json!({ "not": {} }))
    );

    let mut after = Config::default();
    let mut options = AsyncApiOptions::new("feeds.json");
    options.mode = switchboard_core::contract::ContractMode::Refuse;
    after.add_asyncapi(&document, &options).unwrap();
    after.check().unwrap();
    assert_eq!(after.routes[0].subprotocols, ["v1"]);
    let mut world = World::with_engine(after.engine([1; 32]).unwrap());
    let a = world.connect("/api/feed/X");
    world.text(a, r#"{"n":1,"next":{"next":{"n":"1"}}}"#);
    let told = world.received(a).remove(0);
    assert!(
        told.contains("the message breaks the contract: next.next.n: expected a number, got text"),
        "{told}"
    );
}
