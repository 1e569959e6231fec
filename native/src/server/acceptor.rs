//! HTTP/1.1 on the server's own port, with limits on requests that are incomplete or too large.

use std::future::{pending, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use switchboard_core::protocol::has_valid_host;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::accept::prefixed::Prefixed;
use crate::accept::upgrade::{Asked, Unanswered};
use crate::accept::write_deadline::WriteDeadline;
use crate::accept::{NODELAY_IS_INHERITED, opening};
use crate::connection::receiver::Receiver;
use crate::connection::task::ConnectionTask;
use crate::server::http_share::{HttpPlace, HttpShare};
use crate::server::listening::Listening;
use crate::switchboard::Switchboard;
use crate::tls::Tls;

/// Accepts connections and answers their requests.
///
/// | What is limited | What happens then |
/// |---|---|
/// | a request's head, within `limits.handshakeTimeout` | the connection is dropped |
/// | a request's head, within `limits.handshakeBytes` | 431 |
/// | a head's lines, after a hundred | 431 |
/// | the wait for a connection's next request, within `limits.handshakeTimeout` | the connection is dropped |
/// | a response that is not read: 64 KiB of it, or what is left, within `limits.handshakeTimeout` | the connection is dropped |
/// | connections that ask for plain HTTP, after half of `limits.maxConnections` (at least six) | 503, and the connection is closed |
/// | connections of one address, WebSockets and others, after `limits.maxConnectionsPerAddress` | 429, and the connection is closed; as many again that ask for nothing are dropped |
/// | requests that wait behind another on their connection | as many bytes as a head may have are read; the rest is left to TCP |
/// | connections that are not WebSockets yet, after `limits.maxConnections` | the next ones wait to be accepted |
///
/// `axum::serve` has none of these limits.
///
/// An opening handshake that comes in one piece, as nearly all do, bypasses hyper, which would take as much time as
/// everything else together. hyper handles all other requests.
pub(crate) struct Acceptor {
    listener: Listening,
    reception: Arc<Reception>,
    /// Turns true when connections have to end after their current request.
    ended: watch::Receiver<bool>,
}

/// What all connections share until they are WebSockets.
struct Reception {
    switchboard: Switchboard,
    http: Builder,
    /// How long the head of a request may take.
    time: Duration,
    /// The longest head of a request, in bytes.
    max_head: usize,
    /// What they may take before.
    share: HttpShare,
    /// The TLS handshake that every connection begins with, if there is TLS.
    tls: Option<TlsAcceptor>,
}

/// hyper takes no smaller one.
const SMALLEST_BUFFER: usize = 8192;

/// How much of an opening handshake is read at once; longer ones are read by HTTP.
const FIRST_READ: usize = 4096;

/// The connections that are still with HTTP.
pub(crate) struct Requests {
    /// Each connection holds a receiver.
    open: watch::Sender<()>,
}

/// The first request of a connection.
enum First {
    /// An opening handshake, about which the engine has been asked.
    Asked(Asked),
    /// Something else, which is left to HTTP.
    Other(Vec<u8>),
}

impl Acceptor {
    pub(crate) fn new(
        listener: TcpListener,
        switchboard: Switchboard,
        tls: Option<Tls>,
        ended: watch::Receiver<bool>,
    ) -> Self {
        let limits = switchboard.limits();
        let time = limits.handshake_timeout;
        let max_head = limits.handshake_bytes.max(SMALLEST_BUFFER);
        // Not hyper-util's: looking for HTTP/2 in the first bytes, it waits for them without an end.
        let mut http = Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(time).max_buf_size(max_head);
        let tls = tls.map(|tls| TlsAcceptor::from(tls.into_config()));
        let share = HttpShare::new(&switchboard);
        let reception = Arc::new(Reception { switchboard, http, time, max_head, share, tls });
        Self { listener: Listening::new(listener), reception, ended }
    }

    /// Accepts until `stop`, and then closes the listener.
    pub(crate) async fn accept_until(mut self, stop: impl Future<Output = ()>) -> Requests {
        if NODELAY_IS_INHERITED {
            let _ = socket2::SockRef::from(self.listener.listener()).set_tcp_nodelay(true);
        }
        let open = watch::Sender::new(());
        let limit = self.reception.switchboard.limits().connections;
        let places = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        let mut stop = std::pin::pin!(stop);
        loop {
            let (place, (stream, address)) = tokio::select! {
                accepted = accept(&mut self.listener, places.clone()) => accepted,
                () = &mut stop => return Requests { open },
            };
            let entered = self.reception.share.enter(&self.reception.switchboard, address.ip());
            let Some(http_place) = entered else { continue };
            let (reception, ended, is_open) = (self.reception.clone(), self.ended.clone(), open.subscribe());
            ConnectionTask::begin(async move {
                let receiver = reception.receive(stream, address, http_place, ended).await;
                drop((place, is_open));
                receiver
            });
        }
    }
}

impl Requests {
    /// Waits until the last connection is done with HTTP.
    pub(crate) async fn finished(self) {
        self.open.closed().await;
    }
}

/// Waits for a place, then for a connection.
async fn accept(
    listener: &mut Listening,
    places: Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, (TcpStream, SocketAddr)) {
    // The semaphore is never closed.
    let place = places.acquire_owned().await.ok();
    (place, listener.accept().await)
}

impl Reception {
    /// Answers one connection's requests, until one of them takes it over or it ends.
    async fn receive(
        &self,
        mut stream: TcpStream,
        address: SocketAddr,
        mut place: HttpPlace,
        mut ended: watch::Receiver<bool>,
    ) -> Option<Receiver> {
        if let Some(tls) = &self.tls {
            Box::pin(self.receive_encrypted(tls, stream, address, place, ended)).await;
            return None;
        }
        match self.first(&mut stream, address, &mut place, &mut ended).await? {
            First::Asked(asked) => asked.answer(stream).await,
            First::Other(bytes) => {
                Box::pin(self.talk(Prefixed::new(bytes, stream), address, place, ended)).await;
                None
            }
        }
    }

    /// Completes the TLS handshake, then leaves the rest to HTTP.
    async fn receive_encrypted(
        &self,
        tls: &TlsAcceptor,
        stream: TcpStream,
        address: SocketAddr,
        place: HttpPlace,
        mut ended: watch::Receiver<bool>,
    ) {
        let accepted = tokio::select! {
            biased;
            accepted = tokio::time::timeout(self.time, tls.accept(stream)) => accepted,
            _ = ended.wait_for(|ended| *ended) => return,
        };
        match accepted {
            Ok(Ok(stream)) => self.talk(stream, address, place, ended).await,
            // Mistakes of clients are only logged at level debug.
            Ok(Err(error)) => tracing::debug!("{address}: no TLS: {error}"),
            Err(_) => tracing::debug!("{address}: no TLS within {:?}", self.time),
        }
    }

    /// Waits for the first bytes; none if there is nothing to answer.
    async fn first(
        &self,
        stream: &mut TcpStream,
        address: SocketAddr,
        place: &mut HttpPlace,
        ended: &mut watch::Receiver<bool>,
    ) -> Option<First> {
        let first = poll_fn(|context| self.poll_first(Pin::new(stream), address, place, context));
        tokio::select! {
            biased;
            first = tokio::time::timeout(self.time, first) => first.ok()?,
            _ = ended.wait_for(|ended| *ended) => None,
        }
    }

    fn poll_first(
        &self,
        stream: Pin<&mut TcpStream>,
        address: SocketAddr,
        place: &mut HttpPlace,
        context: &mut Context<'_>,
    ) -> Poll<Option<First>> {
        let mut buffer = [MaybeUninit::uninit(); FIRST_READ];
        let mut buffer = ReadBuf::uninit(&mut buffer);
        if ready!(stream.poll_read(context, &mut buffer)).is_err() || buffer.filled().is_empty() {
            return Poll::Ready(None);
        }
        let bytes = buffer.filled();
        Poll::Ready(Some(match opening::parse(bytes) {
            Some((request, length))
                if length <= self.max_head && has_valid_host(&request) && !place.is_over() =>
            {
                place.leave();
                First::Asked(self.switchboard.ask(request, address, bytes[length..].into()))
            }
            _ => First::Other(bytes.into()),
        }))
    }

    /// Speaks HTTP.
    async fn talk<S>(
        &self,
        stream: S,
        address: SocketAddr,
        place: HttpPlace,
        mut ended: watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let place = Mutex::new(place);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(address));
            let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
            let refused = place.ask(&self.share, &request).err();
            let switchboard = self.switchboard.clone();
            async move {
                let response = match refused {
                    Some(refusal) => refusal.response().map(Body::from),
                    None => switchboard.answer(request).await,
                };
                match response.extensions().get::<Unanswered>() {
                    Some(_) => Err(io::Error::other("left without an answer on purpose")),
                    None => Ok(response),
                }
            }
        });
        let stream = TokioIo::new(WriteDeadline::new(stream, self.time));
        let connection = self.http.serve_connection(stream, service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let end = async move {
            if ended.wait_for(|ended| *ended).await.is_err() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            result = connection.as_mut() => return log(address, result),
            () = end => connection.as_mut().graceful_shutdown(),
        }
        log(address, connection.await);
    }
}

/// Mistakes of clients are only logged at level debug.
fn log(address: SocketAddr, result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!("{address}: {error}");
    }
}
