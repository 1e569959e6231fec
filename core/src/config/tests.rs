//! What is accepted, and what it comes to.

use serde_json::{Value, json};

use super::*;
use crate::protocol::DeflateConfig;
use crate::routing::router::{Found, Router};

fn route(route: Value) -> RouteConfig {
    let config = Config::from_value(json!({ "routes": [route] }));
    config.expect("a configuration").routes.remove(0)
}

#[test]
fn no_secret_shows_in_debug_output() {
    let toml = r#"
        routes = [
            { pattern = "/a", dialect = "echo", authenticate = { token = { query = "t", values = ["S3CRET"] } } },
            { pattern = "/b", dialect = "events", events = { stats = "/stats", adminToken = "S3CRET" } },
            { pattern = "/c", proxy = { url = "ws://h", headers = { x = "S3CRET" }, auth = { type = "bearer", token = "S3CRET" } } },
        ]
        feeds = [{ name = "f", post = { token = "S3CRET" } }]
    "#;
    let config = Config::from_toml(toml).unwrap();
    for route in &config.routes {
        let settings = format!("{:?}", config.route_settings(route));
        assert!(!settings.contains("S3CRET"), "{settings}");
    }
    let all = format!("{config:?}");
    assert!(all.contains("<1 secrets>") && !all.contains("S3CRET"), "{all}");
}

#[test]
fn the_defaults_are_as_documented() {
    let config = Config::from_value(json!({ "routes": [{ "pattern": "/ws" }] })).expect("a configuration");
    assert_eq!(
        config.listen,
        ListenConfig { host: "127.0.0.1".into(), port: 4004, io_uring: true, tls: None }
    );
    assert!(config.prefix.as_slice().is_empty());
    assert_eq!((config.delay, config.shutdown_grace), (0, 5000));
    let limits = &config.limits;
    assert_eq!((limits.max_connections, limits.max_connections_per_address), (10_000, None));
    assert_eq!((limits.rooms_per_connection, limits.room_name_bytes), (1_000, 256));
    assert_eq!((limits.pending_messages, limits.json_depth), (256, 128));
    assert_eq!(
        (limits.handshake_timeout, limits.authenticate_timeout, limits.close_timeout),
        (10_000, 10_000, 10_000)
    );
    assert_eq!(limits.handler_timeout.as_ms(), Some(30_000));
    assert_eq!(limits.outbound, OutboundConfig { max_bytes: 1_048_576, overflow: None });
    let route = &config.routes[0];
    assert_eq!(
        (route.dialect(), route.parse, route.max_payload),
        (Dialect::Handlers, Parse::Json, 16_777_216)
    );
    assert_eq!((route.heartbeat, route.inactivity_timeout), (Interval::OFF, Interval::OFF));
    assert_eq!((route.deflate(), route.default_room.as_deref()), (None, None));
    assert_eq!(route.authenticate, AuthenticateConfig::Open);
}

#[test]
fn options_that_can_be_switched_off_are() {
    for (value, expected) in [(json!(false), None), (json!(0), None), (json!(1500), Some(1500))] {
        let route = route(json!({ "pattern": "/ws", "heartbeat": value, "inactivityTimeout": value }));
        assert_eq!((route.heartbeat.as_ms(), route.inactivity_timeout.as_ms()), (expected, expected));
    }
    for (value, expected) in [(json!(false), None), (json!("lobby"), Some("lobby"))] {
        assert_eq!(
            route(json!({ "pattern": "/ws", "defaultRoom": value })).default_room.as_deref(),
            expected
        );
    }
}

#[test]
fn rules_and_responses_imply_their_dialect() {
    let table = [
        (json!({ "pattern": "/a" }), Dialect::Handlers),
        (json!({ "pattern": "/a", "rules": [{ "do": [] }] }), Dialect::Rules),
        (json!({ "pattern": "/a", "responses": [{ "response": "ok" }] }), Dialect::Rules),
        (json!({ "pattern": "/a", "dialect": "echo" }), Dialect::Echo),
        (
            json!({ "pattern": "/a/{room}", "dialect": "relay", "room": "{connection.params.room}" }),
            Dialect::Relay,
        ),
    ];
    for (value, expected) in table {
        assert_eq!(route(value.clone()).dialect(), expected, "{value}");
    }
}

#[test]
fn both_forms_of_compression_come_to_the_same() {
    let default = DeflateConfig::default();
    let table = [
        (json!({}), None),
        (json!({ "compression": { "enabled": false } }), None),
        (json!({ "perMessageDeflate": false }), None),
        (json!({ "compression": { "enabled": true } }), Some(default.clone())),
        (json!({ "compression": true }), Some(default.clone())),
        (
            json!({ "compression": { "threshold": 99 } }),
            Some(DeflateConfig { threshold: 99, ..default.clone() }),
        ),
        (json!({ "perMessageDeflate": true }), Some(default.clone())),
        (
            json!({
                "compression": { "enabled": true, "threshold": 10 },
                "perMessageDeflate": { "clientMaxWindowBits": 8, "serverMaxWindowBits": 9, "level": 1, "strict": true,
                    "serverNoContextTakeover": false, "clientNoContextTakeover": false },
            }),
            Some(DeflateConfig {
                server_no_context_takeover: false,
                client_no_context_takeover: false,
                server_max_window_bits: 9,
                client_max_window_bits: 8,
                threshold: 10,
                level: 1,
                strict: true,
            }),
        ),
    ];
    for (keys, expected) in table {
        let mut value = json!({ "pattern": "/ws" });
        if let (Value::Object(value), Value::Object(keys)) = (&mut value, keys.clone()) {
            value.extend(keys);
        }
        assert_eq!(route(value).deflate(), expected, "{keys}");
    }
}

