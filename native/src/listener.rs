//! A listener that can stop before its connections do.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Accepts until it is told to stop; then nobody listens on the port any more.
///
/// axum's graceful shutdown would stop listening too, but also tell open HTTP connections to end, and one that is
/// just being upgraded would be lost without a close frame.
pub(crate) struct StoppableListener {
    listener: Option<TcpListener>,
    address: SocketAddr,
    stop: watch::Receiver<bool>,
}

impl StoppableListener {
    pub(crate) fn new(listener: TcpListener, address: SocketAddr, stop: watch::Receiver<bool>) -> Self {
        Self { listener: Some(listener), address, stop }
    }
}

impl Listener for StoppableListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        if let Some(listener) = &mut self.listener {
            tokio::select! {
                // axum's own accepting waits and tries again after errors such as too many open files.
                accepted = Listener::accept(listener) => return accepted,
                _ = self.stop.wait_for(|stop| *stop) => {}
            }
        }
        self.listener = None;
        pending().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
