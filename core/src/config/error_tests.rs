//! How a configuration that cannot be used is explained.

use serde_json::{Value, json};

use super::Config;

fn error(config: Value) -> String {
    Config::from_value(config.clone()).expect_err(&config.to_string()).to_string()
}

/// The error of one route on `/ws/{room}`, without the path of the route itself.
fn route_error(keys: Value) -> String {
    let mut route = json!({ "pattern": "/ws/{room}" });
    if let (Value::Object(route), Value::Object(keys)) = (&mut route, keys) {
        route.extend(keys);
    }
    let error = error(json!({ "routes": [route] }));
    error.strip_prefix("routes[0].").map_or(error.clone(), str::to_owned)
}

#[test]
fn text_that_is_neither_says_where() {
    assert_eq!(
        Config::from_toml("prefix = \"/api\"\nroutes = [").expect_err("cut off").to_string(),
        "not TOML: line 2, column 11: unclosed array, expected `]`"
    );
    assert_eq!(
        Config::from_json("{").expect_err("cut off").to_string(),
        "not JSON: EOF while parsing an object at line 1 column 1"
    );
}

#[test]
fn feeds_are_named_before_routes_serve_them() {
    let kills = json!({ "name": "kills" });
    let actions = json!({ "channels": [{ "name": "kills", "feed": "kill" }] });
    let table = [
        (json!({ "feeds": [kills, kills] }), "feeds[1].name: \"kills\" stands here twice"),
        (json!({ "feeds": [{ "name": "" }] }), "feeds[0].name: a feed needs a name, as \"killmails\""),
        (
            json!({ "feeds": [{ "name": "x", "post": { "path": "x" } }] }),
            "feeds[0].post.path: a path begins with \"/\", as \"/feeds/killmails\"",
        ),
        (
            json!({ "feeds": [{ "name": "x", "interval": { "every": 5, "values": [1, "{message}"] } }] }),
            "feeds[0].interval.values[1]: a feed has no connection and no message; use {now}, {random…}, {counter…}, \
             {walk…} or {fake…}",
        ),
        (
            json!({ "feeds": [{ "name": "x", "replay": { "file": "x", "every": 5, "timestamp": "at" } }] }),
            "feeds[0].replay.every: the pace comes from the timestamp already; write one of the two",
        ),
        (
            json!({ "feeds": [{ "name": "x", "upstream": { "url": "http://x" } }] }),
            "feeds[0].upstream.url: expected a ws:// or wss:// URL, got \"http://x\"",
        ),
        (
            json!({ "routes": [{ "pattern": "/", "dialect": "actions" }] }),
            "routes[0].actions.channels: there is no feed \"killmails\"; write it as [[feeds]] with name = \
             \"killmails\"",
        ),
        (
            json!({ "feeds": [kills], "routes": [{ "pattern": "/", "dialect": "actions", "actions": actions }] }),
            "routes[0].actions.channels: there is no feed \"kill\"; write it as [[feeds]] with name = \"kill\"; \
             did you mean \"kills\"?",
        ),
        (
            json!({ "routes": [{ "pattern": "/", "dialect": "echo", "actions": {} }] }),
            "routes[0].actions: belongs to the dialect \"actions\", but this route's dialect is \"echo\"",
        ),
    ];
    for (config, expected) in table {
        assert_eq!(error(config), expected);
    }
}

