//! What clients are sent for what they say, where the policy is not to read from those that read too slowly.

use std::time::Duration;

use super::State;
use super::timers::Timer;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::time::{Instant, Now};

/// In which the host carries out the effects of a delivery.
const INTERVAL: Duration = Duration::from_millis(1);

/// How many bytes were sent to one client at one time for its own messages.
///
/// Only when the effects are carried out can the host say that the client's outbox is full. So that nothing has to be
/// dropped until then, no more is answered at once than half of an outbox; the rest is a ms later.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    latest: Option<(ConnectionId, Instant)>,
    bytes: usize,
}

impl State {
    /// A client's message was handled on a route that pauses who reads too slowly, with these effects: whether there may be room in its outbox for what the next one
    /// causes. If not, its inbox is held.
    #[cold]
    pub(crate) fn note_answers(&mut self, id: ConnectionId, effects: &[Effect], now: Now) {
        let Some(connection) = self.connections.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        let settings = &self.routes[connection.route].settings;
        let sent = effects.iter().map(|effect| match effect {
            Effect::Send { to, message } if to.contains(&id) => message.len(),
            _ => 0,
        });
        let sent: usize = sent.sum();
        if sent == 0 {
            return;
        }
        if self.answers.latest.replace((id, now.instant)) != Some((id, now.instant)) {
            self.answers.bytes = 0;
        }
        self.answers.bytes += sent;
        if self.answers.bytes >= settings.max_outbound.div_ceil(2) && !self.timers.is_set(Timer::Answers(id))
        {
            connection.inbox.holds += 1;
            self.timers.set(Timer::Answers(id), now.instant + INTERVAL);
        }
    }

    /// The inbox of a client that was held for its answers may go on.
    pub(crate) fn let_answer(&mut self, id: ConnectionId) {
        if self.timers.is_set(Timer::Answers(id)) {
            self.timers.cancel(Timer::Answers(id));
            self.release_answers(id);
        }
    }

    /// The same when the timer is over.
    pub(crate) fn release_answers(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.inbox.holds = connection.inbox.holds.saturating_sub(1);
            self.due.push(id);
        }
    }
}
