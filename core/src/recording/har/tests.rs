//! What the producers of HAR files write, as literal text, and what is wrong with files.

use std::collections::HashMap;

use super::*;
use crate::recording::Lines;

/// The lines of the recording, without the header.
fn events(recording: &HarRecording) -> Vec<String> {
    let lines = String::from_utf8(recording.to_lines().unwrap()).unwrap();
    lines.lines().skip(1).map(str::to_owned).collect()
}

fn nothing_attached(name: &str) -> Result<Bytes, String> {
    Err(format!("nobody wants {name}"))
}

/// A HAR file with these entries, each on a line of its own, from the second.
fn file(entries: &[&str]) -> String {
    format!("{{\"log\": {{\"version\": \"1.2\", \"entries\": [\n{}\n]}}}}", entries.join(",\n"))
}

/// An entry with this at the end.
fn entry(more: &str) -> String {
    format!(
        r#"{{"startedDateTime": "2026-11-22T05:00:00.000Z", "request": {{"url": "ws://localhost/feed"}}, "response": {{"status": 101}}{more}}}"#
    )
}

#[test]
fn chrome() {
    let text = file(&[
        r#"{"startedDateTime": "2026-11-22T05:00:00.000Z", "request": {"url": "https://example.com/"}, "response": {"content": {"size": 3, "text": "<p>"}}, "_resourceType": "document"}"#,
        r#"{"_initiator": {"type": "script"}, "_priority": null, "_resourceType": "websocket", "_webSocketMessages": [
            {"type": "send", "time": 1795323601.0125, "opcode": 1, "data": "{\"type\": \"subscribe\"}"},
            {"type": "receive", "time": 1795323601.5, "opcode": 2, "data": "AAH/"},
            {"type": "receive", "time": 1795323601.25, "opcode": 1, "data": "the clock went back"},
            {"type": "error", "time": 1795323602, "opcode": -1, "data": "Connection reset"}
          ], "cache": {}, "connection": "443", "request": {"method": "GET", "url": "wss://example.com/feed?token=a#b",
            "httpVersion": "HTTP/1.1", "headers": [{"name": "Origin", "value": "https://example.com"}], "cookies": []},
            "response": {"status": 101, "statusText": "Switching Protocols", "headers": [
              {"name": "Set-Cookie", "value": "a=1\nb=2"}, {"name": "Sec-WebSocket-Protocol", "value": "v1"}
            ], "_transferSize": 0, "_error": null}, "serverIPAddress": "", "startedDateTime": "2026-11-22T05:00:01.000Z"}"#,
        r#"{"_resourceType": "websocket", "_webSocketMessages": [{"type": "error", "time": 1795323600.5, "opcode": -1,
            "data": "Error during WebSocket handshake: Unexpected response code: 503"}],
            "request": {"url": "wss://example.com/full"}, "response": {"status": 0}, "startedDateTime": "2026-11-22T05:00:00.500Z"}"#,
        r#"{"_resourceType": "websocket", "_webSocketMessages": [],
            "request": {"url": "wss://example.com/slow"}, "response": {"status": 0}, "startedDateTime": "2026-11-22T05:00:02.000Z"}"#,
    ]);
    let recording = read(text.as_bytes(), nothing_attached).unwrap();
    assert_eq!((recording.skipped, recording.unanswered), (1, 1));
    assert_eq!(recording.header.started_at.to_string(), "2026-11-22T05:00:00.500Z");
    assert_eq!(recording.header.source.as_deref(), Some("wss://example.com"));
    assert_eq!(
        events(&recording),
        [
            r#"{"at":0,"connection":1,"type":"refuse","path":"/full","status":503,"reason":"Error during WebSocket handshake: Unexpected response code: 503"}"#,
            r#"{"at":500,"connection":2,"type":"open","path":"/feed?token=a","headers":[["origin","https://example.com"]],"status":101,"subprotocol":"v1","responseHeaders":[["set-cookie","a=1"],["set-cookie","b=2"],["sec-websocket-protocol","v1"]]}"#,
            r#"{"at":512.5,"connection":2,"type":"message","from":"client","json":{"type": "subscribe"}}"#,
            r#"{"at":1000,"connection":2,"type":"message","from":"server","binary":"AAH/"}"#,
            r#"{"at":1000,"connection":2,"type":"message","from":"server","text":"the clock went back"}"#,
            r#"{"at":1500,"connection":2,"type":"close","by":"lost","code":1006,"reason":"Connection reset"}"#,
        ]
    );
}

