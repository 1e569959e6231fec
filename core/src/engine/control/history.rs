//! What is kept for those who look later: connections that have ended, and what passed on them.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::reading::not_found_connection;
use super::{Failure, bad_request, view};
use crate::control::event::Cause;
use crate::control::query::Query;
use crate::control::view::{ConnectionView, ConnectionsView, MessagesView, SocketCounts};
use crate::engine::Engine;
use crate::interface::connection_id::ConnectionId;
use crate::state::connection::{Connection, Phase};
use crate::time::Now;

/// How much of a message is shown, in bytes.
const SHOWN_PAYLOAD: usize = 4_096;

impl Engine {
    /// Whether the control API is on ([`set_control`](Self::set_control)).
    pub fn has_control(&self) -> bool {
        self.state.control.is_some()
    }

    /// A connection whose transport is gone has had this traffic.
    pub(in crate::engine) fn counted_traffic(&mut self, id: ConnectionId, counts: SocketCounts) {
        let is_client = self.state.connections.get(id).is_some_and(|connection| self.is_client(connection));
        if let Some(control) = self.state.control.as_mut().filter(|_| is_client) {
            control.history.known(id).counts = Some(counts);
        }
    }

    /// Keeps what is shown of a connection that is about to be removed, if it was open.
    #[cold]
    pub(in crate::engine) fn keep_ended(&mut self, now: Now, id: ConnectionId) {
        let Some(connection) = self.state.connections.get(id).filter(|connection| self.is_client(connection))
        else {
            return;
        };
        let counts = self.state.control.as_ref().and_then(|control| control.history.counts(id));
        let ended =
            matches!(connection.phase, Phase::Closing(_) | Phase::Closed(_)).then(|| ConnectionView {
                state: "closed",
                closed_at: Some(now.wall.as_ms()),
                ..self.shown_with(connection, counts.unwrap_or_default())
            });
        if let Some(control) = &mut self.state.control {
            control.history.end(id, ended);
        }
    }

    pub(super) fn view_ended(&self, query: &Query) -> Answer {
        let (limit, route) = (query.limit().map_err(bad_request)?, query.get("route"));
        if let Some(name) = ["room", "after"].into_iter().find(|name| query.get(name).is_some()) {
            return Err(bad_request(format!("{name}: not with state=closed; leave it out")));
        }
        let label =
            route.and_then(|pattern| self.route_of(pattern)).and_then(|index| self.state.routes.get(index));
        let label = label.map(|route| route.label.as_str()).or(route);
        let ended = self.state.control.iter().flat_map(|control| control.history.ended());
        let ended: Vec<_> =
            ended.filter(|ended| label.is_none_or(|label| ended.view.route == label)).collect();
        let total = ended.len();
        let connections = ended.into_iter().take(limit).map(|ended| self.revealed(&ended.view)).collect();
        view(&ConnectionsView { connections, total, next: None })
    }

    /// A connection that has ended, as far as it may be shown.
    pub(super) fn view_ended_connection(&self, name: &str) -> Answer {
        let mut ended = self.state.control.iter().flat_map(|control| control.history.ended());
        let ended = ended.find(|ended| ended.view.id == name).ok_or_else(|| not_found_connection(name))?;
        view(&self.revealed(&ended.view))
    }

    pub(super) fn view_messages(&self, name: &str, query: &Query) -> Answer {
        let limit = query.limit().map_err(bad_request)?;
        let Some(control) = &self.state.control else { return Err(not_found_connection(name)) };
        let id = match self.named_connection(name) {
            Ok(connection) => connection.id,
            Err(failure) => control.history.ended_id(name).ok_or(failure)?,
        };
        let kept = control.history.messages_of(id, limit);
        let messages = kept.iter().map(|kept| kept.told(SHOWN_PAYLOAD).parse_json().unwrap_or(Value::Null));
        view(&MessagesView { messages: messages.collect() })
    }

    fn revealed(&self, shown: &ConnectionView) -> ConnectionView {
        let mut shown = shown.clone();
        if !self.reveals() {
            (shown.auth_data, shown.query) = (None, None);
        }
        shown
    }
}

/// How a connection ended, if it has begun to.
pub(super) fn closure(connection: &Connection) -> Option<(u16, String, Cause)> {
    match &connection.phase {
        Phase::Closing(closure) | Phase::Closed(closure) => {
            let frame = &closure.frame;
            Some((frame.code.0, frame.reason.as_str().to_owned(), closure.cause.into()))
        }
        _ => None,
    }
}

type Answer = Result<Response<Bytes>, Failure>;
