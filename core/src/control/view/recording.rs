//! Files that are being recorded.

use serde::Serialize;

/// What is recorded now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRecordings"))]
pub(crate) struct RecordingsView {
    /// The files, in the order in which they were begun.
    pub(crate) recordings: Vec<RecordingView>,
}

/// A file that is being recorded.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlRecording"))]
pub(crate) struct RecordingView {
    /// The file's name, without its folder.
    pub(crate) name: String,
    /// The routes whose configuration names the file.
    pub(crate) routes: Vec<String>,
    /// Whether it was started while the server runs, so that it can be stopped.
    pub(crate) is_started: bool,
    /// How many events were recorded.
    pub(crate) events: u64,
    /// How many bytes that made.
    pub(crate) bytes: u64,
    /// How many events were left out, as the disk was too slow.
    pub(crate) missed: u64,
    /// How many bytes wait to be written.
    pub(crate) waiting: usize,
    /// Whether the file could not be written: then nothing more is recorded, and the log says why.
    pub(crate) has_failed: bool,
}
