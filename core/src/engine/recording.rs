//! Recordings: of routes whose configuration names a file, and those that are started while the server runs.

use std::sync::Arc;

use super::Engine;
use crate::control::event::Happening;
use crate::interface::effect::Effect;
use crate::recording::recorder::Recorder;
use crate::recording::run::Reach;
use crate::recording::{Mask, RecordSettings};
use crate::routing::authentication::{Authentication, TokenPlace};
use crate::routing::pattern::Pattern;
use crate::schema::ConfigError;
use crate::state::Standing;
use crate::time::Now;

/// The most recordings that can be started on a running server.
const MOST: usize = 100;

/// Names a recording that was started, to stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordingId(u64);

impl RecordingId {
    /// As a number, for a host that cannot keep it otherwise.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The one that [`to_bits`](Self::to_bits) gave.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl Engine {
    /// Records what passes from now on, on top of what is recorded already. The file gets its header at once; connections that
    /// are open already are recorded from their next event on, after an opening that is told then.
    ///
    /// `pattern` is a route's, as it was written or with one of its prefixes; otherwise the whole path of a connection has to
    /// match it. `None`: all connections.
    ///
    /// Fails if a pattern is none, if the file is recorded already, or if there are 100 recordings.
    pub fn start_recording(
        &mut self,
        now: Now,
        settings: &RecordSettings,
        pattern: Option<&str>,
        effects: &mut Vec<Effect>,
    ) -> Result<RecordingId, ConfigError> {
        if settings.file.is_empty() {
            return Err(ConfigError::at("file", "expected a file's name, such as \"session.jsonl\""));
        }
        let mask = Mask::new(&settings.mask).map_err(|error| error.under("mask"))?;
        let (reach, mask) = match pattern {
            None => (Reach::Everything, self.all_tokens(mask)),
            Some(pattern) => match self.route_of(pattern) {
                Some(route) => (Reach::Route(route), self.tokens(mask, route)),
                None => {
                    let error = |error: crate::PatternError| ConfigError::at("route", error.to_string());
                    let pattern = Pattern::new(pattern).map_err(error)?;
                    (Reach::Paths(Box::new(pattern)), self.all_tokens(mask))
                }
            },
        };
        let known = self.state.recorder.as_deref();
        if known.is_some_and(|recorder| recorder.records(&settings.file)) {
            let text = format!("{} is being recorded already; write another file", settings.file);
            return Err(ConfigError::at("file", text));
        }
        if known.is_some_and(|recorder| recorder.states().count() >= MOST) {
            return Err(ConfigError::at("", format!("there are {MOST} recordings already; stop one first")));
        }
        let id = self.next_recording_id;
        self.next_recording_id += 1;
        let label = settings.source.as_deref().or(pattern);
        let recorder = self.state.recorder.get_or_insert_default();
        recorder.start(now, id, reach, &settings.file, label, mask);
        recorder.flush(effects);
        self.update_recorder();
        Ok(RecordingId(id))
    }

    /// Stops a recording that was started, and gives its file, of which the end may still have to be written. `None`: it was
    /// stopped already.
    pub fn stop_recording(
        &mut self,
        now: Now,
        id: RecordingId,
        effects: &mut Vec<Effect>,
    ) -> Option<Arc<str>> {
        let file = self.state.recorder.as_mut()?.stop(now, id.0, effects);
        self.update_recorder();
        file
    }

    /// Sets the folder of the recordings that are started through the control API. Default `recordings`.
    pub fn set_recordings(&mut self, folder: String) {
        self.recordings = if folder.is_empty() { "recordings".to_owned() } else { folder };
    }

    pub(super) fn has_started_recordings(&self) -> bool {
        let recorder = self.state.recorder.as_deref();
        recorder.is_some_and(|recorder| recorder.states().any(|state| !state.started.is_empty()))
    }

    /// Takes over the files of the routes' settings, where they have changed.
    pub(super) fn take_route_recordings(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let is_wanted = self.state.routes.iter().any(|route| route.settings.record.is_some());
        if !is_wanted && self.state.recorder.is_none() {
            return;
        }
        let mut recorder = self.state.recorder.take().unwrap_or_default();
        let routes = &self.state.routes;
        let wanted = |index: usize| {
            let route = routes.get(index).filter(|route| route.standing == Standing::Serving)?;
            route.settings.record.as_deref()
        };
        let is_kept =
            |index: usize, known: &RecordSettings| wanted(index).is_some_and(|wanted| wanted == known);
        recorder.retain_routes(now, is_kept, effects);
        for index in 0..routes.len() {
            let Some(settings) = wanted(index).filter(|_| !recorder.has_route(index)) else { continue };
            // The configuration was checked.
            let mask = self.tokens(Mask::new(&settings.mask).unwrap_or_default(), index);
            recorder.add_route(index, settings, mask);
        }
        self.state.recorder = Some(recorder);
        self.update_recorder();
    }

    /// The host has written to a file, or could not.
    #[cold]
    #[inline(never)]
    pub(super) fn appended(
        &mut self,
        now: Now,
        file: &str,
        bytes: usize,
        result: Result<(), String>,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(recorder) = &mut self.state.recorder {
            recorder.appended(now, file, bytes, result, effects);
            self.update_recorder();
        }
    }

    /// Does something with what is recorded, if anything is.
    pub(super) fn record(&mut self, change: impl FnOnce(&mut Recorder)) {
        if let Some(recorder) = &mut self.state.recorder {
            change(recorder);
        }
    }

    /// Records what was noted, and gives the host what is to be written. The effects from `start` on were noted.
    pub(super) fn record_happenings(
        &mut self,
        now: Now,
        happenings: &[Happening],
        start: usize,
        effects: &mut Vec<Effect>,
    ) {
        let Some(recorder) = &mut self.state.recorder else { return };
        for happening in happenings {
            recorder.happened(now, happening, &self.state.connections);
        }
        for effect in &effects[start..] {
            if let Effect::Removed { id } | Effect::Refuse { id, .. } | Effect::Ignore { id } = effect {
                recorder.removed(*id);
            }
        }
        recorder.flush(effects);
    }

    /// What passes is noted while something is recorded.
    fn update_recorder(&mut self) {
        if self.state.recorder.as_ref().is_some_and(|recorder| recorder.is_idle()) {
            self.state.recorder = None;
        }
        let is_recorded = self.state.recorder.as_ref().is_some_and(|recorder| recorder.is_recording());
        if self.state.trace.as_ref().is_some_and(|trace| trace.is_recorded) != is_recorded {
            self.state.note(|trace| trace.is_recorded = is_recorded);
        }
    }

    /// The tokens of a route's clients are secrets, whatever their names.
    fn tokens(&self, mask: Mask, route: usize) -> Mask {
        let Some(route) = self.state.routes.get(route) else { return mask };
        match &route.settings.authentication {
            Authentication::Token(rule) => {
                let mask = match &rule.place {
                    TokenPlace::Query(name) => mask.and_name(name),
                    TokenPlace::Header(name) => mask.and_name(name.as_str()),
                    TokenPlace::QueryOrHeader(query, header) => {
                        mask.and_name(query).and_name(header.as_str())
                    }
                };
                rule.values.keys().fold(mask, |mask, token| mask.and_secret(token))
            }
            Authentication::Header(name) => mask.and_name(name.as_str()),
            Authentication::Open | Authentication::Hook | Authentication::Handler => mask,
        }
    }

    fn all_tokens(&self, mask: Mask) -> Mask {
        (0..self.state.routes.len()).fold(mask, |mask, route| self.tokens(mask, route))
    }
}
