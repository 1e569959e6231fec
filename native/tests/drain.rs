//! How a server stops.

mod support;

use std::time::Duration;

use support::raw::{Raw, close_payload};
use support::{start, within};
use switchboard::{Callbacks, CloseCause, CloseFrame, Peer, Server};

#[tokio::test]
async fn everyone_is_told_1001_and_then_it_ends() {
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let callbacks = Callbacks::new().on_close(move |_: Peer, frame: CloseFrame, _: CloseCause| {
        let _ = ended.send(frame.code.0);
        async {}
    });
    let server = start(Server::builder().route("/ws", callbacks)).await;
    let (mut a, mut b) = (server.connect("/ws").await, server.connect("/ws").await);
    server.shutdown.shutdown();
    for client in [&mut a, &mut b] {
        assert_eq!(client.closed().await, (1001, "Server shutting down".to_owned()));
    }
    a.close().await;
    b.close().await;
    within("the end", server.serving).await.expect("no panic").expect("no error");
    assert_eq!((ends.recv().await, ends.recv().await), (Some(1001), Some(1001)));
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn who_does_not_answer_is_dropped_within_the_grace_time() {
    let builder = Server::builder().route("/ws", Callbacks::new()).grace(Duration::from_millis(300));
    let server = start(builder).await;
    let (mut raw, _) = Raw::open(server.address, "/ws", "").await;
    // A request that never ends must not hold the server either.
    let mut unfinished = Raw::connect(server.address).await;
    unfinished.write(b"GET / HTTP/1.1\r\nHost: loc").await;
    let begin = std::time::Instant::now();
    server.shutdown.shutdown();
    assert_eq!(close_payload(&raw.frame().await).0, 1001);
    within("the end", server.serving).await.expect("no panic").expect("no error");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(raw.rest().await, b"");
    assert_eq!(server.switchboard.connections(), 0);
}