#[test]
fn mitmproxy() {
    let text = file(&[
        r#"{"startedDateTime": "2026-11-22T05:00:00.250125+00:00", "time": 3.5, "timings": {"connect": null, "ssl": null, "send": 1},
            "request": {"method": "GET", "url": "https://example.com/feed", "httpVersion": "HTTP/1.1", "headers": [], "bodySize": 0},
            "response": {"status": 101, "headers": [], "content": {"size": 0, "text": null}},
            "serverIPAddress": "192.0.2.1", "_resourceType": "websocket", "_webSocketMessages": [
              {"type": "receive", "time": 1795323600.2511251, "opcode": 1, "data": "hello"},
              {"type": "send", "time": 1795323600.2611251, "opcode": 2, "data": ""}
            ]}"#,
        r#"{"startedDateTime": "2026-11-22T07:00:01+02:00", "request": {"url": "http://other.example.com/x", "headers": []},
            "response": {"status": 0, "statusText": "", "content": {}, "_error": "server unreachable"},
            "_resourceType": "websocket", "_webSocketMessages": []}"#,
    ]);
    let recording = read(text.as_bytes(), nothing_attached).unwrap();
    assert_eq!(recording.header.started_at.to_string(), "2026-11-22T05:00:00.250Z");
    assert_eq!(recording.header.source, None, "there are two servers");
    assert_eq!(
        events(&recording),
        [
            r#"{"at":0.125,"connection":1,"type":"open","path":"/feed","status":101}"#,
            r#"{"at":1.125,"connection":1,"type":"message","from":"server","text":"hello"}"#,
            r#"{"at":11.125,"connection":1,"type":"message","from":"client","binary":""}"#,
            r#"{"at":750,"connection":2,"type":"refuse","path":"/x","status":502,"reason":"server unreachable"}"#,
        ]
    );
}

