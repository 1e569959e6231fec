//! Messages that never end cost a bounded amount, all connections together.

mod support;

use support::raw::{Raw, close_payload};
use support::start;
use switchboard::{Config, Server};

const MIB: usize = 1 << 20;

/// A frame's first mebibyte, of two.
async fn begin(server: &support::Running) -> Raw {
    let (mut client, _) = Raw::open(server.address, "/", "").await;
    let mut bytes = support::raw::frame(0x82, &vec![0; 2 * MIB]);
    bytes.truncate(MIB);
    client.write(&bytes).await;
    client
}

#[tokio::test]
async fn the_largest_are_closed_and_the_others_go_on() {
    let config = "routes = [{ pattern = '/', dialect = 'echo' }]\nlimits = { inboundBytes = 4194304 }";
    let config = Config::from_toml(config).expect("a configuration");
    let server = start(Server::builder().config(config)).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(begin(&server).await);
    }
    // Who has been closed reads it; the others are echoed what they complete.
    let mut closed = 0;
    for client in &mut clients {
        client.write(&support::raw::frame(0x82, &vec![0; 2 * MIB])[MIB..]).await;
        let frame = client.frame().await;
        if frame.head == 0x88 {
            assert_eq!(close_payload(&frame), (1013, "Too many incomplete messages".to_owned()));
            closed += 1;
        } else {
            assert_eq!(frame.payload.len(), 2 * MIB);
        }
    }
    assert!((1..=5).contains(&closed), "{closed} of 8 were closed, and at least 3 fit");
    drop(clients);
    server.emptied().await;
}
