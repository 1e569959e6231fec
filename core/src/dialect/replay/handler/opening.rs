//! The opening handshakes of a replay, which wait until its file was read.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::Replay;
use crate::dialect::replay::index::{Index, Opening};
use crate::dialect::replay::material::{Loading, Material, Progress, name_of};
use crate::dialect::replay::options::{ConnectionChoice, ReplayOptions};
use crate::handler::context::Context;
use crate::interface::effect::Level;
use crate::interface::file_part::{FilePart, ReadId};

/// How much of a file is read at a time for what is in it, in bytes.
const INDEX_PART: u64 = 1 << 20;

/// What is played.
pub(super) enum Source {
    Recording(ReplayOptions),
    Scenario {
        file: String,
    },
    /// A scenario of the configuration itself, which is ready.
    Inline,
}

/// How far the file was read.
pub(super) enum Readiness {
    Unread,
    Reading {
        read: ReadId,
        offset: u64,
        /// The file beside the other one that is read now.
        beside: Option<String>,
        loading: Loading,
    },
    Ready(Material),
    Failed,
}

/// The recorded connection that a client gets, kept from its opening handshake until it is open.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) index: Arc<Index>,
    pub(super) content: Option<Bytes>,
    pub(super) place: usize,
}

impl Replay {
    /// The file that is played, if it is not a scenario of the configuration itself.
    pub(super) fn file(&self) -> Option<&str> {
        match &self.source {
            Source::Recording(options) => Some(&options.file),
            Source::Scenario { file } => Some(file),
            Source::Inline => None,
        }
    }

    /// Begins to read the file, unless that was done.
    pub(super) fn begin(&mut self, cx: &mut Context<'_>) {
        let (Readiness::Unread, Some(file)) = (&self.readiness, self.file()) else { return };
        let loading = match &self.source {
            Source::Recording(_) => Loading::of_recording(file),
            _ => Loading::of_scenario(),
        };
        let read = cx.read_file_part_for_route(file, 0, INDEX_PART);
        self.readiness = Readiness::Reading { read, offset: 0, beside: None, loading };
    }

    /// A part of the file was read, to learn what is in it.
    pub(super) fn loaded(&mut self, cx: &mut Context<'_>, content: Result<FilePart, String>) {
        let Some(file) = self.file().map(str::to_owned) else { return };
        let Readiness::Reading { read, offset, beside, loading } = &mut self.readiness else { return };
        let content = content.map_err(|error| match beside {
            Some(name) => format!("{name}, which belongs to it: {error}"),
            None => error,
        });
        let progress = content.and_then(|part| {
            *offset += part.bytes.len() as u64;
            loading.push(&file, &part.bytes, part.is_last)
        });
        match progress {
            Ok(Progress::Continue) => {
                let present = beside.as_ref().map_or_else(|| file.clone(), |name| file_beside(&file, name));
                *read = cx.read_file_part_for_route(&present, *offset, INDEX_PART);
                return;
            }
            Ok(Progress::Beside(name)) => {
                *offset = 0;
                *read = cx.read_file_part_for_route(&file_beside(&file, &name), 0, INDEX_PART);
                *beside = Some(name);
                return;
            }
            Ok(Progress::Done(material)) => {
                if let Material::Recording { index, .. } = &material {
                    for warning in &index.warnings {
                        cx.log(Level::Warn, format!("{file}: {warning}"));
                    }
                }
                self.readiness = Readiness::Ready(material);
            }
            Err(error) => {
                let what = if matches!(self.source, Source::Recording(_)) { "replayed" } else { "played" };
                let label = cx.route_label().to_owned();
                cx.log(
                    Level::Error,
                    format!("{label}: {file} cannot be {what}, clients are answered 503: {error}"),
                );
                self.readiness = Readiness::Failed;
            }
        }
        self.answer_waiting(cx);
    }

    pub(super) fn answer_waiting(&mut self, cx: &mut Context<'_>) {
        for id in std::mem::take(&mut self.waiting) {
            if cx.peer(id).is_some() {
                self.answer_opening(&mut cx.with(id));
            }
        }
    }

    /// Answers an opening handshake, if the file was read.
    pub(super) fn answer_opening(&mut self, cx: &mut Context<'_>) {
        let (index, content) = match &self.readiness {
            Readiness::Unread | Readiness::Reading { .. } => {
                self.waiting.extend(cx.id());
                return cx.postpone();
            }
            Readiness::Failed => return cx.reject(StatusCode::SERVICE_UNAVAILABLE),
            Readiness::Ready(Material::Scenario(_)) => {
                let subprotocol = cx.usual_subprotocol();
                return cx.accept(subprotocol.as_deref());
            }
            Readiness::Ready(Material::Recording { index, content }) => (index.clone(), content.clone()),
        };
        let asked = cx.connection().map(|client| (client.path().to_owned(), client.query().to_owned()));
        let (path, query) = asked.unwrap_or_default();
        let Some(place) = self.choose(&index, &path, &query) else {
            return cx.reject(StatusCode::SERVICE_UNAVAILABLE);
        };
        match &index.connections[place].opening {
            Opening::Refused(status) => {
                cx.reject(StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE));
            }
            Opening::Accepted(subprotocol) => {
                let offered = cx.offered_subprotocols();
                let subprotocol = subprotocol.as_deref().filter(|name| offered.iter().any(|it| it == name));
                cx.accept(subprotocol);
                if let Some(connection) = cx.connection_mut() {
                    connection.metadata_mut().insert(Chosen { index: index.clone(), content, place });
                }
            }
        }
    }

    /// The recorded connection for the next client of a path and a query.
    fn choose(&mut self, index: &Index, path: &str, query: &str) -> Option<usize> {
        let Source::Recording(options) = &self.source else { return None };
        if let ConnectionChoice::Number(number) = options.connection {
            return usize::try_from(number - 1).ok().filter(|place| *place < index.connections.len());
        }
        match index.of_target(path, query) {
            Some((target, places)) => {
                let turn = self.turns.entry(target.into()).or_default();
                let place = places[*turn % places.len()];
                *turn += 1;
                Some(place)
            }
            None => {
                let place = self.other_turns % index.connections.len();
                self.other_turns += 1;
                Some(place)
            }
        }
    }
}

/// A file in the folder of another one.
fn file_beside(file: &str, name: &str) -> String {
    let folder = file.len() - name_of(file).len();
    format!("{}{name}", &file[..folder])
}
