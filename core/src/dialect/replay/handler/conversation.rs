//! The conversations of a replay: the player of each open connection, and what is read for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use super::Replay;
use crate::dialect::replay::mismatch::Mismatch;
use crate::dialect::replay::options::MismatchOption;
use crate::dialect::replay::player::{Order, Player, Stage};
use crate::dialect::replay::track::Track;
use crate::handler::HandlerResult;
use crate::handler::command::Command;
use crate::handler::context::Context;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Level;
use crate::interface::file_part::{FilePart, ReadId};
use crate::message::CloseCode;

/// How much of a file is read at a time for one conversation, in bytes.
const PART: u64 = 128 << 10;

/// The timer of a conversation.
const TIMER: u64 = 0;

/// What is kept of an open connection.
pub(super) struct Conversation {
    pub(super) player: Player,
    pub(super) mismatch: MismatchOption,
    pub(super) track: Option<Track>,
    /// The file of the recording, and its bytes if they are in memory.
    pub(super) source: Option<(Arc<str>, Option<Bytes>)>,
    /// The part that was asked for.
    pub(super) read: Option<ReadId>,
    /// Whether the next part is to be taken from memory.
    pub(super) is_due: bool,
    /// The player goes on when the client has taken what waits for it.
    pub(super) is_held: bool,
}

impl Replay {
    /// Lets the player of the connection in focus do something.
    pub(super) fn play(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut Player, &mut Stage<'_>, &mut Vec<Order>),
    ) {
        let Some(id) = cx.id() else { return };
        let random = self.random.get_or_insert_with(|| {
            let mut seed = [0; 32];
            cx.random(&mut seed);
            ChaCha8Rng::from_seed(seed)
        });
        let (Some(conversation), Some(connection)) = (self.conversations.get_mut(&id), cx.connection())
        else {
            return;
        };
        let rooms = || connection.rooms().map(ToString::to_string).collect();
        let mut fill = |bytes: &mut [u8]| random.fill_bytes(bytes);
        let mut stage = Stage { connection: connection.scope(&rooms), now: cx.now(), random: &mut fill };
        let mut orders = Vec::new();
        act(&mut conversation.player, &mut stage, &mut orders);
        for order in orders {
            self.carry_out(cx, id, order);
        }
    }

    /// Lets the player go on, unless the client has to take something first.
    pub(super) fn go_on(&mut self, cx: &mut Context<'_>) {
        let Some(conversation) = cx.id().and_then(|id| self.conversations.get_mut(&id)) else { return };
        conversation.is_held = cx.is_outbox_full();
        if !conversation.is_held {
            self.play(cx, Player::go_on);
        }
    }

    fn carry_out(&mut self, cx: &mut Context<'_>, id: ConnectionId, order: Order) {
        match order {
            Order::Do(command) => {
                // Templates may give what cannot be carried out, such as the name of a room that is too long.
                if let Err(error) = cx.apply(command) {
                    cx.log_throttled("replay", Level::Warn, || {
                        format!("a step cannot be carried out: {error}")
                    });
                }
            }
            Order::Drop => cx.disconnect(),
            Order::Fault(faults) => cx.add_faults(faults),
            Order::Wake(at) => cx.set_timer_at(TIMER, at),
            Order::Read | Order::Restart => {
                let Some(conversation) = self.conversations.get_mut(&id) else { return };
                if matches!(order, Order::Restart)
                    && let Some(track) = &mut conversation.track
                {
                    track.restart();
                }
                self.read(cx, id);
            }
            Order::Mismatch(mismatch) => self.mismatched(cx, mismatch),
        }
    }

    /// Asks for the next part of a conversation's recording.
    fn read(&mut self, cx: &mut Context<'_>, id: ConnectionId) {
        let Some(conversation) = self.conversations.get_mut(&id).filter(|it| it.read.is_none()) else {
            return;
        };
        let (Some(track), Some((file, content))) = (&conversation.track, &conversation.source) else {
            return;
        };
        let (start, length) = track.wanted();
        if content.is_none() {
            conversation.read = cx.read_file_part(file, start, length.min(PART));
        } else {
            conversation.is_due = true;
            cx.set_timer(TIMER, Duration::from_millis(1));
        }
    }

    /// The next part of a recording that is in memory.
    pub(super) fn part_in_memory(&mut self, id: ConnectionId) -> Option<FilePart> {
        let conversation = self.conversations.get_mut(&id)?;
        if !std::mem::take(&mut conversation.is_due) {
            return None;
        }
        let (start, length) = conversation.track.as_ref()?.wanted();
        let content = conversation.source.as_ref()?.1.as_ref()?;
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(content.len());
        let end =
            start.saturating_add(usize::try_from(length.min(PART)).unwrap_or(usize::MAX)).min(content.len());
        Some(FilePart { bytes: content.slice(start..end), is_last: end == content.len() })
    }

    /// A part of a conversation's recording was read.
    pub(super) fn continued(
        &mut self,
        cx: &mut Context<'_>,
        content: Result<FilePart, String>,
    ) -> HandlerResult {
        let Some(conversation) = cx.id().and_then(|id| self.conversations.get_mut(&id)) else {
            return Ok(());
        };
        conversation.read = None;
        let Some(track) = &mut conversation.track else { return Ok(()) };
        let steps =
            content.and_then(|part| track.push(&part.bytes, part.is_last).map_err(|error| error.to_string()));
        let steps = match steps {
            Ok(steps) => steps,
            Err(error) => {
                let file = self.file().unwrap_or_default();
                cx.log(Level::Error, format!("{file} cannot be replayed any further: {error}"));
                return Ok(cx.close(CloseCode::INTERNAL_ERROR, "the recording cannot be read")?);
            }
        };
        // A recording that repeats is not over at its end.
        let is_last = track.has_ended();
        conversation.player.add(steps, is_last);
        self.go_on(cx);
        Ok(())
    }

    fn mismatched(&self, cx: &mut Context<'_>, mismatch: Mismatch) {
        let mismatch_option = cx.id().and_then(|id| self.conversations.get(&id)).map(|it| it.mismatch);
        if mismatch_option == Some(MismatchOption::Close) {
            let reason = match &mismatch.differences[..] {
                [first, ..] => format!("not as in {}: {first}", mismatch.place),
                [] => format!("not as in {}", mismatch.place),
            };
            // The code can be sent.
            let _ = cx.apply(Command::Close { code: Some(CloseCode::POLICY_VIOLATION.0), reason });
        }
        cx.mismatched(mismatch);
    }
}
