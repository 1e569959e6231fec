//! Recordings through the control API: in one folder, by their names alone.

use bytes::Bytes;
use http::Response;

use super::acting::done;
use super::{Failure, bad_request, not_found, view};
use crate::control::body::{self, StartRecording};
use crate::control::recording_file::RecordingFile;
use crate::control::view::{RecordingView, RecordingsView};
use crate::engine::Engine;
use crate::engine::recording::RecordingId;
use crate::interface::effect::Effect;
use crate::recording::RecordSettings;
use crate::recording::recorder::RecordingState;
use crate::time::Now;

/// The longest name of a recording.
const LONGEST_NAME: usize = 100;

type Answer = Result<Response<Bytes>, Failure>;

impl Engine {
    pub(super) fn view_recordings(&self) -> Answer {
        let states = self.state.recorder.iter().flat_map(|recorder| recorder.states());
        view(&RecordingsView { recordings: states.map(|state| self.shown_recording(&state)).collect() })
    }

    /// The file of a recording that is listed, or what was left in the folder under this name.
    pub(super) fn send_recording(&self, name: &str) -> Answer {
        let mut states = self.state.recorder.iter().flat_map(|recorder| recorder.states());
        let listed = states.find(|state| file_name(&state.file) == name);
        let path = match listed {
            Some(state) => state.file.to_string(),
            None => self.recording_file(name)?,
        };
        Ok(RecordingFile::response(path, name))
    }

    pub(super) fn start_named_recording(
        &mut self,
        now: Now,
        body: &[u8],
        effects: &mut Vec<Effect>,
    ) -> Answer {
        let StartRecording { name, route, mask } = body::read(body).map_err(bad_request)?;
        let mut settings = RecordSettings::new(self.recording_file(&name)?);
        settings.mask = mask;
        let started = self.start_recording(now, &settings, route.as_deref(), effects);
        let id = started.map_err(|error| {
            // Where the folder is does not matter here.
            bad_request(
                error.to_string().replace(&format!("file: {}", settings.file), &format!("name: {name}")),
            )
        })?;
        let mut states = self.state.recorder.iter().flat_map(|recorder| recorder.states());
        let state = states.find(|state| state.started.contains(&id.to_bits()));
        view(&state.map(|state| self.shown_recording(&state)))
    }

    pub(super) fn stop_named_recording(&mut self, now: Now, name: &str, effects: &mut Vec<Effect>) -> Answer {
        let file = self.recording_file(name)?;
        let of_file = |state: &RecordingState| *state.file == *file;
        let known = self.state.recorder.iter().flat_map(|recorder| recorder.states()).find(of_file);
        let ids = known.map(|state| state.started).unwrap_or_default();
        if ids.is_empty() {
            return Err(not_found(format!("no recording {name:?} was started, or it was stopped already")));
        }
        let count = ids.len();
        for id in ids {
            self.stop_recording(now, RecordingId::from_bits(id), effects);
        }
        done(count)
    }

    /// The file with this name in the folder for recordings. Nothing else of the disk can be named.
    fn recording_file(&self, name: &str) -> Result<String, Failure> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_name = name.len() <= LONGEST_NAME
            && name.bytes().all(is_plain)
            && !name.starts_with('.')
            && name.strip_suffix(".jsonl").is_some_and(|start| !start.is_empty());
        if !is_name {
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            return Err(bad_request(format!(
                "name: expected letters, digits, '.', '_' and '-', at most {LONGEST_NAME}, with .jsonl at the end, as \
                 \"session.jsonl\"; got {shown:?}"
            )));
        }
        Ok(format!("{}/{name}", self.recordings.trim_end_matches(['/', '\\'])))
    }

    fn shown_recording(&self, state: &RecordingState) -> RecordingView {
        let label = |index: &usize| self.state.routes.get(*index).map(|route| route.label.clone());
        RecordingView {
            name: file_name(&state.file).to_owned(),
            routes: state.routes.iter().filter_map(label).collect(),
            is_started: !state.started.is_empty(),
            events: state.counts.events,
            bytes: state.counts.bytes,
            missed: state.counts.missed,
            waiting: state.waiting,
            has_failed: state.has_failed,
        }
    }
}

/// A path's last part.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}
