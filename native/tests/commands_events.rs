//! Async closures beside dialects: the server events of `commands`, what passes a proxy, and one's own hooks.

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use support::{start, within};
use switchboard::{
    Callbacks, CommandsAudience, CommandsClient, CommandsEvents, Config, Context, Endpoint, Handler,
    HandlerError, HandlerResult, Incoming, Message, Peer, Server,
};
use switchboard_core::{Answer, Hook, HookKind};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as WireMessage;

/// Events as lines of text, in the order of their callbacks.
fn events(told: mpsc::UnboundedSender<String>) -> CommandsEvents {
    let tell = Arc::new(move |line: String| drop(told.send(line)));
    let [start, connect, disconnect, receive, send, crash] = std::array::from_fn(|_| tell.clone());
    CommandsEvents::new()
        .start(move || {
            start("start".to_owned());
            async {}
        })
        .connect(move |client: CommandsClient| {
            connect(format!("connect {} {:?}", client.name, client.email));
            async {}
        })
        .disconnect(move |id: String| {
            disconnect(format!("disconnect {}", id.len()));
            async {}
        })
        .receive(move |id: String, message: String| {
            receive(format!("receive {} {message}", id.len()));
            async move {
                match message.as_str() {
                    "fail" => Err("on purpose"),
                    "panic" => panic!("on purpose"),
                    _ => Ok(()),
                }
            }
        })
        .send(move |message: String, to: CommandsAudience| {
            let kind = if message.contains("presence") { "presence" } else { "message" };
            send(format!("send {kind} {} {:?}", to.to.is_some(), to.channel));
            async {}
        })
        .crash(move |error: HandlerError, id: String| {
            crash(format!("crash {} {error}", id.len()));
            async {}
        })
}

