//! From an HTTP request to an open connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use switchboard_core::Accept;
use switchboard_core::protocol::{Reader, Refusal, WebSocket, encode_head};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::server::TlsStream;

use crate::accept::NODELAY_IS_INHERITED;
use crate::accept::prefixed::Prefixed;
use crate::accept::write_deadline::WriteDeadline;
use crate::connection::receiver::Receiver;
use crate::connection::task::ConnectionTask;
use crate::flush::sending_half::SendingHalf;
use crate::flush::tls_session::TlsSession;
use crate::host::state::UpgradeAnswer;
use crate::host::{ConnectionGuard, Host};

/// Marks a response that had better not be written: the connection is to be closed without an answer. Only a
/// [`Server`](crate::Server) can do that; other applications write the response.
#[derive(Clone, Copy)]
pub(crate) struct Unanswered;

/// An admitted client whose transport is still to come.
struct Admitted {
    presence: ConnectionGuard,
    socket: Arc<SendingHalf>,
    reader: Reader,
    /// The 101.
    response: Response<()>,
}

/// Answers an opening handshake that came through HTTP as the engine decides; after a 101 the connection has a task of
/// its own.
pub(crate) async fn upgrade(host: &Arc<Host>, request: Request<Body>) -> Response<Body> {
    let (mut parts, _) = request.into_parts();
    let on_upgrade = parts.extensions.remove::<OnUpgrade>();
    let address: Option<IpAddr> = parts.extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip());
    parts.extensions.clear();
    let (presence, decision) = host.open(Request::from_parts(parts, ()), address);
    finish(presence, decision.await, on_upgrade)
}

/// Answers as the engine has decided, and starts the connection.
pub(crate) fn finish(
    presence: ConnectionGuard,
    decision: Result<UpgradeAnswer, oneshot::error::RecvError>,
    on_upgrade: Option<OnUpgrade>,
) -> Response<Body> {
    if on_upgrade.is_none() && matches!(decision, Ok(UpgradeAnswer::Accept(_))) {
        return refusal(StatusCode::BAD_REQUEST, "this connection cannot be upgraded");
    }
    if let Ok(UpgradeAnswer::Terminate) = decision {
        let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, "the connection was given up");
        response.extensions_mut().insert(Unanswered);
        return response;
    }
    match admit(presence, decision) {
        Ok(mut admitted) => {
            let response = std::mem::take(&mut admitted.response);
            if let Some(on_upgrade) = on_upgrade {
                ConnectionTask::begin(take_over(admitted, on_upgrade));
            }
            response.map(|()| Body::empty())
        }
        Err(refusal) => refusal.response().map(Body::from),
    }
}

/// An opening handshake on a stream of our own, about which the engine has been asked. It holds no more than is needed
/// while it waits for the decision.
pub(crate) struct Asked {
    presence: ConnectionGuard,
    decision: oneshot::Receiver<UpgradeAnswer>,
    /// The bytes that came after the request.
    rest: Vec<u8>,
}

/// The result.
enum Answered {
    Open(Receiver),
    /// The 101 is still being written.
    Later(Pin<Box<dyn Future<Output = Option<Receiver>> + Send>>),
    Refused,
}

impl Asked {
    pub(crate) fn new(host: &Arc<Host>, request: Request<()>, address: SocketAddr, rest: Vec<u8>) -> Self {
        let (presence, decision) = host.open(request, Some(address.ip()));
        Self { presence, decision, rest }
    }

    /// Answers as the engine decides.
    pub(crate) async fn answer(self, stream: TcpStream) -> Option<Receiver> {
        let Self { presence, decision, rest } = self;
        let decision = tokio::select! {
            biased;
            decision = decision => decision,
            () = gone(&stream) => return None,
        };
        match answer(presence, decision, stream, rest) {
            Answered::Open(receiver) => Some(receiver),
            Answered::Later(later) => later.await,
            Answered::Refused => None,
        }
    }
}

fn answer(
    presence: ConnectionGuard,
    decision: Result<UpgradeAnswer, oneshot::error::RecvError>,
    stream: TcpStream,
    rest: Vec<u8>,
) -> Answered {
    if let Ok(UpgradeAnswer::Terminate) = decision {
        return Answered::Refused;
    }
    let admitted = match admit(presence, decision) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            // It is short, and nothing was sent before, so the kernel takes it at once.
            let _ = stream.try_write(&refusal.encode());
            return Answered::Refused;
        }
    };
    if !NODELAY_IS_INHERITED {
        let _ = stream.set_nodelay(true);
    }
    let mut head = encode_head(&admitted.response);
    let written = stream.try_write(&head).unwrap_or_default();
    if written == head.len() {
        return Answered::Open(admitted.open(stream, None, rest));
    }
    let head = head.split_off(written);
    Answered::Later(Box::pin(async move {
        tokio::select! {
            written = write_all(&stream, &head) => written.ok()?,
            () = admitted.socket.terminated() => return None,
        }
        Some(admitted.open(stream, None, rest))
    }))
}

