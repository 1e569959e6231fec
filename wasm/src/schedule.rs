//! The order in which sockets are written.

use std::collections::VecDeque;

use switchboard_core::ConnectionId;

/// Whether a socket has something to write that it was not given yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Eq)]
pub(crate) enum Touched {
    #[default]
    No,
    /// It waits with the other receivers of a wide broadcast.
    WithMany,
    /// It goes ahead of those.
    WithFew,
}

/// Sockets with something to write. Not more than a stretch of them is written in one round of JavaScript's loop, so
/// that a wide broadcast does not keep everyone else waiting until its last receiver has been served.
#[derive(Default)]
pub(crate) struct Schedule {
    /// Sockets that were touched since the last turn by messages with few receivers.
    touched: Vec<ConnectionId>,
    /// In the order in which they are to be written. A socket that is touched on its own meanwhile is listed twice.
    waiting: VecDeque<ConnectionId>,
    /// How many may still be written in this round.
    room: usize,
    /// How many may still go ahead of those that wait.
    ahead: usize,
}

impl Schedule {
    /// Writing this many sockets takes JavaScript three to eight ms.
    const STRETCH: usize = 1024;
    /// How many may go ahead of those that wait: answers, while a broadcast is written.
    const AHEAD: usize = 256;

    /// The socket has something to write that has this many receivers.
    pub(crate) fn touch(&mut self, id: ConnectionId, touched: &mut Touched, receivers: usize) {
        let with = if receivers > Self::AHEAD { Touched::WithMany } else { Touched::WithFew };
        if with <= *touched {
            return;
        }
        *touched = with;
        match with {
            Touched::WithMany => self.waiting.push_back(id),
            _ => self.touched.push(id),
        }
    }

    /// A new round of JavaScript's loop.
    pub(crate) fn begin_round(&mut self) {
        (self.room, self.ahead) = (Self::STRETCH, Self::AHEAD);
    }

    /// Whether any socket has to wait for another round.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes the place of one socket in this round's stretch, if there is one left, to write it out of turn.
    pub(crate) fn take_place(&mut self) -> bool {
        let is_free = self.room > 0;
        self.room -= usize::from(is_free);
        is_free
    }

    /// Writes the sockets whose turn it is, in order.
    pub(crate) fn run(&mut self, mut write: impl FnMut(ConnectionId)) {
        if self.is_waiting() && self.touched.len() <= self.ahead {
            self.ahead -= self.touched.len();
            self.touched.drain(..).for_each(&mut write);
        }
        self.waiting.extend(self.touched.drain(..));
        let count = self.room.min(self.waiting.len());
        self.room -= count;
        self.waiting.drain(..count).for_each(write);
        // The memory for a wide broadcast is given back.
        if self.waiting.is_empty() && self.waiting.capacity() > 2 * Self::STRETCH {
            self.waiting = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::ConnectionIds;

    use super::*;

    fn touched(schedule: &mut Schedule, ids: &mut ConnectionIds, count: usize) -> Vec<ConnectionId> {
        let touched: Vec<ConnectionId> = (0..count).map(|_| ids.allocate()).collect();
        touched.iter().for_each(|id| schedule.touch(*id, &mut Touched::No, count));
        touched
    }

    fn run(schedule: &mut Schedule) -> Vec<ConnectionId> {
        let mut written = Vec::new();
        schedule.run(|id| written.push(id));
        written
    }

    #[test]
    fn a_wide_broadcast_goes_in_stretches_and_each_socket_once() {
        let (mut schedule, mut ids) = (Schedule::default(), ConnectionIds::default());
        let all = touched(&mut schedule, &mut ids, 2400);
        let mut written = Vec::new();
        for stretch in [1024, 1024, 352] {
            schedule.begin_round();
            let now = run(&mut schedule);
            assert_eq!(now.len(), stretch);
            written.extend(now);
            // Further turns of the same round share its stretch.
            assert_eq!(run(&mut schedule), []);
        }
        assert_eq!(written, all);
        assert!(!schedule.is_waiting());
    }

    #[test]
    fn few_go_ahead_of_many() {
        let (mut schedule, mut ids) = (Schedule::default(), ConnectionIds::default());
        schedule.begin_round();
        let all = touched(&mut schedule, &mut ids, 2000);
        assert_eq!(run(&mut schedule), all[..1024]);
        assert!(!schedule.take_place());
        let one = touched(&mut schedule, &mut ids, 1);
        assert_eq!(run(&mut schedule), one);
        schedule.begin_round();
        let one = touched(&mut schedule, &mut ids, 1);
        assert_eq!(run(&mut schedule), [&one[..], &all[1024..]].concat());
    }

    #[test]
    fn an_answer_does_not_wait_for_the_broadcast_of_its_turn() {
        let (mut schedule, mut ids) = (Schedule::default(), ConnectionIds::default());
        let all = touched(&mut schedule, &mut ids, 2000);
        let one = touched(&mut schedule, &mut ids, 1);
        let mut state = Touched::WithMany;
        schedule.touch(all[1999], &mut state, 1);
        schedule.touch(all[1999], &mut state, 1);
        schedule.touch(all[1999], &mut state, 2000);
        assert_eq!(state, Touched::WithFew);
        schedule.begin_round();
        assert_eq!(run(&mut schedule), [&one[..], &all[1999..], &all[..1024]].concat());
    }

    #[test]
    fn who_waits_is_not_overtaken_for_ever() {
        let (mut schedule, mut ids) = (Schedule::default(), ConnectionIds::default());
        schedule.begin_round();
        let all = touched(&mut schedule, &mut ids, 2000);
        run(&mut schedule);
        let wide = touched(&mut schedule, &mut ids, Schedule::AHEAD + 1);
        schedule.begin_round();
        assert_eq!(run(&mut schedule), [&all[1024..], &wide[..48]].concat());
        schedule.begin_round();
        assert_eq!(run(&mut schedule), wide[48..]);
    }

    #[test]
    fn what_is_touched_without_room_waits() {
        let (mut schedule, mut ids) = (Schedule::default(), ConnectionIds::default());
        let one = touched(&mut schedule, &mut ids, 1);
        assert_eq!(run(&mut schedule), []);
        assert!(schedule.is_waiting());
        schedule.begin_round();
        assert!(schedule.take_place());
        assert_eq!(run(&mut schedule), one);
    }
}
