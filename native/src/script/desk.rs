//! What an interpreter's thread has at hand: the host, the calls that it has not answered, and when to stop.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use switchboard_core::{Answer, Command, CommandError, ConnectionId};

use crate::callbacks::PeerData;
use crate::flush::sending_half::SendingHalf;
use crate::host::Host;
use crate::host::user_code::Pending;

/// What is sent is written after this time at the latest, also when the function that sent it goes on.
const SOON: Duration = Duration::from_millis(1);

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
    /// Sockets to write, and since when.
    touched: RefCell<Vec<Arc<SendingHalf>>>,
    touched_since: Cell<Option<Instant>>,
    /// When the next timer is due.
    pub(super) alarm: Cell<Option<Instant>>,
    /// When what runs now is stopped, and whether it was.
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
            touched: RefCell::default(),
            touched_since: Cell::default(),
            alarm: Cell::default(),
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

    /// The host that it works for, if that is still there.
    pub(super) fn host(&self) -> Option<Arc<Host>> {
        self.host.borrow().upgrade()
    }

    pub(super) fn set_host(&self, host: &Arc<Host>) {
        let mut known = self.host.borrow_mut();
        if known.as_ptr() != Arc::as_ptr(host) {
            *known = Arc::downgrade(host);
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
            pending.settle_gathered(answer, &mut self.touched.borrow_mut());
            self.touched();
        }
    }

    /// The engine no longer waits for a call; whether it did.
    pub(super) fn give_up(&self, call: u32) -> bool {
        self.take(call).map(Pending::give_up).is_some()
    }

    /// Carries out a command for a connection.
    pub(super) fn command(&self, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        let Some(host) = self.host() else { return Ok(()) };
        let done = host.gathered_turn(&mut self.touched.borrow_mut(), |turn| turn.command(id, command));
        self.touched();
        done
    }

    fn touched(&self) {
        if self.touched_since.get().is_none() && !self.touched.borrow().is_empty() {
            self.touched_since.set(Some(Instant::now()));
        }
    }

    /// Writes what was sent.
    pub(super) fn flush(&self) {
        if self.touched_since.take().is_some()
            && let Some(host) = self.host()
        {
            host.flush(&mut self.touched.borrow_mut());
        }
    }

    /// Writes what was sent some time ago.
    pub(super) fn flush_soon(&self) {
        if self.touched_since.get().is_some_and(|since| since.elapsed() >= SOON) {
            self.flush();
        }
    }

    /// From now on code may run for so long.
    pub(super) fn arm(&self, limit: Duration) {
        self.is_interrupted.set(false);
        self.deadline.set(Some(Instant::now() + limit));
    }

    /// No code runs. Whether what ran was stopped.
    pub(super) fn disarm(&self) -> bool {
        self.deadline.set(None);
        self.is_interrupted.take()
    }

    /// Whether the time is over.
    pub(super) fn is_late(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline)
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
