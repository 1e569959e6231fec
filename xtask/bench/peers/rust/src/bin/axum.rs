//! axum's `ws` with one broadcast channel for each room, as its chat example does it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use axum::routing::any;
use bench_peers::Rooms;
use futures_util::{SinkExt, StreamExt};

#[derive(Clone, Default)]
struct Shared {
    rooms: Arc<Rooms<Utf8Bytes>>,
    connections: Arc<AtomicU64>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/room/{room}", any(room))
        .route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .with_state(Shared::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            break;
        }
    }
}

async fn room(State(shared): State<Shared>, uri: OriginalUri, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| join(socket, shared, uri.path().to_owned()))
}

async fn join(socket: WebSocket, shared: Shared, room: String) {
    let id = shared.connections.fetch_add(1, Ordering::Relaxed);
    let room = shared.rooms.of(&room);
    let mut messages = room.subscribe();
    let (mut sender, mut receiver) = socket.split();
    let sending = tokio::spawn(async move {
        while let Ok((from, text)) = messages.recv().await {
            if from != id && sender.send(Message::Text(text)).await.is_err() {
                break;
            }
        }
    });
    while let Some(Ok(message)) = receiver.next().await {
        if let Message::Text(text) = message {
            // Fails only while nobody is in the room.
            let _ = room.send((id, text));
        }
    }
    sending.abort();
}
