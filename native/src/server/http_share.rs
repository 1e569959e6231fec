//! What connections that are not WebSockets may take of those that there may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::UPGRADE;
use http::{Request, StatusCode};
use switchboard_core::protocol::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::switchboard::Switchboard;

/// So many connections a browser opens for one page.
const LEAST: usize = 6;

/// The share of all connections that may be taken by plain HTTP, and how many connections each address has that are not
/// WebSockets; those count in the engine.
pub(super) struct HttpShare {
    plain: Arc<Semaphore>,
    /// `None`: addresses have no limit.
    addresses: Option<Arc<Addresses>>,
}

/// One connection, until it is a WebSocket.
pub(super) struct HttpPlace {
    plain: Option<OwnedSemaphorePermit>,
    address: Option<AddressPlace>,
    /// The address had all its connections before: whatever this one asks is answered 429.
    is_over: bool,
}

#[derive(Default)]
struct Addresses {
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// Counts until it is dropped.
struct AddressPlace {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl HttpShare {
    /// Half of the connections, and at least six of them.
    pub(super) fn new(switchboard: &Switchboard) -> Self {
        let limits = switchboard.limits();
        let plain = (limits.connections / 2).clamp(LEAST, Semaphore::MAX_PERMITS);
        let addresses = limits.connections_per_address.map(|_| Arc::default());
        Self { plain: Arc::new(Semaphore::new(plain)), addresses }
    }

    /// A connection was accepted; `None`: its address has too many that have not even asked for anything.
    pub(super) fn enter(&self, switchboard: &Switchboard, address: IpAddr) -> Option<HttpPlace> {
        let mut place = HttpPlace { plain: None, address: None, is_over: false };
        let Some((addresses, limit)) =
            self.addresses.as_ref().zip(switchboard.limits().connections_per_address)
        else {
            return Some(place);
        };
        let (counted, count) = addresses.enter(address);
        place.is_over = !switchboard.admits_address(address, count - 1);
        place.address = Some(counted);
        // Those that are answered 429 wait for a request too.
        (count <= limit.saturating_mul(2)).then_some(place)
    }
}

impl HttpPlace {
    /// Whether whatever the connection asks is answered 429.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The connection asks for a WebSocket, and counts in the engine from now on. If that refuses it, it ends.
    pub(super) fn leave(&mut self) {
        self.address = None;
    }

    /// The connection asks for something: what it is answered if there are too many that do.
    pub(super) fn ask<T>(&mut self, share: &HttpShare, request: &Request<T>) -> Result<(), Refusal> {
        if self.is_over {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many connections from this address",
            ));
        }
        if request.headers().contains_key(UPGRADE) {
            self.leave();
        } else if self.plain.is_none() {
            let text = "too many connections for plain HTTP";
            let permit = share.plain.clone().try_acquire_owned();
            self.plain = Some(permit.map_err(|_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text))?);
        }
        Ok(())
    }
}

impl Addresses {
    /// One more; with how many there are now.
    fn enter(self: &Arc<Self>, address: IpAddr) -> (AddressPlace, usize) {
        let mut counts = self.counts();
        let count = counts.entry(address).or_default();
        *count += 1;
        (AddressPlace { addresses: self.clone(), address }, *count)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
