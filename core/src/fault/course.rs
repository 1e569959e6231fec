//! How one fault fares on one connection: what has passed, what its chances come to, and what it does.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use super::line::Passage;
use super::options::{Delay, Fault, FaultStage};
use crate::message::{CloseCode, CloseFrame};
use crate::protocol::Damage;
use crate::time::Instant;

/// What one fault has seen of one connection.
#[derive(Debug)]
pub(crate) struct Course {
    random: ChaCha8Rng,
    messages: u64,
    bytes: u64,
    since: Instant,
    /// When it begins by time, until then.
    pub(crate) begins: Option<Instant>,
    /// It has ended the connection, or was not lucky.
    is_over: bool,
}

/// What becomes of one message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate {
    pub(crate) is_lost: bool,
    pub(crate) is_doubled: bool,
    pub(crate) truncate: Option<usize>,
    pub(crate) damage: Option<Damage>,
    pub(crate) passage: Passage,
    /// What follows it.
    pub(crate) end: Option<End>,
}

impl Fate {
    /// How many of it go on, unless it is lost.
    pub(crate) fn copies(&self) -> usize {
        if self.is_doubled { 2 } else { 1 }
    }
}

/// How a connection ends, or what looks to its client as if it had not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close(CloseFrame),
    Terminate,
    HalfOpen,
}

/// What becomes of an opening handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) refuse: Option<u16>,
    pub(crate) terminate: bool,
    pub(crate) hang: bool,
    pub(crate) silent: bool,
    /// In ms.
    pub(crate) latency: u64,
}

impl Course {
    /// The course of a fault on a connection that is the `ordinal`th it meets, from 0. `server` seeds faults without a seed
    /// of their own, each by its `number`.
    pub(crate) fn new(fault: &Fault, server: [u8; 32], number: u64, ordinal: u64, now: Instant) -> Self {
        let (mut random, stream) = match fault.seed {
            Some(seed) => (ChaCha8Rng::seed_from_u64(seed), ordinal),
            // The engine draws from the first stream itself.
            None => (ChaCha8Rng::from_seed(server), ((number + 1) << 32).wrapping_add(ordinal)),
        };
        random.set_stream(stream);
        let mut course = Self { random, messages: 0, bytes: 0, since: now, begins: None, is_over: false };
        course.restart(fault, now);
        course
    }

    /// The connection is open from now on.
    pub(crate) fn restart(&mut self, fault: &Fault, now: Instant) {
        self.since = now;
        self.begins = match fault.after {
            None => fault.is_end().then_some(now),
            Some(after) => after.ms.filter(|_| fault.is_end()).map(|ms| now + ms),
        };
    }

    /// What becomes of an opening handshake.
    pub(crate) fn open(&mut self, fault: &Fault, used: &mut u64, opening: &mut Opening) {
        if is_used_up(fault, *used) || !self.chance(fault.probability) {
            return;
        }
        *used += 1;
        opening.refuse = opening.refuse.or(fault.refuse);
        opening.terminate |= fault.terminate;
        opening.hang |= fault.hang;
        opening.silent |= fault.silent;
        opening.latency = opening.latency.saturating_add(self.delay(fault.latency));
    }

    /// A message of so many bytes on the wire passes in a direction that the fault is about, or that counts for it.
    pub(crate) fn pass(
        &mut self,
        fault: &Fault,
        used: &mut u64,
        is_in_room: bool,
        now: Instant,
        fate: &mut Fate,
    ) {
        let has_begun = self.has_begun(fault, now);
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(fate.passage.bytes as u64);
        if !is_in_room {
            return;
        }
        if fault.is_end() {
            if fate.end.is_none() && self.has_begun(fault, now) {
                fate.end = self.end(fault, used);
            }
            return;
        }
        if !has_begun || is_used_up(fault, *used) || !self.chance(fault.probability) {
            return;
        }
        let mut happens = self.slow_down(fault, &mut fate.passage);
        if fault.loss.is_some() && self.chance(fault.loss) {
            (happens, fate.is_lost) = (true, true);
        }
        if fault.duplicate.is_some() && self.chance(fault.duplicate) {
            (happens, fate.is_doubled) = (true, true);
        }
        if fault.reorder.is_some() && self.chance(fault.reorder) {
            (happens, fate.passage.is_overtaken) = (true, true);
        }
        if let Some(left) = fault.truncate {
            happens = true;
            fate.truncate = Some(fate.truncate.map_or(left, |other| other.min(left)));
        }
        if fault.damage.is_some() {
            (happens, fate.damage) = (true, fault.damage);
        }
        *used += u64::from(happens);
    }

