//! The connections that the engine opened itself, and what waits on them in either direction.
//!
//! Both directions are bounded, and neither waits for the other:
//!
//! - **Out**: what was sent and not taken yet counts until the host reports
//!   [`UpstreamEvent::Sent`](crate::UpstreamEvent::Sent). From `max_queued` bytes on, the owner's inbox is held, so that
//!   its client is paused once that is full; it goes on when half of it is left. Whoever sends regardless is refused at
//!   twice the bound.
//! - **In**: what came and the owner cannot take yet waits in order: while a hook is awaited, and while the client's
//!   outbox is full. The host is told not to read on.

use std::collections::{HashMap, VecDeque};

use super::connection::{Connection, Phase as ConnectionPhase};
use super::id_hash::IdHash;
use super::timers::Timer;
use super::{Owner, State};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::upstream::{Dial, UpstreamEvent, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::Pushed;
use crate::time::{Instant, Now};

/// How many outgoing connections one client may have at once.
const MAX_PER_CONNECTION: usize = 100;

/// What a message counts beside its bytes: empty ones cost memory as well.
const OVERHEAD: usize = 64;

/// Events that wait for their owner before the host stops reading.
const MAX_WAITING: usize = 256;

/// Bytes of messages that wait for their owner before the host stops reading.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// One outgoing connection.
///
/// ```text
/// Dialling ─▶ Open ─▶ Ended ─▶ forgotten      (the other side closed or broke; the owner is told in its turn)
///     │         └───▶ Closing ─▶ forgotten    (the owner closed; the host writes what is queued)
///     └───────────────────────▶ forgotten     (terminated)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The host has not reported how the opening handshake went.
    Dialling,
    /// Messages flow.
    Open,
    /// The owner has closed it; nothing of it is listened to but its end.
    Closing,
    /// Its transport is gone, and its owner has not been told yet.
    Ended,
}

/// What is known of one outgoing connection.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) owner: Owner<ConnectionId>,
    pub(crate) phase: Phase,
    /// Ms for the opening handshake.
    pub(crate) timeout: u64,
    /// Ms in which the other side has to take a message of what waits for it.
    pub(crate) send_timeout: u64,
    max_queued: usize,
    /// What each message measures that was sent and not taken yet.
    queued: VecDeque<usize>,
    queued_bytes: usize,
    /// When something of it has to be taken.
    deadline: Instant,
    /// Its owner's inbox waits for it.
    is_holding: bool,
    /// The host was told not to read it.
    pub(crate) is_paused: bool,
    /// What came and its owner was not told yet.
    waiting: VecDeque<UpstreamEvent>,
    waiting_bytes: usize,
}

/// All outgoing connections.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    by_id: HashMap<UpstreamId, Upstream, IdHash>,
    /// Those of each client.
    by_owner: HashMap<ConnectionId, Owned, IdHash>,
    latest: u64,
}

/// The outgoing connections of one client.
#[derive(Debug, Default)]
struct Owned {
    /// In the order in which they were opened.
    ids: Vec<UpstreamId>,
    /// The next time that both may go on, these do before their client.
    go_first: bool,
}

impl Upstreams {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn get(&self, upstream: UpstreamId) -> Option<&Upstream> {
        self.by_id.get(&upstream)
    }

    pub(crate) fn get_mut(&mut self, upstream: UpstreamId) -> Option<&mut Upstream> {
        self.by_id.get_mut(&upstream)
    }

    /// Those of a client, in the order in which they were opened.
    pub(crate) fn of(&self, id: ConnectionId) -> &[UpstreamId] {
        self.by_owner.get(&id).map(|owned| owned.ids.as_slice()).unwrap_or_default()
    }

    /// Whether something came for a client that its handler was not told yet.
    pub(crate) fn has_waiting(&self, id: ConnectionId) -> bool {
        self.of(id).iter().any(|upstream| self.by_id.get(upstream).is_some_and(|it| !it.waiting.is_empty()))
    }

    /// The next thing that a client's handler is to be told.
    pub(crate) fn pop_waiting(&mut self, id: ConnectionId) -> Option<(UpstreamId, UpstreamEvent)> {
        for upstream in &self.by_owner.get(&id)?.ids {
            if let Some(it) = self.by_id.get_mut(upstream)
                && let Some(event) = it.waiting.pop_front()
            {
                it.waiting_bytes -= size(&event);
                return Some((*upstream, event));
            }
        }
        None
    }

    /// Whether a client's outgoing connections go on before it does; the next time it is the other way round.
    pub(crate) fn take_turn(&mut self, id: ConnectionId) -> bool {
        self.by_owner.get_mut(&id).is_some_and(|owned| {
            owned.go_first = !owned.go_first;
            owned.go_first
        })
    }

    /// Bytes that came and wait for their owners, and bytes that were sent and not taken yet.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let sum = |bytes: fn(&Upstream) -> usize| self.by_id.values().map(|it| bytes(it) as u64).sum();
        (sum(|it| it.waiting_bytes), sum(|it| it.queued_bytes))
    }

    fn forget(&mut self, upstream: UpstreamId) -> Option<Upstream> {
        let forgotten = self.by_id.remove(&upstream)?;
        if let Owner::Handler(id) = forgotten.owner
            && let Some(owned) = self.by_owner.get_mut(&id)
        {
            owned.ids.retain(|other| *other != upstream);
            if owned.ids.is_empty() {
                self.by_owner.remove(&id);
            }
        }
        Some(forgotten)
    }
}

