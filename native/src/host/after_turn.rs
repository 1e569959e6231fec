//! What one turn leaves to do once the lock is released.

use std::sync::Arc;

use switchboard_core::{Input, Level};
use tokio::sync::oneshot;

use crate::flush::sending_half::SendingHalf;
use crate::host::Host;
use crate::host::state::UpgradeAnswer;
use crate::host::user_code::{self, Called};
use crate::upstream::Dialled;

/// Collected under the lock, and carried out after it.
#[derive(Default)]
pub(crate) struct AfterTurn {
    /// Each once.
    pub(crate) touched: Vec<Arc<SendingHalf>>,
    pub(crate) decisions: Vec<(oneshot::Sender<UpgradeAnswer>, UpgradeAnswer)>,
    pub(crate) calls: Vec<Called>,
    pub(crate) dials: Vec<Dialled>,
    /// Files to read, each for a feed.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) log: Vec<(Level, String)>,
    /// The next deadline is earlier than the one for which the task sleeps.
    pub(crate) is_alarm_earlier: bool,
    /// The last connection is gone.
    pub(crate) is_empty: bool,
}

impl AfterTurn {
    /// Does everything, and keeps the empty buffers.
    pub(crate) fn conclude(&mut self, host: &Arc<Host>) {
        host.flush(&mut self.touched);
        for (sender, decision) in self.decisions.drain(..) {
            // The client may be gone, which its task reports itself.
            let _ = sender.send(decision);
        }
        user_code::run_all(host, &mut self.calls);
        for dialled in self.dials.drain(..) {
            let told = host.clone();
            dialled.start(host.runtime(), move |upstream, event| {
                told.turn(|turn| turn.input(Input::Upstream { upstream, event }));
            });
        }
        for (feed, file) in self.files.drain(..) {
            read(host, feed, file);
        }
        for (level, text) in self.log.drain(..) {
            log(level, &text);
        }
        self.is_alarm_earlier = false;
        self.is_empty = false;
    }
}

/// Relative paths start in the working directory; those of a configuration file have been made absolute before.
fn read(host: &Arc<Host>, feed: String, file: String) {
    let reader = host.clone();
    host.runtime().spawn_blocking(move || {
        let content = std::fs::read(&file).map(Into::into).map_err(|error| error.to_string());
        reader.turn(|turn| turn.input(Input::File { feed, file, content }));
    });
}

/// Whether lines of the level `debug` are wanted, by the subscriber that there is now.
pub(crate) fn logs_debug() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
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
