//! Limits on what clients can cost. Ordinary clients never reach the defaults.
//!
//! | What is limited | Key | Default | What happens then |
//! |---|---|---|---|
//! | the request's length | `limits.handshakeBytes` | 16384 B | HTTP 431 |
//! | the request's time | `limits.handshakeTimeout`; on Node its `headersTimeout` | 10 s; 60 s | dropped; HTTP 408 |
//! | its path | none | 8192 B, 256 segments | HTTP 404 |
//! | its subprotocols and extensions | none | 64 and 16 | HTTP 400; the rest is ignored |
//! | another page's `Origin` | `origins` | same host, this machine | HTTP 403 |
//! | what a feed keeps, in bytes | `feeds[].maxBytes` | 16 MiB | the stalest values are dropped |
//! | values of one request to a feed | `feeds[].post.maxValues` | 10,000 | HTTP 413; 503 while those of others wait |
//! | a page under another `Host` | `allowedHosts` | IP addresses, `localhost` | HTTP 403 |
//! | connections | `limits.maxConnections` | 10000 | HTTP 503 |
//! | connections of one address, natively from accept on | `limits.maxConnectionsPerAddress` | off | HTTP 429 |
//! | connections of plain HTTP, natively | none | half of `maxConnections`, at least 6 | HTTP 503 |
//! | requests behind one that is not answered yet, natively | none | as many bytes as `handshakeBytes` | nothing is read |
//! | the time of `authenticate` | `limits.authenticateTimeout` | 10 s | HTTP 503 |
//! | a message's length, inflated too | a route's `maxPayload` | 16 MiB | close 1009 |
//! | a message's fragments | that, by 64 B each | 262144, at least 1024 | close 1008 |
//! | bytes of incomplete messages, of all connections | `limits.inboundBytes` | 256 MiB | close 1013 for the connection that holds the most |
//! | messages in time | `limits.messageRate` | off | close 1008 |
//! | messages that wait for a handler | `limits.pendingMessages` | 256 | nothing is read |
//! | their bytes, decoded and not, inflated too | none | 1 MiB, or one message | nothing is read |
//! | the time of a callback | `limits.handlerTimeout` | 30 s | counts as failed, and is stopped where it can be: JavaScript's functions cannot |
//! | bytes that wait for a client that reads too slowly | `limits.outbound.maxBytes`, a route's `outbound` | 1 MiB | close 1013 |
//! | the same with `overflow = "drop-oldest"` | | | the oldest messages are dropped |
//! | the same with `overflow = "pause"`, a proxy's default | | | nothing is read from it, and what it has sent waits before its handler; on a proxy nothing is read from its target. Messages that others send to it are dropped beyond twice as much |
//! | bytes that wait for a proxy's target | `maxWaiting` | 1 MiB | its client's messages wait before their handler |
//! | the time in which a target takes a message | `sendTimeout` | 30 s | close 1011 |
//! | the time in which a target answers | `timeout` | 10 s | HTTP 504; close 1011 with `handshake = "proxy"` |
//! | messages of a target that its client cannot take yet | none | 256 messages, 1 MiB | nothing is read from the target |
//! | pings of a client that does not read | none | one pong waits | the pong for a later ping replaces it |
//! | rooms of one connection | `limits.roomsPerConnection` | 1000 | an error of the handler |
//! | a room's name | `limits.roomNameBytes` | 256 B | an error of the handler |
//! | presence on Phoenix channels: a key with its metadata, all of a topic, and all of a connection, as JSON | none | 64 KiB, 1 MiB, 1 MiB | it is not tracked: an error reply, an error of the handler, or a log line |
//! | what is kept of a room for clients that come back | a route's `history` | off; 100 messages, 5 min, 512 KiB | they are told that they have missed more |
//! | the same of all rooms of a route | none | 10,000 rooms, 64 MiB, 128 B for each message included | rooms that were silent longest lose theirs |
//! | JSON's depth | `limits.jsonDepth` | 128 | rules see text |
//! | no pong | a route's `heartbeat` | off | close 1000 after three |
//! | silence | a route's `inactivityTimeout` | off | close 1000 |
//! | no answer to a close frame, from when the other side last took some of what was sent | `limits.closeTimeout` | 10 s | dropped; after six times as long in any case |
//! | bytes after a close frame or a violation | `maxPayload` | at least 1 MiB | nothing is read |
//! | a connection that is still open when the server stops | `shutdownGrace` | 5 s | dropped |
//!
//! `stats()` and `/health` show how many bytes passed and wait in each of these queues: `clientBytes` and `upstreamBytes`
//! with `received`, `undecoded` (read, and no whole message yet), `waiting` (before handlers), `queued` (for the other
//! side) and `sent`. `droppedMessages` counts, by
//! route, the messages that clients did not get because they read too slowly.
//!
//! However often a limit is reached, the log says so at most once a second.

use serde::Deserialize;

use super::{ConfigError, Interval, OutboundConfig};