impl Upstream {
    /// Keeps an event until its owner can be told.
    pub(crate) fn push_waiting(&mut self, event: UpstreamEvent) {
        self.waiting_bytes += size(&event);
        self.waiting.push_back(event);
    }

    /// Whether so much waits for the owner that nothing more should be read.
    pub(crate) fn is_behind(&self) -> bool {
        self.waiting.len() >= MAX_WAITING || self.waiting_bytes >= MAX_WAITING_BYTES
    }

    /// Whether reading may go on as far as it depends on what waits.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() <= MAX_WAITING / 2 && self.waiting_bytes <= MAX_WAITING_BYTES / 2
    }

    /// When something of what is queued has to be taken; `None` while nothing is, or while the other side may be
    /// waiting for us.
    pub(crate) fn send_deadline(&self) -> Option<Instant> {
        (!self.queued.is_empty() && !self.is_paused).then_some(self.deadline)
    }
}

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
        self.upstreams.latest += 1;
        let upstream = UpstreamId(self.upstreams.latest);
        let known = Upstream {
            owner,
            phase: Phase::Dialling,
            timeout: dial.timeout,
            send_timeout: dial.send_timeout,
            max_queued: dial.max_queued,
            queued: VecDeque::new(),
            queued_bytes: 0,
            deadline: now.instant,
            is_holding: false,
            is_paused: false,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        };
        self.upstreams.by_id.insert(upstream, known);
        if let Owner::Handler(id) = owner {
            self.upstreams.by_owner.entry(id).or_default().ids.push(upstream);
        }
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
            (known.queued, known.queued_bytes) = (VecDeque::new(), 0);
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
        let Some(known) = self.upstreams.by_id.get_mut(&upstream).filter(|it| it.phase == Phase::Open) else {
            return Pushed::Dropped(1);
        };
        // A client that has left sends no more than waits in its inbox, and all of that may go.
        let may_exceed = match known.owner {
            Owner::Handler(id) => self.connections.get(id).is_some_and(Connection::is_closed),
            Owner::Source(_) => true,
        };
        if known.queued_bytes >= known.max_queued.saturating_mul(2) && !may_exceed {
            self.upstream_bytes.dropped += message.len() as u64;
            return Pushed::Dropped(1);
        }
        if known.queued.is_empty() {
            known.deadline = now.instant + known.send_timeout;
            if !self.timers.is_set(Timer::Upstream(upstream)) {
                self.timers.set(Timer::Upstream(upstream), known.deadline);
            }
        }
        let bytes = message.len() + OVERHEAD;
        known.queued.push_back(bytes);
        known.queued_bytes += bytes;
        let is_full = known.queued_bytes >= known.max_queued;
        effects.push(Effect::SendUpstream { upstream, message });
        if !is_full {
            return Pushed::Queued;
        }
        self.hold(upstream);
        Pushed::Full
    }

    /// The other side has taken so many messages of those that were sent.
    pub(crate) fn upstream_took(&mut self, upstream: UpstreamId, messages: usize, now: Now) {
        let Some(known) = self.upstreams.by_id.get_mut(&upstream) else { return };
        for bytes in known.queued.drain(..messages.min(known.queued.len())) {
            known.queued_bytes -= bytes;
            self.upstream_bytes.sent += (bytes - OVERHEAD) as u64;
        }
        known.deadline = now.instant + known.send_timeout;
        let (phase, is_drained) = (known.phase, known.queued_bytes <= known.max_queued / 2);
        match phase {
            Phase::Open if is_drained => self.release(upstream),
            // As long as it takes what was sent before, the close frame has its time.
            Phase::Closing => {
                self.timers.set(Timer::Upstream(upstream), now.instant + self.limits.close_timeout);
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
        let Some(known) = self.upstreams.by_id.get_mut(&upstream) else { return };
        if known.is_paused == pause || known.phase != Phase::Open {
            return;
        }
        known.is_paused = pause;
        // The other side may not have read because it could not write.
        known.deadline = now.instant + known.send_timeout;
        if pause {
            effects.push(Effect::PauseUpstream { upstream });
            return;
        }
        if !known.queued.is_empty() && !self.timers.is_set(Timer::Upstream(upstream)) {
            self.timers.set(Timer::Upstream(upstream), known.deadline);
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
            None | Some(Phase::Closing) => {}
            Some(Phase::Dialling) => self.terminate_upstream(upstream, effects),
            Some(Phase::Ended) => self.forget_upstream(upstream),
            Some(Phase::Open) => {
                self.release(upstream);
                // The other side's close frame has to be read.
                self.pause_upstream(upstream, false, now, effects);
                if let Some(known) = self.upstreams.get_mut(upstream) {
                    known.phase = Phase::Closing;
                    (known.waiting, known.waiting_bytes) = (VecDeque::new(), 0);
                }
                self.timers.set(Timer::Upstream(upstream), now.instant + self.limits.close_timeout);
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
        self.upstreams.forget(upstream);
    }

    /// Closes what was opened for a connection that is gone.
    pub(crate) fn abandon_upstreams(&mut self, id: ConnectionId, now: Now, effects: &mut Vec<Effect>) {
        for upstream in self.upstreams.by_owner.remove(&id).unwrap_or_default().ids {
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
        if let Some(known) = self.upstreams.by_id.get_mut(&upstream)
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
        if let Some(known) = self.upstreams.by_id.get_mut(&upstream)
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

fn size(event: &UpstreamEvent) -> usize {
    match event {
        UpstreamEvent::Message(message) => message.len() + OVERHEAD,
        _ => OVERHEAD,
    }
}
