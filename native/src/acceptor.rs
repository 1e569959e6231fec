//! HTTP/1.1 on the server's own port, with bounds on what a client may send before it is understood.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::switchboard::Switchboard;

/// Accepts connections and answers their requests.
///
/// | What does not end | What becomes of it |
/// |---|---|
/// | a request's head, within `limits.handshakeTimeout` | the connection is dropped |
/// | a request's head, within `limits.handshakeBytes` | 431 |
/// | a head's lines, after a hundred | 431 |
/// | the wait for a connection's next request, within `limits.handshakeTimeout` | the connection is dropped |
/// | connections that are no WebSockets yet, after `limits.maxConnections` | the next ones wait to be accepted |
///
/// `axum::serve` has none of these bounds.
pub(crate) struct Acceptor {
    listener: TcpListener,
    switchboard: Switchboard,
    /// Turns true when connections shall end after the request in work.
    ended: watch::Receiver<bool>,
}

/// hyper takes no smaller one.
const SMALLEST_BUFFER: usize = 8192;

/// The connections that are still with HTTP.
pub(crate) struct Requests {
    /// Each connection holds a receiver.
    open: watch::Sender<()>,
}

impl Acceptor {
    pub(crate) fn new(listener: TcpListener, switchboard: Switchboard, ended: watch::Receiver<bool>) -> Self {
        Self { listener, switchboard, ended }
    }

    /// Accepts until `stop`; then nobody listens on the port any more.
    pub(crate) async fn accept_until(mut self, stop: impl Future<Output = ()>) -> Requests {
        let open = watch::Sender::new(());
        let limits = self.switchboard.limits();
        let time = Duration::from_millis(limits.handshake_timeout);
        // Not hyper-util's: looking for HTTP/2 in the first bytes, it waits for them without an end.
        let mut http = Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(time)
            .max_buf_size(limits.handshake_bytes.max(SMALLEST_BUFFER));
        let places = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        let mut stop = std::pin::pin!(stop);
        loop {
            let (place, (stream, address)) = tokio::select! {
                accepted = accept(&mut self.listener, places.clone()) => accepted,
                () = &mut stop => return Requests { open },
            };
            let (switchboard, ended) = (self.switchboard.clone(), self.ended.clone());
            let connection = serve(http.clone(), stream, address, switchboard, ended);
            let is_open = open.subscribe();
            tokio::spawn(async move {
                connection.await;
                drop((place, is_open));
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
    listener: &mut TcpListener,
    places: Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, (TcpStream, SocketAddr)) {
    // Nobody closes the semaphore, so there is always a place in the end.
    let place = places.acquire_owned().await.ok();
    // axum's way of accepting waits and tries again after errors such as too many open files.
    (place, Listener::accept(listener).await)
}

/// Answers one connection's requests, until one of them takes it over or it ends.
async fn serve(
    http: Builder,
    stream: TcpStream,
    address: SocketAddr,
    switchboard: Switchboard,
    mut ended: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        let switchboard = switchboard.clone();
        async move { Ok::<_, Infallible>(switchboard.answer(request).await) }
    });
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
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

/// What clients do wrong is of interest to those only who look for it.
fn log(address: SocketAddr, result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!("{address}: {error}");
    }
}
