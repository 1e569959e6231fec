//! Rooms: joining, leaving, and who hears a broadcast, in small rooms of small servers and in large ones.

use serde_json::json;
use switchboard_core::{Command, ConnectionId, Message};

use super::server::Server;
use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("rooms.join_and_leave", || join_and_leave(0, 0)),
    ("rooms.join_and_leave_room_of_1000", || join_and_leave(1000, 0)),
    ("rooms.leave_and_join_as_oldest_of_1000", leave_and_join_as_oldest),
    ("rooms.join_and_leave_beside_10000_rooms", || join_and_leave(0, 10_000)),
    ("rooms.broadcast_room_of_10_in_20", || broadcast_to_room(10, 20)),
    ("rooms.broadcast_room_of_10_in_1000", || broadcast_to_room(10, 1000)),
    ("rooms.broadcast_room_of_1000", || broadcast_to_room(1000, 1000)),
    ("rooms.broadcast_to_two_rooms_of_100", broadcast_to_two_rooms),
    ("rooms.broadcast_to_everyone_of_1000", broadcast_to_everyone),
];

fn server(connections: usize) -> (Server, Vec<ConnectionId>) {
    let mut server = Server::new(json!({ "routes": [{ "pattern": "/", "dialect": "echo" }] }));
    let ids = server.connect_all("/", connections);
    (server, ids)
}

fn join(server: &mut Server, id: ConnectionId, room: &str) {
    server.command(id, Command::Join(room.to_owned()));
}

/// The last of a room's members, in a server with so many other rooms.
fn join_and_leave(members: usize, other_rooms: usize) -> Operation {
    let (mut server, ids) = server(members.max(20) + 1);
    for id in &ids[..members] {
        join(&mut server, *id, "lobby");
    }
    for room in 0..other_rooms {
        // Spread, because one connection can be in 1000 rooms only.
        join(&mut server, ids[room % 20], &format!("other {room}"));
    }
    let last = ids[ids.len() - 1];
    Box::new(move || {
        server.command(last, Command::Join("lobby".to_owned()));
        server.command(last, Command::Leave("lobby".to_owned()));
    })
}

/// The oldest member leaves and joins again.
fn leave_and_join_as_oldest() -> Operation {
    let (mut server, ids) = server(1000);
    for id in &ids {
        join(&mut server, *id, "lobby");
    }
    let mut oldest = ids.into_iter().cycle();
    Box::new(move || {
        if let Some(id) = oldest.next() {
            server.command(id, Command::Leave("lobby".to_owned()));
            server.command(id, Command::Join("lobby".to_owned()));
        }
    })
}

fn broadcast_to_room(members: usize, connections: usize) -> Operation {
    let (mut server, ids) = server(connections);
    for id in &ids[..members] {
        join(&mut server, *id, "lobby");
    }
    broadcast(server, ids[0], Some(&["lobby"]), members - 1)
}

/// Half of the members are in both rooms.
fn broadcast_to_two_rooms() -> Operation {
    let (mut server, ids) = server(150);
    for (index, id) in ids.iter().enumerate() {
        if index < 100 {
            join(&mut server, *id, "lobby");
        }
        if index >= 50 {
            join(&mut server, *id, "library");
        }
    }
    broadcast(server, ids[0], Some(&["lobby", "library"]), 149)
}

fn broadcast_to_everyone() -> Operation {
    let (server, ids) = server(1000);
    broadcast(server, ids[0], None, 999)
}

fn broadcast(
    mut server: Server,
    from: ConnectionId,
    rooms: Option<&'static [&str]>,
    receivers: usize,
) -> Operation {
    let message = Message::from("a message for many");
    Box::new(move || {
        let rooms = rooms.map(|rooms| rooms.iter().map(|room| (*room).to_owned()).collect());
        let command = Command::Broadcast { message: message.clone(), rooms, include_self: false };
        assert_eq!(server.command(from, command), receivers);
    })
}
