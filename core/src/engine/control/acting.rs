//! What the control API does.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Failure, bad_request, view};
use crate::control::body::{self, Broadcast, Close, Publish, Reset, Send, Target, Terminate};
use crate::control::view::DoneView;
use crate::engine::Engine;
use crate::feed::source::{Source, Work};
use crate::handler::command::{Command, CommandError, RouteCommand};
use crate::handler::context::Context;
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::stats::ByteCounts;
use crate::message::CloseFrame;
use crate::routing::authentication::Admission;
use crate::state::connection::{Connection, Phase};
use crate::state::log_throttle::LogThrottle;
use crate::time::Now;

type Answer = Result<Response<Bytes>, Failure>;

impl Engine {
    pub(super) fn publish_value(
        &mut self,
        now: Now,
        name: &str,
        body: &[u8],
        effects: &mut Vec<Effect>,
    ) -> Answer {
        let Publish { value } = body::read(body).map_err(bad_request)?;
        self.named_feed(name)?;
        self.publish(now, name, value, effects);
        let serves =
            |index: &&usize| self.state.routes[**index].settings.feeds.iter().any(|feed| feed == name);
        done(self.indices.iter().filter(serves).count())
    }

    pub(super) fn send(&mut self, now: Now, body: &[u8], effects: &mut Vec<Effect>) -> Answer {
        let send: Send = body::read(body).map_err(bad_request)?;
        let connection = self.named_connection(&send.connection)?;
        let (id, route) = (connection.id, connection.route);
        let message = send.message().map_err(bad_request)?;
        let mut cx = Context { state: &mut self.state, effects, now, route, id: Some(id) };
        cx.apply(Command::Send(message)).map_err(conflict)?;
        done(1)
    }

    pub(super) fn broadcast(&mut self, now: Now, body: &[u8], effects: &mut Vec<Effect>) -> Answer {
        let broadcast: Broadcast = body::read(body).map_err(bad_request)?;
        let route = self.named_route(&broadcast.route)?;
        let room = broadcast.room.clone();
        let message = broadcast.message().map_err(bad_request)?;
        let sent = self.carry_out(now, route, RouteCommand::Send { message, room }, effects);
        done(sent.map_err(conflict)?)
    }

    pub(super) fn close(&mut self, now: Now, body: &[u8], effects: &mut Vec<Effect>) -> Answer {
        let (target, frame) = body::read::<Close>(body).and_then(Close::parts).map_err(bad_request)?;
        let ids = self.targeted(target)?;
        done(self.close_all(now, &ids, &frame, effects))
    }

    pub(super) fn terminate(&mut self, body: &[u8], effects: &mut Vec<Effect>) -> Answer {
        let target = body::read::<Terminate>(body).and_then(Terminate::target).map_err(bad_request)?;
        let ids = self.targeted(target)?;
        for id in &ids {
            self.state.terminate(*id, CloseCause::Server, effects);
        }
        done(ids.len())
    }

    pub(super) fn reset(&mut self, now: Now, body: &[u8], effects: &mut Vec<Effect>) -> Answer {
        let frame = body::read::<Reset>(body).and_then(Reset::frame).map_err(bad_request)?;
        let ids: Vec<ConnectionId> = self.clients().map(Connection::id).collect();
        let closed = self.close_all(now, &ids, &frame, effects);
        self.forget_faults(now, effects);
        self.remove_breakpoints(now, None, effects);
        for feed in &mut self.state.feeds {
            feed.forget();
        }
        for source in self.sources.iter_mut().flatten() {
            if let Source { work: Work::Post { waiting, .. }, .. } = source {
                waiting.clear();
            }
        }
        for route in &mut self.state.routes {
            route.dropped_messages = 0;
            route.contract_violations = 0;
            route.mismatches = 0;
        }
        self.state.client_bytes = ByteCounts::default();
        self.state.upstream_bytes = ByteCounts::default();
        self.state.log_throttle = LogThrottle::default();
        if let Some(control) = &mut self.state.control {
            control.history.forget();
        }
        done(closed)
    }

    /// Closes connections, whatever they are about to do: how many.
    fn close_all(
        &mut self,
        now: Now,
        ids: &[ConnectionId],
        frame: &CloseFrame,
        effects: &mut Vec<Effect>,
    ) -> usize {
        let mut closed = 0;
        for id in ids {
            let Some(connection) = self.state.connections.get_mut(*id) else { continue };
            closed += 1;
            match connection.phase {
                Phase::Authenticating(_) | Phase::Held | Phase::Delayed => {
                    let refusal = Admission::refuse_with(StatusCode::SERVICE_UNAVAILABLE);
                    self.decided(now, *id, refusal, effects);
                }
                // The close frame follows when it has opened.
                Phase::Accepted => connection.phase = Phase::Refusing(Box::new(frame.clone())),
                Phase::Open => self.state.start_closing(*id, Some(frame.clone()), now, effects),
                Phase::Refusing(_) | Phase::Closing(_) | Phase::Closed(_) => closed -= 1,
            }
        }
        closed
    }

    pub(super) fn targeted(&self, target: Target) -> Result<Vec<ConnectionId>, Failure> {
        Ok(match target {
            Target::Connection(name) => vec![self.named_connection(&name)?.id],
            Target::Route { route, room } => self.audience(self.named_route(&route)?, room.as_deref()),
            Target::Everyone => self.clients().map(Connection::id).collect(),
        })
    }

    fn clients(&self) -> impl Iterator<Item = &Connection> {
        self.state.connections.iter().filter(|connection| self.is_client(connection))
    }
}

pub(super) fn done(count: usize) -> Answer {
    view(&DoneView { count })
}

fn conflict(error: CommandError) -> Failure {
    (StatusCode::CONFLICT, error.to_string())
}