#[test]
fn unknown_keys_are_named_with_their_path() {
    let table = [
        (json!({ "route": [] }), "route: unknown key; did you mean \"routes\"?"),
        (
            json!({ "routes": [{ "pattern": "/", "onMesage": null }] }),
            "routes[0].onMesage: unknown key; did you mean \"onMessage\"?",
        ),
        (json!({ "wsHandlers": [] }), "wsHandlers: unknown key; did you mean \"routes\"?"),
        (
            json!({ "listen": { "zzz": 1 } }),
            "listen.zzz: unknown key; known here are host, port, ioUring, tls",
        ),
        (
            json!({ "limits": { "outbound": { "maxByte": 1 } } }),
            "limits.outbound.maxByte: unknown key; did you mean \"maxBytes\"?",
        ),
        (
            json!({ "routes": [{ "pattern": "/a" }, { "pattern": "/b", "heartbaet": 1 }] }),
            "routes[1].heartbaet: unknown key; did you mean \"heartbeat\"?",
        ),
    ];
    for (config, expected) in table {
        assert_eq!(error(config), expected);
    }
    let table = [
        (
            json!({ "perMessageDeflate": { "windowBits": 9 } }),
            "perMessageDeflate.windowBits: unknown key; known here are serverNoContextTakeover, clientNoContextTakeover, \
             serverMaxWindowBits, clientMaxWindowBits, threshold, level, strict",
        ),
        (
            json!({ "onMessage": "x" }),
            "onMessage: is a callback; give it in the options of the plugin, or write a handler in Rust",
        ),
        (
            json!({ "rules": [{ "do": [{ "replay": 1 }] }] }),
            "rules[0].do[0].replay: unknown key; did you mean \"reply\"?",
        ),
        (
            json!({ "rules": [{ "if": {}, "do": [] }] }),
            "rules[0].if: unknown key; known here are on, match, let, do, continue",
        ),
        (
            json!({ "authenticate": { "token": { "qurey": "t" } } }),
            "authenticate.token.qurey: unknown key; did you mean \"query\"?",
        ),
    ];
    for (keys, expected) in table {
        assert_eq!(route_error(keys), expected);
    }
}

