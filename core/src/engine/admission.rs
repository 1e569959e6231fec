//! Who is let in: authentication, and the answer to the opening handshake.

use std::sync::Arc;

use http::StatusCode;

use super::Engine;
use super::upgrade::{refuse, reject};
use crate::control::event::What;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Accept, Effect, Level};
use crate::interface::hook::Hook;
use crate::protocol::{self, OutboxOptions, Refusal, SocketOptions};
use crate::routing::authentication::{Admission, Authentication, TokenPlace};
use crate::state::connection::Phase;
use crate::state::timers::Timer;
use crate::time::Now;

impl Engine {
    /// Goes on with an opening handshake that a fault has delayed.
    pub(super) fn authenticate(
        &mut self,
        now: Now,
        id: ConnectionId,
        route: usize,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        connection.phase = Phase::Accepted;
        let request = connection.request();
        match self.state.routes[route].settings.authentication.decide(&request) {
            Some(admission) => self.decided(now, id, admission, effects),
            None => self.ask(now, id, route, effects),
        }
    }

    /// What a client that was not admitted has to show, for those who are told of it.
    fn why_refused(&self, id: ConnectionId) -> Option<String> {
        self.state.trace.as_ref()?;
        let route = self.state.routes.get(self.state.connections.get(id)?.route)?;
        Some(match &route.settings.authentication {
            Authentication::Open => return None,
            Authentication::Header(name) => {
                format!(
                    "the route wants the header {name}; browsers cannot send it, so use authenticate.token for them"
                )
            }
            Authentication::Token(rule) => {
                let place = match &rule.place {
                    TokenPlace::Query(name) => format!("as ?{name}=…"),
                    TokenPlace::Header(name) => format!("in the header {name}"),
                    TokenPlace::QueryOrHeader(name, header) => {
                        format!("as ?{name}=… or in the header {header}")
                    }
                };
                format!("the token is missing or wrong; send one of authenticate.token.values {place}")
            }
            Authentication::Hook => "the route's authenticate did not let it in; look there why".to_owned(),
            Authentication::Handler => {
                format!(
                    "the dialect {} did not let it in; look at its options, and at the log",
                    route.settings.kind
                )
            }
        })
    }

    /// Lets the route's handler decide, at once or by a hook.
    pub(super) fn ask(&mut self, now: Now, id: ConnectionId, route: usize, effects: &mut Vec<Effect>) {
        let asked = self.state.next_call();
        if self.state.routes[route].settings.authentication == Authentication::Hook {
            let params = self.state.connections.get(id).map(|c| c.params().clone()).unwrap_or_default();
            if let Some(connection) = self.state.connections.get_mut(id) {
                connection.phase = Phase::Authenticating(asked);
            }
            self.state.call(id, Hook::Authenticate { params }, now, effects);
            return;
        }
        match self.run(now, route, Some(id), effects, |handler, cx| Ok(handler.authenticate(cx))) {
            Ok(Some(admission)) => self.decided(now, id, admission, effects),
            Ok(None) => match self.state.call_of(id, asked) {
                Some(call) => {
                    if let Some(connection) = self.state.connections.get_mut(id) {
                        connection.phase = Phase::Authenticating(call);
                    }
                }
                None => self.authentication_failed(
                    now,
                    id,
                    "the handler returned None and called no hook; return a Admission, or call \
                     Hook::Authenticate with Context::call, whose answer decides",
                    effects,
                ),
            },
            Err(error) => self.authentication_failed(now, id, &error.to_string(), effects),
        }
    }