#[tokio::test]
async fn events_are_told_in_order_with_what_rakit_says_of_them() {
    let (told, mut lines) = mpsc::unbounded_channel();
    let config = Config::from_toml(
        r#"
        [[routes]]
        pattern = "/chat"
        dialect = "commands"
        [routes.commands.session]
        cookie = "sid"
        users.a1 = { name = "Ada", email = "ada@example.com" }
        "#,
    );
    let callbacks = Callbacks::new().commands(events(told));
    let builder = Server::builder().config(config.expect("a configuration")).callbacks("/chat", callbacks);
    let server = start(builder).await;
    let mut expect = async |expected: &[&str]| {
        for expected in expected {
            let line = within("an event", lines.recv()).await;
            assert_eq!(line.as_deref(), Some(*expected));
        }
    };
    expect(&["start"]).await;
    let mut request = tokio_tungstenite::tungstenite::ClientRequestBuilder::new(
        server.url("/chat").parse().expect("a URL"),
    );
    request = request.with_header("cookie", "sid=a1");
    let mut client = support::Client::connect(request).await;
    let users = client.json().await;
    assert_eq!(users["users"][0]["name"], "Ada");
    expect(&["connect Ada Some(\"ada@example.com\")", "send presence false None"]).await;

    client.send("Hi").await;
    let said = client.json().await;
    assert_eq!(said["message"], "Hi");
    expect(&["receive 8 Hi", "send message false None"]).await;
    let id = said["client_id"].as_str().unwrap_or_default().to_owned();
    let private = format!(r#"{{"to":"{id}","message":"me"}}"#);
    client.send(private.as_str()).await;
    assert_eq!(client.json().await, json!({ "client_id": id, "message": "me" }));
    expect(&[&format!("receive 8 {private}"), "send message true None"]).await;
    client.send(r#"{"event":"subscribe","channel":"c"}"#).await;
    client.send(r#"{"event":"message","channel":"c","data":1}"#).await;
    assert_eq!(client.text().await, format!(r#"{{"channel":"c","data":1,"client_id":"{id}"}}"#));
    expect(&[
        r#"receive 8 {"event":"subscribe","channel":"c"}"#,
        r#"receive 8 {"event":"message","channel":"c","data":1}"#,
        "send message false Some(\"c\")",
    ])
    .await;

    // A listener that fails costs nothing but itself.
    client.send("fail").await;
    client.send("panic").await;
    assert_eq!(client.json().await["message"], "fail");
    assert_eq!(client.json().await["message"], "panic");
    expect(&["receive 8 fail", "send message false None", "crash 8 on purpose"]).await;
    expect(&["receive 8 panic", "send message false None", "crash 8 receive panicked"]).await;
    client.close().await;
    expect(&["disconnect 8", "send presence false None"]).await;
    server.emptied().await;
}

#[tokio::test]
async fn a_route_of_ones_own_speaks_commands_by_its_events() {
    let (told, mut lines) = mpsc::unbounded_channel();
    let events = CommandsEvents::new().receive(move |_, message: String| {
        let _ = told.send(message);
        async {}
    });
    let connected = |peer: Peer| async move { peer.send("beside the dialect") };
    let callbacks = Callbacks::new().commands(events).on_connect(connected);
    let server = start(Server::builder().route("/chat", callbacks)).await;
    let endpoints = server.switchboard.endpoints();
    let info = &endpoints[0];
    assert_eq!((info.kind, info.message.as_deref()), ("commands", Some(r#"{"message":"Hello everyone!"}"#)));
    let mut client = server.connect("/chat").await;
    assert_eq!(client.json().await["type"], "presence");
    assert_eq!(client.text().await, "beside the dialect");
    client.send("Hi").await;
    assert_eq!(within("an event", lines.recv()).await.as_deref(), Some("Hi"));
}

#[tokio::test]
async fn callbacks_watch_a_dialect() {
    let config =
        Config::from_toml("[[routes]]\npattern = '/relay'\ndialect = 'relay'").expect("a configuration");
    let (told, mut lines) = mpsc::unbounded_channel();
    let callbacks = Callbacks::new()
        .authenticate(|handshake| async move { handshake.request().uri().query() == Some("in") })
        .on_message(move |_: Peer, message: Incoming| {
            let _ = told.send(message.as_text().unwrap_or_default().to_owned());
            async {}
        });
    let server = start(Server::builder().config(config).callbacks("/relay", callbacks)).await;
    assert_eq!(support::refused(server.url("/relay")).await, 401);
    let (mut a, mut b) = (server.connect("/relay?in").await, server.connect("/relay?in").await);
    a.send("Hi").await;
    assert_eq!(b.text().await, "Hi");
    assert_eq!(within("a message", lines.recv()).await.as_deref(), Some("Hi"));
    b.close().await;
}

#[tokio::test]
async fn what_passes_a_proxy_is_looked_at() {
    let target = start(Server::builder().route(
        "/target",
        Callbacks::new().on_message(|peer: Peer, message: Incoming| async move {
            match message {
                Incoming::Message(message) => peer.send(message),
                Incoming::Value(_) => {}
            }
        }),
    ))
    .await;
    let toml = format!("[[routes]]\npattern = '/proxy'\nproxy = '{}'", target.url("/target"));
    let callbacks = Callbacks::new()
        .on_client_message(|_, message: Message| async move {
            match message.as_text() {
                Some("drop") => Ok(None),
                Some("fail") => Err("on purpose"),
                Some(text) => Ok(Some(Message::from(format!("{text}, client")))),
                None => Ok(Some(message)),
            }
        })
        .on_target_message(|_, message: Message| async move {
            match message.as_text() {
                Some(text) => Message::from(format!("{text}, target")),
                None => message,
            }
        });
    let config = Config::from_toml(&toml).expect("a configuration");
    let server = start(Server::builder().config(config).callbacks("/proxy", callbacks)).await;
    let mut client = server.connect("/proxy").await;
    for text in ["drop", "fail", "Hi"] {
        client.send(text).await;
    }
    client.send(vec![0, 255]).await;
    assert_eq!(client.text().await, "Hi, client, target");
    assert_eq!(client.next().await, WireMessage::Binary(vec![0, 255].into()));
    client.close().await;
}

/// Asks the callback `double` for every message.
struct Doubling;

impl Handler for Doubling {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let payload = serde_json::from_slice(message.payload())?;
        cx.call(Hook::Custom { name: "double".into(), payload });
        Ok(())
    }

    fn answer(&mut self, cx: &mut Context<'_>, _: HookKind, answer: Answer) -> HandlerResult {
        match answer {
            Answer::Json(value) => cx.send(value.to_string()),
            other => cx.send(format!("{other:?}")),
        }
        Ok(())
    }

    fn command(&mut self, cx: &mut Context<'_>, name: &str, payload: Value) -> HandlerResult {
        cx.send(format!("{name} {payload}"));
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_of_ones_own_asks_callbacks_of_ones_own() {
    let callbacks = Callbacks::new().on_custom("double", |peer: Peer, payload: Value| async move {
        peer.dialect_command("asked", payload.clone())?;
        let number = payload.as_i64().ok_or("only numbers can be doubled")?;
        Ok::<_, HandlerError>(json!(number * 2))
    });
    let server =
        start(Server::builder().route("/", Endpoint::from(Doubling).with_callbacks(callbacks))).await;
    let mut client = server.connect("/").await;
    client.send("21").await;
    assert_eq!((client.text().await, client.text().await), ("asked 21".to_owned(), "42".to_owned()));
    client.send("\"x\"").await;
    assert_eq!(client.text().await, "asked \"x\"");
    assert_eq!(client.json().await, json!({ "type": "error", "message": "only numbers can be doubled" }));
}

#[tokio::test]
async fn a_configuration_that_asks_for_callbacks_that_nobody_gave_does_not_start() {
    let config = || {
        let text = "[[routes]]\npattern = '/chat'\ndialect = 'commands'\ncommands.events = ['receive']";
        Config::from_toml(text).expect("a configuration")
    };
    let started = Server::builder().config(config()).build();
    let error = started.expect_err("an error").to_string();
    let expected = "routes[0].commands.events[0]: there is no callback for the event \"receive\"; ";
    assert!(error.starts_with(expected), "{error}");
    let beside = Callbacks::new().on_close(|_: Peer, _, _| async {});
    assert!(Server::builder().config(config()).callbacks("/chat", beside).build().is_err());
    let events = CommandsEvents::new().receive(|_, _| async {});
    let given = Callbacks::new().commands(events);
    assert!(Server::builder().config(config()).callbacks("/chat", given).build().is_ok());
}
