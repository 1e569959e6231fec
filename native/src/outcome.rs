//! What one turn leaves to do once the lock is released.

use std::sync::Arc;

use switchboard_core::{CallId, Hook, Level};
use tokio::sync::oneshot;

use crate::callbacks;
use crate::connection::PeerData;
use crate::dial::Dialled;
use crate::host::Host;
use crate::socket::Socket;
use crate::switching::Decision;

/// Collected under the lock, done after it.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Each once.
    pub(crate) touched: Vec<Arc<Socket>>,
    pub(crate) decisions: Vec<(oneshot::Sender<Decision>, Decision)>,
    pub(crate) calls: Vec<Called>,
    pub(crate) dials: Vec<Dialled>,
    pub(crate) log: Vec<(Level, String)>,
    /// The next deadline is earlier than the one slept to.
    pub(crate) is_alarm_earlier: bool,
    /// The last connection is gone.
    pub(crate) is_empty: bool,
}

/// A hook to run.
pub(crate) struct Called {
    pub(crate) call: CallId,
    pub(crate) route: usize,
    pub(crate) peer: Option<Arc<PeerData>>,
    pub(crate) hook: Hook,
}

impl Outcome {
    /// Does it all; what is left is empty buffers.
    pub(crate) fn conclude(&mut self, host: &Arc<Host>) {
        for socket in self.touched.drain(..) {
            socket.flush();
        }
        for (sender, decision) in self.decisions.drain(..) {
            // Whoever asked may have gone, and reports that itself.
            let _ = sender.send(decision);
        }
        for called in self.calls.drain(..) {
            callbacks::run(host, called);
        }
        for dialled in self.dials.drain(..) {
            dialled.start(host);
        }
        for (level, text) in self.log.drain(..) {
            log(level, &text);
        }
        self.is_alarm_earlier = false;
        self.is_empty = false;
    }
}

fn log(level: Level, text: &str) {
    match level {
        Level::Trace => tracing::trace!("{text}"),
        Level::Debug => tracing::debug!("{text}"),
        Level::Info => tracing::info!("{text}"),
        Level::Warn => tracing::warn!("{text}"),
        Level::Error => tracing::error!("{text}"),
    }
}