/// The limits of one server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// How many connections there may be at once. Further ones are answered with HTTP 503. Default 10000.
    pub max_connections: usize,
    /// How many connections one address may have at once. Further ones are answered with HTTP 429. The native server counts
    /// all its TCP connections, in Vite the WebSockets count. Default: no limit.
    pub max_connections_per_address: Option<usize>,
    /// How many messages a client may send. With more, its connection is closed with 1008. Default: no limit.
    pub message_rate: Option<MessageRateConfig>,
    /// Rooms that one connection can be in. Joining one more is an error of the handler. Default 1000.
    pub rooms_per_connection: usize,
    /// Length of a room's name in bytes. Joining a longer one is an error of the handler. Default 256.
    pub room_name_bytes: usize,
    /// Messages of one connection that wait for its handler. With more, nothing is read from it. Default 256.
    pub pending_messages: usize,
    /// Bytes of incomplete messages that all connections may hold together. With more, the connection that holds the most is
    /// closed with 1013, or with 1009 if one message alone has more. Default 268435456; at least 65536.
    pub inbound_bytes: usize,
    /// Length of the opening handshake's request in bytes. A longer one is answered with HTTP 431. Default 16384, which
    /// is Node's own limit too; at least 8192.
    pub handshake_bytes: usize,
    /// Ms that the opening handshake may take. Then the socket is dropped. Default 10000. In Vite, Node's
    /// `headersTimeout` applies until the request is complete.
    pub handshake_timeout: u64,
    /// Ms that an `authenticate` callback may take. Then the client is answered HTTP 503. Default 10000.
    pub authenticate_timeout: u64,
    /// Ms that any other callback may take. Then it counts as failed. Default 30000; false: no limit.
    pub handler_timeout: Interval,
    /// Ms that the client may take to answer a close frame. Then the socket is dropped. They count from when the client last
    /// took some of what was sent before; whether it did is looked at four times within them. After six times as long the
    /// socket is dropped in any case. Default 10000.
    pub close_timeout: u64,
    /// How much may wait for a client that reads too slowly. A route can have its own.
    pub outbound: OutboundConfig,
    /// How deeply the JSON of a message may nest. Deeper JSON is handled as text. Default and maximum: 128.
    pub json_depth: usize,
}

/// How many messages a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageRateConfig {
    /// Messages per second in the long run.
    pub per_second: u32,
    /// Messages at once. Default: as many as per second.
    #[serde(default)]
    pub burst: Option<u32>,
}

impl LimitsConfig {
    /// The deepest JSON that the parser takes.
    const MAX_JSON_DEPTH: usize = 128;
    /// HTTP servers take no smaller limit.
    const MIN_HANDSHAKE_BYTES: usize = 8192;
    /// What a connection holds below 16 KiB does not count.
    const MIN_INBOUND_BYTES: usize = 65_536;

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let counts = [
            ("maxConnections", self.max_connections),
            ("maxConnectionsPerAddress", self.max_connections_per_address.unwrap_or(1)),
            ("roomsPerConnection", self.rooms_per_connection),
            ("roomNameBytes", self.room_name_bytes),
            ("messageRate.perSecond", self.message_rate.map_or(1, |rate| rate.per_second as usize)),
            (
                "messageRate.burst",
                self.message_rate.and_then(|rate| rate.burst).map_or(1, |burst| burst as usize),
            ),
            ("pendingMessages", self.pending_messages),
            ("jsonDepth", self.json_depth),
        ];
        let times = [
            ("handshakeTimeout", self.handshake_timeout),
            ("authenticateTimeout", self.authenticate_timeout),
            ("closeTimeout", self.close_timeout),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(ConfigError::at(*key, "0 would let nothing through; write at least 1"));
        }
        if let Some((key, _)) = times.iter().find(|(_, ms)| *ms == 0) {
            return Err(ConfigError::at(*key, "0 ms would be over at once; write at least 1"));
        }
        if self.handshake_bytes < Self::MIN_HANDSHAKE_BYTES {
            let message = format!("browsers send long cookies; write at least {}", Self::MIN_HANDSHAKE_BYTES);
            return Err(ConfigError::at("handshakeBytes", message));
        }
        if self.inbound_bytes < Self::MIN_INBOUND_BYTES {
            let message = format!("no larger message could come; write at least {}", Self::MIN_INBOUND_BYTES);
            return Err(ConfigError::at("inboundBytes", message));
        }
        if self.json_depth > Self::MAX_JSON_DEPTH {
            return Err(ConfigError::at("jsonDepth", format!("write at most {}", Self::MAX_JSON_DEPTH)));
        }
        self.outbound.check().map_err(|error| error.under("outbound"))
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_address: None,
            message_rate: None,
            rooms_per_connection: 1_000,
            room_name_bytes: 256,
            pending_messages: 256,
            inbound_bytes: 256 << 20,
            handshake_bytes: 16_384,
            handshake_timeout: 10_000,
            authenticate_timeout: 10_000,
            handler_timeout: Interval::from_ms(30_000),
            close_timeout: 10_000,
            outbound: OutboundConfig::default(),
            json_depth: Self::MAX_JSON_DEPTH,
        }
    }
}