#[test]
fn wrong_values_are_told_what_is_right() {
    let table = [
        (json!({ "routes": {} }), "routes: expected a list, got an object"),
        (json!({ "routes": [{}] }), "routes[0]: the key \"pattern\" is missing"),
        (
            json!({ "routes": [{ "pattern": "ws" }] }),
            "routes[0].pattern: pattern \"ws\", character 1: a pattern starts with a slash; write \"/ws\"",
        ),
        (json!({ "routes": [1] }), "routes[0]: expected an object, got the number 1"),
        (json!({ "delay": "1s" }), "delay: expected a whole number that is not negative, got text \"1s\""),
        (json!({ "delay": -1 }), "delay: expected a whole number that is not negative, got the number -1"),
        (json!({ "delay": 1.5 }), "delay: expected a whole number that is not negative, got the number 1.5"),
        (
            json!({ "listen": { "port": 70000 } }),
            "listen.port: expected a whole number from 0 to 65535, got the number 70000",
        ),
        (
            json!({ "prefix": 1 }),
            "prefix: expected text such as \"/api\", or a list of such, got the number 1",
        ),
        (
            json!({ "prefix": "/api/*" }),
            "prefix: a prefix is plain text, so \"*\" cannot stand in \"/api/*\"; patterns can have it",
        ),
        (
            json!({ "limits": { "maxConnections": 0 } }),
            "limits.maxConnections: 0 would let nothing through; write at least 1",
        ),
        (
            json!({ "limits": { "closeTimeout": 0 } }),
            "limits.closeTimeout: 0 ms would be over at once; write at least 1",
        ),
        (json!({ "limits": { "jsonDepth": 500 } }), "limits.jsonDepth: write at most 128"),
        (
            json!({ "limits": { "outbound": { "overflow": "drop" } } }),
            "limits.outbound.overflow: expected \"close\" or \"drop-oldest\" or \"pause\", got \"drop\"",
        ),
    ];
    for (config, expected) in table {
        assert_eq!(error(config), expected);
    }
    let table = [
        (json!({ "disabled": "no" }), "disabled: expected true or false, got text \"no\""),
        (
            json!({ "heartbeat": "30s" }),
            "heartbeat: expected a whole number of ms, or false, got text \"30s\"",
        ),
        (json!({ "heartbeat": true }), "heartbeat: expected a whole number of ms, or false, got true"),
        (json!({ "heartbeat": -1 }), "heartbeat: expected a whole number of ms, or false, got the number -1"),
        (json!({ "defaultRoom": true }), "defaultRoom: expected a room's name, or false, got true"),
        (json!({ "parse": "xml" }), "parse: expected \"json\" or \"text\" or \"none\", got \"xml\""),
        (json!({ "maxPayload": 0 }), "maxPayload: no message could ever be received; write at least 1"),
        (
            json!({ "subprotocols": ["a", "b c"] }),
            "subprotocols[1]: \"b c\" is no subprotocol; write letters, digits and no spaces, as \"chat.v1\"",
        ),
        (json!({ "subprotocols": ["a", "a"] }), "subprotocols[1]: \"a\" stands here twice"),
        (json!({ "compression": 1 }), "compression: expected true, false or an object, got the number 1"),
        (
            json!({ "compression": { "enabled": true }, "perMessageDeflate": false }),
            "compression: switched on here but off by perMessageDeflate; write one of the two",
        ),
        (
            json!({ "compression": false, "perMessageDeflate": {} }),
            "compression: switched off here but on by perMessageDeflate; write one of the two",
        ),
        (
            json!({ "compression": { "threshold": 1 }, "perMessageDeflate": { "threshold": 2 } }),
            "compression.threshold: 1 here but 2 in perMessageDeflate; write one of the two",
        ),
        (
            json!({ "perMessageDeflate": { "serverMaxWindowBits": 8 } }),
            "perMessageDeflate.serverMaxWindowBits: zlib cannot compress with a window of 8 bits; write 9 to 15",
        ),
        (
            json!({ "perMessageDeflate": { "serverMaxWindowBits": 16 } }),
            "perMessageDeflate.serverMaxWindowBits: expected 9 to 15, got 16",
        ),
        (
            json!({ "perMessageDeflate": { "clientMaxWindowBits": 7 } }),
            "perMessageDeflate.clientMaxWindowBits: expected 8 to 15, got 7",
        ),
        (json!({ "perMessageDeflate": { "level": 10 } }), "perMessageDeflate.level: expected 0 to 9, got 10"),
        (
            json!({ "authenticate": "a b" }),
            "authenticate: \"a b\" is not the name of a header; write one such as \"x-api-key\"",
        ),
        (
            json!({ "authenticate": 1 }),
            "authenticate: expected true, false, a header's name or an object, got the number 1",
        ),
        (
            json!({ "authenticate": { "token": { "values": ["t"] } } }),
            "authenticate.token: write where the token stands: query or header",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "header": "t", "values": [] } } }),
            "authenticate.token.values: without a token nobody could come in",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": [] } } }),
            "authenticate.token.values: without a token nobody could come in",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": [1] } } }),
            "authenticate.token.values: expected tokens as text, got the number 1",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": ["t"] }, "missing": { "code": 401 } } }),
            "authenticate.missing.code: 401 is no close code; for an HTTP status write status = 401",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": ["t"] }, "missing": { "headers": { "Content-Length": "0" } } } }),
            "authenticate.missing.headers.Content-Length: the response has this header already; leave it out",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": ["t"] }, "missing": { "headers": { "x-a": "a\r\nb" } } } }),
            "authenticate.missing.headers.x-a: a header's value is one line of printable text",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": ["t"] }, "missing": { "code": 4001, "headers": { "x-a": "a" } } } }),
            "authenticate.missing.headers: with a code the handshake is completed; headers go with a status",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": ["t"] }, "missing": { "code": 1006 } } }),
            "authenticate.missing.code: close code 1006 cannot be sent; use 1000-1003, 1007-1014 or 3000-4999",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": ["t"] }, "invalid": { "status": 200 } } }),
            "authenticate.invalid.status: expected 400 to 599, got 200",
        ),
        (
            json!({ "authenticate": { "token": { "query": "t", "values": ["t"] }, "invalid": { "reason": "x" } } }),
            "authenticate.invalid.reason: a browser sees a reason only beside a code; add one, as 4001",
        ),
        (
            json!({ "outbound": { "maxBytes": 0 } }),
            "outbound.maxBytes: nothing could ever be sent; write at least 1",
        ),
    ];
    for (keys, expected) in table {
        assert_eq!(route_error(keys), expected);
    }
}