    /// Authentication is done.
    pub(super) fn decided(
        &mut self,
        now: Now,
        id: ConnectionId,
        admission: Admission,
        effects: &mut Vec<Effect>,
    ) {
        match admission {
            Admission::Accept { data } => self.admit(now, id, data, effects),
            Admission::Close(frame) => {
                let why = self.why_refused(id);
                if let Some(connection) = self.state.connections.get(id) {
                    let (route, path) = (connection.route, connection.path().to_owned());
                    let how =
                        || format!("refused with close code {}: {}", frame.code.0, frame.reason.as_str());
                    if let Some(trace) = &mut self.state.trace {
                        trace.line(|| format!("an opening handshake for {path} is {}", how()));
                        trace.happened(Some(route), Arc::default, || What::Refused {
                            path: path.clone(),
                            status: None,
                            code: Some(frame.code.0),
                            reason: match (frame.reason.as_str(), why) {
                                (reason, None) => reason.to_owned(),
                                ("", Some(why)) => why,
                                (reason, Some(why)) => format!("{reason}: {why}"),
                            },
                        });
                    }
                    self.note_refusal(now, route, &path, how, effects);
                }
                self.accept(now, id, Phase::Refusing(Box::new(frame)), None, effects);
            }
            Admission::Refuse(refusal) => {
                let status = refusal.status;
                if (300..600).contains(&status.as_u16()) {
                    if let Some(why) = self.why_refused(id) {
                        self.state.explain(id, || format!("{}: {why}", refusal.reason));
                    }
                    self.note_refused(now, id, &refusal, effects);
                    return self.refuse_with(now, id, refusal, effects);
                }
                if let Some(connection) = self.state.connections.get(id) {
                    let path = connection.path();
                    let text = || {
                        format!(
                            "authenticate for {path} refuses with HTTP {status}: answered 500; use 400 to 599"
                        )
                    };
                    let key = (connection.route, "refusal");
                    self.state.log_throttle.note(now.instant, key, Level::Error, text, effects);
                }
                self.refuse(now, id, StatusCode::INTERNAL_SERVER_ERROR, effects);
            }
        }
    }

    /// The client is admitted: answers its opening handshake, or leaves that to its handler.
    fn admit(&mut self, now: Now, id: ConnectionId, data: serde_json::Value, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        let route = connection.route;
        if !data.is_null() {
            connection.auth_data = Some(Box::new(data));
        }
        connection.phase = Phase::Delayed;
        match self.run(now, route, Some(id), effects, |handler, cx| handler.delays_handshake(cx)) {
            Ok(false) => self.accept(now, id, Phase::Accepted, None, effects),
            Ok(true) => self.answer_delayed(now, id, effects),
            Err(error) => self.authentication_failed(now, id, &error.to_string(), effects),
        }
    }

    /// Answers an opening handshake that was delayed, if its handler has decided how, or can no longer decide.
    pub(super) fn answer_delayed(&mut self, now: Now, id: ConnectionId, effects: &mut Vec<Effect>) {
        let answer = self.state.delayed.pop().filter(|(other, _)| *other == id);
        let is_postponed = std::mem::take(&mut self.state.is_postponed);
        self.state.delayed.clear();
        if self.state.connections.get(id).is_none_or(|connection| connection.phase != Phase::Delayed) {
            return;
        }
        match answer {
            Some((_, Ok(subprotocol))) => self.accept(now, id, Phase::Accepted, Some(subprotocol), effects),
            Some((_, Err(status))) => self.refuse_delayed(now, id, status, effects),
            None if !is_postponed && self.state.upstreams.of(id).is_empty() => {
                self.refuse_delayed(now, id, StatusCode::BAD_GATEWAY, effects);
            }
            None => {}
        }
    }

    /// Answers the opening handshakes that handlers have postponed and decided now.
    pub(super) fn answer_postponed(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for (id, answer) in std::mem::take(&mut self.state.delayed) {
            if self.state.connections.get(id).is_some_and(|connection| connection.phase == Phase::Delayed) {
                match answer {
                    Ok(subprotocol) => self.accept(now, id, Phase::Accepted, Some(subprotocol), effects),
                    Err(status) => self.refuse_delayed(now, id, status, effects),
                }
            }
        }
    }

