//! Ctrl-C and SIGTERM.

use std::io;
use std::time::Duration;

use switchboard::ShutdownHandle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Signals within this time count as the first: Node and npm pass on a Ctrl-C that the terminal has sent already.
const SAME: Duration = Duration::from_millis(500);

/// The first signal begins the shutdown, the second ends the process at once.
pub(crate) fn watch(shutdown: ShutdownHandle) -> io::Result<JoinHandle<()>> {
    let mut signals = Signals::listen()?;
    Ok(tokio::spawn(async move {
        signals.next().await;
        tracing::info!("closing all connections; once more to stop at once");
        shutdown.shutdown();
        let first = Instant::now();
        loop {
            let code = signals.next().await;
            if first.elapsed() >= SAME {
                std::process::exit(code);
            }
        }
    }))
}

/// The signals that ask for an end, from now on.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one; the exit code that shells give for it.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) -> i32 {
        self.interrupt.recv().await;
        130
    }
}
