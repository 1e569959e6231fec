//! Where connections are kept, and how many there are of what kind.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::interface::connection_id::ConnectionId;
use crate::state::connection::Connection;

/// The connections by slot.
#[derive(Default)]
pub(crate) struct Connections {
    slots: Vec<Option<Connection>>,
    len: usize,
    /// How many there are by route.
    routes: Vec<usize>,
    addresses: HashMap<IpAddr, usize>,
}

impl Connections {
    pub(crate) fn insert(&mut self, connection: Connection) {
        let slot = connection.id.slot();
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        if let Some(address) = connection.address {
            *self.addresses.entry(address).or_default() += 1;
        }
        if self.routes.len() <= connection.route {
            self.routes.resize(connection.route + 1, 0);
        }
        self.routes[connection.route] += 1;
        if self.slots[slot].replace(connection).is_none() {
            self.len += 1;
        }
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.slots.get(id.slot())?.as_ref().filter(|connection| connection.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.slots.get_mut(id.slot())?.as_mut().filter(|connection| connection.id == id)
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let Connection { address, route, .. } = *self.get(id)?;
        self.routes[route] -= 1;
        if let Some(address) = address
            && let Some(count) = self.addresses.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
        self.len -= 1;
        self.slots[id.slot()].take()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.slots.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many connections there are on one route, from their opening handshake to their last hook.
    pub(crate) fn count_on(&self, route: usize) -> usize {
        self.routes.get(route).copied().unwrap_or(0)
    }

    /// How many connections there are from one address.
    pub(crate) fn count_of(&self, address: IpAddr) -> usize {
        self.addresses.get(&address).copied().unwrap_or(0)
    }
}
