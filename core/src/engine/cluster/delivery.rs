//! What other nodes have published, for the clients of this one.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::super::Engine;
use crate::cluster::Node;
use crate::handler::context::Context;
use crate::history::{Epoch, Heard, Numbers, Offset};
use crate::interface::effect::{Effect, Level};
use crate::message::Message;
use crate::state::cluster_node::{Addressee, Place};
use crate::time::Now;

impl Engine {
    /// A message came on a channel.
    pub(super) fn deliver_from_node(
        &mut self,
        now: Now,
        (channel, from): (&str, &Node),
        mut header: Bytes,
        message: Message,
        effects: &mut Vec<Effect>,
    ) {
        let Some(node) = &self.state.cluster else { return };
        let addressee = header.try_get_u8().ok().and_then(Addressee::of);
        let (addressee, place) = match (addressee, node.channels.get(channel).cloned()) {
            (Some(Addressee::Feed), _) => {
                return self.publish_from_node(now, channel, header, &message, effects);
            }
            (Some(Addressee::Node), _) => return self.tell_handler_alone(now, &header, message, effects),
            (Some(Addressee::Question), _) => return self.answer_question(now, from, header, effects),
            (Some(Addressee::Answer), _) => return self.take_answer(now, from, header, &message),
            (Some(addressee), Some(place)) => (addressee, place),
            _ => return,
        };
        let Place { route, room } = place;
        match (addressee, room) {
            (Addressee::Members, None) => {
                let to = self.audience(route, None);
                self.context_of_route(now, route, effects).deliver_here(&[], to, message);
            }
            (Addressee::Members, Some(room)) => self.deliver_to_rooms(now, route, &[room], message, effects),
            (Addressee::Rooms, _) => self.deliver_to_rooms(now, route, &names(header), message, effects),
            (Addressee::Handler, room) => {
                self.tell_handler(now, route, room.as_deref(), header, message, effects)
            }
            (Addressee::Kept, _) => self.deliver_kept_from_node(now, (route, from), header, message, effects),
            (Addressee::Feed | Addressee::Node | Addressee::Question | Addressee::Answer, _) => {}
        }
    }

    /// A message that the histories of all nodes keep.
    fn deliver_kept_from_node(
        &mut self,
        now: Now,
        (route, from): (usize, &Node),
        mut header: Bytes,
        message: Message,
        effects: &mut Vec<Effect>,
    ) {
        let Some(offset) = offset(&mut header) else { return };
        let rooms = names(header);
        let heard = self.state.routes[route].history.as_mut().map(|history| history.heard(now, from, offset));
        let to = match rooms.is_empty() {
            true => self.audience(route, None),
            false => self.state.routes[route].rooms.members(&rooms, None),
        };
        let mut cx = self.context_of_route(now, route, effects);
        if let Some(Heard::Next { lost: Some(lost), .. }) = heard {
            cx.tell_lost(&Numbers::from_iter([lost]));
        }
        if let [room] = &rooms[..] {
            cx.note_room(room);
        }
        match heard {
            // Another node has one and this one has none.
            None => cx.deliver_unkept(&rooms, to, message),
            Some(_) if !cx.may_keep(&to, &message) => {}
            Some(Heard::Late) => cx.deliver_late(to, message),
            Some(Heard::Next { is_known, .. }) => cx.deliver_kept((offset, is_known), &rooms, to, &message),
        }
    }

    /// A handler of another node has sent a message to this one.
    fn tell_handler_alone(&mut self, now: Now, header: &Bytes, message: Message, effects: &mut Vec<Effect>) {
        let Some(end) = header.iter().position(|byte| *byte == b'\n') else { return };
        let (channel, own) = (&header[..end], header.slice(end + 1..));
        let named = |route: &&usize| self.state.routes[**route].channel(**route, None).as_bytes() == channel;
        if let Some(&route) = self.indices.iter().find(named) {
            self.tell_handler(now, route, None, own, message, effects);
        }
    }

    fn tell_handler(
        &mut self,
        now: Now,
        route: usize,
        room: Option<&str>,
        header: Bytes,
        message: Message,
        effects: &mut Vec<Effect>,
    ) {
        let told = self
            .run(now, route, None, effects, |handler, cx| handler.node_message(cx, room, header, message));
        if let Err(error) = told {
            let label = self.state.routes[route].label.clone();
            let text = || format!("{label}: a message of another node: {error}");
            let key = (route, "message of another node");
            self.state.log_throttle.note(now.instant, key, Level::Error, text, effects);
        }
    }

    fn deliver_to_rooms(
        &mut self,
        now: Now,
        route: usize,
        rooms: &[Arc<str>],
        message: Message,
        effects: &mut Vec<Effect>,
    ) {
        let to = self.state.routes[route].rooms.members(rooms, None);
        let mut cx = self.context_of_route(now, route, effects);
        if let [room] = rooms {
            cx.note_room(room);
        }
        cx.deliver_here(rooms, to, message);
    }

    pub(super) fn context_of_route<'a>(
        &'a mut self,
        now: Now,
        route: usize,
        effects: &'a mut Vec<Effect>,
    ) -> Context<'a> {
        Context { state: &mut self.state, effects, now, route, id: None }
    }
}

/// The offset of a message that is kept, with which its header goes on.
pub(super) fn offset(header: &mut Bytes) -> Option<Offset> {
    let (epoch, number) = (header.try_get_u64_le().ok()?, header.try_get_u64_le().ok()?);
    Some(Offset { epoch: Epoch(epoch), number })
}

/// The rooms that a header names.
pub(super) fn names(mut header: Bytes) -> Vec<Arc<str>> {
    let mut names = Vec::new();
    while let Ok(length) = header.try_get_u16_le()
        && header.len() >= usize::from(length)
    {
        let name = header.split_to(length.into());
        names.extend(std::str::from_utf8(&name).ok().map(Arc::from));
    }
    names
}
