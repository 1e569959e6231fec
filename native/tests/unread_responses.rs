//! Clients of plain HTTP that ask and do not read.

mod support;

use support::{start, within};
use switchboard::{Config, Server};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn they_do_not_keep_newcomers_out() {
    let config = "routes = [{ pattern = '/', dialect = 'echo' }]
        limits = { maxConnections = 8, handshakeTimeout = 500 }";
    let config = Config::from_toml(config).expect("a configuration");
    let server = start(Server::builder().config(config)).await;
    let mut asking = Vec::new();
    for _ in 0..8 {
        let mut client = TcpStream::connect(server.address).await.expect("a server");
        asking.push(tokio::spawn(async move {
            let requests = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
            while client.write_all(requests.as_bytes()).await.is_ok() {}
        }));
    }
    // It is accepted after all of them, in the place of one that was given up.
    let mut newcomer = within("a place for a newcomer", server.connect("/")).await;
    newcomer.send("hello").await;
    assert_eq!(newcomer.text().await, "hello");
    for asking in asking {
        within("the end of one that does not read", asking).await.expect("no panic");
    }
}
