//! What is recorded now, and into which files.

mod passing;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::recording::run::{Counts, Origin, Reach, Run, Source};
use crate::recording::{Mask, RecordSettings};
use crate::state::id_hash::IdHash;
use crate::time::Now;
use passing::Opening;

/// Turns what happens to connections into lines of files. It sees a connection as its client does: the opening handshake,
/// messages both ways, how it ends.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    runs: Vec<Run>,
    /// How many bytes of each file the host has not written yet.
    waiting: HashMap<Arc<str>, usize>,
    /// Opening handshakes that are not complete yet.
    openings: HashMap<ConnectionId, Opening, IdHash>,
}

/// A file that is being recorded, for those who ask.
#[derive(Clone, Debug)]
pub(crate) struct RecordingState {
    pub(crate) file: Arc<str>,
    /// Of those that were started while the server runs.
    pub(crate) started: Vec<u64>,
    /// The routes whose configuration names the file.
    pub(crate) routes: Vec<usize>,
    pub(crate) counts: Counts,
    pub(crate) waiting: usize,
    pub(crate) has_failed: bool,
}

impl Recorder {
    /// Whether nothing is recorded, and nothing waits for the host.
    pub(crate) fn is_idle(&self) -> bool {
        self.runs.is_empty() && self.waiting.is_empty()
    }

    /// Whether something that happens may have to be written.
    pub(crate) fn is_recording(&self) -> bool {
        self.runs.iter().any(|run| !run.has_failed)
    }

    /// How many bytes the host has not written yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.values().sum()
    }

    pub(crate) fn states(&self) -> impl Iterator<Item = RecordingState> {
        self.runs.iter().map(|run| {
            let origins = || run.sources.iter().map(|source| &source.origin);
            RecordingState {
                file: run.file.clone(),
                started: origins().filter_map(Origin::started).collect(),
                routes: origins().filter_map(Origin::route).collect(),
                counts: run.counts,
                waiting: self.waiting.get(&run.file).copied().unwrap_or(0),
                has_failed: run.has_failed,
            }
        })
    }

    /// Whether something records a file already.
    pub(crate) fn records(&self, file: &str) -> bool {
        self.runs.iter().any(|run| *run.file == *file && !run.has_failed)
    }

    /// Records a route of the configuration. Its header is written with its first event.
    pub(crate) fn add_route(&mut self, index: usize, settings: &RecordSettings, mask: Mask) {
        let origin = Origin::Route(index, settings.clone());
        let source = Source { origin, reach: Reach::Route(index), mask };
        self.run(&settings.file, settings.source.as_deref()).sources.push(source);
    }

    /// Records from now on, with a header at once.
    pub(crate) fn start(
        &mut self,
        now: Now,
        id: u64,
        reach: Reach,
        file: &str,
        label: Option<&str>,
        mask: Mask,
    ) {
        let run = self.run(file, label);
        run.sources.push(Source { origin: Origin::Started(id), reach, mask });
        run.begin(now);
    }

    /// The file of a recording that was started, which is stopped. What comes is no longer written.
    pub(crate) fn stop(&mut self, now: Now, id: u64, effects: &mut Vec<Effect>) -> Option<Arc<str>> {
        let is_its = |source: &Source| source.origin == Origin::Started(id);
        let run = self.runs.iter_mut().find(|run| run.sources.iter().any(is_its))?;
        let file = run.file.clone();
        run.sources.retain(|source| !is_its(source));
        self.end_unused(now, effects);
        Some(file)
    }

    /// Drops the routes that are recorded, but for those that `is_kept`.
    pub(crate) fn retain_routes(
        &mut self,
        now: Now,
        is_kept: impl Fn(usize, &RecordSettings) -> bool,
        effects: &mut Vec<Effect>,
    ) {
        for run in &mut self.runs {
            let has_failed = run.has_failed;
            // One that has failed begins anew.
            run.sources.retain(|source| match &source.origin {
                Origin::Route(index, settings) => is_kept(*index, settings) && !has_failed,
                Origin::Started(_) => true,
            });
        }
        self.end_unused(now, effects);
    }

    /// Whether a route is recorded in a file already.
    pub(crate) fn has_route(&self, index: usize) -> bool {
        let mut sources = self.runs.iter().flat_map(|run| &run.sources);
        sources.any(|source| source.origin.route() == Some(index))
    }

    /// The host has written to a file, or could not.
    pub(crate) fn appended(
        &mut self,
        now: Now,
        file: &str,
        bytes: usize,
        result: Result<(), String>,
        effects: &mut Vec<Effect>,
    ) {
        let waiting = match self.waiting.get_mut(file) {
            Some(waiting) => {
                *waiting = waiting.saturating_sub(bytes);
                *waiting
            }
            None => 0,
        };
        if waiting == 0 {
            self.waiting.remove(file);
        }
        let Some(run) = self.runs.iter_mut().find(|run| *run.file == *file && !run.has_failed) else {
            return;
        };
        match result {
            Ok(()) => run.write_gap(now, waiting),
            Err(error) => {
                run.has_failed = true;
                run.out = Vec::new();
                let text = format!("the recording {file} ends: {error}");
                effects.push(Effect::Log { level: Level::Error, text });
            }
        }
        self.flush(effects);
    }

    /// Gives the host what was written since.
    pub(crate) fn flush(&mut self, effects: &mut Vec<Effect>) {
        for run in &mut self.runs {
            if run.out.is_empty() {
                continue;
            }
            let bytes = Bytes::from(std::mem::take(&mut run.out));
            run.counts.bytes += bytes.len() as u64;
            *self.waiting.entry(run.file.clone()).or_default() += bytes.len();
            effects.push(Effect::AppendFile { file: run.file.clone(), bytes });
        }
    }

    /// The run of a file, which begins if there is none.
    fn run(&mut self, file: &str, label: Option<&str>) -> &mut Run {
        let known = self.runs.iter().position(|run| *run.file == *file && !run.has_failed);
        let place = known.unwrap_or_else(|| {
            self.runs.retain(|run| *run.file != *file);
            self.runs.push(Run::new(file.into(), label.map(str::to_owned)));
            self.runs.len() - 1
        });
        &mut self.runs[place]
    }

    /// Ends what nobody records any more.
    fn end_unused(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for run in self.runs.iter_mut().filter(|run| run.sources.is_empty() && !run.has_failed) {
            run.end(now);
        }
        self.flush(effects);
        self.runs.retain(|run| !run.sources.is_empty());
    }
}

impl Origin {
    fn started(&self) -> Option<u64> {
        match self {
            Origin::Started(id) => Some(*id),
            Origin::Route(..) => None,
        }
    }

    fn route(&self) -> Option<usize> {
        match self {
            Origin::Route(index, _) => Some(*index),
            Origin::Started(_) => None,
        }
    }
}
