//! Messages that break the contract of their route.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use support::World;
use switchboard_core::control::{ControlSettings, EVENTS_PATH, PATH};
use switchboard_core::{Config, ConnectionId, Level, Message};

fn world(config: Value) -> World {
    let mut world = World::with_engine(Config::from_value(config).unwrap().engine([1; 32]).unwrap());
    world.engine.set_control(ControlSettings::new("t0p"));
    world.address = Some([127, 0, 0, 1].into());
    world
}

fn echo(contract: Value) -> Value {
    json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "contract": contract }] })
}

fn numbers() -> Value {
    json!({ "properties": { "n": { "type": "number" } } })
}

fn told(world: &mut World, subscriber: ConnectionId) -> Vec<Value> {
    let told = world.received(subscriber).into_iter().map(|text| serde_json::from_str(&text).unwrap());
    told.collect::<Vec<Value>>()
}

fn subscribe(world: &mut World) -> ConnectionId {
    let subscriber = world.connect(&format!("{EVENTS_PATH}?token=t0p&kinds=violation"));
    assert_eq!(told(world, subscriber)[0]["type"], "subscribed");
    subscriber
}

fn view(world: &mut World, path: &str) -> Value {
    let request = Request::builder().method(Method::GET).uri(format!("{PATH}{path}"));
    let request = request.header("host", "localhost").header("authorization", "Bearer t0p");
    let response = world.request(&request.body(Bytes::new()).unwrap()).unwrap();
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn warned_messages_are_logged_counted_told_and_passed_on() {
    let mut world = world(echo(json!({ "receives": numbers(), "sends": numbers() })));
    let subscriber = subscribe(&mut world);
    let a = world.connect("/echo");
    world.text(a, r#"{"n":1}"#);
    world.text(a, r#"{"n":"1"}"#);
    world.text(a, r#"{"n":"2"}"#);
    assert_eq!(world.received(a).len(), 3);
    assert_eq!(
        world.log,
        [
            (
                Level::Warn,
                "/echo received a message that breaks its contract: n: expected a number, got text".into()
            ),
            (
                Level::Warn,
                "/echo sends a message that breaks its contract: n: expected a number, got text".into()
            ),
        ]
    );
    let told = told(&mut world, subscriber);
    let name = world.engine.connection(a).unwrap().public_id().to_string();
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(
        told[0],
        json!({
            "type": "violation", "at": told[0]["at"], "sequence": 5, "direction": "in", "connection": name, "route": "/echo", "path": "/echo",
            "receivers": 1, "isRefused": false,
            "violations": [{ "path": "n", "keyword": "type", "schema": "#/properties/n/type", "message": "expected a number, got text" }],
        })
    );
    assert_eq!(told[1]["direction"], "out");
    assert_eq!(world.engine.stats().contract_violations["/echo"], 4);
    let route = &view(&mut world, "/routes")["routes"][0];
    assert_eq!((&route["contract"], &route["contractViolations"]), (&json!("warn"), &json!(4)));
}

#[test]
fn refused_messages_reach_neither_handler_nor_client() {
    let mut world =
        world(echo(json!({ "mode": "refuse", "receives": numbers(), "sends": { "required": ["n"] } })));
    let subscriber = subscribe(&mut world);
    let a = world.connect("/echo");
    world.text(a, r#"{"n":null}"#);
    let error =
        r#"{"type":"error","message":"the message breaks the contract: n: expected a number, got null"}"#;
    assert_eq!(world.received(a), [error]);
    // What is received may be, what is sent may not.
    world.text(a, "{}");
    assert_eq!(world.received(a), [] as [&str; 0]);
    let log: Vec<_> = world.log.iter().map(|(level, text)| (*level, text.as_str())).collect();
    assert_eq!(
        log,
        [
            (
                Level::Warn,
                "onMessage for /echo: the message breaks the contract: n: expected a number, got null"
            ),
            (
                Level::Error,
                "/echo does not send a message that breaks its contract: the key \"n\" is missing"
            ),
        ]
    );
    let told = told(&mut world, subscriber);
    let seen: Vec<_> = told.iter().map(|event| (&event["direction"], &event["isRefused"])).collect();
    assert_eq!(seen, [(&json!("in"), &json!(true)), (&json!("out"), &json!(true))]);
}

#[test]
fn a_broadcast_is_one_violation_for_all_its_receivers() {
    let mut world = world(json!({ "routes": [
        { "pattern": "/relay", "dialect": "relay", "contract": { "mode": "refuse", "sends": numbers() } },
    ] }));
    let subscriber = subscribe(&mut world);
    let [a, b, c] = [world.connect("/relay"), world.connect("/relay"), world.connect("/relay")];
    world.text(a, r#"{"n":"x"}"#);
    assert_eq!((world.received(b).len(), world.received(c).len()), (0, 0));
    let told = told(&mut world, subscriber);
    assert_eq!((told.len(), &told[0]["receivers"], told[0].get("connection")), (1, &json!(2), None));
    assert_eq!(world.engine.stats().contract_violations["/relay"], 1);
}

#[test]
fn a_message_waits_for_its_delay_before_it_is_refused() {
    let mut config = echo(json!({ "mode": "refuse", "receives": numbers() }));
    config["delay"] = json!(100);
    let mut world = world(config);
    let a = world.connect("/echo");
    world.text(a, "{}");
    world.text(a, r#"{"n":""}"#);
    assert!(world.received(a).is_empty());
    world.advance(100);
    let received = world.received(a);
    assert_eq!(received[0], "{}");
    assert!(received[1].contains("the message breaks the contract"), "in order: {received:?}");
}

#[test]
fn a_contract_comes_and_goes_with_the_configuration() {
    let mut world = world(echo(json!({ "mode": "refuse", "receives": numbers() })));
    let a = world.connect("/echo");
    let other =
        Config::from_value(echo(json!({ "mode": "refuse", "receives": { "type": "array" } }))).unwrap();
    let done = world.reconfigure(other.configuration());
    assert_eq!((done.changed, done.kept), (1, 1));
    world.text(a, "{}");
    assert!(world.received(a)[0].contains("expected a list, got an object"));
    let mut without = echo(json!({}));
    without["routes"][0].as_object_mut().unwrap().remove("contract");
    world.reconfigure(Config::from_value(without).unwrap().configuration());
    world.text(a, "{}");
    assert_eq!(world.received(a), ["{}"]);
}

#[test]
fn schemas_are_read_from_files() {
    let config = echo(json!({ "mode": "refuse", "receives": "schemas/number.json", "sends": "/all.yaml" }));
    let mut config = Config::from_value(config).unwrap();
    config.anchor("/project".as_ref());
    assert_eq!(config.files(), ["/all.yaml", "/project/schemas/number.json"]);
    let mut read = config.clone();
    read.load(|file| if file == "/all.yaml" { Ok(json!(true)) } else { Ok(numbers()) }).unwrap();
    let mut world = World::with_engine(read.engine([1; 32]).unwrap());
    let a = world.connect("/echo");
    world.message(a, Message::from(r#"{"n":[]}"#));
    assert!(world.received(a)[0].contains("expected a number, got a list"));

    let error = config.clone().load(|_| Err("there is no such file".to_owned())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "routes[0].contract.receives: /project/schemas/number.json: there is no such file"
    );
    let error = config.load(|_| Ok(json!({ "items": { "type": "x" } }))).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "routes[0].contract.receives: /project/schemas/number.json: items.type: expected null"
        ),
        "{error}"
    );
    assert_eq!(config.files().len(), 2, "they can be read again");
}

#[test]
fn mistakes_in_a_contract_are_named() {
    for (contract, expected) in [
        (
            json!("warm"),
            "routes[0].contract: expected \"warn\" or \"refuse\", got \"warm\"; did you mean \"warn\"?",
        ),
        (json!("warn"), "routes[0].contract: there is no schema; write receives, sends or both"),
        (json!({ "receive": {} }), "routes[0].contract.receive: unknown key; did you mean \"receives\"?"),
        (
            json!({ "mode": "deny", "sends": {} }),
            "routes[0].contract.mode: expected \"warn\" or \"refuse\", got \"deny\"",
        ),
        (
            json!({ "sends": { "properties": { "a": { "type": "strnig" } } } }),
            "routes[0].contract.sends.properties.a.type: expected null, boolean, integer, number, string, array, object; did you mean \"string\"?",
        ),
        (json!({ "sends": 5 }), "routes[0].contract.sends: expected a schema: an object, true or false"),
    ] {
        let error = Config::from_value(echo(contract)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
