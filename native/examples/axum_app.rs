//! An axum application with a route of Switchboard among its own, behind its extractors and its state, and Switchboard's
//! other routes beside: `cargo run -p switchboard --example axum_app`.

use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use switchboard::{Callbacks, HandlerResult, Incoming, Peer, Route, Server, Socket, SocketTask, Upgrade};

/// What the application's handlers share.
#[derive(Clone)]
struct App {
    chat: Route,
}

impl FromRef<App> for Route {
    fn from_ref(app: &App) -> Self {
        app.chat.clone()
    }
}

/// Opens a chat for whoever says who they are.
async fn open(
    State(chat): State<Route>,
    Path(room): Path<String>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match headers.get("x-user").and_then(|name| name.to_str().ok()) {
        Some(name) => upgrade.auth_data(json!({ "user": name, "room": room })).on(&chat).await,
        None => (StatusCode::UNAUTHORIZED, "say who you are: x-user\n").into_response(),
    }
}

/// Says something in a room, over plain HTTP.
async fn say(State(chat): State<Route>, Path(room): Path<String>, text: String) -> String {
    format!("heard by {}\n", chat.room(room).send(text))
}

async fn chat(mut socket: Socket) -> HandlerResult {
    let [user, room] = ["user", "room"].map(|key| socket.auth_data()[key].as_str().unwrap_or("?").to_owned());
    socket.join(room)?;
    while let Some(message) = socket.recv().await {
        let text = message.as_text().unwrap_or("(binary)");
        socket.broadcast_all_rooms(format!("{user}: {text}"), true);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let echo = Callbacks::new()
        .on_message(|peer: Peer, message: Incoming| async move { peer.send(message.value()) });
    let switchboard =
        Server::builder().mounted("/chat", SocketTask::new(chat)).route("/ws/echo", echo).build()?;
    let app = Router::new()
        .route("/chat/{room}", get(open))
        .route("/chat/{room}/say", post(say))
        .fallback_service(switchboard.router())
        .with_state(App { chat: switchboard.route("/chat")? });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:4004").await?;
    let address = listener.local_addr()?;
    println!("npx wscat -H x-user:ada -c ws://{address}/chat/lobby");
    println!("curl -d hello http://{address}/chat/lobby/say");
    println!("npx wscat -c ws://{address}/ws/echo");
    axum::serve(listener, app).await?;
    Ok(())
}
