//! Switchboard as a part of somebody's axum application.

mod support;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use support::raw::Raw;
use support::{Client, refused, start};
use switchboard::{
    Context, Handler, HandlerError, HandlerResult, HttpEndpoint, Message, Server, json_response,
};

/// Counts messages, and tells the number over HTTP.
struct Counter(u64);

impl Handler for Counter {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        self.0 += 1;
        cx.send(message);
        Ok(())
    }

    fn endpoints(&self) -> Vec<HttpEndpoint> {
        vec![HttpEndpoint::get("/count"), HttpEndpoint::post("/say", 8)]
    }

    fn request(
        &mut self,
        cx: &mut Context<'_>,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, HandlerError> {
        let said = String::from_utf8_lossy(request.body()).into_owned();
        if request.uri().path() == "/say" {
            cx.broadcast_to_all(said);
        }
        Ok(json_response(StatusCode::OK, &json!({ "count": self.0 })))
    }
}

async fn request(address: std::net::SocketAddr, request: &str) -> (String, String) {
    let mut raw = Raw::connect(address).await;
    raw.write(request.as_bytes()).await;
    (raw.head().await, String::from_utf8(raw.rest().await).expect("UTF-8"))
}

#[tokio::test]
async fn its_own_routes_come_first() {
    let switchboard = Server::builder().route("/ws", Counter(0)).build().expect("a pattern");
    let app = Router::new().route("/hello", get(|| async { "hello" })).fallback_service(switchboard.router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    let mut client = Client::connect(format!("ws://{address}/ws")).await;
    client.send("x").await;
    assert_eq!(client.text().await, "x");
    let get = |path| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(request(address, &get("/hello")).await.1, "hello");
    assert_eq!(refused(format!("ws://{address}/other")).await, 404);

    let drained = tokio::spawn(async move { switchboard.drain(support::BOUND).await });
    assert_eq!(client.closed().await.0, 1001);
    client.close().await;
    support::within("the drain", drained).await.expect("no panic");
    serving.abort();
}

#[tokio::test]
async fn handlers_answer_plain_requests() {
    let server = start(Server::builder().route("/ws", Counter(7))).await;
    let mut client = server.connect("/ws").await;
    let get = "GET /count HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(request(server.address, get).await.1, r#"{"count":7}"#);
    let post = |body: &str| {
        let length = body.len();
        format!(
            "POST /say HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    assert!(request(server.address, &post("good day")).await.0.starts_with("HTTP/1.1 200 "));
    assert_eq!(client.text().await, "good day");
    assert!(request(server.address, &post("good days")).await.0.starts_with("HTTP/1.1 413 "));
    let other_method = get.replace("GET", "DELETE");
    assert!(request(server.address, &other_method).await.0.starts_with("HTTP/1.1 404 "));
}
