//! Servers on free ports, and clients that wait for events with a bound.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use switchboard::{Builder, ShutdownHandle, Switchboard};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub mod program;
pub mod raw;

/// How long an event may take on a busy machine.
pub const BOUND: Duration = Duration::from_secs(20);

/// Waits for something that has to happen.
pub async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(BOUND, event).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: nothing within {BOUND:?}"),
    }
}

/// A server that runs until the test ends.
pub struct Running {
    pub address: SocketAddr,
    pub switchboard: Switchboard,
    pub shutdown: ShutdownHandle,
    pub serving: JoinHandle<std::io::Result<()>>,
}

pub async fn start(builder: Builder) -> Running {
    let server = builder.bind("127.0.0.1:0").await.expect("a free port");
    Running {
        address: server.local_addr(),
        switchboard: server.switchboard().clone(),
        shutdown: server.shutdown_handle(),
        serving: tokio::spawn(server.serve()),
    }
}

impl Running {
    pub fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    pub async fn connect(&self, path: &str) -> Client {
        Client::connect(self.url(path)).await
    }

    /// Waits until the engine has forgotten all connections.
    pub async fn emptied(&self) {
        within("the last connection's end", async {
            while self.switchboard.connections() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// A tungstenite client.
pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub async fn connect(request: impl IntoClientRequest + Unpin) -> Self {
        let (socket, _) = within("connecting", connect_async(request)).await.expect("101");
        Self { socket }
    }

    pub async fn send(&mut self, message: impl Into<Message>) {
        within("sending", self.socket.send(message.into())).await.expect("an open socket");
    }

    pub async fn send_json(&mut self, value: Value) {
        self.send(value.to_string()).await;
    }

    pub async fn next(&mut self) -> Message {
        within("a message", self.socket.next()).await.expect("an open socket").expect("a message")
    }

    /// The next message, which has to be text.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Message::Text(text) => text.to_string(),
            other => panic!("not text: {other:?}"),
        }
    }

    pub async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("JSON")
    }

    /// Skips everything to the server's close frame: code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next().await {
                return match frame {
                    Some(CloseFrame { code, reason }) => (code.into(), reason.to_string()),
                    None => (1005, String::new()),
                };
            }
        }
    }

    /// Closes, or completes the closing handshake that the server began.
    pub async fn close(mut self) {
        let _ = within("closing", self.socket.close(None)).await;
        while within("the end", self.socket.next()).await.is_some_and(|message| message.is_ok()) {}
    }
}

/// The status of a refused upgrade.
pub async fn refused(request: impl IntoClientRequest + Unpin) -> u16 {
    use tokio_tungstenite::tungstenite::Error;
    match within("the refusal", connect_async(request)).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("not an HTTP answer: {other}"),
        Ok(_) => panic!("the upgrade was not refused"),
    }
}
