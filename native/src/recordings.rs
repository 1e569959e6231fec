//! Recordings that are started and stopped while the server runs.

use std::fmt;
use std::sync::Arc;

use switchboard_core::recording::RecordSettings;
use switchboard_core::{ConfigError, RecordingId};

use crate::host::Host;

/// Records what passes between a running server and its clients, from [`Switchboard::recordings`](crate::Switchboard::recordings).
/// It comes on top of the files that routes of the configuration name by `record`.
///
/// ```no_run
/// # async fn run(server: switchboard::Server) -> Result<(), Box<dyn std::error::Error>> {
/// use switchboard::RecordSettings;
///
/// let recording = server.switchboard().recordings().route("/chat").start("chat.jsonl")?;
/// // What passes on /chat is written as it happens, without credentials.
/// recording.stop().await;
///
/// let mut settings = RecordSettings::new("all.jsonl");
/// settings.mask = vec!["card [0-9]+".to_owned()];
/// server.switchboard().recordings().start(settings)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recordings {
    host: Arc<Host>,
    pattern: Option<String>,
}

/// A recording that was started. It goes on when this is dropped.
#[derive(Clone)]
pub struct Recording {
    host: Arc<Host>,
    id: RecordingId,
}

impl Recordings {
    pub(crate) fn new(host: Arc<Host>) -> Self {
        Self { host, pattern: None }
    }

    /// The same for the connections of a route, by its pattern, or for those whose whole path matches this one. Default: all.
    #[must_use]
    pub fn route(&self, pattern: impl Into<String>) -> Self {
        Self { host: self.host.clone(), pattern: Some(pattern.into()) }
    }

    /// Starts a recording in a file, or as the settings say. A relative path begins in the working directory. A file that is
    /// there is appended to. Connections that are open already are recorded from their next event on.
    ///
    /// Fails if the pattern or one to mask is none, if the file is recorded already, or if there are 100 recordings.
    pub fn start(&self, settings: impl Into<RecordSettings>) -> Result<Recording, ConfigError> {
        let (settings, pattern) = (settings.into(), self.pattern.as_deref());
        let id = self.host.turn(|turn| turn.start_recording(&settings, pattern))?;
        Ok(Recording { host: self.host.clone(), id })
    }
}

impl Recording {
    /// Stops the recording, and returns when its end is written. False: it was stopped already.
    pub async fn stop(&self) -> bool {
        let Some(file) = self.host.turn(|turn| turn.stop_recording(self.id)) else { return false };
        self.host.files_written(Some(&file)).await;
        true
    }

    /// Its id, as the engine names it.
    pub fn id(&self) -> RecordingId {
        self.id
    }
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recordings").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("id", &self.id).finish_non_exhaustive()
    }
}
