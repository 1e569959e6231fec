use std::time::Duration;

use super::*;
use crate::interface::close_cause::CloseCause;
use crate::message::CloseCode;
use crate::recording::{Event, Open, Refuse, Side};
use crate::time::WallTime;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzM2NyM3QifQ.czNjcjN0";

fn mask() -> Mask {
    Mask::new(&["card [0-9]+"]).expect("a pattern").and_name("ticket").and_secret("known-s3cret")
}

#[test]
fn urls_lose_user_and_secret_parameters() {
    for (url, expected) in [
        ("/", "/"),
        ("/feed?x=1&y", "/feed?x=1&y"),
        ("/feed?token=abc&x=1", "/feed?token=***&x=1"),
        ("/feed?ToKen=abc", "/feed?ToKen=***"),
        ("/feed?%74oken=abc", "/feed?%74oken=***"),
        ("/feed?x=%42earer%20abc", "/feed?x=***"),
        ("/feed?x=Bearer+abc", "/feed?x=***"),
        ("/feed?key=1;auth=2&apikey=3#access_token=4", "/feed?key=***;auth=***&apikey=***#access_token=***"),
        ("/feed?ticket=1&tickets=2", "/feed?ticket=***&tickets=2"),
        ("/feed?token=", "/feed?token="),
        ("/socket/websocket?vsn=2.0.0&user=ada", "/socket/websocket?vsn=2.0.0&user=ada"),
        ("wss://ada:pw@example.com/feed?room=1", "wss://***@example.com/feed?room=1"),
        ("/known-s3cret/card 12", "/***/***"),
        ("/feed?x=known%2Ds3cret", "/feed?x=***"),
    ] {
        assert_eq!(mask().url(url), expected, "{url}");
    }
    assert_eq!(mask().url(&format!("/a/{JWT}/b")), "/a/***/b");
}

#[test]
fn subprotocols_lose_tokens() {
    for (list, expected) in [
        ("phoenix, base64url.bearer.phx.c2VjcmV0", "phoenix, ***"),
        ("access_token, abc", "access_token, ***"),
        ("Bearer, abc, chat", "Bearer, ***, chat"),
        (
            "realtime, openai-insecure-api-key.sk-abc, openai-beta.realtime-v1",
            "realtime, ***, openai-beta.realtime-v1",
        ),
        ("v1, d8e8fca2dc0f896fd7cb4cb0031ba249", "v1, ***"),
        (
            "graphql-transport-ws,actioncable-v1-json, v10.stomp",
            "graphql-transport-ws,actioncable-v1-json, v10.stomp",
        ),
        (
            "wamp.2.msgpack.batched, v4.channel.k8s.io, ocpp2.0.1",
            "wamp.2.msgpack.batched, v4.channel.k8s.io, ocpp2.0.1",
        ),
        ("chat,known-s3cret", "chat,***"),
        ("", ""),
    ] {
        assert_eq!(mask().header("Sec-WebSocket-Protocol", list), expected, "{list}");
    }
}

