//! What waits on the way through a proxy is bounded in both directions, and neither direction stops the other.

mod support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use support::{Running, start, within};
use switchboard::{Config, Server};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

type Target = WebSocketStream<TcpStream>;

/// A server for one connection, which `serve` gets after the opening handshake. Its system keeps little for it.
async fn target<F>(serve: impl FnOnce(Target) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send,
{
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(128 << 10).expect("a small buffer");
    socket.set_send_buffer_size(128 << 10).expect("a small buffer");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener: TcpListener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        serve(accept_async_with_config(stream, Some(config)).await.expect("a handshake")).await;
    });
    format!("ws://{address}")
}

async fn proxy(url: &str, more: &str) -> Running {
    let toml = format!("[[routes]]\npattern = '/live'\nproxy = {{ url = '{url}'{more} }}");
    start(Server::builder().config(Config::from_toml(&toml).expect("a configuration"))).await
}

fn numbered(number: u32, length: usize) -> Message {
    let mut payload = vec![0; length];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    Message::Binary(payload.into())
}

fn number(message: &Message) -> u32 {
    let Message::Binary(payload) = message else { panic!("{message:?}") };
    u32::from_be_bytes(payload[..4].try_into().expect("four bytes"))
}

/// A target that writes before it reads on, and a client that writes while it reads.
#[tokio::test]
async fn both_sides_may_send_at_once() {
    const COUNT: u32 = 60;
    let url = target(|mut socket| async move {
        while let Some(Ok(message)) = socket.next().await {
            if !message.is_binary() || socket.send(message).await.is_err() {
                break;
            }
        }
    })
    .await;
    let proxy = proxy(&url, "").await;
    let (mut sink, mut stream) = proxy.connect("/live").await.socket.split();
    let sending = tokio::spawn(async move {
        for index in 0..COUNT {
            sink.send(numbered(index, 1 << 20)).await.expect("an open socket");
        }
        sink
    });
    for index in 0..COUNT {
        let echo = within("an echo", stream.next()).await.expect("an open socket").expect("a message");
        assert_eq!((number(&echo), echo.len()), (index, 1 << 20));
    }
    let mut sink = sending.await.expect("no panic");
    sink.close().await.expect("closed");
    while within("the end", stream.next()).await.is_some_and(|message| message.is_ok()) {}
    proxy.emptied().await;
}

/// Sends until no more is taken; how many bytes were. Messages are cut by `cut` when their turn ends.
async fn fill(sink: &mut (impl SinkExt<Message> + Unpin), length: usize, most: usize) -> usize {
    let payload = Bytes::from(vec![0; length]);
    let mut taken = 0;
    while taken < most {
        let sent = tokio::time::timeout(Duration::from_secs(2), sink.send(Message::Binary(payload.clone())));
        match sent.await {
            Ok(Ok(())) => taken += length,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    taken
}

#[tokio::test]
async fn a_target_that_does_not_read_pauses_its_client() {
    let (read_on, go) = oneshot::channel::<()>();
    let (sum, total) = oneshot::channel();
    let url = target(|mut socket| async move {
        go.await.expect("a sign");
        let mut bytes = 0;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
            bytes += message.len();
        }
        sum.send(bytes).expect("a listener");
    })
    .await;
    let proxy = proxy(&url, ", maxWaiting = 1048576").await;
    let mut client = proxy.connect("/live").await;
    let taken = fill(&mut client.socket, 64 << 10, 100 << 20).await;
    // What waits for the target, what waits behind it, and what the system keeps.
    assert!(taken < 24 << 20, "{} MiB were taken", taken >> 20);
    // It reads on: nothing of what was taken is lost, the message that was being sent included.
    read_on.send(()).expect("the target");
    client.close().await;
    let total = within("the target's sum", total).await.expect("a sum");
    assert_eq!(total, taken + (64 << 10));
    proxy.emptied().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_pauses_its_target() {
    let (told, mut written) = tokio::sync::watch::channel(0_usize);
    const COUNT: u32 = 800;
    let url = target(move |mut socket| async move {
        for index in 0..COUNT {
            if socket.send(numbered(index, 64 << 10)).await.is_err() {
                return;
            }
            told.send_replace(index as usize + 1);
        }
        let _ = socket.close(None).await;
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    })
    .await;
    let proxy = proxy(&url, "").await;
    let mut client = proxy.connect("/live").await;
    // Until the target can write no more for two seconds.
    while let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(2), written.changed()).await {}
    let taken = *written.borrow() * (64 << 10);
    assert!(taken < 24 << 20, "{} MiB were taken", taken >> 20);
    for index in 0..COUNT {
        assert_eq!(number(&client.next().await), index);
    }
    assert_eq!(client.closed().await.0, 1005);
    client.close().await;
    proxy.emptied().await;
}

/// Messages that are larger than all that may wait: while one of them waits, nothing is taken from the target.
#[tokio::test]
async fn messages_beyond_the_bound_come_one_after_another() {
    const COUNT: u32 = 40;
    let url = target(|mut socket| async move {
        for index in 0..COUNT {
            socket.feed(numbered(index, 1 << 20)).await.expect("an open socket");
        }
        socket.flush().await.expect("an open socket");
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    })
    .await;
    let proxy = proxy(&url, " }\noutbound = { maxBytes = 65536").await;
    let mut client = proxy.connect("/live").await;
    within("more than both systems keep", async {
        while proxy.switchboard.stats().client_bytes.queued < 65_536 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for index in 0..COUNT {
        let message = client.next().await;
        assert_eq!((number(&message), message.len()), (index, 1 << 20));
    }
    client.close().await;
    proxy.emptied().await;
}
