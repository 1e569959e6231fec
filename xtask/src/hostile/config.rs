//! What the servers under attack serve: one declarative configuration for both hosts, and JavaScript for one.

use serde_json::{Value, json};

/// Small enough to be reached quickly.
pub(super) fn limits() -> Value {
    json!({
        "handshakeTimeout": 1500,
        "authenticateTimeout": 500,
        "handlerTimeout": 500,
        "closeTimeout": 1000,
        "inboundBytes": INBOUND,
    })
}

/// What all messages that are not complete may hold.
pub(super) const INBOUND: usize = 64 << 20;

/// What waits at most for a client of the routes below `/ws/slow`.
pub(super) const OUTBOUND: usize = 256 * 1024;

/// The largest message of `/ws/small`, and of the compressed routes.
pub(super) const SMALL: usize = 64 * 1024;
pub(super) const INFLATED: usize = 1024 * 1024;

/// What the control API is shown.
pub(super) const CONTROL_TOKEN: &str = "0123456789abcdef";

/// The routes without code.
fn routes(targets: u16) -> Value {
    let slow = |overflow: &str| {
        json!({
            "pattern": format!("/ws/slow/{overflow}"),
            "dialect": "relay",
            "room": "all",
            "outbound": { "maxBytes": OUTBOUND, "overflow": overflow },
        })
    };
    json!([
        { "pattern": "/ws/echo", "dialect": "echo" },
        { "pattern": "/ws/small", "dialect": "echo", "maxPayload": SMALL },
        { "pattern": "/ws/deflate", "dialect": "echo", "maxPayload": INFLATED,
          "perMessageDeflate": { "threshold": 0 } },
        { "pattern": "/ws/takeover", "dialect": "echo", "maxPayload": INFLATED,
          "perMessageDeflate": { "threshold": 0, "serverNoContextTakeover": false, "clientNoContextTakeover": false } },
        { "pattern": "/ws/late", "dialect": "echo", "delay": 1000, "maxPayload": INFLATED,
          "perMessageDeflate": { "threshold": 0 } },
        { "pattern": "/ws/subprotocols", "dialect": "echo", "subprotocols": ["chat.v2", "chat.v1"] },
        { "pattern": "/ws/heartbeat", "dialect": "echo", "heartbeat": 200 },
        { "pattern": "/ws/quiet", "dialect": "echo", "inactivityTimeout": 500 },
        { "pattern": "/ws/listed", "dialect": "echo", "origins": ["https://*.example.com"] },
        { "pattern": "/ws/anyone", "dialect": "echo", "origins": "*" },
        { "pattern": "/ws/news", "dialect": "actions", "actions": { "channels": [{ "name": "news", "feed": "news" }] } },
        { "pattern": "/ws/number/{id:[0-9]+}", "dialect": "echo" },
        { "pattern": "/ws/relay/**", "dialect": "relay" },
        { "pattern": "/ws/token", "authenticate": { "token": { "query": "token", "values": ["good"] } }, "dialect": "echo" },
        { "pattern": "/ws/events", "authenticate": { "token": { "query": "token", "values": ["good"] } },
          "dialect": "events", "events": { "stats": "/stats" } },
        { "pattern": "/ws/commands", "dialect": "commands" },
        { "pattern": "/ws/phoenix", "dialect": "phoenix", "phoenix": { "realtime": true } },
        { "pattern": "/ws/unreachable", "proxy": { "url": "ws://127.0.0.1:1", "handshake": "proxy" } },
        slow("close"),
        slow("drop-oldest"),
        slow("pause"),
        { "pattern": "/ws/slow/echo", "dialect": "echo", "outbound": { "maxBytes": OUTBOUND, "overflow": "pause" } },
        { "pattern": "/ws/rules", "rules": [
            { "match": { "type": "join" }, "do": [{ "join": "{message.room}" }, { "reply": { "joined": true } }] },
            { "match": { "type": "leave" }, "do": [{ "leave": "{message.room}" }] },
            { "match": { "type": "say" }, "do": [{ "broadcast": "{message.text}", "room": "{message.room}", "includeSelf": true }] },
            { "match": { "type": "show" }, "do": [{ "reply": { "value": "{message.value}", "proto": "{message.__proto__}" } }] },
            { "match": { "type": "many" }, "do": [{ "reply": "{message.value}" }] },
            { "match": { "type": "bye" }, "do": [{ "close": { "code": 4000, "reason": "{message.reason}" } }] },
        ] },
        { "pattern": "/ws/kept", "history": { "size": 10 }, "outbound": { "maxBytes": OUTBOUND }, "rules": [
            { "match": { "type": "join" }, "do": [{ "join": "{message.room}" }, { "reply": { "joined": true } }] },
            { "match": { "type": "say" }, "do": [{ "broadcast": "{message.text}", "room": "{message.room}" }] },
            { "match": { "type": "show" }, "do": [{ "reply": { "value": "{message.value}" } }] },
        ] },
        { "pattern": "/ws/up/**", "outbound": { "maxBytes": OUTBOUND },
          "proxy": { "url": format!("ws://127.0.0.1:{targets}"), "timeout": 1000, "sendTimeout": 1500, "maxWaiting": OUTBOUND } },
        // Sends more than a socket holds, and less than may wait.
        { "pattern": "/ws/burst", "outbound": { "maxBytes": 64 << 20 }, "rules": [
            { "match": { "type": "burst" }, "do": (0..BURST).map(|number| json!({ "reply": { "number": number, "filling": "x".repeat(BURST_BYTES) } })).collect::<Vec<_>>() },
        ] },
    ])
}

/// How many messages a burst has, and how long each is.
pub(super) const BURST: usize = 64;
pub(super) const BURST_BYTES: usize = 64 * 1024;

/// A configuration file with these limits; proxies connect to `crate::targets` at this port.
pub(super) fn file(limits: &Value, targets: u16) -> Value {
    json!({ "prefix": "/api", "limits": limits, "routes": routes(targets), "feeds": [{ "name": "news", "post": true }] })
}

/// `vite.config.js` of a project that uses the file as `switchboard.json`.
///
/// What nobody catches ends a process of Node's; the monitor says so first. `/stop` and `/restart` are what Vite
/// does on `q` and `r`.
pub(super) fn vite_config(limits: &Value) -> String {
    format!(
        "
import switchboard from 'vite-plugin-switchboard'
import {{ handlers }} from './handlers.js'

process.on('uncaughtExceptionMonitor', (error) => console.error('UNCAUGHT', error))
process.on('warning', (warning) => console.error(warning.name))

const control = {{
  name: 'control',
  configureServer(server) {{
    server.httpServer.headersTimeout = 2000
    server.middlewares.use('/stop', (_, response) => {{
      response.end()
      server.close().then(() => console.log('CLOSED'))
    }})
    server.middlewares.use('/restart', (_, response) => {{
      response.end()
      server.restart().then(() => console.log('RESTARTED'))
    }})
  }},
}}

export default {{
  clearScreen: false,
  server: {{ allowedHosts: ['.allowed.example'] }},
  plugins: [
    control,
    switchboard({{ config: './switchboard.json', limits: {limits}, wsHandlers: handlers, control: {{ token: '{CONTROL_TOKEN}' }} }}),
  ],
}}
"
    )
}

/// `handlers.js`: callbacks that do everything that callbacks can do wrong.
pub(super) const HANDLERS: &str = include_str!("handlers.js");

/// `index.html`.
pub(super) const PAGE: &str = "<!doctype html><title>still there</title>";
