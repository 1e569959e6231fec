//! Messages whose JSON would harm a careless parser.

use anyhow::{Result, bail};
use serde_json::Value;

use super::case::Case;
use super::case::Outcome::Status;
use super::target::{HostKind, Target};
use super::wire::{CLOSE, FIN, PING, PONG, Peer, frame};

pub(super) fn cases(kind: HostKind) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, text) in payloads() {
        let rules = text.clone();
        cases.push(Case::story(format!("{name}, to rules"), move |target| to_rules(target, &rules)));
        if kind == HostKind::Plugin {
            for path in ["/api/js/json", "/api/js/merge", "/api/js/match", "/api/js/all/throw"] {
                let text = text.clone();
                cases.push(Case::story(format!("{name}, to {path}"), move |target| {
                    to_callbacks(target, path, &text)
                }));
            }
        }
    }
    cases.extend(everywhere());
    cases.push(Case::story("a placeholder in a message stays text", |target| {
        let mut peer = target.open("/api/ws/rules")?;
        peer.say(r#"{"type":"show","value":"{message.type} {now} {{x}} {"}"#)?;
        expect(&mut peer, "value", "{message.type} {now} {{x}} {")
    }));
    cases.push(Case::story("a close reason of a megabyte is cut", |target| {
        let mut peer = target.open("/api/ws/rules")?;
        peer.say(&format!(r#"{{"type":"bye","reason":"{}"}}"#, "\u{20ac}".repeat(300_000)))?;
        let frame = peer.frame()?;
        match frame {
            Some(frame) if frame.close_code() == 4000 && frame.payload.len() <= 125 => {
                std::str::from_utf8(&frame.payload[2..])?;
                Ok(())
            }
            other => bail!("{other:?}"),
        }
    }));
    cases.push(Case::story("a value that grows is sent as it is", |target| {
        let mut peer = target.open("/api/ws/rules")?;
        let list = format!("[{}]", vec!["{}"; 100_000].join(","));
        peer.say(&format!(r#"{{"type":"many","value":{list}}}"#))?;
        match peer.message()?.text() {
            text if text == list => Ok(()),
            text => bail!("{text:.80}"),
        }
    }));
    cases
}

/// JSON that is too deep, or has numbers that no double has, for all that read it beside rules.
fn everywhere() -> Vec<Case> {
    let texts = [
        ("100,000 levels of lists", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        ("100,000 levels of objects", format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000))),
        ("1e400", "1e400".to_owned()),
        ("1e400 in a message", r#"{"action":"sub","command":1e400,"type":1e400,"event":-1e400}"#.to_owned()),
        ("1e400 in a list", r#"["1","1","realtime:a","phx_join",{"a":1e400}]"#.to_owned()),
    ];
    let paths = [
        "/api/ws/news",
        "/api/ws/commands",
        "/api/ws/events?token=good",
        "/api/ws/phoenix?vsn=1.0.0",
        "/api/ws/phoenix?vsn=2.0.0",
    ];
    let mut cases = Vec::new();
    for (name, text) in texts {
        for path in paths {
            let text = text.clone();
            cases.push(Case::story(format!("{name}, to {path}"), move |target| {
                let mut peer = target.open(path)?;
                peer.say(&text)?;
                // It may be closed for this, with a close frame.
                peer.write_regardless(&frame(FIN | PING, b"still there?"));
                loop {
                    match peer.frame()? {
                        Some(frame) if [PONG, CLOSE].contains(&frame.opcode()) => return Ok(()),
                        Some(_) => {}
                        None => bail!("dropped without a close frame"),
                    }
                }
            }));
        }
        for (path, body) in [
            ("/feeds/news", text.clone()),
            ("/api/ws/phoenix/api/broadcast", format!(r#"{{"messages":[{text}]}}"#)),
        ] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            cases.push(Case::request(format!("{name}, posted to {path}"), request, Status(400)));
        }
    }
    cases
}

fn payloads() -> Vec<(&'static str, String)> {
    let deep =
        |levels: usize| format!(r#"{{"type":"show","value":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| {
        format!(r#"{{"type":"show","value":{}1{}}}"#, r#"{"a":"#.repeat(levels), "}".repeat(levels))
    };
    let show = |value: &str| format!(r#"{{"type":"show","value":{value}}}"#);
    vec![
        (
            "__proto__",
            r#"{"type":"show","__proto__":{"polluted":true},"value":{"__proto__":{"polluted":true}}}"#.into(),
        ),
        ("constructor", show(r#"{"constructor":{"prototype":{"polluted":true}}}"#)),
        (
            "methods of every object",
            show(r#"{"toString":1,"valueOf":2,"hasOwnProperty":3,"then":4,"toJSON":5}"#),
        ),
        ("__proto__ as the type", r#"{"type":"__proto__"}"#.into()),
        ("constructor as the type", r#"{"type":"constructor"}"#.into()),
        ("a list as the type", r#"{"type":["show"],"value":1}"#.into()),
        ("type twice", r#"{"type":"bye","type":"show","value":1}"#.into()),
        ("127 levels", deep(126)),
        ("1,000 levels of lists", deep(1_000)),
        ("10,000 levels of lists", deep(10_000)),
        ("10,000 levels of objects", objects(10_000)),
        ("1,000,000 levels of lists", deep(1_000_000)),
        ("1,000,000 lists that never end", "[".repeat(1_000_000)),
        ("lone surrogates", show(r#""\ud800 \udc00 \ud83d""#)),
        ("surrogates in the wrong order", show(r#""\ude00\ud83d""#)),
        ("lone surrogates as keys", r#"{"type":"show","\ud800":1,"value":{"\udfff":1}}"#.into()),
        ("NUL", show(r#""\u0000""#)),
        ("a bare NUL", "\0".into()),
        ("an integer of 400 digits", show(&"9".repeat(400))),
        ("a fraction of 10,000 digits", show(&format!("0.{}", "1".repeat(10_000)))),
        ("1e400", show("1e400")),
        ("-1e400", show("-1e400")),
        ("1e-400", show("1e-400")),
        ("-0", show("-0")),
        ("2^63 and 2^64", show("[9223372036854775808,18446744073709551616,-9223372036854775809]")),
        ("NaN", show("NaN")),
        ("a trailing comma", show("[1,]")),
        ("a comment", show("1/**/")),
        ("a byte order mark", format!("\u{feff}{}", show("1"))),
        (
            "20,000 keys",
            show(&format!(
                "{{{}}}",
                (0..20_000).map(|key| format!("\"k{key}\":1")).collect::<Vec<_>>().join(",")
            )),
        ),
        ("a key of 500 kB", show(&format!("{{\"{}\":1}}", "k".repeat(500_000)))),
        ("nothing", String::new()),
        ("null", "null".into()),
        ("a text of all kinds", "\"\u{2028}\u{202e}\u{feff}\u{fffe}\\\"{}".into()),
    ]
}

/// Rules may answer or not; the connection stays open, and nothing leaks from the prototypes of objects.
fn to_rules(target: &Target, text: &str) -> Result<()> {
    let mut peer = target.open("/api/ws/rules")?;
    peer.say(text)?;
    peer.say(r#"{"type":"show","value":"afterwards"}"#)?;
    loop {
        let answer = peer.message()?.text();
        let Ok(answer) = serde_json::from_str::<Value>(&answer) else { continue };
        if answer["value"] == "afterwards" {
            return match answer.get("proto") {
                None | Some(Value::Null) => Ok(()),
                Some(Value::String(text)) if text.is_empty() => Ok(()),
                Some(other) => bail!("the prototype holds {other}"),
            };
        }
    }
}

/// A callback that throws, or cannot send what it got, costs the message at most.
fn to_callbacks(target: &Target, path: &str, text: &str) -> Result<()> {
    let Ok(mut peer) = target.open(path) else { bail!("{path} does not open") };
    peer.say(text)?;
    // Some of these routes throw and may close; what counts is the next client of a route that does not.
    let _ = peer.message();
    let mut next = target.open("/api/js/json")?;
    next.say("{}")?;
    let answer: Value = serde_json::from_str(&next.message()?.text())?;
    match answer.get("polluted") {
        None => Ok(()),
        Some(value) => bail!("every object has polluted: {value}"),
    }
}

fn expect(peer: &mut Peer, key: &str, value: &str) -> Result<()> {
    let answer: Value = serde_json::from_str(&peer.message()?.text())?;
    if answer[key] == value { Ok(()) } else { bail!("{answer}") }
}
