//! Taking connections from the listener, also when the system has no room for more.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// How long to wait before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// A listener that goes on after errors, and logs the first one of a row.
pub(crate) struct Listening {
    listener: TcpListener,
    is_failing: bool,
}

impl Listening {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self { listener, is_failing: false }
    }

    pub(crate) fn listener(&self) -> &TcpListener {
        &self.listener
    }

    /// The next connection.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    if std::mem::take(&mut self.is_failing) {
                        tracing::info!("connections are accepted again");
                    }
                    return accepted;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !std::mem::replace(&mut self.is_failing, true) {
                        tracing::error!("no connection can be accepted: {error}{}", advice(&error));
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// A connection that ended before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// What to do about it, if that is known.
#[cfg(target_os = "linux")]
fn advice(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE) => {
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
            let limit = limit.map_or_else(String::new, |limit| format!(" at {limit}"));
            format!(
                ". This process has reached its limit of open files{limit}: raise it with `ulimit -n` (LimitNOFILE in a \
                 service), or lower limits.maxConnections"
            )
        }
        Some(libc::ENFILE) => {
            ". The system has reached its limit of open files: raise fs.file-max".to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(not(target_os = "linux"))]
fn advice(_: &io::Error) -> String {
    String::new()
}
