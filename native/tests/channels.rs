//! Phoenix channels made of async closures, in the words of the wire.

mod support;

use serde_json::{Value, json};
use support::{Client, Running, start, within};
use switchboard::{
    Callbacks, ChannelCallbacks, ChannelReply, ChannelSocket, Config, LeaveReason, Payload, Peer, Server,
    ServerError,
};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as WireMessage;

const PATH: &str = "/socket/websocket?vsn=2.0.0";

async fn serve(channel: ChannelCallbacks) -> Running {
    let socket = Callbacks::new().channel("room:*", channel);
    start(Server::builder().route("/socket/websocket", socket)).await
}

async fn joined(server: &Running) -> Client {
    let mut client = server.connect(PATH).await;
    client.send(r#"["1","1","room:a","phx_join",{}]"#).await;
    assert_eq!(client.text().await, r#"["1","1","room:a","phx_reply",{"response":{},"status":"ok"}]"#);
    client
}

#[tokio::test]
async fn a_join_is_let_in_or_refused_and_pushes_come_after_the_reply() {
    async fn join(socket: ChannelSocket, payload: Payload) -> Result<ChannelReply, &'static str> {
        socket.push("early", json!({ "topic": socket.topic() }));
        match payload.json()["as"].as_str() {
            Some("crash") => Err("on purpose"),
            Some("panic") => panic!("on purpose"),
            Some(name) => Ok(ChannelReply::ok(json!({ "hello": name }))),
            None => Ok(ChannelReply::reason("unauthorized")),
        }
    }
    let server = serve(ChannelCallbacks::new().join(join)).await;
    let mut client = server.connect(PATH).await;
    for (frame, answers) in [
        (
            r#"["1","1","room:a","phx_join",{}]"#,
            &[r#"["1","1","room:a","phx_reply",{"response":{"reason":"unauthorized"},"status":"error"}]"#][..],
        ),
        (
            r#"["2","2","room:a","phx_join",{"as":"crash"}]"#,
            &[r#"["2","2","room:a","phx_reply",{"response":{"reason":"join crashed"},"status":"error"}]"#],
        ),
        (
            r#"["3","3","room:a","phx_join",{"as":"panic"}]"#,
            &[r#"["3","3","room:a","phx_reply",{"response":{"reason":"join crashed"},"status":"error"}]"#],
        ),
        (
            r#"["4","4","room:a","phx_join",{"as":"Ada"}]"#,
            &[
                r#"["4","4","room:a","phx_reply",{"response":{"hello":"Ada"},"status":"ok"}]"#,
                r#"["4",null,"room:a","early",{"topic":"room:a"}]"#,
            ],
        ),
        (
            r#"["5","5","other:a","phx_join",{}]"#,
            &[
                r#"[null,"5","other:a","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#,
            ],
        ),
    ] {
        client.send(frame).await;
        for answer in answers {
            assert_eq!(client.text().await, *answer);
        }
    }
}

#[tokio::test]
async fn events_are_answered_pushed_and_broadcast() {
    let channel = ChannelCallbacks::new()
        .handle_in("whoami", |_, payload| async move { ChannelReply::ok(payload) })
        .handle_in("shout", |socket, payload| async move { socket.broadcast("shout", payload) })
        .handle_in("tell", |socket, payload| async move { socket.broadcast_from("tell", payload) })
        .handle_in("later", |socket, _| async move {
            let reference = socket.reference().clone();
            socket.push("soon", json!({}));
            socket.reply(&reference, ChannelReply::ok(json!({ "now": true })));
        })
        .handle_in("crash", |_, _| async { Err::<(), _>("on purpose") })
        .handle_in("stop", |_, _| async { ChannelReply::ok(json!({})).and_stop() });
    let server = serve(channel).await;
    let (mut a, mut b) = (joined(&server).await, joined(&server).await);

    a.send(r#"["1","2","room:a","whoami",{"n":1}]"#).await;
    assert_eq!(a.text().await, r#"["1","2","room:a","phx_reply",{"response":{"n":1},"status":"ok"}]"#);
    a.send(r#"["1","3","room:a","shout",{"n":2}]"#).await;
    for client in [&mut a, &mut b] {
        assert_eq!(client.text().await, r#"[null,null,"room:a","shout",{"n":2}]"#);
    }
    a.send(r#"["1","4","room:a","tell",{"n":3}]"#).await;
    assert_eq!(b.text().await, r#"[null,null,"room:a","tell",{"n":3}]"#);
    a.send(r#"["1","5","room:a","later",{}]"#).await;
    assert_eq!(a.text().await, r#"["1",null,"room:a","soon",{}]"#);
    assert_eq!(a.text().await, r#"["1","5","room:a","phx_reply",{"response":{"now":true},"status":"ok"}]"#);
    a.send(r#"["1","6","room:a","dance",{}]"#).await;
    let unmatched =
        r#"["1","6","room:a","phx_reply",{"response":{"reason":"unmatched event"},"status":"error"}]"#;
    assert_eq!(a.text().await, unmatched);
    a.send(r#"["1","7","room:a","crash",{}]"#).await;
    assert_eq!(a.text().await, r#"["1","1","room:a","phx_error",{}]"#);
    b.send(r#"["1","8","room:a","stop",{}]"#).await;
    assert_eq!(b.text().await, r#"["1","8","room:a","phx_reply",{"response":{},"status":"ok"}]"#);
    assert_eq!(b.text().await, r#"["1","1","room:a","phx_close",{}]"#);
}

#[tokio::test]
async fn bytes_are_bytes_both_ways() {
    let channel = ChannelCallbacks::new().handle_any(|socket, event, payload| async move {
        let bytes = payload.bytes().cloned().ok_or("bytes, please")?;
        socket.push(&event, bytes.clone());
        Ok::<_, &str>(ChannelReply::ok(bytes))
    });
    let server = serve(channel).await;
    let mut client = joined(&server).await;
    // A push: kind 0, four lengths, join_ref, ref, topic, event, data.
    let frame = [&[0, 1, 1, 6, 4][..], b"12room:ablob", &[0, 255]].concat();
    client.send(frame).await;
    let pushed = [&[0, 1, 6, 4][..], b"1room:ablob", &[0, 255]].concat();
    assert_eq!(client.next().await, WireMessage::Binary(pushed.into()));
    let replied = [&[1, 1, 1, 6, 2][..], b"12room:aok", &[0, 255]].concat();
    assert_eq!(client.next().await, WireMessage::Binary(replied.into()));
}

#[tokio::test]
async fn presence_tells_who_is_there() {
    async fn join(socket: ChannelSocket, payload: Payload) {
        let name = payload.json()["name"].as_str().unwrap_or("nobody").to_owned();
        socket.assigns().insert(name.clone());
        socket.track(&name, json!({ "mood": "fine" }));
        socket.push_presence_state();
    }
    let channel = ChannelCallbacks::new().join(join).handle_in("hide", |socket, _| async move {
        let name = socket.assigns().get::<String>().cloned().unwrap_or_default();
        socket.untrack(&name);
    });
    let server = serve(channel).await;
    let mut a = server.connect(PATH).await;
    a.send(r#"["1","1","room:a","phx_join",{"name":"Ada"}]"#).await;
    let mut next = async || -> (String, Value) {
        let frame = a.json().await;
        (frame[3].as_str().unwrap_or_default().to_owned(), frame[4].clone())
    };
    assert_eq!(next().await.0, "phx_reply");
    let (event, diff) = next().await;
    assert_eq!(
        (event.as_str(), &diff["joins"]["Ada"]["metas"][0]["mood"]),
        ("presence_diff", &json!("fine"))
    );
    let (event, state) = next().await;
    assert_eq!((event.as_str(), &state["Ada"]["metas"][0]["mood"]), ("presence_state", &json!("fine")));
    let mut b = server.connect(PATH).await;
    b.send(r#"["1","1","room:a","phx_join",{"name":"Bob"}]"#).await;
    assert!(next().await.1["joins"]["Bob"].is_object());
    b.send(r#"["1","2","room:a","hide",{}]"#).await;
    assert!(next().await.1["leaves"]["Bob"].is_object());
}

#[tokio::test]
async fn every_join_has_one_leave_and_a_kept_socket_still_reaches_the_others() {
    let (left, mut leaves) = mpsc::unbounded_channel();
    let channel = ChannelCallbacks::new()
        .join(|socket, payload| async move { socket.assigns().insert(payload).map(drop).unwrap_or_default() })
        .handle_in("stop", |socket, _| async move { socket.stop() })
        .handle_in("crash", |socket, _| async move { socket.crash() })
        .leave(move |socket: ChannelSocket, why: LeaveReason| {
            let number = socket.assigns().get::<Payload>().map(|payload| payload.json()["n"].clone());
            socket.push("never", json!({}));
            socket.broadcast_from("left", json!({ "n": number, "why": why.as_str() }));
            let _ = left.send(number.unwrap_or_default());
            async {}
        });
    let server = serve(channel).await;
    let mut witness = joined(&server).await;
    let mut client = server.connect(PATH).await;
    let steps = [
        (
            r#"["1","1","room:a","phx_join",{"n":1}]"#,
            r#"["1","1","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
        (
            r#"["2","2","room:a","phx_join",{"n":2}]"#,
            r#"["2","2","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
        ("", r#"["1","1","room:a","phx_close",{}]"#),
        (
            r#"["2","3","room:a","phx_leave",{}]"#,
            r#"["2","3","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
        ("", r#"["2","2","room:a","phx_close",{}]"#),
        (
            r#"["4","4","room:a","phx_join",{"n":4}]"#,
            r#"["4","4","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
        (r#"["4","5","room:a","stop",{}]"#, r#"["4","4","room:a","phx_close",{}]"#),
        (
            r#"["6","6","room:a","phx_join",{"n":6}]"#,
            r#"["6","6","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
        (r#"["6","7","room:a","crash",{}]"#, r#"["6","6","room:a","phx_error",{}]"#),
        (
            r#"["8","8","room:a","phx_join",{"n":8}]"#,
            r#"["8","8","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
        ),
    ];
    for (said, heard) in steps {
        if !said.is_empty() {
            client.send(said).await;
        }
        loop {
            let text = client.text().await;
            // The leave of the join before may speak at any time.
            if !text.contains("\"left\"") {
                break assert_eq!(text, heard);
            }
        }
    }
    client.close().await;
    for (number, why) in [(1, "replaced"), (2, "left"), (4, "stopped"), (6, "crashed"), (8, "closed")] {
        assert_eq!(within("a leave", leaves.recv()).await, Some(json!(number)));
        let told = format!(r#"[null,null,"room:a","left",{{"n":{number},"why":"{why}"}}]"#);
        assert_eq!(witness.text().await, told);
    }
    witness.close().await;
    assert_eq!(within("a leave", leaves.recv()).await, Some(Value::Null));
    server.emptied().await;
    assert!(leaves.try_recv().is_err(), "one leave for each join");
}

#[tokio::test]
async fn a_configuration_declares_and_closures_decide() {
    let config = Config::from_toml(
        r#"
        prefix = "/api"
        [[routes]]
        pattern = "/socket/websocket"
        dialect = "phoenix"
        phoenix.channels = [{ topic = "quiet:*", join = { declared = true } }, { topic = "room:b", callbacks = true }]
        "#,
    );
    let channel = |name: &'static str| {
        ChannelCallbacks::new().join(move |_, _| async move { ChannelReply::ok(json!({ "by": name })) })
    };
    let (closed, mut closes) = mpsc::unbounded_channel();
    let callbacks = Callbacks::new()
        .channel("room:*", channel("any"))
        .channel("room:b", channel("b"))
        .on_close(move |_: Peer, _, _| {
            let _ = closed.send(());
            async {}
        });
    let builder = Server::builder().config(config.expect("a configuration"));
    let server = start(builder.callbacks("/socket/websocket", callbacks)).await;
    let mut client = server.connect(&format!("/api{PATH}")).await;
    for (topic, response) in
        [("quiet:a", r#"{"declared":true}"#), ("room:a", r#"{"by":"any"}"#), ("room:b", r#"{"by":"b"}"#)]
    {
        client.send(format!(r#"["1","1","{topic}","phx_join",{{}}]"#)).await;
        let reply = format!(r#"["1","1","{topic}","phx_reply",{{"response":{response},"status":"ok"}}]"#);
        assert_eq!(client.text().await, reply);
    }
    let command = json!({ "topic": "room:a", "event": "news", "payload": { "n": 1 } });
    server.switchboard.command("/api/socket/websocket", "broadcast", command).expect("a command");
    assert_eq!(client.text().await, r#"[null,null,"room:a","news",{"n":1}]"#);
    assert!(server.switchboard.command("/none", "broadcast", json!({})).is_err());
    client.close().await;
    within("the callback beside the dialect", closes.recv()).await;
}

#[tokio::test]
async fn callbacks_for_another_dialect_stop_the_start() {
    let config =
        || Config::from_toml("[[routes]]\npattern = '/echo'\ndialect = 'echo'").expect("a configuration");
    let channel = |topic: &str| Callbacks::new().channel(topic, ChannelCallbacks::new());
    let error = |builder: switchboard::Builder| builder.build().map(drop).expect_err("an error");
    let wrong = error(Server::builder().config(config()).callbacks("/echo", channel("a")));
    assert_eq!(
        wrong.to_string(),
        "the callbacks of the route /echo: channels belong to the dialect \"phoenix\", but this route's dialect is \"echo\""
    );
    let wrong = error(Server::builder().config(config()).callbacks("/ehco", Callbacks::new()));
    assert!(matches!(&wrong, ServerError::NoRoute(pattern) if pattern == "/ehco"), "{wrong}");
    let wrong = error(Server::builder().route("/socket", channel("a*b")));
    assert!(wrong.to_string().contains("a * can only stand at the end"), "{wrong}");
    let inspector = Callbacks::new().on_client_message(|_, message| async { message });
    let wrong = error(Server::builder().route("/proxy", inspector));
    assert!(wrong.to_string().contains("belong to the dialect \"proxy\""), "{wrong}");
}
