//! What is recorded now, and into which files.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::control::event::{Happening, MessageDirection, What};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Accept, Effect, Level};
use crate::message::{CloseFrame, Message};
use crate::protocol::Refusal;
use crate::recording::run::{Counts, Origin, Reach, Run, Source, opening, pairs};
use crate::recording::{EventKind, Mask, Open, RecordSettings, Refuse, Side};
use crate::state::connection::Connection;
use crate::state::connections::Connections;
use crate::state::id_hash::IdHash;
use crate::time::Now;

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

/// An opening handshake that somebody records.
#[derive(Debug)]
struct Opening {
    route: Option<usize>,
    path: String,
    open: Open,
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

    /// A client asks for a connection.
    pub(crate) fn asked(&mut self, id: ConnectionId, route: Option<usize>, request: &http::Request<()>) {
        let path = request.uri().path();
        if self.runs.iter().any(|run| run.source(route, path).is_some()) {
            let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
            let open = Open { headers: pairs(request.headers()), ..Open::new(target) };
            self.openings.insert(id, Opening { route, path: path.to_owned(), open });
        }
    }

    /// Its opening handshake is to be answered with 101.
    pub(crate) fn accepted(&mut self, accept: &Accept) {
        if let Some(Opening { open, .. }) = self.openings.get_mut(&accept.id) {
            open.status = accept.response.status().as_u16();
            open.response_headers = pairs(accept.response.headers());
            open.subprotocol = accept.subprotocol.as_deref().map(str::to_owned);
        }
    }

    /// It is refused.
    pub(crate) fn refused(&mut self, now: Now, id: ConnectionId, refusal: &Refusal) {
        let Some(Opening { route, path, open }) = self.openings.remove(&id) else { return };
        let refuse = Refuse {
            path: open.path,
            headers: open.headers,
            status: refusal.status.as_u16(),
            reason: refusal.reason.to_owned(),
        };
        self.each(route, &path, |run, source, waiting| {
            let kind = run.sources[source].mask.event(EventKind::Refuse(refuse.clone()));
            run.meet(now, waiting, id, kind);
            run.forget(id);
        });
    }

    /// A close frame is sent. Behind the 101 of an opening handshake it is a refusal, of which the client sees an opening and
    /// a close.
    pub(crate) fn closing(&mut self, now: Now, id: ConnectionId, frame: Option<&CloseFrame>) {
        let Some(Opening { route, path, open }) = self.openings.remove(&id) else { return };
        self.each(route, &path, |run, source, waiting| {
            let mask = &run.sources[source].mask;
            let open = mask.event(EventKind::Open(open.clone()));
            let frame = frame.cloned().unwrap_or_else(no_status);
            let close = mask.event(EventKind::Close { by: CloseCause::Server, frame });
            if run.meet(now, waiting, id, open) {
                run.event(now, waiting, id, close);
                run.forget(id);
            }
        });
    }

    /// The engine has forgotten a connection, or never knew it.
    pub(crate) fn removed(&mut self, id: ConnectionId) {
        self.openings.remove(&id);
        for run in &mut self.runs {
            run.forget(id);
        }
    }

    /// A fault has done something to a connection.
    pub(crate) fn fault(&mut self, now: Now, connection: &Connection, effect: &str) {
        self.about(now, connection.id, Some(connection), &EventKind::Fault { effect: effect.to_owned() });
    }

    /// Something happened that is told to those who watch the server.
    pub(crate) fn happened(&mut self, now: Now, happening: &Happening, connections: &Connections) {
        let peer = happening.peer.as_ref().map(|peer| peer.id);
        match (&happening.what, peer) {
            (What::Opened { .. }, Some(id)) => self.opened(now, id, connections.get(id)),
            (What::Message { direction, message, .. }, Some(id)) => {
                self.passed(now, *direction, message, &[id], connections);
            }
            (What::Message { direction, message, .. }, None) => {
                self.passed(now, *direction, message, &happening.receivers, connections);
            }
            (What::Closed { code, reason, cause }, Some(id)) => {
                let frame = CloseFrame::new(crate::message::CloseCode(*code), reason);
                self.about(now, id, connections.get(id), &EventKind::Close { by: *cause, frame });
                for run in &mut self.runs {
                    run.forget(id);
                }
            }
            _ => {}
        }
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

    fn opened(&mut self, now: Now, id: ConnectionId, connection: Option<&Connection>) {
        let Some(Opening { route, path, open }) = self.openings.remove(&id) else {
            // Its opening handshake began before anything was recorded.
            return self.meet(now, connection);
        };
        self.each(route, &path, |run, source, waiting| {
            let kind = run.sources[source].mask.event(EventKind::Open(open.clone()));
            run.meet(now, waiting, id, kind);
        });
    }

    fn meet(&mut self, now: Now, connection: Option<&Connection>) {
        let Some(connection) = connection else { return };
        self.each(Some(connection.route), connection.path(), |run, source, waiting| {
            run.met(now, waiting, connection, source);
        });
    }

    fn passed(
        &mut self,
        now: Now,
        direction: MessageDirection,
        message: &Message,
        peers: &[ConnectionId],
        connections: &Connections,
    ) {
        let from = match direction {
            MessageDirection::In => Side::Client,
            MessageDirection::Out => Side::Server,
        };
        for run in &mut self.runs {
            // Most often all of them are of one source: a broadcast is masked once.
            let mut masked: Option<(usize, Message)> = None;
            for &id in peers {
                let Some(connection) = connections.get(id) else { continue };
                let Some(source) = run.source(Some(connection.route), connection.path()) else { continue };
                let message = match &masked {
                    Some((known, message)) if *known == source => message.clone(),
                    _ => {
                        let message = run.sources[source].mask.message(message);
                        masked.insert((source, message)).1.clone()
                    }
                };
                let waiting = self.waiting.get(&run.file).copied().unwrap_or(0);
                match run.met(now, waiting, connection, source) {
                    true => run.event(now, waiting, id, EventKind::Message { from, message }),
                    false => run.miss(),
                }
            }
        }
    }

    /// An event of a connection, which is there unless its opening was never written.
    fn about(&mut self, now: Now, id: ConnectionId, connection: Option<&Connection>, kind: &EventKind) {
        for run in &mut self.runs {
            let waiting = self.waiting.get(&run.file).copied().unwrap_or(0);
            let source = match connection {
                Some(connection) => run.source(Some(connection.route), connection.path()),
                None => Some(0),
            };
            let Some(source) = source else { continue };
            let is_met =
                connection.map_or(run.knows(id), |connection| run.met(now, waiting, connection, source));
            if is_met {
                let kind = run.sources[source].mask.event(kind.clone());
                run.event(now, waiting, id, kind);
            }
        }
    }

    fn each(&mut self, route: Option<usize>, path: &str, mut write: impl FnMut(&mut Run, usize, usize)) {
        for run in &mut self.runs {
            let waiting = self.waiting.get(&run.file).copied().unwrap_or(0);
            if let Some(source) = run.source(route, path) {
                write(run, source, waiting);
            }
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

impl Run {
    /// Whether the opening of a connection is written, which happens here if it began before the recording did, or was left
    /// out.
    fn met(&mut self, now: Now, waiting: usize, connection: &Connection, source: usize) -> bool {
        self.knows(connection.id) || {
            let kind = self.sources[source].mask.event(EventKind::Open(opening(connection)));
            self.meet(now, waiting, connection.id, kind)
        }
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

fn no_status() -> CloseFrame {
    CloseFrame::new(crate::message::CloseCode::NO_STATUS, "")
}