    /// A control frame passes: it takes the shortest latency, and its share of a throttled wire. It draws nothing, as pings
    /// come when they like.
    pub(crate) fn pass_control(&self, fault: &Fault, used: u64, now: Instant, passage: &mut Passage) {
        if !is_used_up(fault, used) && fault.probability != Some(0.0) && self.has_begun(fault, now) {
            let latency = fault.latency.unwrap_or_default().min;
            passage.latency = passage.latency.saturating_add(latency);
            passage.throttle = slower(passage.throttle, fault.throttle);
        }
    }

    /// How the connection ends, once it is to.
    pub(crate) fn end(&mut self, fault: &Fault, used: &mut u64) -> Option<End> {
        if self.is_over || is_used_up(fault, *used) {
            return None;
        }
        (self.is_over, self.begins) = (true, None);
        if !self.chance(fault.probability) {
            return None;
        }
        *used += 1;
        Some(match fault.close {
            Some(code) => {
                End::Close(CloseFrame::new(CloseCode(code), fault.reason.as_deref().unwrap_or_default()))
            }
            None if fault.terminate => End::Terminate,
            None => End::HalfOpen,
        })
    }

    fn slow_down(&mut self, fault: &Fault, passage: &mut Passage) -> bool {
        passage.latency = passage.latency.saturating_add(self.delay(fault.latency));
        passage.throttle = slower(passage.throttle, fault.throttle);
        fault.latency.is_some() || fault.throttle.is_some()
    }

    fn has_begun(&self, fault: &Fault, now: Instant) -> bool {
        let Some(after) = fault.after else { return true };
        after.messages.is_some_and(|messages| self.messages >= messages)
            || after.bytes.is_some_and(|bytes| self.bytes >= bytes)
            || after.ms.is_some_and(|ms| now.ms_since(self.since) >= ms)
    }

    /// Whether something with this probability happens; nothing is drawn for what is certain.
    fn chance(&mut self, probability: Option<f64>) -> bool {
        match probability {
            None => true,
            Some(certain) if certain >= 1.0 => true,
            Some(never) if never <= 0.0 => false,
            // 53 bits are as many as an f64 has.
            Some(chance) => ((self.random.next_u64() >> 11) as f64) < chance * (1_u64 << 53) as f64,
        }
    }

    fn delay(&mut self, delay: Option<Delay>) -> u64 {
        match delay {
            None => 0,
            Some(Delay { min, max }) if min >= max => min,
            Some(Delay { min, max }) => min + self.random.next_u64() % (max - min + 1),
        }
    }
}

impl Fault {
    /// Whether it counts, or happens to, what goes in a direction.
    pub(crate) fn is_about(&self, stage: FaultStage) -> bool {
        match self.on {
            None => self.is_end(),
            Some(on) => on == stage,
        }
    }
}

fn is_used_up(fault: &Fault, used: u64) -> bool {
    fault.times.is_some_and(|times| used >= times)
}

fn slower(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::super::options::FaultTrigger;
    use super::*;

    fn course(fault: &Fault, ordinal: u64) -> Course {
        Course::new(fault, [7; 32], 3, ordinal, Instant::default())
    }

    /// Which of a hundred messages are lost.
    fn losses(fault: &Fault, ordinal: u64) -> Vec<bool> {
        let (mut course, mut used) = (course(fault, ordinal), 0);
        let pass = |_| {
            let mut fate = Fate::default();
            course.pass(fault, &mut used, true, Instant::default(), &mut fate);
            fate.is_lost
        };
        (0..100).map(pass).collect()
    }

    #[test]
    fn a_seed_decides_and_connections_differ() {
        let fault = Fault { on: Some(FaultStage::Send), loss: Some(0.5), ..Fault::default() };
        let seeded = Fault { seed: Some(1), ..fault.clone() };
        for fault in [&fault, &seeded] {
            assert_eq!(losses(fault, 0), losses(fault, 0));
            assert_ne!(losses(fault, 0), losses(fault, 1));
            let lost = losses(fault, 0).into_iter().filter(|lost| *lost).count();
            assert!((30..70).contains(&lost), "{lost}");
        }
        assert_ne!(losses(&fault, 0), losses(&seeded, 0));
    }

    #[test]
    fn what_is_certain_is_certain() {
        let fault = |loss| Fault { on: Some(FaultStage::Send), loss: Some(loss), ..Fault::default() };
        assert!(losses(&fault(1.0), 0).into_iter().all(|lost| lost));
        assert!(!losses(&fault(0.0), 0).into_iter().any(|lost| lost));
    }

    #[test]
    fn it_begins_behind_what_it_waits_for_and_happens_so_often() {
        let after = Some(FaultTrigger { messages: Some(3), ..FaultTrigger::default() });
        let fault =
            Fault { on: Some(FaultStage::Send), loss: Some(1.0), times: Some(2), after, ..Fault::default() };
        let lost: Vec<usize> =
            losses(&fault, 0).iter().enumerate().filter(|(_, lost)| **lost).map(|(at, _)| at).collect();
        assert_eq!(lost, [3, 4]);
    }
}
