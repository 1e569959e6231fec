//! The engine, the sockets, and the turn that connects them.

pub(crate) mod after_turn;
pub(crate) mod appender;
mod clock;
mod connection_guard;
pub(crate) mod state;
mod turn;
pub(crate) mod user_code;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use switchboard_core::cluster::{Cluster, ClusterSettings};
use switchboard_core::time::Instant;
use switchboard_core::{
    CloseFrame, Command, CommandError, ConnectionId, Engine, HandlerResult, Input, Mounted, RouteCommand,
    Stats,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use crate::cluster::BackplaneOrders;
use crate::flush::Flush;
use crate::flush::cork::{Cork, Corked};
use crate::flush::sending_half::SendingHalf;
use crate::host::after_turn::AfterTurn;
use crate::host::clock::Clock;
use crate::host::state::{HostState, UpgradeAnswer};
use crate::host::user_code::UserCode;
pub(crate) use connection_guard::ConnectionGuard;
pub(crate) use turn::Turn;

/// One server's state, shared by all its tasks.
///
/// Every event is a *turn*: lock, tell the engine, carry out its effects (frames go to outboxes, under the lock, so
/// that their order is the same for everyone), unlock; then flush each touched socket once, on the thread that took the
/// turn. No lock is held across an await, and never two of the sockets' locks.
pub(crate) struct Host {
    state: Mutex<HostState>,
    clock: Clock,
    flush: Flush,
    cork: Mutex<Cork>,
    runtime: Handle,
    alarm: Arc<Notify>,
    emptied: Notify,
}

/// A turn that touched more sockets than this is written at once.
const MAX_CORKED: usize = 4;

thread_local! {
    /// What a turn leaves to do; kept to reuse its buffers.
    static AFTER_TURN: Cell<Option<Box<AfterTurn>>> = const { Cell::new(None) };
}

impl Host {
    /// Starts the engine's clock and the task that watches its deadlines. Has to run inside a tokio runtime.
    pub(crate) fn start(engine: Engine, user_code: Arc<dyn UserCode>, flush: Flush) -> Arc<Self> {
        let host = Arc::new(Self {
            state: Mutex::new(HostState::new(engine, user_code.clone())),
            clock: Clock::start(),
            flush,
            cork: Mutex::default(),
            runtime: Handle::current(),
            alarm: Arc::new(Notify::new()),
            emptied: Notify::new(),
        });
        host.runtime.spawn(watch_deadlines(Arc::downgrade(&host), host.alarm.clone()));
        user_code.start(&host);
        host
    }

    /// Takes one turn.
    pub(crate) fn turn<T>(self: &Arc<Self>, act: impl FnOnce(&mut Turn<'_>) -> T) -> T {
        self.take_turn(act, |_| {})
    }

    /// Takes one turn for a connection that was read. True: the caller has to [`uncork`](Self::uncork) when the runtime
    /// returns to its task, after all other connections that are ready were read too.
    #[must_use]
    pub(crate) fn corked_turn(self: &Arc<Self>, act: impl FnOnce(&mut Turn<'_>)) -> bool {
        let mut corked = Corked::Not;
        self.take_turn(act, |after| {
            if after.touched.len() <= MAX_CORKED {
                corked = self.cork().add(&mut after.touched);
            }
        });
        corked == Corked::ToBeFlushed
    }

    /// Takes one turn for code that takes many, and adds the sockets that are to be written to `touched`, for
    /// [`flush`](Self::flush).
    #[cfg(feature = "javascript")]
    pub(crate) fn gathered_turn<T>(
        self: &Arc<Self>,
        touched: &mut Vec<Arc<SendingHalf>>,
        act: impl FnOnce(&mut Turn<'_>) -> T,
    ) -> T {
        self.take_turn(act, |after| touched.append(&mut after.touched))
    }

    /// Writes what was corked.
    pub(crate) fn uncork(&self) {
        let mut after = AFTER_TURN.take().unwrap_or_default();
        self.cork().take(&mut after.touched);
        self.flush.run(&mut after.touched, &self.runtime);
        AFTER_TURN.set(Some(after));
    }

    fn take_turn<T>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut Turn<'_>) -> T,
        before_flush: impl FnOnce(&mut AfterTurn),
    ) -> T {
        let mut after = AFTER_TURN.take().unwrap_or_default();
        let result = {
            let mut state = self.lock();
            let now = self.clock.now();
            let result = act(&mut Turn { state: &mut state, now });
            state.carry_out(now, &mut after);
            result
        };
        if after.is_alarm_earlier {
            self.alarm.notify_one();
        }
        if after.is_empty {
            self.emptied.notify_waiters();
        }
        before_flush(&mut after);
        after.conclude(self);
        AFTER_TURN.set(Some(after));
        result
    }

    /// A client asks for a WebSocket: its id, and the engine's decision to wait for.
    pub(crate) fn open(
        self: &Arc<Self>,
        request: http::Request<()>,
        address: Option<IpAddr>,
    ) -> (ConnectionGuard, oneshot::Receiver<UpgradeAnswer>) {
        self.ask(|id| Input::Upgrade { id, request: Box::new(request), address })
    }

    /// The same on a route that the application has found.
    pub(crate) fn open_mounted(
        self: &Arc<Self>,
        request: http::Request<()>,
        address: Option<IpAddr>,
        mounted: Mounted,
    ) -> (ConnectionGuard, oneshot::Receiver<UpgradeAnswer>) {
        let (request, mounted) = (Box::new(request), Box::new(mounted));
        self.ask(|id| Input::Mounted { id, request, address, mounted })
    }

    fn ask(
        self: &Arc<Self>,
        input: impl FnOnce(ConnectionId) -> Input,
    ) -> (ConnectionGuard, oneshot::Receiver<UpgradeAnswer>) {
        let (sender, decision) = oneshot::channel();
        let id = self.turn(|turn| {
            let id = turn.state.expect_decision(sender);
            turn.input(input(id));
            id
        });
        (ConnectionGuard { host: self.clone(), id: Some(id) }, decision)
    }

    /// Carries out a command of user code for a connection.
    pub(crate) fn command(self: &Arc<Self>, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        self.turn(|turn| turn.command(id, command))
    }

    /// Carries out a command of user code for a route. Returns for how many connections.
    pub(crate) fn route_command(
        self: &Arc<Self>,
        route: usize,
        command: RouteCommand,
    ) -> Result<usize, CommandError> {
        self.turn(|turn| turn.state.route_command(turn.now, route, command))
    }

    /// Gives a command to a route's dialect, on behalf of a connection or of none.
    pub(crate) fn dialect_command(
        self: &Arc<Self>,
        route: usize,
        id: Option<ConnectionId>,
        name: &str,
        payload: Value,
    ) -> HandlerResult {
        self.turn(|turn| turn.state.dialect_command(turn.now, route, id, name, payload))
    }

    /// Reads the engine's state.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(self.lock().engine())
    }

    /// Statistics.
    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats(self.clock.now())
    }

    /// Makes the engine a node of a cluster, whose orders for the broker go to `orders`. Returns its incarnation.
    pub(crate) fn join_cluster(self: &Arc<Self>, settings: ClusterSettings, orders: BackplaneOrders) -> u64 {
        self.turn(|turn| {
            let incarnation = turn.now.wall.as_us() / 1_000;
            turn.state.join_cluster(turn.now, settings, incarnation, orders);
            incarnation
        })
    }

    /// Leaves the cluster.
    pub(crate) fn leave_cluster(self: &Arc<Self>) {
        self.turn(|turn| turn.state.leave_cluster(turn.now));
    }

    /// Reads the state of the cluster, if this server is a node of one.
    pub(crate) fn look_at_cluster<T>(&self, look: impl FnOnce(&Cluster, Instant) -> T) -> Option<T> {
        let now = self.clock.now().instant;
        self.lock().engine().cluster().map(|cluster| look(cluster, now))
    }

    /// Whether what other nodes have said is still being asked for.
    pub(crate) fn is_reading_histories(&self) -> bool {
        self.lock().engine().is_reading_histories()
    }

    /// Closes all connections, and waits until the last close hook is done or `grace` is over.
    pub(crate) async fn drain(self: &Arc<Self>, frame: CloseFrame, grace: Duration) {
        // The last tenth of the time is for the close hooks of clients that did not answer.
        let for_clients = grace - grace / 10;
        self.turn(|turn| turn.input(Input::Shutdown { frame, grace: for_clients }));
        let emptied = async {
            loop {
                let next = self.emptied.notified();
                if self.look(Engine::connections) == 0 {
                    return;
                }
                next.await;
            }
        };
        if tokio::time::timeout(grace, emptied).await.is_err() {
            let left = self.look(Engine::connections);
            tracing::warn!(connections = left, "stopped before every connection had closed");
        }
    }

    /// Waits until what is to be appended to a file now is written; `None`: to all files.
    pub(crate) async fn files_written(&self, file: Option<&str>) {
        let written = self.lock().appender().written(file);
        for written in written {
            // A task that has ended has written everything.
            let _ = written.await;
        }
    }

    /// Writes to sockets.
    pub(crate) fn flush(&self, sockets: &mut Vec<Arc<SendingHalf>>) {
        self.flush.run(sockets, &self.runtime);
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn cork(&self) -> MutexGuard<'_, Cork> {
        self.cork.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine catches panics of handlers, so the state behind a poisoned lock is still sound.
    fn lock(&self) -> MutexGuard<'_, HostState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls the engine at its deadlines, as long as there is a host.
async fn watch_deadlines(host: Weak<Host>, alarm: Arc<Notify>) {
    loop {
        let Some((deadline, clock)) = host.upgrade().map(|host| (host.lock().set_alarm(), host.clock)) else {
            return;
        };
        match deadline.and_then(|deadline: Instant| clock.tokio_instant(deadline)) {
            Some(deadline) => tokio::select! {
                () = tokio::time::sleep_until(deadline) => {
                    let Some(host) = host.upgrade() else { return };
                    host.turn(|turn| turn.state.handle_timeout(turn.now));
                }
                () = alarm.notified() => {}
            },
            None => alarm.notified().await,
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.alarm.notify_one();
    }
}
