//! Connections that are not WebSockets: what they may take of those that there may be.

mod support;

use std::net::{Ipv4Addr, SocketAddr};

use support::raw::{Raw, upgrade_request};
use support::{Running, start, within};
use switchboard::{Config, Server};
use tokio::net::TcpSocket;

async fn server(limits: &str) -> Running {
    let config = format!("routes = [{{ pattern = '/', dialect = 'echo' }}]\nlimits = {{ {limits} }}");
    let config = Config::from_toml(&config).expect("a configuration");
    start(Server::builder().config(config)).await
}

/// From an address of the loopback network.
async fn connect(server: SocketAddr, last: u8) -> Raw {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).expect("an address");
    Raw { stream: within("connecting", socket.connect(server)).await.expect("a server") }
}

async fn status(raw: &mut Raw, request: &str) -> u16 {
    raw.write(request.as_bytes()).await;
    let head = raw.head().await;
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn plain_http_takes_half_of_the_connections_and_leaves_the_rest_to_websockets() {
    let server = server("maxConnections = 20").await;
    let mut asking = Vec::new();
    for _ in 0..10 {
        let mut raw = Raw::connect(server.address).await;
        assert_eq!(status(&mut raw, HEALTH).await, 200);
        asking.push(raw);
    }
    let mut late = Raw::connect(server.address).await;
    assert_eq!(status(&mut late, HEALTH).await, 503);
    late.rest().await;
    let mut newcomer = server.connect("/").await;
    newcomer.send("hello").await;
    assert_eq!(newcomer.text().await, "hello");
    drop(asking.pop());
    within("the place of one that left", async {
        loop {
            let mut raw = Raw::connect(server.address).await;
            match status(&mut raw, HEALTH).await {
                503 => tokio::task::yield_now().await,
                status => break assert_eq!(status, 200),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_address_has_its_connections_from_accept_on() {
    let server = server("maxConnectionsPerAddress = 2").await;
    let upgrade = upgrade_request("/", "");
    let silent = [connect(server.address, 1).await, connect(server.address, 1).await];
    // Accepted in order, so these are counted by now.
    let mut third = connect(server.address, 1).await;
    assert_eq!(status(&mut third, &upgrade).await, 429);
    third.rest().await;
    let mut other = connect(server.address, 2).await;
    assert_eq!(status(&mut other, &upgrade).await, 101);
    drop(silent);
    let mut open = Vec::new();
    for _ in 0..2 {
        let opening = async {
            loop {
                let mut raw = connect(server.address, 1).await;
                match status(&mut raw, &upgrade).await {
                    429 => tokio::task::yield_now().await,
                    status => break (assert_eq!(status, 101), raw).1,
                }
            }
        };
        open.push(within("the place of one that left", opening).await);
    }
    // WebSockets count once, and plain requests beside them.
    let mut asking = connect(server.address, 1).await;
    assert_eq!(status(&mut asking, HEALTH).await, 429);
    let mut asking = connect(server.address, 2).await;
    assert_eq!(status(&mut asking, HEALTH).await, 200);
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_given_up() {
    let config = "feeds = [{ name = 'news', post = true }]\nlimits = { handshakeTimeout = 300 }";
    let config = Config::from_toml(config).expect("a configuration");
    let server = start(Server::builder().config(config)).await;
    let mut slow = Raw::connect(server.address).await;
    let request = "POST /feeds/news HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n1";
    assert_eq!(status(&mut slow, request).await, 408);
    slow.rest().await;
}
