//! fastwebsockets on hyper with one broadcast channel for each room.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bench_peers::Rooms;
use bytes::Bytes;
use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, WebSocketError, upgrade,
};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[derive(Default)]
struct Shared {
    rooms: Rooms<Bytes>,
    connections: AtomicU64,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let shared = Arc::new(Shared::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let shared = shared.clone();
        tokio::spawn(async move {
            let serve = service_fn(move |request| serve(request, shared.clone()));
            // Fails when the client is gone.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), serve).with_upgrades().await;
        });
    }
}

async fn serve(
    mut request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let Ok((response, upgraded)) = upgrade::upgrade(&mut request) else {
        let mut response = Response::new(Empty::new());
        *response.status_mut() = hyper::StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let path = request.uri().path().to_owned();
    tokio::spawn(async move {
        // Fails when the client is gone.
        let _ = if path.starts_with("/echo") {
            echo(upgraded).await
        } else {
            join(upgraded, shared, &path).await
        };
    });
    Ok(response)
}

async fn echo(upgraded: upgrade::UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

async fn join(upgraded: upgrade::UpgradeFut, shared: Arc<Shared>, room: &str) -> Result<(), WebSocketError> {
    let id = shared.connections.fetch_add(1, Ordering::Relaxed);
    let room = shared.rooms.of(room);
    let mut messages = room.subscribe();
    let (receiver, mut sender) = upgraded.await?.split(tokio::io::split);
    let mut receiver = FragmentCollectorRead::new(receiver);
    let sending = tokio::spawn(async move {
        while let Ok((from, text)) = messages.recv().await {
            if from != id && sender.write_frame(Frame::text(Payload::Borrowed(&text))).await.is_err() {
                break;
            }
        }
    });
    // Pings and close frames would be answered here; the bench sends none.
    let mut answer = |_| async { Ok::<(), WebSocketError>(()) };
    while let Ok(frame) = receiver.read_frame(&mut answer).await {
        match frame.opcode {
            OpCode::Close => break,
            OpCode::Text => {
                // Fails only while nobody is in the room.
                let _ = room.send((id, Bytes::copy_from_slice(&frame.payload)));
            }
            _ => {}
        }
    }
    sending.abort();
    Ok(())
}
