//! Handlers that open connections themselves.

mod support;

use std::time::Duration;

use support::{Running, start};
use switchboard::{Context, Dial, Handler, HandlerResult, Message, Server, UpstreamEvent, UpstreamId};

/// Passes everything on to another server, and its answers back.
struct Relay {
    url: String,
    upstream: Option<UpstreamId>,
}

impl Handler for Relay {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let mut dial = Dial::new(&self.url);
        dial.headers = vec![("x-token".into(), "secret".into())];
        dial.protocols = vec!["chat.v1".into()];
        dial.timeout = Duration::from_secs(5);
        self.upstream = cx.dial(dial);
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let upstream = self.upstream.ok_or("not dialled")?;
        cx.send_upstream(upstream, message);
        Ok(())
    }

    fn upstream(&mut self, cx: &mut Context<'_>, _: UpstreamId, event: UpstreamEvent) -> HandlerResult {
        match event {
            UpstreamEvent::Message(message) => cx.send(message),
            UpstreamEvent::Closed(Some(frame)) => {
                cx.send(format!("closed {} {}", frame.code, frame.reason.as_str()));
            }
            other => cx.send(format!("{other:?}")),
        }
        Ok(())
    }
}

/// Tells what it was asked with, echoes, and closes when told to.
struct Upstream;

impl Handler for Upstream {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let request = cx.connection().map(|connection| connection.request());
        let token = request.as_ref().and_then(|request| request.headers().get("x-token"));
        cx.send(format!("token: {token:?}"));
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        if message.as_text() == Some("close") {
            cx.close(switchboard::CloseCode(4000), "as you wish")?;
        }
        cx.send(message);
        Ok(())
    }
}

async fn relay(url: String) -> Running {
    start(Server::builder().route("/ws", Relay { url, upstream: None })).await
}

#[tokio::test]
async fn messages_go_both_ways_and_the_end_is_told() {
    let settings = switchboard::RouteSettings { subprotocols: vec!["chat.v1".into()], ..Default::default() };
    let endpoint = switchboard::Endpoint::from(Upstream).with_settings(settings);
    let upstream = start(Server::builder().route("/up", endpoint)).await;
    let server = relay(upstream.url("/up?key=1")).await;
    let mut client = server.connect("/ws").await;
    assert_eq!(client.text().await, r#"Opened { protocol: Some("chat.v1") }"#);
    assert_eq!(client.text().await, r#"token: Some("secret")"#);
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
    client.send(vec![1, 2]).await;
    assert_eq!(client.next().await.into_data(), vec![1, 2]);
    client.send("close").await;
    assert_eq!(client.text().await, "closed 4000 as you wish");
    client.close().await;
    server.emptied().await;
    upstream.emptied().await;
}

#[tokio::test]
async fn the_outgoing_connection_ends_with_its_client() {
    let upstream = start(Server::builder().route("/up", Upstream)).await;
    let server = relay(upstream.url("/up")).await;
    let mut client = server.connect("/ws").await;
    client.text().await;
    assert_eq!(upstream.switchboard.connections(), 1);
    client.close().await;
    upstream.emptied().await;
}

#[tokio::test]
async fn nobody_there_or_nothing_there() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = taken.local_addr().expect("an address");
    drop(taken);
    let server = relay(format!("ws://{free}/?token=secret")).await;
    let told = server.connect("/ws").await.text().await;
    assert!(told.starts_with("Failed") && !told.contains("secret"), "{told}");

    let upstream = start(Server::builder().route("/up", Upstream)).await;
    let server = relay(upstream.url("/elsewhere")).await;
    let told = server.connect("/ws").await.text().await;
    assert_eq!(told, "Refused { status: 404 }");
}
