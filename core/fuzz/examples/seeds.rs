//! Writes `seeds/`: small inputs that each target starts from. `cargo run --example seeds`, then commit.
//!
//! The target `dialects` starts from the golden transcripts instead.

use std::fs;
use std::path::Path;

use switchboard_fuzz::client_frame::{
    BINARY, CLOSE, CONTINUATION, ClientDeflate, FIN, PING, PONG, RSV1, TEXT, client_frame, client_message,
};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = |target: &str, seeds: Vec<Vec<u8>>| -> std::io::Result<()> {
        let folder = root.join("seeds").join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("{number:02}")), seed)?;
        }
        Ok(())
    };
    let with_options = |options: &[u8], stream: Vec<u8>| [options, &stream].concat();
    let plain = streams();
    let compressed = compressed_streams();
    let frames = plain.iter().map(|stream| with_options(&[0x38, 3], stream.clone()));
    write(
        "frames",
        frames.chain(compressed.into_iter().map(|stream| with_options(&[0x3f, 5], stream))).collect(),
    )?;
    write("tungstenite", plain.into_iter().map(|stream| with_options(&[3], stream)).collect())?;
    write("handshake", texts(&HANDSHAKES))?;
    write("extensions", EXTENSIONS.iter().map(|line| [&[0xff, 0x60], line.as_bytes()].concat()).collect())?;
    write("pattern", texts(&PATTERNS))?;
    write("rules", texts(&RULES))?;
    let embedded = fs::read_to_string(root.join("../../native/switchboard.toml"))?;
    write("config", texts(&[&embedded, CONFIG_JSON, CONFIG_TOML]))?;
    write("recordings", texts(&[RECORDING, HAR, HAR_WITH_ATTACHMENT]))?;
    write("cluster", (9..=16).map(noise).collect())?;
    write("engine", (1..=8).map(noise).collect())
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// What RFC 6455 shows, and what it forbids.
fn streams() -> Vec<Vec<u8>> {
    let between =
        [client_frame(TEXT, b"Hel"), client_frame(FIN | PING, b"?"), client_frame(FIN | CONTINUATION, b"lo")];
    vec![
        vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
        client_message(TEXT, &["a é €".as_bytes(), b"", "😀".as_bytes()]),
        between.concat(),
        client_frame(FIN | BINARY, &[7; 300]),
        [client_frame(FIN | PONG, b""), client_frame(FIN | CLOSE, b"\x03\xe8bye")].concat(),
        client_frame(FIN | CLOSE, b""),
        client_frame(FIN | TEXT, b"\xce\xba\xf4\x90\x80\x80"),
        client_frame(FIN | PING, &[0; 126]),
        [client_frame(TEXT, b"a"), client_frame(FIN | TEXT, b"b")].concat(),
        vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4, 5],
        vec![0x82, 0x80, 0, 0, 0, 0, 0x01, 0x83, 0, 0, 0, 0, 0xe2, 0x82, 0xac],
    ]
}

/// RFC 7692 section 7.2.3, and messages that refer back to each other.
fn compressed_streams() -> Vec<Vec<u8>> {
    let first = FIN | RSV1 | TEXT;
    let mut deflate = ClientDeflate::new(15, true);
    let texts = ["abc ".repeat(30), "abc ".repeat(40)];
    vec![
        client_frame(first, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
        client_message(RSV1 | TEXT, &[&[0xf2, 0x48, 0xcd], &[0xc9, 0xc9, 0x07, 0x00]]),
        client_frame(first, &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]),
        client_frame(first, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]),
        client_frame(first, &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]),
        texts.iter().flat_map(|text| client_frame(first, &deflate.compress(text.as_bytes()))).collect(),
    ]
}

/// Bytes for `arbitrary`, the same each time.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9);
    (0..200)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

const HANDSHAKES: [&str; 3] = [
    "GET /chat?x=1 HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
     Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "GET / HTTP/1.1\nHost: [::1]:80\nUpgrade: h2c, WebSocket\nConnection: keep-alive, Upgrade\n\
     Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\nSec-WebSocket-Version: 13\n\
     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, permessage-deflate\n",
    "POST / HTTP/1.0\nHost: a\nSec-WebSocket-Version: 8\n",
];

const EXTENSIONS: [&str; 4] = [
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
    "permessage-deflate; server_max_window_bits=8, permessage-deflate; client_max_window_bits=\"1\\2\"",
    "x-webkit-deflate-frame, permessage-deflate; bogus\npermessage-deflate; client_max_window_bits=9",
];

const PATTERNS: [&str; 7] = [
    "/ws/*\n/ws/a",
    "/ws/**\n/ws/a/b/",
    "/a/**/b/**/c\n/a/x/b/y/z/c",
    "/files/{name}.{extension}\n/files/a.b.c",
    "/v{version:\\d+}/{side:(left|right)}\n/v12/left",
    "/c?t/*.json\n//cat/a.json",
    "/{a}/{b}/\n/1/é/",
];

