//! What an interpreter's thread has at hand: the host, the calls that it has not answered, and when to stop.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use switchboard_core::{Answer, Command, CommandError, ConnectionId, Message};

use crate::callbacks::PeerData;
use crate::flush::sending_half::SendingHalf;
use crate::host::user_code::Pending;
use crate::host::{Host, Turn};

/// What is sent is written after this time at the latest, also when the function that sent it goes on.
const SOON: Duration = Duration::from_millis(1);

/// How many messages may wait for the turn that sends them, and of how many bytes each.
const MAX_SAID: usize = 64;
const MAX_SAID_BYTES: usize = 64 << 10;

pub(super) struct Desk {
    began: Instant,
    host: RefCell<Weak<Host>>,
    /// Whose function runs.
    peer: RefCell<Option<Arc<PeerData>>>,
    /// The engine's routes, by the numbers of handlers.
    routes: RefCell<Vec<usize>>,
    /// The call whose function runs, until it is answered.
    current: RefCell<Option<(u32, Pending)>>,
    /// Those that are awaited.
    calls: RefCell<HashMap<u32, Pending>>,
    last_call: Cell<u32>,
    /// What the function that runs has sent, for the turn that tells the engine what came of it.
    said: RefCell<Vec<(ConnectionId, Command)>>,
    /// Sockets to write.
    touched: RefCell<Vec<Arc<SendingHalf>>>,
    /// Since when something was sent, or sockets are to be written.
    since: Cell<Option<Instant>>,
    /// When the next timer is due.
    pub(super) alarm: Cell<Option<Instant>>,
    /// How long what runs now may run, when that ends, and whether it was stopped.
    limit: Cell<Option<Duration>>,
    deadline: Cell<Option<Instant>>,
    is_interrupted: Cell<bool>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            host: RefCell::default(),
            peer: RefCell::default(),
            routes: RefCell::default(),
            current: RefCell::default(),
            calls: RefCell::default(),
            last_call: Cell::default(),
            said: RefCell::default(),
            touched: RefCell::default(),
            since: Cell::default(),
            alarm: Cell::default(),
            limit: Cell::default(),
            deadline: Cell::default(),
            is_interrupted: Cell::default(),
        }
    }

    /// The time in ms since the interpreter began.
    pub(super) fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1000.0
    }

    /// The next timer is due at this time of [`now`](Self::now); negative: there is none.
    pub(super) fn set_alarm(&self, at: f64) {
        self.alarm.set((at >= 0.0).then(|| self.began + Duration::from_secs_f64(at / 1000.0)));
    }

    /// The host that it works for, if that is still there. Its engine knows all that was sent before.
    pub(super) fn host(&self) -> Option<Arc<Host>> {
        let host = self.host.borrow().upgrade();
        match &host {
            _ if self.said.borrow().is_empty() => {}
            Some(host) => host.gathered_turn(&mut self.touched.borrow_mut(), |turn| self.tell(turn)),
            None => self.said.borrow_mut().clear(),
        }
        host
    }

    /// Tells the engine what was sent.
    fn tell(&self, turn: &mut Turn<'_>) {
        for (id, command) in self.said.borrow_mut().drain(..) {
            // The only error that there can be is that the connection is gone.
            let _ = turn.command(id, command);
        }
    }

    pub(super) fn set_host(&self, host: &Arc<Host>) {
        if self.host.borrow().as_ptr() != Arc::as_ptr(host) {
            self.host();
            self.host.replace(Arc::downgrade(host));
        }
    }

    /// The connection whose function runs.
    pub(super) fn peer(&self) -> Option<Arc<PeerData>> {
        self.peer.borrow().clone()
    }

    pub(super) fn set_peer(&self, peer: Option<Arc<PeerData>>) {
        self.peer.replace(peer);
    }

    /// Keeps a call while its function runs, and gives its number, which is not 0.
    pub(super) fn keep(&self, pending: Pending) -> u32 {
        let call = self.last_call.get().wrapping_add(1).max(1);
        self.last_call.set(call);
        // One that nobody answered counts as panicked.
        drop(self.current.replace(Some((call, pending))));
        call
    }

    /// The function of the call that ran is awaited: keeps the call until it is answered.
    pub(super) fn put_by(&self) {
        if let Some((call, pending)) = self.current.take() {
            self.calls.borrow_mut().insert(call, pending);
        }
    }

    /// Whether a call that is awaited is not answered yet.
    pub(super) fn is_kept(&self, call: u32) -> bool {
        self.calls.borrow().contains_key(&call)
    }

    fn take(&self, call: u32) -> Option<Pending> {
        match self.current.take() {
            Some((current, pending)) if current == call => Some(pending),
            other => {
                self.current.replace(other);
                self.calls.borrow_mut().remove(&call)
            }
        }
    }

    /// The engine's route of a handler, by its number; of none before its first call.
    pub(super) fn route(&self, number: u32) -> usize {
        self.routes.borrow().get(number as usize).copied().unwrap_or(usize::MAX)
    }

    pub(super) fn set_route(&self, number: u32, route: usize) {
        let (mut routes, number) = (self.routes.borrow_mut(), number as usize);
        if routes.len() <= number {
            routes.resize(number + 1, usize::MAX);
        }
        routes[number] = route;
    }

    /// Answers a call; nothing happens if it is answered.
    pub(super) fn answer(&self, call: u32, answer: Answer) {
        if let Some(pending) = self.take(call) {
            pending.settle_gathered(answer, &mut self.touched.borrow_mut(), |turn| self.tell(turn));
            self.touched();
        }
    }

    /// The engine no longer waits for a call; whether it did.
    pub(super) fn give_up(&self, call: u32) -> bool {
        self.take(call).map(Pending::give_up).is_some()
    }

    /// Carries out a command for a connection.
    pub(super) fn command(&self, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        let Some(host) = self.host.borrow().upgrade() else { return Ok(()) };
        let done = host.gathered_turn(&mut self.touched.borrow_mut(), |turn| {
            self.tell(turn);
            turn.command(id, command)
        });
        self.touched();
        done
    }

    /// Sends a message, with the next turn that anything needs: to take one costs more than to send.
    pub(super) fn send(&self, id: ConnectionId, message: Message, command: impl FnOnce(Message) -> Command) {
        let is_large = message.len() >= MAX_SAID_BYTES;
        self.said.borrow_mut().push((id, command(message)));
        self.begin();
        if is_large || self.said.borrow().len() >= MAX_SAID {
            self.host();
        }
    }

    fn touched(&self) {
        if !self.touched.borrow().is_empty() {
            self.begin();
        }
    }

    fn begin(&self) {
        if self.since.get().is_none() {
            self.since.set(Some(Instant::now()));
        }
    }

    /// Writes what was sent.
    pub(super) fn flush(&self) {
        if self.since.take().is_some()
            && let Some(host) = self.host()
        {
            host.flush(&mut self.touched.borrow_mut());
        }
    }

    /// Writes what was sent some time ago.
    pub(super) fn flush_soon(&self) {
        if self.since.get().is_some_and(|since| since.elapsed() >= SOON) {
            self.flush();
        }
    }

    /// From now on code may run for so long. Its time begins when it is looked at first, after some thousand steps, so that most
    /// calls need no clock.
    pub(super) fn arm(&self, limit: Duration) {
        self.is_interrupted.set(false);
        self.deadline.set(None);
        self.limit.set(Some(limit));
    }

    /// No code runs. Whether what ran was stopped.
    pub(super) fn disarm(&self) -> bool {
        self.limit.set(None);
        self.is_interrupted.take()
    }

    /// Whether the time is over.
    pub(super) fn is_late(&self) -> bool {
        let Some(limit) = self.limit.get() else { return false };
        let now = Instant::now();
        match self.deadline.get() {
            Some(deadline) => now >= deadline,
            None => {
                self.deadline.set(Some(now + limit));
                false
            }
        }
    }

    /// The interpreter asks now and then whether to stop what runs.
    pub(super) fn interrupts(&self) -> bool {
        self.flush_soon();
        let is_late = self.is_late();
        if is_late {
            self.is_interrupted.set(true);
        }
        is_late
    }
}
