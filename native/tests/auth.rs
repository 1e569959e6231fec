//! Who may come in: every form of `authenticate`.

mod support;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use support::raw::{Raw, upgrade_request};
use support::{Client, refused, start, within};
use switchboard::{
    Admission, Authentication, Callbacks, Config, Endpoint, HandlerError, Handshake, Limits, Peer,
    RouteSettings, Server, TokenPlace, TokenRefusal, TokenRule,
};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

async fn by_token(handshake: Handshake) -> Result<Admission, HandlerError> {
    Ok(match handshake.query("token").as_deref() {
        Some("good one") => Admission::Accept { data: json!({ "user": "alice" }) },
        Some("broken") => return Err("the database is away".into()),
        Some("panic") => panic!("on purpose"),
        Some(_) => Admission::refuse(Some(4002), "Invalid token"),
        None => Admission::refuse(Some(4001), "No token provided"),
    })
}

fn greeting() -> Callbacks {
    Callbacks::new().on_connect(|peer: Peer| async move { peer.send(peer.auth_data().to_string()) })
}

#[tokio::test]
async fn a_callback_decides_by_the_query() {
    let server = start(Server::builder().route("/ws", greeting().authenticate(by_token))).await;
    let mut client = server.connect("/ws?token=good%20one").await;
    assert_eq!(client.json().await, json!({ "user": "alice" }));
    for (path, code, reason) in [("/ws?token=bad", 4002, "Invalid token"), ("/ws", 4001, "No token provided")]
    {
        let mut told = server.connect(path).await;
        assert_eq!(told.closed().await, (code, reason.to_owned()));
        told.close().await;
    }
    assert_eq!(refused(server.url("/ws?token=broken")).await, 500);
    assert_eq!(refused(server.url("/ws?token=panic")).await, 500);
    client.close().await;
    server.emptied().await;
}

#[tokio::test]
async fn false_is_401() {
    let callbacks =
        greeting().authenticate(|handshake: Handshake| async move { handshake.query("x").is_some() });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    assert_eq!(refused(server.url("/ws")).await, 401);
    assert_eq!(server.connect("/ws?x=1").await.text().await, "null");
}

/// The callback alone would be asked, so whoever wrote the rule would be wrong about who is let in.
#[tokio::test]
async fn a_rule_and_a_callback_together_stop_the_start() {
    let everyone = || greeting().authenticate(|_| async { true });
    let rules = [
        Authentication::authorization_header(),
        Authentication::Token(TokenRule {
            place: TokenPlace::Query("token".into()),
            values: [("t".to_owned(), json!(null))].into_iter().collect(),
            missing: TokenRefusal::status(StatusCode::UNAUTHORIZED),
            invalid: TokenRefusal::status(StatusCode::FORBIDDEN),
        }),
    ];
    for authentication in rules {
        let settings = RouteSettings { authentication, ..RouteSettings::default() };
        let endpoint = Endpoint::from(everyone()).with_settings(settings);
        let error = Server::builder().route("/ws", endpoint).build().expect_err("it is refused").to_string();
        assert!(error.contains("both a rule and a callback say who may come in"), "{error}");
    }
    let written = "[[routes]]\npattern = '/echo'\ndialect = 'echo'\nauthenticate = true";
    let config = Config::from_toml(written).expect("a configuration");
    let error =
        Server::builder().config(config).callbacks("/echo", everyone()).build().expect_err("it is refused");
    assert!(error.to_string().contains("/echo"), "{error}");
}

#[tokio::test]
async fn a_header_that_is_not_blank() {
    let authentication = Authentication::authorization_header();
    let settings = RouteSettings { authentication, ..RouteSettings::default() };
    let endpoint = Endpoint::from(greeting()).with_settings(settings);
    let server = start(Server::builder().route("/ws", endpoint)).await;
    assert_eq!(refused(server.url("/ws")).await, 401);
    let mut request = server.url("/ws").into_client_request().expect("a request");
    request.headers_mut().insert("authorization", "Bearer x".parse().expect("a value"));
    assert_eq!(Client::connect(request).await.text().await, "null");
}

/// A admission that never comes is 503; a client that went away meanwhile leaves nothing behind.
#[tokio::test]
async fn nobody_waits_for_ever() {
    let (asked, mut asks) = tokio::sync::mpsc::channel(1);
    let callbacks = greeting().authenticate(move |_| {
        let asked = asked.clone();
        async move {
            asked.send(()).await.expect("the test waits");
            std::future::pending::<bool>().await
        }
    });
    let limits = Limits { authenticate_timeout: Duration::from_millis(200), ..Limits::default() };
    let server = start(Server::builder().route("/ws", callbacks).limits(limits)).await;
    let mut raw = Raw::connect(server.address).await;
    raw.write(upgrade_request("/ws", "").as_bytes()).await;
    within("the callback", asks.recv()).await;
    assert_eq!(server.switchboard.connections(), 1);
    drop(raw);
    assert_eq!(refused(server.url("/ws")).await, 503);
    server.emptied().await;
}

#[tokio::test]
async fn a_client_can_go_before_it_is_let_in() {
    let gate = Arc::new(Notify::new());
    let (asked, mut asks) = tokio::sync::mpsc::channel(1);
    let opens = gate.clone();
    let callbacks = greeting().authenticate(move |_| {
        let (gate, asked) = (opens.clone(), asked.clone());
        async move {
            asked.send(()).await.expect("the test waits");
            gate.notified().await;
            true
        }
    });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let mut raw = Raw::connect(server.address).await;
    raw.write(upgrade_request("/ws", "").as_bytes()).await;
    within("the callback", asks.recv()).await;
    drop(raw);
    gate.notify_one();
    server.emptied().await;
}
