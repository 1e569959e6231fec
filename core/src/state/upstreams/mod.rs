//! The connections that the engine opened itself, and what waits on them in either direction.
//!
//! Both directions are bounded, and neither waits for the other:
//!
//! - **Out**: a message that was sent counts until the host reports [`UpstreamEvent::Sent`](crate::UpstreamEvent::Sent).
//!   From `max_queued` bytes on, the owner's inbox is held, so that its client is paused once that is full; it goes on
//!   when half of the bytes are left. What is sent regardless is dropped from twice the bound on.
//! - **In**: events wait, in order, while the owner cannot take them: while a hook is awaited, and while the client's
//!   outbox is full. When too many wait, the host is told not to read on.

mod table;
mod upstream;

use super::close_wait;
use super::connection::{Connection, Phase as ConnectionPhase};
use super::timers::Timer;
use super::{Owner, State};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::upstream::{Dial, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::Pushed;
use crate::time::Now;

pub(crate) use table::Upstreams;
pub(crate) use upstream::{Phase, Upstream};

/// How many outgoing connections one client may have at once.
const MAX_PER_CONNECTION: usize = 100;

impl State {
    /// Opens an outgoing connection; `None`: its owner has as many as it may.
    pub(crate) fn dial(
        &mut self,
        owner: Owner<ConnectionId>,
        dial: Dial,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Option<UpstreamId> {
        if let Owner::Handler(id) = owner
            && self.upstreams.of(id).len() >= MAX_PER_CONNECTION
        {
            return None;
        }
        let upstream = self.upstreams.insert(Upstream::new(owner, &dial, now));
        self.timers.set(Timer::Upstream(upstream), now.instant + dial.timeout);
        self.hold(upstream);
        effects.push(Effect::Dial { upstream, dial: Box::new(dial) });
        Some(upstream)
    }

    /// The other side has answered the opening handshake.
    pub(crate) fn upstream_opened(&mut self, upstream: UpstreamId) {
        if let Some(known) = self.upstreams.get_mut(upstream) {
            known.phase = Phase::Open;
            self.timers.cancel(Timer::Upstream(upstream));
        }
    }

    /// The transport is gone; its owner is still to be told.
    pub(crate) fn upstream_ended(&mut self, upstream: UpstreamId) {
        if let Some(known) = self.upstreams.get_mut(upstream) {
            known.phase = Phase::Ended;
            known.clear_queued();
            self.timers.cancel(Timer::Upstream(upstream));
        }
    }

    /// Sends on an outgoing connection that is open.
    pub(crate) fn send_upstream(
        &mut self,
        upstream: UpstreamId,
        message: Message,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Pushed {
        let Some(known) = self.upstreams.get_mut(upstream).filter(|it| it.phase == Phase::Open) else {
            return Pushed::Dropped(1);
        };
        // A client that has left sends no more than waits in its inbox, and all of that may go.
        let may_exceed = match known.owner {
            Owner::Handler(id) => self.connections.get(id).is_some_and(Connection::is_closed),
            Owner::Source(_) => true,
        };
        if known.is_overfull() && !may_exceed {
            self.upstream_bytes.dropped += message.len() as u64;
            return Pushed::Dropped(1);
        }
        let was_empty = known.queued_bytes() == 0;
        known.push_queued(message.len(), now);
        let is_full = known.is_full();
        if was_empty && !self.timers.is_set(Timer::Upstream(upstream)) {
            self.timers.set(Timer::Upstream(upstream), now.instant + known.send_timeout);
        }
        effects.push(Effect::SendUpstream { upstream, message });
        if !is_full {
            return Pushed::Queued;
        }
        self.hold(upstream);
        Pushed::Full
    }

    /// The other side has taken so many messages of those that were sent.
    pub(crate) fn upstream_took(&mut self, upstream: UpstreamId, messages: usize, now: Now) {
        let Some(known) = self.upstreams.get_mut(upstream) else { return };
        self.upstream_bytes.sent += known.took(messages, now);
        let (phase, is_drained) = (known.phase, known.is_drained());
        match phase {
            Phase::Open if is_drained => self.release(upstream),
            // As long as the other side takes what was sent before, the close frame may wait.
            Phase::Closing { latest } => {
                let deadline = (now.instant + self.limits.close_timeout).min(latest);
                self.timers.set(Timer::Upstream(upstream), deadline);
            }
            _ => {}
        }
    }

    /// Stops or goes on reading an outgoing connection.
    pub(crate) fn pause_upstream(
        &mut self,
        upstream: UpstreamId,
        pause: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(known) = self.upstreams.get_mut(upstream) else { return };
        if known.is_paused == pause || known.phase != Phase::Open {
            return;
        }
        known.is_paused = pause;
        // If the other side did not read, then perhaps because it could not write.
        known.restart_deadline(now);
        if pause {
            effects.push(Effect::PauseUpstream { upstream });
            return;
        }
        if let Some(deadline) = known.send_deadline()
            && !self.timers.is_set(Timer::Upstream(upstream))
        {
            self.timers.set(Timer::Upstream(upstream), deadline);
        }
        effects.push(Effect::ResumeUpstream { upstream });
    }

    /// Closes an outgoing connection, open or not yet. What was sent goes out before; its owner hears no more of it.
    pub(crate) fn close_upstream(
        &mut self,
        upstream: UpstreamId,
        frame: Option<CloseFrame>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        match self.upstreams.get(upstream).map(|known| known.phase) {
            None | Some(Phase::Closing { .. }) => {}
            Some(Phase::Dialling) => self.terminate_upstream(upstream, effects),
            Some(Phase::Ended) => self.forget_upstream(upstream),
            Some(Phase::Open) => {
                self.release(upstream);
                // The other side's close frame has to be read.
                self.pause_upstream(upstream, false, now, effects);
                let timeout = self.limits.close_timeout;
                if let Some(known) = self.upstreams.get_mut(upstream) {
                    known.phase = Phase::Closing { latest: close_wait::latest(now.instant, timeout) };
                    known.clear_waiting();
                }
                self.timers.set(Timer::Upstream(upstream), now.instant + timeout);
                effects.push(Effect::CloseUpstream { upstream, frame });
            }
        }
    }

    /// Drops an outgoing connection with what waits on it.
    pub(crate) fn terminate_upstream(&mut self, upstream: UpstreamId, effects: &mut Vec<Effect>) {
        if self.upstreams.get(upstream).is_some() {
            self.forget_upstream(upstream);
            effects.push(Effect::TerminateUpstream { upstream });
        }
    }

    /// The host reported the end of an outgoing connection and its owner knows, or does not care.
    pub(crate) fn forget_upstream(&mut self, upstream: UpstreamId) {
        self.release(upstream);
        self.timers.cancel(Timer::Upstream(upstream));
        self.upstreams.remove(upstream);
    }

    /// Closes what was opened for a connection that is gone.
    pub(crate) fn abandon_upstreams(&mut self, id: ConnectionId, now: Now, effects: &mut Vec<Effect>) {
        for upstream in self.upstreams.disown(id) {
            self.close_upstream(upstream, None, now, effects);
        }
    }

    /// The client has left: what it said before may go, whatever the other side takes.
    pub(crate) fn release_all(&mut self, id: ConnectionId) {
        for upstream in self.upstreams.of(id).to_vec() {
            self.release(upstream);
        }
    }

    /// Lets its client's inbox wait.
    fn hold(&mut self, upstream: UpstreamId) {
        if let Some(known) = self.upstreams.get_mut(upstream)
            && let Owner::Handler(id) = known.owner
            && !known.is_holding
            && let Some(connection) = self.connections.get_mut(id).filter(|it| !it.is_closed())
        {
            known.is_holding = true;
            connection.inbox.holds += 1;
        }
    }

    /// Lets its client's inbox go on, as far as it depends on this one.
    pub(crate) fn release(&mut self, upstream: UpstreamId) {
        if let Some(known) = self.upstreams.get_mut(upstream)
            && std::mem::take(&mut known.is_holding)
            && let Owner::Handler(id) = known.owner
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.inbox.holds = connection.inbox.holds.saturating_sub(1);
            self.due.push(id);
        }
    }
}

impl Connection {
    /// Whether its handler can be told what came on its outgoing connections.
    pub(crate) fn takes_upstream_events(&self) -> bool {
        let is_ready = !matches!(
            self.phase,
            ConnectionPhase::Authenticating(_) | ConnectionPhase::Accepted | ConnectionPhase::Refusing(_)
        );
        is_ready && self.inbox.calls == 0 && !self.inbox.is_outbox_full
    }
}