const RULES: [&str; 3] = [
    "[{\"match\":{\"type\":\"join-room\"},\"do\":[{\"join\":\"{message.room}\"},{\"broadcast\":{\"type\":\"user-joined\",\"username\":\"{message.username}\"},\"rooms\":[\"{message.room}\"]}]}]\n{\"type\":\"join-room\",\"room\":\"general\",\"username\":\"Ada\"}\ntext",
    "[{\"match\":{\"a.b\":{\"regex\":\"^x\",\"exists\":true},\"c\":{\"oneOf\":[1,null]}},\"let\":{\"id\":\"{random.uuid}\"},\"do\":[{\"reply\":[\"{let.id}\",\"{now.iso}\"]}],\"continue\":true},{\"do\":[{\"reply\":\"{message}\"}]}]\n{\"a\":{\"b\":\"xy\"},\"c\":1}\n[1,2]",
    "[{\"on\":\"connect\",\"do\":[{\"join\":[\"{connection.params.room}\",\"{connection.query.q}\"]}]},{\"on\":\"close\",\"do\":[{\"broadcastAllRooms\":\"{{{close.code}}}\",\"includeSelf\":true},{\"close\":{\"code\":4000,\"reason\":\"{connection.authData.user}\"}}]}]",
];

const CONFIG_JSON: &str = "{\"prefix\":[\"/api\"],\"routes\":[{\"pattern\":\"/ws/{room}\",\"heartbeat\":30000,\"perMessageDeflate\":{\"serverMaxWindowBits\":10},\"responses\":[{\"match\":{\"type\":\"ping\"},\"response\":{\"type\":\"pong\"},\"broadcast\":{\"room\":\"a\",\"includeSelf\":true}}]},{\"pattern\":\"/echo\",\"dialect\":\"echo\",\"delay\":5}],\"limits\":{\"maxConnections\":3}}";

const CONFIG_TOML: &str = "delay = 1\n[[routes]]\npattern = '/relay/{room:[a-z]+}'\ndialect = 'relay'\nroom = 'x-{connection.params.room}'\ninactivityTimeout = 1000\nsubprotocols = ['chat']\n[routes.authenticate]\ntoken = { query = 'token', values = { a = 1 } }\nmissing = { code = 4001 }\n";

const RECORDING: &str = r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z","source":"wss://example.com/feed"}
{"at":0,"connection":1,"type":"open","path":"/feed?token=x","headers":[["cookie","a=b"]],"subprotocol":"v1","responseHeaders":[["x","y"]]}
{"at":12.5,"connection":1,"type":"message","from":"client","json":{"type":"subscribe","token":"x"}}
{"at":14,"connection":1,"type":"message","from":"server","text":"two\nlines Bearer abc"}
{"at":20,"connection":1,"type":"message","from":"server","binary":"AAEC"}
{"at":31,"connection":2,"type":"refuse","path":"/feed","status":401,"reason":"no token"}
{"at":40,"type":"gap","missed":17}
{"at":41,"connection":1,"type":"fault","effect":"a message is lost"}
{"at":55,"connection":1,"type":"close","by":"client","code":1000,"reason":"bye"}
"#;

const HAR: &str = r#"{"log":{"entries":[{"_resourceType":"document"},
{"startedDateTime":"2026-11-22T05:00:00.000Z","request":{"url":"wss://a@example.com/feed?x=1#y","headers":[{"name":"A","value":"b\nc"}]},
"response":{"status":101,"headers":[{"name":"sec-websocket-protocol","value":"v1"}]},"_webSocketMessages":[
{"type":"send","time":1795323600.0125,"opcode":1,"data":"{}"},{"type":"receive","time":1795323600013.5,"opcode":2,"data":"AAH/"},
{"type":"receive","time":-1,"opcode":8,"data":"D6Fnb25l"},{"type":"error","time":0,"opcode":-1,"data":"Unexpected response code: 503"}]},
{"startedDateTime":"2026-11-22T05:00:00.123456+01:00","request":{"url":"https://example.com"},"response":{"status":-1,"_failureText":"no"},"_resourceType":"websocket"}]}}"#;

const HAR_WITH_ATTACHMENT: &str = concat!(
    r#"{"log":{"entries":[{"startedDateTime":"2026-11-22T05:00:00Z","request":{"url":"ws://localhost/"},"#,
    r#""response":{"status":101,"content":{"_file":"a.jsonl"}},"_resourceType":"websocket"}]}}"#,
    "\0",
    r#"{"type":"send","time":1795323600.0125,"opcode":1,"data":"{}"}"#,
    "\n",
    r#"{"type":"receive","time":1795323600.0125,"opcode":1,"data":"x"}"#,
);
