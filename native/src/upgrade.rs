//! From an HTTP request to an open connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use switchboard_core::Accept;
use switchboard_core::protocol::{Reader, Refusal, WebSocket};
use tokio::net::TcpStream;

use crate::host::{Host, Presence};
use crate::receiver::Receiver;
use crate::socket::Socket;
use crate::switching::Decision;

/// Answers an opening handshake as the engine decides; after a 101 the connection has a task of its own.
pub(crate) async fn upgrade(host: &Arc<Host>, request: Request<Body>) -> Response<Body> {
    let (mut parts, _) = request.into_parts();
    let on_upgrade = parts.extensions.remove::<OnUpgrade>();
    let address: Option<IpAddr> = parts.extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip());
    parts.extensions.clear();
    let (presence, decision) = host.open(Request::from_parts(parts, ()), address);
    match (decision.await, on_upgrade) {
        (Ok(Decision::Accept(accept)), Some(on_upgrade)) => {
            let Accept { id, response, socket: options, .. } = *accept;
            let overflow = options.outbox.overflow;
            let WebSocket { reader, writer } = WebSocket::new(&options);
            let socket = Arc::new(Socket::new(id, writer, overflow));
            // Open before the 101 is written, so that whoever has read it misses nothing that is sent afterwards.
            if !presence.host().turn(|turn| turn.opened(socket.clone())) {
                return refusal(StatusCode::SERVICE_UNAVAILABLE, "the connection was given up");
            }
            tokio::spawn(run(presence, socket, reader, on_upgrade));
            response.map(|()| Body::empty())
        }
        (Ok(Decision::Accept(_)), None) => {
            refusal(StatusCode::BAD_REQUEST, "this connection cannot be upgraded")
        }
        (Ok(Decision::Reject(refusal)), _) => {
            presence.refused();
            refusal.response().map(Body::from)
        }
        (Ok(Decision::Ignore), _) => {
            presence.refused();
            refusal(StatusCode::NOT_FOUND, "there is no WebSocket here")
        }
        (Err(_), _) => refusal(StatusCode::SERVICE_UNAVAILABLE, "the server is going down"),
    }
}

/// A response of one line, after which the connection is closed.
pub(crate) fn refusal(status: StatusCode, line: &'static str) -> Response<Body> {
    Refusal::new(status, line).response().map(Body::from)
}

/// Takes the connection over from HTTP once the 101 is written, and runs it to its end.
async fn run(presence: Presence, socket: Arc<Socket>, reader: Reader, on_upgrade: OnUpgrade) {
    let upgraded = tokio::select! {
        upgraded = on_upgrade => upgraded.ok(),
        () = socket.terminated() => None,
    };
    let Some((stream, head)) = upgraded.and_then(take_stream) else {
        return;
    };
    // Frames are written as a whole, so waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    socket.attach(write);
    Receiver::new(presence, socket, read, reader).run(head).await;
}

/// The TCP stream, and what came on it after the request. HTTP's own buffers are dropped.
fn take_stream(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    // Below our own acceptor the stream is as it was accepted, below `axum::serve` hyper-util has wrapped it.
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Some((parts.io.into_inner(), parts.read_buf.into())),
        Err(upgraded) => upgraded,
    };
    match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => Some((parts.io.into_inner(), parts.read_buf.into())),
        Err(_) => {
            tracing::error!("Switchboard serves plain TCP only; put TLS in a reverse proxy before it");
            None
        }
    }
}