    /// The route's handler refuses a client that was admitted.
    fn refuse_delayed(&mut self, now: Now, id: ConnectionId, status: StatusCode, effects: &mut Vec<Effect>) {
        let route =
            self.state.connections.get(id).and_then(|connection| self.state.routes.get(connection.route));
        let kind = route.map_or("route", |route| route.settings.kind);
        self.state.explain(id, || match kind {
            "proxy" => {
                format!("{status}: the proxy's target refused or could not be reached; the log says which")
            }
            kind => format!("{status}: the {kind} of the route refused; the log says why"),
        });
        self.refuse(now, id, status, effects);
    }

    fn refuse(&mut self, now: Now, id: ConnectionId, status: StatusCode, effects: &mut Vec<Effect>) {
        self.refuse_with(now, id, Box::new(Refusal::of_status(status)), effects);
    }

    pub(super) fn refuse_with(
        &mut self,
        now: Now,
        id: ConnectionId,
        refusal: Box<Refusal>,
        effects: &mut Vec<Effect>,
    ) {
        self.forget(now, id, effects);
        effects.push(Effect::Refuse { id, refusal });
    }

    /// The user's `authenticate` returned something that is not an admission: the client is refused.
    pub(super) fn undecided(&mut self, now: Now, id: ConnectionId, message: &str, effects: &mut Vec<Effect>) {
        let Some(connection) = self.state.connections.get(id) else {
            return;
        };
        let text = || format!("authenticate for {} {message}", connection.path());
        let key = (connection.route, "admission");
        let why = text();
        self.state.log_throttle.note(now.instant, key, Level::Warn, text, effects);
        self.state.explain(id, || why);
        self.refuse(now, id, StatusCode::UNAUTHORIZED, effects);
    }

    /// The user's `authenticate` threw.
    pub(super) fn authentication_failed(
        &mut self,
        now: Now,
        id: ConnectionId,
        message: &str,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.forget(now, id, effects) else {
            return;
        };
        let text = || format!("authenticate for {} failed: {message}", connection.path());
        let key = (connection.route, "authenticate");
        self.state.log_throttle.note(now.instant, key, Level::Error, text, effects);
        self.state.explain(id, text);
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        reject(id, status, status.canonical_reason().unwrap_or_default(), effects);
    }

    /// Completes the opening handshake, with this subprotocol or with the first of the route's that is offered.
    pub(super) fn accept(
        &mut self,
        now: Now,
        id: ConnectionId,
        phase: Phase,
        subprotocol: Option<Option<Arc<str>>>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return;
        };
        let route = connection.route;
        let settings = &self.state.routes[route].settings;
        let Some(handshake) = connection.handshake.take() else {
            return;
        };
        let negotiated = match &settings.deflate {
            Some(config) => protocol::negotiate(config, &handshake.extensions),
            None => Ok(None),
        };
        let deflate = match negotiated {
            Ok(deflate) => deflate,
            Err(refusal) => {
                self.note_refused(now, id, &refusal, effects);
                self.forget(now, id, effects);
                return refuse(id, refusal, effects);
            }
        };
        let (deflate, extension) = deflate.unzip();
        let subprotocol = subprotocol.unwrap_or_else(|| {
            protocol::select_subprotocol(&handshake.protocols, &settings.subprotocols).map(Arc::from)
        });
        let response = protocol::response(&handshake, subprotocol.as_deref(), extension);
        connection.subprotocol = subprotocol;
        connection.phase = phase;
        effects.push(Effect::Accept(Box::new(Accept {
            id,
            public_id: connection.public_id.clone(),
            route,
            response,
            socket: SocketOptions {
                deflate,
                outbox: OutboxOptions { max_bytes: settings.max_outbound, overflow: settings.overflow },
                ..SocketOptions::with_max_message(settings.max_payload)
            },
            params: connection.params().clone(),
            subprotocol: connection.subprotocol.clone(),
        })));
        self.state.timers.set(Timer::Opening(id), now.instant + self.state.limits.handshake_timeout);
    }
}
