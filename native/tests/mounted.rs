//! Routes that an axum application mounts among its own, behind its own extractors.

mod support;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use support::raw::Raw;
use support::{Client, refused};
use switchboard::{
    Audience, Callbacks, HandlerResult, Incoming, Peer, Route, RouteSettings, Server, Socket, SocketTask,
    Switchboard, Upgrade,
};

#[derive(Clone)]
struct App {
    greeting: &'static str,
    switchboard: Switchboard,
}

impl FromRef<App> for Switchboard {
    fn from_ref(app: &App) -> Self {
        app.switchboard.clone()
    }
}

/// An extractor as applications have it.
struct User(String);

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let name = parts.headers.get("x-user").and_then(|name| name.to_str().ok());
        name.map(|name| User(name.to_owned())).ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// What the application knows of a connection.
#[derive(Clone)]
struct Greeting(&'static str);

async fn chat(
    State(app): State<App>,
    Path(room): Path<String>,
    User(name): User,
    upgrade: Upgrade,
) -> Response {
    if room == "closed" {
        return (StatusCode::FORBIDDEN, "this room is closed").into_response();
    }
    let Ok(route) = app.switchboard.route("/chat") else { return StatusCode::NOT_FOUND.into_response() };
    upgrade.auth_data(json!({ "user": name })).metadata(Greeting(app.greeting)).on(&route).await
}

async fn on_connect(peer: Peer) -> HandlerResult {
    let room = peer.params().get("room").unwrap_or_default().to_owned();
    peer.join(&room)?;
    let greeting = peer.metadata().get::<Greeting>().map_or("", |greeting| greeting.0);
    peer.send(format!("{greeting} {} in {room}", peer.auth_data()["user"]));
    Ok(())
}

async fn on_message(peer: Peer, message: Incoming) {
    let room = peer.rooms().concat();
    peer.broadcast_with(message.as_text().unwrap_or_default(), Audience::room(room).including_self());
}

async fn serve(app: Router) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn application() -> (std::net::SocketAddr, Switchboard) {
    let callbacks = Callbacks::new().on_connect(on_connect).on_message(on_message);
    let echo = SocketTask::new(|mut socket: Socket| async move {
        while let Some(message) = socket.recv().await {
            socket.send(message);
        }
    });
    let switchboard =
        Server::builder().mounted("/chat", callbacks).route("/echo", echo).build().expect("patterns");
    let app = App { greeting: "Hello", switchboard: switchboard.clone() };
    let router = Router::new()
        .route("/ws/chat/{room}", get(chat))
        .fallback_service(switchboard.router())
        .with_state(app);
    (serve(router).await, switchboard)
}

fn request(address: std::net::SocketAddr, path: &str, user: &str) -> http::Request<()> {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
    request.headers_mut().insert("x-user", user.parse().expect("a value"));
    request
}

#[tokio::test]
async fn a_route_is_mounted_behind_extractors() {
    let (address, switchboard) = application().await;
    let mut ada = Client::connect(request(address, "/ws/chat/a%20b", "ada")).await;
    assert_eq!(ada.text().await, r#"Hello "ada" in a b"#);
    let mut bob = Client::connect(request(address, "/ws/chat/other", "bob")).await;
    assert_eq!(bob.text().await, r#"Hello "bob" in other"#);
    ada.send("hi").await;
    assert_eq!(ada.text().await, "hi");

    let route = switchboard.route("/chat").expect("a route");
    assert_eq!((route.count(), route.room("a b").send("from outside")), (2, 1));
    assert_eq!(ada.text().await, "from outside");
    let mut echo = Client::connect(format!("ws://{address}/echo")).await;
    echo.send("the others are where they were").await;
    assert_eq!(echo.text().await, "the others are where they were");
}

#[tokio::test]
async fn the_application_decides_who_comes_in() {
    let (address, _) = application().await;
    assert_eq!(refused(format!("ws://{address}/ws/chat/x")).await, 401, "without its extractor's header");
    assert_eq!(refused(request(address, "/ws/chat/closed", "ada")).await, 403);
    assert_eq!(refused(request(address, "/chat", "ada")).await, 404, "it is mounted, and nowhere else");
}

#[tokio::test]
async fn a_request_that_is_no_opening_handshake_is_told_so() {
    let (address, _) = application().await;
    for (request, status) in [
        ("GET /ws/chat/x HTTP/1.1\r\nHost: x\r\nX-User: ada\r\nConnection: close\r\n\r\n", "426"),
        ("POST /ws/chat/x HTTP/1.1\r\nHost: x\r\nX-User: ada\r\nConnection: close\r\n\r\n", "405"),
    ] {
        let mut raw = Raw::connect(address).await;
        raw.write(request.as_bytes()).await;
        assert!(raw.head().await.starts_with(&format!("HTTP/1.1 {status} ")), "{request}");
    }
    let page = format!("{}: https://elsewhere.example\r\nX-User: ada\r\n", header::ORIGIN);
    let (_, head) = Raw::open(address, "/ws/chat/x", &page).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "the route's own rules hold as well: {head}");
}

#[tokio::test]
async fn a_route_is_a_state_of_its_own() {
    async fn open(State(route): State<Route>, upgrade: Upgrade) -> Response {
        upgrade.on(&route).await
    }
    let settings = RouteSettings { subprotocols: vec!["v1".to_owned()], ..RouteSettings::default() };
    let task = SocketTask::new(|mut socket: Socket| async move {
        socket.send(socket.subprotocol().unwrap_or("none").to_owned());
        socket.recv().await;
    });
    let endpoint = switchboard::Endpoint::from(task).with_settings(settings);
    let switchboard = Server::builder().mounted("/a", endpoint).build().expect("a pattern");
    let route = switchboard.route("/a").expect("a route");
    let address = serve(Router::new().route("/mine", get(open)).with_state(route)).await;
    let mut client = Client::connect(format!("ws://{address}/mine")).await;
    assert_eq!(client.text().await, "none");
    let (mut raw, head) = Raw::open(address, "/mine", "Sec-WebSocket-Protocol: v0, v1\r\n").await;
    assert!(head.to_ascii_lowercase().contains("sec-websocket-protocol: v1\r\n"), "{head}");
    assert_eq!(raw.frame().await.payload, b"v1");
    switchboard.route("/a").expect("a route").close(4000, "enough").expect("a code");
    assert_eq!(client.closed().await, (4000, "enough".to_owned()));
}
