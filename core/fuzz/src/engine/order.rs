//! What user code asks of the engine, and who heard it.

use std::collections::BTreeSet;
use std::time::Duration;

use switchboard_core::{CloseCode, Command, Message};

use super::step::Order;
use super::{Client, Harness, ROOMS, ROOMS_PER_CONNECTION};

impl Harness {
    pub(super) fn order(&mut self, index: usize, order: Order) {
        let Client { id, .. } = self.clients[index];
        self.number += 1;
        let text = format!("#{}", self.number);
        let message = Message::from(text.as_str());
        match order {
            Order::Join(room) => {
                let room = (room % ROOMS).to_string();
                let rooms = self.clients[index].rooms.as_mut();
                let is_full = rooms
                    .as_ref()
                    .is_some_and(|rooms| rooms.len() == ROOMS_PER_CONNECTION && !rooms.contains(&room));
                let result = self.world.command(id, Command::Join(room.clone()));
                assert_eq!(result.is_err(), is_full, "{result:?}");
                if let Some(rooms) = rooms.filter(|_| !is_full) {
                    rooms.insert(room);
                }
            }
            Order::Leave(room) => {
                let room = (room % ROOMS).to_string();
                self.world.command(id, Command::Leave(room.clone())).unwrap();
                if let Some(rooms) = &mut self.clients[index].rooms {
                    rooms.remove(&room);
                }
                self.clients[index].last_rooms.remove(&room);
            }
            Order::Broadcast(rooms, include_self) => {
                let rooms: Option<Vec<String>> = rooms.map(|rooms| {
                    (0..ROOMS).filter(|room| rooms & 1 << room != 0).map(|room| room.to_string()).collect()
                });
                let names = rooms.clone();
                self.world.command(id, Command::Broadcast { message, rooms: names, include_self }).unwrap();
                self.heard(index, &text, include_self, |joined| {
                    rooms.as_ref().is_none_or(|rooms| rooms.iter().any(|room| joined.contains(room)))
                });
            }
            Order::BroadcastAllRooms(include_self) => {
                self.world.command(id, Command::BroadcastAllRooms { message, include_self }).unwrap();
                let Client { rooms, last_rooms, .. } = &self.clients[index];
                let mine = rooms.as_ref().unwrap_or(last_rooms).clone();
                self.heard(index, &text, include_self, |joined| mine.is_empty() || !mine.is_disjoint(joined));
            }
            Order::Send => {
                let sent = self.world.command(id, Command::Send(message));
                let is_open = self.clients[index].rooms.is_some();
                assert_eq!(self.world.client(id).received.contains(&text), is_open);
                assert_eq!(sent.is_ok(), is_open);
            }
            Order::Close(code) => {
                let result =
                    self.world.command(id, Command::Close { code: Some(code), reason: "r".repeat(200) });
                assert!(result.is_ok() || !CloseCode(code).is_sendable());
            }
            Order::Terminate => self.world.command(id, Command::Terminate).unwrap(),
            Order::Heartbeat(ms) => {
                // Not so often that beating is all there is.
                let ms = if ms % 4 == 0 { 0 } else { 100 + u64::from(ms) };
                self.world.command(id, Command::Heartbeat(Some(Duration::from_millis(ms)))).unwrap();
            }
            Order::Inactivity(ms) => {
                self.world
                    .command(id, Command::InactivityTimeout(Some(Duration::from_millis(u64::from(ms)))))
                    .unwrap();
            }
            Order::Ping(length) => {
                let result = self.world.command(id, Command::Ping(vec![b'x'; usize::from(length)].into()));
                assert!(result.is_ok() || length > 125);
            }
        }
    }

    /// Whether exactly those heard the broadcast who should have. Who is closing may still say goodbye to the others.
    fn heard(
        &self,
        sender: usize,
        text: &str,
        include_self: bool,
        audience: impl Fn(&BTreeSet<String>) -> bool,
    ) {
        let Client { id, opened, .. } = self.clients[sender];
        let spoke = opened && self.world.engine.connection(id).is_some();
        for (index, client) in self.clients.iter().enumerate() {
            let is_audience = client.route == self.clients[sender].route
                && client.rooms.as_ref().is_some_and(&audience)
                && (include_self || index != sender);
            let count = self.world.client(client.id).received.iter().filter(|heard| *heard == text).count();
            assert_eq!(count, usize::from(spoke && is_audience), "{client:?} of {text}", client = client.id);
        }
    }
}
