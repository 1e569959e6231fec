//! The callbacks of all routes, and the connections that they know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use switchboard_core::{Connection, ConnectionId, Engine, Hook};

use super::Callbacks;
use super::call::{self, CallbackRun};
use super::peer::{Peer, PeerData};
use crate::host::Host;
use crate::host::user_code::{Prepared, UserCode};

/// The callbacks of the routes of one server.
pub(crate) struct RouteCallbacks {
    /// By route; `None` where there are no callbacks. Those of a route that is gone stay until another has its index.
    routes: RwLock<Vec<Option<Arc<Callbacks>>>>,
    /// What callbacks see of a connection, from its first hook on.
    peers: Mutex<Peers>,
}

type Peers = HashMap<ConnectionId, Arc<PeerData>>;

impl RouteCallbacks {
    pub(crate) fn new(routes: Vec<Option<Arc<Callbacks>>>) -> Self {
        Self { routes: RwLock::new(routes), peers: Mutex::default() }
    }

    /// Takes the callbacks of one route.
    pub(crate) fn set(&self, index: usize, callbacks: Option<Arc<Callbacks>>) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        if routes.len() <= index {
            routes.resize(index + 1, None);
        }
        routes[index] = callbacks;
    }

    fn of(&self, index: usize) -> Option<Arc<Callbacks>> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).get(index)?.clone()
    }

    /// The open connections of a route or of one of its rooms.
    pub(crate) fn peers(&self, host: &Arc<Host>, route: usize, room: Option<&str>) -> Vec<Peer> {
        let known = host.look(|engine| {
            let ids = engine.audience(route, room);
            ids.into_iter().filter_map(|id| self.known(engine, id)).collect::<Vec<_>>()
        });
        known.into_iter().map(|data| Peer::new(host.clone(), data)).collect()
    }

    /// The open connection of a route with this public id.
    pub(crate) fn peer(&self, host: &Arc<Host>, route: usize, public_id: &str) -> Option<Peer> {
        let data =
            host.look(|engine| self.known(engine, engine.connection_by_public_id(route, public_id)?))?;
        Some(Peer::new(host.clone(), data))
    }

    fn known(&self, engine: &Engine, id: ConnectionId) -> Option<Arc<PeerData>> {
        engine.connection(id).map(|connection| self.data(connection))
    }

    /// Made once per connection, after authentication.
    fn data(&self, connection: &Connection) -> Arc<PeerData> {
        self.lock().entry(connection.id()).or_insert_with(|| Arc::new(PeerData::new(connection))).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UserCode for RouteCallbacks {
    fn start(&self, host: &Arc<Host>) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner).clone();
        routes.iter().flatten().for_each(|callbacks| call::start(host, callbacks));
    }

    fn prepare(&self, route: usize, connection: &Connection, hook: Hook) -> Option<Box<dyn Prepared>> {
        let callbacks = self.of(route)?;
        let peer = match hook {
            // What authentication says is not known yet.
            Hook::Authenticate { .. } => Arc::new(PeerData::new(connection)),
            _ => self.data(connection),
        };
        Some(Box::new(CallbackRun { callbacks, peer, hook }))
    }

    fn gone(&self, id: ConnectionId) {
        if let Some(foreign) = self.lock().get(&id).and_then(|data| data.foreign()) {
            foreign.gone(id);
        }
    }

    fn forget(&self, id: ConnectionId) {
        let data = self.lock().remove(&id);
        if let Some(foreign) = data.as_ref().and_then(|data| data.foreign()) {
            foreign.forget(id);
        }
    }
}
