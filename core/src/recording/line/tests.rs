use serde_json::json;

use super::*;

fn message(from: Side, message: impl Into<Message>) -> EventKind {
    EventKind::Message { from, message: message.into() }
}

fn written(line: &Line) -> String {
    let mut out = Vec::new();
    line.write(&mut out);
    String::from_utf8(out).expect("lines are UTF-8")
}

#[test]
fn what_is_written_is_read_and_the_text_is_fixed() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let open = Open {
        headers: vec![pair("origin", "https://example.com")],
        subprotocol: Some("v1".to_owned()),
        response_headers: vec![pair("server", "x")],
        ..Open::new("/feed?x=1")
    };
    let refuse = Refuse { path: "/".to_owned(), headers: Vec::new(), status: 401, reason: "no".to_owned() };
    let bytes = Message::from(Bytes::from_static(&[0, 1, 2, 255]));
    let frame = CloseFrame::new(CloseCode(1000), "bye");
    let table: Vec<(EventKind, &str)> = vec![
        (
            EventKind::Open(open),
            r#""type":"open","path":"/feed?x=1","headers":[["origin","https://example.com"]],"status":101,"subprotocol":"v1","responseHeaders":[["server","x"]]"#,
        ),
        (EventKind::Open(Open::new("/")), r#""type":"open","path":"/","status":101"#),
        (EventKind::Refuse(refuse), r#""type":"refuse","path":"/","status":401,"reason":"no""#),
        // JSON stays as it is: spaces, the order of keys, keys that are there twice, and numbers.
        (
            message(Side::Client, r#"{ "b":1.0, "a" : [ 1e400,"\u00e9\ud800" ], "b":2 }"#),
            r#""type":"message","from":"client","json":{ "b":1.0, "a" : [ 1e400,"\u00e9\ud800" ], "b":2 }"#,
        ),
        (message(Side::Server, "null"), r#""type":"message","from":"server","json":null"#),
        (message(Side::Server, ""), r#""type":"message","from":"server","text":"""#),
        (message(Side::Server, "3 o'clock"), r#""type":"message","from":"server","text":"3 o'clock""#),
        (message(Side::Server, " {}"), r#""type":"message","from":"server","text":" {}""#),
        (message(Side::Server, "{}\n"), r#""type":"message","from":"server","text":"{}\n""#),
        (message(Side::Server, "[1,\n2]"), r#""type":"message","from":"server","text":"[1,\n2]""#),
        (message(Side::Server, "{} {}"), r#""type":"message","from":"server","text":"{} {}""#),
        (
            message(Side::Server, "é\u{2028}\0"),
            "\"type\":\"message\",\"from\":\"server\",\"text\":\"é\u{2028}\\u0000\"",
        ),
        (message(Side::Server, bytes), r#""type":"message","from":"server","binary":"AAEC/w==""#),
        (
            EventKind::Close { by: CloseCause::Client, frame },
            r#""type":"close","by":"client","code":1000,"reason":"bye""#,
        ),
        (EventKind::Fault { effect: "late".to_owned() }, r#""type":"fault","effect":"late""#),
    ];
    for (kind, expected) in table {
        let line = Line::Event(Event { at: Duration::from_micros(12_500), connection: 2, kind });
        let text = written(&line);
        assert_eq!(text, format!("{{\"at\":12.5,\"connection\":2,{expected}}}\n"));
        assert_eq!(Line::parse(1, text.trim_end_matches('\n').as_bytes()), Ok(line), "{text}");
    }
}

#[test]
fn headers_and_gaps_are_lines_too() {
    let header = Header { started_at: WallTime::from_us(1_795_170_489_747_000), source: None };
    let with_source = Header { source: Some("wss://example.com".to_owned()), ..header.clone() };
    let gap = Gap { at: Duration::from_millis(7), missed: 17 };
    for (line, expected) in [
        (
            Line::Header(header),
            r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-20T10:28:09.747Z"}"#,
        ),
        (
            Line::Header(with_source),
            r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-20T10:28:09.747Z","source":"wss://example.com"}"#,
        ),
        (Line::Gap(gap), r#"{"at":7,"type":"gap","missed":17}"#),
    ] {
        assert_eq!(written(&line), format!("{expected}\n"));
        assert_eq!(Line::parse(1, expected.as_bytes()), Ok(line));
    }
}

#[test]
fn what_is_left_out_by_hand_has_its_default() {
    let parse = |text: &str| match Line::parse(1, text.as_bytes()) {
        Ok(Line::Event(event)) => event.kind,
        other => panic!("expected an event, got {other:?}"),
    };
    let open = parse(r#" {"type":"open", "path":"/a","connection":1,"at":0} "#);
    assert_eq!(open, EventKind::Open(Open::new("/a")));
    let close = |by, code| EventKind::Close { by, frame: CloseFrame::new(CloseCode(code), "") };
    let text = r#"{"type":"close","by":"server","connection":1,"at":0}"#;
    assert_eq!(parse(text), close(CloseCause::Server, 1000));
    let text = r#"{"type":"close","by":"lost","connection":1,"at":0}"#;
    assert_eq!(parse(text), close(CloseCause::Lost, 1006));
}

#[test]
fn every_mistake_names_line_and_field() {
    let at = r#""at":1,"connection":1"#;
    let table = [
        ("", "not JSON: EOF while parsing a value at column 0"),
        ("[]", "expected an object such as {\"at\":0,\"connection\":1,…}, got a list"),
        ("x", "not JSON: expected value at column 1"),
        ("{}", "the key \"type\" is missing"),
        ("{\"type\":\"gap\"", "not JSON: EOF while parsing an object at column 13"),
        (r#"{"at":1,"type":"gap","missed":1} x"#, "not JSON: trailing characters at column 34"),
        (r#"{"type":5}"#, "type: expected text such as \"message\", got the number 5"),
        (
            r#"{"type":"mesage"}"#,
            "type: expected \"open\" or \"refuse\" or \"message\" or \"close\" or \"fault\" or \"gap\", got \"mesage\"; did you mean \"message\"?",
        ),
        (r#"{"type":"gap","at":1}"#, "the key \"missed\" is missing"),
        (
            r#"{"switchboard":"recording","version":2,"startedAt":""}"#,
            "version: expected 1, got 2: this Switchboard reads no other version",
        ),
        (
            r#"{"switchboard":"recording","version":1,"startedAt":"today"}"#,
            "startedAt: expected a time such as \"2026-11-22T05:00:00.000Z\", got \"today\"",
        ),
        (
            r#"{"switchboard":"record","version":1,"startedAt":"today"}"#,
            "switchboard: expected \"recording\", got \"record\"",
        ),
        (
            &format!(r#"{{{at},"type":"open","path":"/","pth":"/"}}"#),
            "pth: unknown key; did you mean \"path\"?",
        ),
        (
            &format!(r#"{{{at},"type":"open","path":"feed"}}"#),
            "path: expected a path that begins with \"/\", got \"feed\"",
        ),
        (
            &format!(r#"{{{at},"type":"open","path":"/","headers":[["a","b"],["c"]]}}"#),
            "headers[1]: expected a list of a header's name and value, got a list of 1",
        ),
        (
            &format!(r#"{{{at},"type":"open","path":"/","headers":[["a",1]]}}"#),
            "headers[0][1]: expected text, got the number 1",
        ),
        (
            &format!(r#"{{{at},"type":"open","path":"/","status":20}}"#),
            "status: expected an HTTP status from 100 to 999, got the number 20",
        ),
        (
            &format!(r#"{{{at},"type":"message","from":"browser","text":""}}"#),
            "from: expected \"client\" or \"server\", got \"browser\"",
        ),
        (
            &format!(r#"{{{at},"type":"message","from":"client"}}"#),
            "one of \"json\", \"text\" and \"binary\" is missing",
        ),
        (
            &format!(r#"{{{at},"type":"message","from":"client","json":null,"text":""}}"#),
            "only one of \"json\", \"text\" and \"binary\" may be there",
        ),
        (
            &format!(r#"{{{at},"type":"message","from":"client","text":"","text":""}}"#),
            "duplicate field `text`",
        ),
        (
            &format!(r#"{{{at},"type":"message","from":"client","binary":"AAE"}}"#),
            "binary: expected base64 with its padding (RFC 4648): Invalid padding",
        ),
        (
            &format!(r#"{{{at},"type":"close","by":"client","code":99}}"#),
            "code: expected a close code from 1000 to 4999, got the number 99",
        ),
        (
            &format!(r#"{{{at},"type":"close","by":"client","reason":"{}"}}"#, "é".repeat(62)),
            "reason: expected at most 123 bytes (RFC 6455, section 5.5), got 124",
        ),
        (
            r#"{"at":1,"connection":0,"type":"fault","effect":""}"#,
            "connection: expected a whole number from 1, got the number 0",
        ),
        (r#"{"at":-1,"type":"gap","missed":1}"#, "at: expected a number of ms from 0 to 1e15"),
        (r#"{"at":1e300,"type":"gap","missed":1}"#, "at: expected a number of ms from 0 to 1e15"),
        (r#"{"at":"1","type":"gap","missed":1}"#, "at: expected a number of ms"),
    ];
    for (line, expected) in table {
        let error = Line::parse(17, line.as_bytes()).expect_err(line);
        assert_eq!(error.to_string(), format!("line 17: {expected}"), "{line}");
    }
}

#[test]
fn the_schema_knows_every_kind_of_line() {
    let schema = crate::recording::json_schema();
    let kinds: Vec<&Value> = schema["$defs"]
        .as_object()
        .expect("definitions")
        .values()
        .filter_map(|definition| definition["properties"]["type"].get("const"))
        .collect();
    let mut kinds: Vec<_> = kinds.into_iter().filter_map(Value::as_str).collect();
    kinds.sort_unstable();
    let mut known = TYPES;
    known.sort_unstable();
    assert_eq!(kinds, known);
    assert_eq!(schema["$defs"]["RecordedMessage"]["properties"]["json"].get("type"), None);
    assert_eq!(schema["$defs"]["RecordedOpen"]["required"], json!(["at", "connection", "type", "path"]));
}
