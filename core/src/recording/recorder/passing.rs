//! What passes between clients and the server becomes events of recordings.

use super::Recorder;
use crate::control::event::{Happening, MessageDirection, What};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Accept;
use crate::message::{CloseFrame, Message};
use crate::protocol::Refusal;
use crate::recording::run::{Run, opening, pairs};
use crate::recording::{EventKind, Open, Refuse, Side};
use crate::state::connection::Connection;
use crate::state::connections::Connections;
use crate::time::Now;

/// An opening handshake that somebody records.
#[derive(Debug)]
pub(super) struct Opening {
    route: Option<usize>,
    path: String,
    open: Open,
}

impl Recorder {
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

fn no_status() -> CloseFrame {
    CloseFrame::new(crate::message::CloseCode::NO_STATUS, "")
}
