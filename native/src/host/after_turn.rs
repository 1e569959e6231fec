//! What one turn leaves to do once the lock is released.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

use switchboard_core::{FilePart, Input, Level, ReadId};
use tokio::sync::oneshot;

use crate::flush::sending_half::SendingHalf;
use crate::host::Host;
use crate::host::appender::Appending;
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
    /// Parts of files to read.
    pub(crate) parts: Vec<WantedPart>,
    /// Tasks to start that append to files.
    pub(crate) appendings: Vec<Appending>,
    pub(crate) log: Vec<(Level, String)>,
    /// The next deadline is earlier than the one for which the task sleeps.
    pub(crate) is_alarm_earlier: bool,
    /// The last connection is gone.
    pub(crate) is_empty: bool,
}

/// A part of a file that a handler waits for.
pub(crate) struct WantedPart {
    pub(crate) read: ReadId,
    pub(crate) file: String,
    /// Where it begins, in bytes.
    pub(crate) offset: u64,
    pub(crate) length: u32,
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
        for part in self.parts.drain(..) {
            read_part(host, part);
        }
        for appending in self.appendings.drain(..) {
            appending.start(host.runtime(), Arc::downgrade(host));
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

fn read_part(host: &Arc<Host>, part: WantedPart) {
    let reader = host.clone();
    host.runtime().spawn_blocking(move || {
        let content = part.content().map_err(|error| error.to_string());
        reader.turn(|turn| turn.input(Input::FilePart { read: part.read, content }));
    });
}

impl WantedPart {
    fn content(&self) -> io::Result<FilePart> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::with_capacity(self.length as usize);
        file.take(u64::from(self.length)).read_to_end(&mut bytes)?;
        let is_last = bytes.len() < self.length as usize;
        Ok(FilePart { bytes: bytes.into(), is_last })
    }
}

/// Whether lines of the level `debug` are wanted, by the subscriber that there is now.
pub(crate) fn logs_debug() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

/// Stands between the text of a log line and the stack below it. Clients do not know it, and so cannot write lines of their own.
pub(crate) fn stack_mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| {
        let mut bytes = [0; 16];
        // Without randomness nothing starts that could log a stack.
        let _ = getrandom::fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    })
}

/// Logs a line, and a stack below it if it has one behind [`stack_mark`].
pub(crate) fn log(level: Level, text: &str) {
    let parts = text.split_once('\n').and_then(|(line, rest)| Some((line, rest.strip_prefix(stack_mark())?)));
    match parts {
        Some((line, stack)) => log_stack(level, line, stack),
        None => match level {
            Level::Trace => tracing::trace!("{text}"),
            Level::Debug => tracing::debug!("{text}"),
            Level::Info => tracing::info!("{text}"),
            Level::Warn => tracing::warn!("{text}"),
            Level::Error => tracing::error!("{text}"),
        },
    }
}

/// Logs a line with a stack.
pub(crate) fn log_stack(level: Level, text: &str, stack: &str) {
    match level {
        Level::Trace => tracing::trace!(%stack, "{text}"),
        Level::Debug => tracing::debug!(%stack, "{text}"),
        Level::Info => tracing::info!(%stack, "{text}"),
        Level::Warn => tracing::warn!(%stack, "{text}"),
        Level::Error => tracing::error!(%stack, "{text}"),
    }
}