#[test]
fn playwright() {
    let entry = |content: &str, messages: &str| {
        format!(
            r#"{{"startedDateTime": "2026-11-22T05:00:00.375Z", "request": {{"url": "ws://127.0.0.1:4004/feed", "headers": []}},
                "response": {{"status": 101, "headers": [], "content": {{"size": -1, "mimeType": "x-unknown"{content}}}}},
                "_resourceType": "websocket"{messages}}}"#
        )
    };
    let frames = [
        r#"{"type":"send","time":1795323600375.354,"opcode":1,"data":"a"}"#,
        r#"{"type":"receive","time":1795323600376.5,"opcode":1,"data":"b"}"#,
    ];
    let embedded = file(&[&entry("", &format!(r#", "_webSocketMessages": [{}]"#, frames.join(",")))]);
    let attached = file(&[&entry(r#", "_file": "beside/8c.jsonl""#, "")]);
    let untimed =
        frames.map(|frame| frame.replace("1795323600375.354", "-1").replace("1795323600376.5", "-1"));
    let without_times = file(&[&entry("", &format!(r#", "_webSocketMessages": [{}]"#, untimed.join(",")))]);
    let without_content = file(&[&entry("", "")]);

    let beside = HashMap::from([("beside/8c.jsonl", frames.join("\n") + "\n")]);
    let give =
        |name: &str| beside.get(name).map(|text| Bytes::from(text.clone())).ok_or("no such file".to_owned());
    let at = |at: &str, rest: &str| format!(r#"{{"at":{at},"connection":1,"type":{rest}}}"#);
    let open = at("0", r#""open","path":"/feed","status":101"#);
    let sent = r#""message","from":"client","text":"a""#;
    let received = r#""message","from":"server","text":"b""#;
    for text in [embedded, attached.clone()] {
        let recording = read(text.as_bytes(), give).unwrap();
        assert_eq!(events(&recording), [open.clone(), at("0.354", sent), at("1.5", received)]);
    }
    let recording = read(without_times.as_bytes(), give).unwrap();
    assert_eq!(events(&recording), [open.clone(), at("0", sent), at("0", received)]);
    assert_eq!(events(&read(without_content.as_bytes(), give).unwrap()), [open]);

    assert_eq!(
        Har::parse(attached.as_bytes()).unwrap().attachments().collect::<Vec<_>>(),
        ["beside/8c.jsonl"]
    );
    let wrong = attached.replace("beside/8c.jsonl", "gone.jsonl");
    let error = read(wrong.as_bytes(), give).unwrap_err();
    assert_eq!(error.to_string(), "log.entries[0].response.content._file: no such file");
}

#[test]
fn playwright_s_openings_that_failed() {
    let failed = |failure: &str| {
        let text = file(&[&format!(
            r#"{{"startedDateTime": "2026-11-22T05:00:00.000Z", "request": {{"url": "ws://localhost/feed"}},
                "response": {{"status": -1, "_failureText": "{failure}"}}, "_resourceType": "websocket"}}"#
        )]);
        events(&read(text.as_bytes(), nothing_attached).unwrap()).remove(0)
    };
    for (failure, status) in [
        ("HTTP Authentication failed; no valid credentials available", 401),
        ("Error during WebSocket handshake: Unexpected response code: 403", 403),
        ("Error in connection establishment: net::ERR_CONNECTION_REFUSED", 502),
        ("Unexpected response code: ", 502),
        ("Unexpected response code: 40\u{e9}", 502),
    ] {
        let expected = format!(
            r#"{{"at":0,"connection":1,"type":"refuse","path":"/feed","status":{status},"reason":"{failure}"}}"#
        );
        assert_eq!(failed(failure), expected);
    }
}

#[test]
fn damaged_files() {
    let message =
        |message: &str| file(&[&entry(""), &entry(&format!(",\n\"_webSocketMessages\": [\n{message}\n]"))]);
    for (text, expected) in [
        (String::new(), "line 1: not JSON: EOF while parsing a value at column 0"),
        ("{}".to_owned(), "line 1: the key \"log\" is missing"),
        ("{\"log\": []}".to_owned(), "line 1: log: "),
        ("{\"log\": {\"entries\": {}}}".to_owned(), "line 1: log.entries: expected a list, got an object"),
        (file(&[&entry("")]) + "x", "line 3: not JSON: trailing characters at column 4"),
        (file(&[]), "log.entries: there is no WebSocket among 0 entries"),
        (file(&["{}", "{}"]), "log.entries: there is no WebSocket among 2 entries"),
        (file(&["{}", &entry("")])[..120].to_owned(), "line 3: not JSON: EOF while parsing"),
        (
            message(r#"{"type": "send"}"#),
            "line 5: log.entries[1]._webSocketMessages[0]: the key \"time\" is missing",
        ),
        (
            message(r#"{"type": "sent", "time": 1, "opcode": 1, "data": ""}"#),
            "line 5: log.entries[1]._webSocketMessages[0].type: expected \"send\" or \"receive\" or \"error\", got \"sent\"; did you mean \"send\"?",
        ),
        (
            message(r#"{"type": "send", "time": "1", "opcode": 1, "data": ""}"#),
            "line 5: log.entries[1]._webSocketMessages[0].time: expected a number, got text \"1\"",
        ),
        (
            message(r#"{"type": "send", "time": 1, "opcode": 2, "data": "%"}"#),
            "line 5: log.entries[1]._webSocketMessages[0].data: expected base64",
        ),
        (message("7"), "line 5: log.entries[1]._webSocketMessages[0]: expected an object, got the number 7"),
        (
            file(&[&entry("").replace("Z", "")]),
            "line 2: log.entries[0].startedDateTime: expected a date since 1970 such as \"2026-11-22T05:00:00.000Z\", got \"2026-11-22T05:00:00.000\"",
        ),
        (
            file(&[&entry("").replace("2026", "1926")]),
            "line 2: log.entries[0].startedDateTime: expected a date",
        ),
        (
            file(&[&entry("").replace("startedDateTime", "x")]),
            "line 2: log.entries[0].startedDateTime: the key is missing",
        ),
        (
            file(&[&entry(r#", "_resourceType": "websocket""#).replace("ws://", "/")]),
            "line 2: log.entries[0].request.url: \"/localhost/feed\" begins with none of",
        ),
        (
            file(&[&entry("").replace("101", r#"101, "content": {"_file": "../../secret"}"#)]),
            "line 2: log.entries[0].response.content._file: expected the name of a file in the folder",
        ),
    ] {
        let error = read(text.as_bytes(), nothing_attached).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}\n{error}");
    }
}

#[test]
fn damaged_attachments() {
    let text = file(&[&entry("").replace("101", r#"101, "content": {"_file": "a.jsonl"}"#)]);
    for (attached, expected) in [
        (
            "{\"type\": \"send\", \"time\": 1, \"opcode\": 1, \"data\": \"\"}\n\n{\"ty",
            "a.jsonl, line 3: not JSON: EOF while parsing",
        ),
        (
            "{\"type\": \"send\", \"time\": 1, \"opcode\": 2, \"data\": \"?\"}",
            "a.jsonl, line 1: data: expected base64",
        ),
        (
            "{\"type\": \"send\", \"time\": 1, \"opcode\": 1, \"data\": \"\"} x",
            "a.jsonl, line 1: not JSON: trailing",
        ),
    ] {
        let error = read(text.as_bytes(), |_| Ok(Bytes::from(attached))).unwrap_err();
        assert_eq!(error.field, "log.entries[0].response.content._file");
        assert!(error.message.starts_with(expected), "{error}");
    }
}

#[test]
fn there_is_a_most_of_connections() {
    let entry = entry("");
    let text = file(&vec![entry.as_str(); MAX_CONNECTIONS + 1]);
    let error = read(text.as_bytes(), nothing_attached).unwrap_err();
    assert_eq!(
        (error.field.as_str(), error.message.as_str()),
        ("log.entries", "expected at most 100000 WebSockets")
    );
}

#[test]
fn what_is_written_is_read_again() {
    let text = r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.123Z","source":"wss://example.com"}
{"at":0,"connection":1,"type":"open","path":"/feed?x=%20&y","headers":[["origin","https://example.com"]],"status":101,"subprotocol":"v1","responseHeaders":[["sec-websocket-protocol","v1"]]}
{"at":0.125,"connection":1,"type":"message","from":"client","json":{"a": [1.0, "é"]}}
{"at":3,"connection":2,"type":"refuse","path":"/feed","headers":[["host","example.com"]],"status":401,"reason":"no token"}
{"at":4,"connection":3,"type":"open","path":"/other","status":200}
{"at":4,"connection":3,"type":"message","from":"server","binary":"AAH/"}
{"at":5,"connection":1,"type":"message","from":"server","text":" \n\u0000"}
{"at":7,"connection":3,"type":"close","by":"lost","code":1006,"reason":""}
{"at":9,"connection":1,"type":"close","by":"server","code":4001,"reason":"gone"}
{"at":10,"connection":4,"type":"open","path":"/x","status":101}
{"at":11,"connection":4,"type":"close","by":"client","code":1005,"reason":""}
"#;
    let har = write(text);
    assert_eq!(har.left_out, 0);
    let recording = read(har.text.as_bytes(), nothing_attached).unwrap();
    assert_eq!(String::from_utf8(recording.to_lines().unwrap()).unwrap(), text);
}

#[test]
fn what_har_cannot_say_is_counted() {
    let header = r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z","source":"/feed/{id}"}"#;
    let har = write(&format!(
        r#"{header}
{{"at":0,"connection":1,"type":"open","path":"/feed/1","headers":[["Host","localhost:4004"]]}}
{{"at":1,"connection":1,"type":"fault","effect":"a message is lost"}}
{{"at":1,"type":"gap","missed":3}}
{{"at":2,"connection":2,"type":"message","from":"client","text":"its opening is in the gap"}}
{}
{{"at":5,"connection":1,"type":"message","from":"client","text":"of another run"}}
"#,
        header.replace("05:00:00", "06:00:00")
    ));
    assert_eq!(har.left_out, 4);
    assert!(har.text.contains(r#""url": "ws://localhost:4004/feed/1""#), "{}", har.text);
    assert!(har.text.contains(r#""_webSocketMessages": []"#), "{}", har.text);
}

fn write(text: &str) -> WrittenHar {
    let mut lines = Lines::default();
    lines.push(text.as_bytes());
    let mut writer = HarWriter::default();
    while let Some(placed) = lines.next_line().unwrap() {
        writer.push(placed.line);
    }
    writer.finish()
}