#[test]
fn authentication_has_four_forms() {
    let table = [
        (json!(false), AuthenticateConfig::Open),
        (json!(true), AuthenticateConfig::Authorization),
        (json!("X-Api-Key"), AuthenticateConfig::Header(http::HeaderName::from_static("x-api-key"))),
        (
            json!({
                "token": { "query": "token", "values": { "t": { "user": "ada" } } },
                "missing": { "code": 4001, "reason": "No token provided" },
                "invalid": { "status": 403 },
            }),
            AuthenticateConfig::Token(Box::new(TokenConfig {
                token: TokenPlaceConfig {
                    query: Some("token".into()),
                    header: None,
                    values: [("t".to_owned(), json!({ "user": "ada" }))].into_iter().collect(),
                },
                missing: RefusalConfig {
                    code: Some(4001),
                    reason: "No token provided".into(),
                    ..Default::default()
                },
                invalid: RefusalConfig { status: Some(403), ..Default::default() },
            })),
        ),
    ];
    for (value, expected) in table {
        assert_eq!(route(json!({ "pattern": "/ws", "authenticate": value })).authenticate, expected);
    }
    let list = route(
        json!({ "pattern": "/ws", "authenticate": { "token": { "header": "x-key", "values": ["t"] } } }),
    );
    let AuthenticateConfig::Token(token) = list.authenticate else { panic!("no token") };
    assert_eq!(token.token.values.get("t"), Some(&Value::Null));
}

#[test]
fn toml_and_json_say_the_same() {
    let toml = r#"
        prefix = ["/api", "mock/"]
        [listen]
        port = 0
        [[routes]]
        pattern = "/ws/{room}"
        heartbeat = false
        [[routes.rules]]
        match = { type = "go" }
        let = { z = "{random.id}", a = "{let.z}!" }
        do = [{ reply = { a = "{let.a}" } }]
    "#;
    let config = Config::from_toml(toml).expect("a configuration");
    assert_eq!(
        (config.prefix.as_slice(), config.listen.port),
        (&["/api".to_owned(), "/mock".to_owned()][..], 0)
    );
    let router = Router::new(config.route_keys()).expect("a router");
    assert!(matches!(router.find("/mock/ws/x"), Found::Route { index: 0, .. }));
    assert!(matches!(router.find("/ws/x"), Found::Foreign));
    let json = r#"{ "$schema": "./switchboard.schema.json", "prefix": "api", "routes": [] }"#;
    assert_eq!(Config::from_json(json).expect("a configuration").prefix.as_slice(), ["/api"]);
}

#[test]
fn the_schema_knows_every_key() {
    let schema = Config::json_schema();
    assert_eq!(schema["additionalProperties"], json!(false));
    let text = schema.to_string();
    for key in [
        "shutdownGrace",
        "perMessageDeflate",
        "broadcastAllRooms",
        "oneOf",
        "drop-oldest",
        "maxConnectionsPerAddress",
    ] {
        assert!(text.contains(key), "{key}");
    }
}

#[test]
fn files_begin_in_the_folder_of_the_configuration() {
    let table = [
        ("a.jsonl", "/home/a", "/home/a/a.jsonl"),
        ("../b/a.jsonl", "/home/a/", "/home/a/../b/a.jsonl"),
        ("/tmp/a.jsonl", "/home/a", "/tmp/a.jsonl"),
        ("C:\\a.jsonl", "C:/b", "C:\\a.jsonl"),
        ("\\\\share\\a.jsonl", "C:/b", "\\\\share\\a.jsonl"),
        ("a.jsonl", "", "a.jsonl"),
    ];
    for (file, folder, expected) in table {
        let mut config =
            Config::from_value(json!({ "feeds": [{ "name": "a", "replay": { "file": file } }] })).unwrap();
        config.anchor(std::path::Path::new(folder));
        assert_eq!(config.feeds[0].replay.as_ref().unwrap().file, expected);
        let cluster = json!({ "url": "nats://h", "ca": file, "credentials": file });
        let mut config = Config::from_value(json!({ "cluster": cluster })).unwrap();
        config.anchor(std::path::Path::new(folder));
        let cluster = config.cluster.unwrap();
        assert_eq!([cluster.ca.as_deref(), cluster.credentials.as_deref()], [Some(expected); 2]);
    }
}