#[test]
fn a_misspelt_dialect_is_put_right() {
    let error = route_error(json!({ "dialect": "ecoh" }));
    assert!(error.starts_with("dialect: expected \"handlers\" or \"echo\" or "), "{error}");
    assert!(error.ends_with(", got \"ecoh\"; did you mean \"echo\"?"), "{error}");
}

#[test]
fn keys_of_another_dialect_are_not_lost_silently() {
    let table = [
        (
            json!({ "room": "x" }),
            "room: belongs to the dialect \"relay\", but this route's dialect is \"handlers\"",
        ),
        (
            json!({ "dialect": "echo", "rules": [{ "do": [] }] }),
            "rules: belongs to the dialect \"rules\", but this route's dialect is \"echo\"",
        ),
        (
            json!({ "dialect": "handlers", "responses": [{ "response": 1 }] }),
            "responses: belongs to the dialect \"rules\", but this route's dialect is \"handlers\"",
        ),
    ];
    for (keys, expected) in table {
        assert_eq!(route_error(keys), expected);
    }
}

#[test]
fn placeholders_need_something_to_stand_for() {
    let reply =
        |on: &str, text: &str| json!({ "rules": [{ "on": on, "do": [{ "reply": { "x": [text] } }] }] });
    let table = [
        (
            reply("message", "{mesage}"),
            "rules[0].do[0].reply.x[0]: {mesage} is no placeholder; did you mean {message}?",
        ),
        (
            reply("connect", "{message.x}"),
            "rules[0].do[0]: there is no message here; {message} is for rules on \"message\"",
        ),
        (
            reply("message", "{close.code}"),
            "rules[0].do[0]: the connection is not closed here; {close} is for rules on \"close\"",
        ),
        (
            reply("close", "x"),
            "rules[0].do[0]: the connection has ended; only broadcast and broadcastAllRooms reach anybody",
        ),
        (
            reply("message", "{connection.params.rom}"),
            "rules[0].do[0]: the pattern /ws/{room} has no parameter \"rom\"; did you mean \"room\"?",
        ),
        (
            reply("message", "{let.x}"),
            "rules[0].do[0]: \"x\" is not set aside by this rule's \"let\" before this point",
        ),
        (
            json!({ "rules": [{ "let": { "a": "{let.bb}", "bb": 1 }, "do": [] }] }),
            "rules[0].let.a: \"bb\" is not set aside by this rule's \"let\" before this point",
        ),
        (
            json!({ "parse": "text", "rules": [{ "match": { "type": 1 }, "do": [] }] }),
            "rules[0].match: {message.type} needs the message parsed; write parse = \"json\"",
        ),
        (
            json!({ "rules": [{ "on": "connect", "match": { "type": 1 }, "do": [] }] }),
            "rules[0].match: there is no message here; {message} is for rules on \"message\"",
        ),
        (
            json!({ "dialect": "relay", "room": "{random.id}" }),
            "room: nobody else could be in a random room; take it from the connection",
        ),
        (
            json!({ "rules": [{ "do": [{ "reply": "{counter.n}" }] }] }),
            "rules[0].do[0]: counters and walks are for the data of the dialect \"events\"",
        ),
        (
            json!({ "dialect": "relay", "room": "{message.room}" }),
            "room: there is no message here; {message} is for rules on \"message\"",
        ),
        (
            json!({ "responses": [{ "response": "{connection.params.x}" }] }),
            "responses[0].response: the pattern /ws/{room} has no parameter \"x\"",
        ),
        (
            json!({ "rules": [{ "match": { "type": { "regx": 1 } }, "do": [] }] }),
            "rules[0].match: \"type\": unknown test \"regx\"; did you mean \"regex\"?",
        ),
        (
            json!({ "rules": [{ "do": [{}] }] }),
            "rules[0].do[0]: an action is one of reply, broadcast, broadcastAllRooms, join, leave, close",
        ),
    ];
    for (keys, expected) in table {
        assert_eq!(route_error(keys), expected);
    }
}