#[test]
fn headers_lose_secrets_by_name_and_by_value() {
    for (name, value, expected) in [
        ("authorization", "Basic abc", "***"),
        ("Cookie", "a=b; c=d", "***"),
        ("x-my-session-id", "1", "***"),
        ("ticket", "1", "***"),
        ("authorization", "", ""),
        ("referer", "https://a:b@example.com/?token=1&x=2", "https://***@example.com/?token=***&x=2"),
        ("x-forwarded", "Bearer abc", "Bearer ***"),
        ("origin", "https://example.com:8080", "https://example.com:8080"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
    ] {
        assert_eq!(mask().header(name, value), expected, "{name}: {value}");
    }
}

#[test]
fn binary_messages_keep_their_lengths_unless_they_are_text() {
    let masked = |bytes: &[u8]| mask().message(&Message::Binary(Bytes::copy_from_slice(bytes)));
    let same = |bytes: &'static [u8]| Message::Binary(Bytes::from_static(bytes));
    assert_eq!(masked(b"\x00\x01\xff"), same(b"\x00\x01\xff"));
    assert_eq!(masked(br#"{"token":"abc"}"#), same(br#"{"token":"***"}"#));
    assert_eq!(masked(b"\xa5card 17\x0cknown-s3cret\xff"), same(b"\xa5*******\x0c************\xff"));
    assert_eq!(masked(b"\x01known-s3cre"), same(b"\x01known-s3cre"));
    assert_eq!(masked(b""), same(b""));
}

#[test]
fn patterns_are_checked() {
    for (pattern, expected) in [
        ("(", "[1]: not a regular expression: unclosed group"),
        ("", "[1]: an empty pattern matches everywhere"),
        (
            "(?=a)",
            "[1]: not a regular expression: look-around, including look-ahead and look-behind, is not supported",
        ),
    ] {
        assert_eq!(Mask::new(&["a", pattern]).unwrap_err().to_string(), expected);
    }
    assert!(Mask::new(&[r"\w{1000}{1000}"]).is_err(), "it would take too much memory");
}

#[test]
fn no_line_keeps_a_secret_anywhere() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = || {
        vec![
            pair("authorization", "Bearer s3cr3t-1"),
            pair("cookie", "sid=s3cr3t-2"),
            pair("x-api-key", "s3cr3t-3"),
            pair("sec-websocket-protocol", "phoenix, base64url.bearer.phx.s3cr3t-4"),
            pair("referer", "https://ada:s3cr3t-5@example.com/?jwt=s3cr3t-6"),
        ]
    };
    let path = "/a?token=s3cr3t&signature=s3cr3t&x=card+s3cr3t";
    let open = Open {
        headers: headers(),
        subprotocol: Some("base64url.bearer.phx.s3cr3t".to_owned()),
        response_headers: vec![pair("set-cookie", "sid=s3cr3t")],
        ..Open::new(path)
    };
    let refuse = Refuse {
        path: path.to_owned(),
        headers: headers(),
        status: 401,
        reason: "bad token: s3cr3t".to_owned(),
    };
    let message = |message: Message| EventKind::Message { from: Side::Client, message };
    let kinds = vec![
        EventKind::Open(open),
        EventKind::Refuse(refuse),
        message(r#"[null,"1","a","phx_join",{"user":{"accessToken":"s3cr3t"}}]"#.into()),
        message(r#"42["login",{"password":"s3cr3t"}]"#.into()),
        message(JWT.into()),
        message("Bearer s3cr3t".into()),
        message("card s3cr3t".into()),
        message(Bytes::from_static(b"\xffBearer s3cr3t\xff").into()),
        message(Bytes::from_static(b"\xffcard s3cr3t\xff").into()),
        EventKind::Close {
            by: CloseCause::Client,
            frame: CloseFrame::new(CloseCode(4001), "token=s3cr3t expired"),
        },
        EventKind::Fault { effect: "sent Bearer s3cr3t late".to_owned() },
    ];
    let source = Some("wss://ada:s3cr3t@example.com/?key=s3cr3t".to_owned());
    let mut lines = vec![Line::Header(Header { started_at: WallTime::default(), source })];
    let event = |kind| Line::Event(Event { at: Duration::ZERO, connection: 1, kind });
    lines.extend(kinds.into_iter().map(event));
    let mask = Mask::new(&["card s3cr3t"]).expect("a pattern");
    for line in lines {
        let mut out = Vec::new();
        mask.line(line).write(&mut out);
        let text = String::from_utf8(out).expect("lines are UTF-8");
        assert!(!text.contains("s3cr3t") && !text.contains("eyJ") && !text.contains("czNjcjN0"), "{text}");
        // Overwritten bytes are in base64.
        if let Ok(Line::Event(event)) = Line::parse(1, text.trim_end().as_bytes())
            && let EventKind::Message { message, .. } = event.kind
        {
            assert!(!String::from_utf8_lossy(message.payload()).contains("s3cr3t"), "{message:?}");
        }
    }
}