/// A response of one line, after which the connection is closed.
pub(crate) fn refusal(status: StatusCode, line: &'static str) -> Response<Body> {
    Refusal::new(status, line).response().map(Body::from)
}

/// Tells the engine that the connection is open, if the client is admitted.
fn admit(
    presence: ConnectionGuard,
    decision: Result<UpgradeAnswer, oneshot::error::RecvError>,
) -> Result<Admitted, Refusal> {
    let accept = match decision {
        Ok(UpgradeAnswer::Accept(accept)) => accept,
        Ok(UpgradeAnswer::Refuse(refusal)) => {
            presence.refused();
            return Err(refusal);
        }
        Ok(UpgradeAnswer::Ignore) => {
            presence.refused();
            return Err(Refusal::new(StatusCode::NOT_FOUND, "there is no WebSocket here"));
        }
        Ok(UpgradeAnswer::Terminate) | Err(_) => {
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is going down"));
        }
    };
    let Accept { id, response, socket: options, .. } = *accept;
    let overflow = options.outbox.overflow;
    let WebSocket { reader, writer } = WebSocket::new(&options);
    let socket = Arc::new(SendingHalf::new(id, writer, overflow));
    // Open before the 101 is written, so that a client that has read it misses nothing that is sent afterwards.
    if !presence.host().turn(|turn| turn.opened(socket.clone())) {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the connection was given up"));
    }
    Ok(Admitted { presence, socket, reader, response })
}

impl Admitted {
    /// The 101 is written. `rest` came after the request.
    fn open(self, stream: TcpStream, tls: Option<Box<TlsSession>>, rest: Vec<u8>) -> Receiver {
        let (read, write) = stream.into_split();
        let is_encrypted = tls.is_some();
        self.socket.attach(write, tls);
        let mut receiver = Receiver::new(self.presence, self.socket, read, self.reader, is_encrypted);
        receiver.receive(rest);
        receiver
    }
}

/// Takes the connection over from HTTP once the 101 is written.
async fn take_over(admitted: Admitted, on_upgrade: OnUpgrade) -> Option<Receiver> {
    let upgraded = tokio::select! {
        upgraded = on_upgrade => upgraded.ok()?,
        () = admitted.socket.terminated() => return None,
    };
    let (stream, tls, rest) = take_stream(upgraded)?;
    // Frames are written as a whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    Some(admitted.open(stream, tls, rest))
}

/// The TCP stream, TLS if there is any on it, and what came after the request. HTTP's own buffers are dropped.
fn take_stream(upgraded: Upgraded) -> Option<(TcpStream, Option<Box<TlsSession>>, Vec<u8>)> {
    // Below our own acceptor a stream is as it was given to HTTP, below `axum::serve` hyper-util has wrapped it.
    let upgraded = match upgraded.downcast::<TokioIo<WriteDeadline<Prefixed>>>() {
        Ok(parts) => {
            let (first, stream) = parts.io.into_inner().into_inner().into_parts();
            return Some((stream, None, [parts.read_buf.as_ref(), &first].concat()));
        }
        Err(upgraded) => upgraded,
    };
    let upgraded = match upgraded.downcast::<TokioIo<WriteDeadline<TlsStream<TcpStream>>>>() {
        Ok(parts) => return take_tls(parts.io.into_inner().into_inner(), &parts.read_buf),
        Err(upgraded) => upgraded,
    };
    let upgraded = match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => return Some((parts.io.into_inner(), None, parts.read_buf.into())),
        Err(upgraded) => upgraded,
    };
    match downcast::<TokioIo<TlsStream<TcpStream>>>(upgraded) {
        Ok(parts) => take_tls(parts.io.into_inner(), &parts.read_buf),
        Err(_) => {
            tracing::error!(
                "Switchboard serves TCP, and TLS through tokio-rustls 0.26 on TCP; put other transports in a proxy before it"
            );
            None
        }
    }
}

fn take_tls(
    stream: TlsStream<TcpStream>,
    read: &[u8],
) -> Option<(TcpStream, Option<Box<TlsSession>>, Vec<u8>)> {
    let (stream, connection) = stream.into_inner();
    let mut tls = Box::new(TlsSession::new(connection));
    let rest = [read, &tls.rest().ok()?].concat();
    Some((stream, Some(tls), rest))
}

/// Waits until the client is gone, as long as it sends nothing.
async fn gone(stream: &TcpStream) {
    if let Ok(1) = stream.peek(&mut [0]).await {
        std::future::pending().await
    }
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
