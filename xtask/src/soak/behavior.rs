//! The kinds of clients.

use std::time::{Duration, Instant};

use anyhow::Result;
use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use super::tally::Tally;
use super::target::Target;
use super::{echo, room, rude, upstream};

/// A kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behavior {
    /// Sends messages and expects them back.
    Echo,
    /// Joins rooms, listens, leaves.
    Listener,
    /// Joins the busiest room and stops reading for a while.
    SlowReader,
    /// Resets its socket in the middle of something.
    Reset,
    /// Breaks a rule of the protocol.
    Violator,
    /// Never finishes its opening handshake.
    Hesitant,
    /// Answers no ping.
    Deaf,
    /// Says nothing where that is not allowed for long.
    Silent,
    /// Is connected to a server that behaves badly.
    Proxied,
}

impl Behavior {
    pub(super) const ALL: [Behavior; 9] = [
        Behavior::Echo,
        Behavior::Listener,
        Behavior::SlowReader,
        Behavior::Reset,
        Behavior::Violator,
        Behavior::Hesitant,
        Behavior::Deaf,
        Behavior::Silent,
        Behavior::Proxied,
    ];

    /// What it does, in one sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Behavior::Echo => "echo",
            Behavior::Listener => "listener",
            Behavior::SlowReader => "slow reader",
            Behavior::Reset => "reset",
            Behavior::Violator => "violator",
            Behavior::Hesitant => "hesitant",
            Behavior::Deaf => "deaf",
            Behavior::Silent => "silent",
            Behavior::Proxied => "proxied",
        }
    }

    /// Connects again and again until the end of the run.
    pub(super) async fn live(target: Target, client: u64, seed: u64, end: Instant, tally: Tally) {
        let mut chance = chance(seed, client);
        // Not all at once.
        pause(&mut chance, 0..1_000).await;
        while Instant::now() < end {
            let behavior = Self::pick(&mut chance);
            let life = behavior.one_life(target, &mut chance, end, &tally).await;
            tally.lived(behavior.name(), client, life);
            pause(&mut chance, 0..50).await;
        }
    }

    fn pick(chance: &mut ChaCha8Rng) -> Self {
        match below(chance, 100) {
            0..30 => Behavior::Echo,
            30..60 => Behavior::Listener,
            60..70 => Behavior::Proxied,
            70..73 => Behavior::SlowReader,
            73..83 => Behavior::Reset,
            83..91 => Behavior::Violator,
            91..94 => Behavior::Hesitant,
            94..97 => Behavior::Deaf,
            _ => Behavior::Silent,
        }
    }

    async fn one_life(
        self,
        target: Target,
        chance: &mut ChaCha8Rng,
        end: Instant,
        tally: &Tally,
    ) -> Result<()> {
        match self {
            Behavior::Echo => echo::live(target, chance, end, tally).await,
            Behavior::Listener => room::listen(target, chance, end, tally).await,
            Behavior::SlowReader => room::read_slowly(target, chance, tally).await,
            Behavior::Reset => rude::reset(target, chance).await,
            Behavior::Violator => rude::violate(target, chance).await,
            Behavior::Hesitant => rude::hesitate(target, chance).await,
            Behavior::Deaf => rude::ignore_pings(target, chance).await,
            Behavior::Silent => rude::stay_silent(target, chance).await,
            Behavior::Proxied => upstream::live(target, chance, tally).await,
        }
    }
}

/// The random numbers of one client.
pub(super) fn chance(seed: u64, client: u64) -> ChaCha8Rng {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(client);
    chance
}

/// A number below `end`.
pub(super) fn below(chance: &mut ChaCha8Rng, end: u64) -> u64 {
    // The bias of the remainder does not matter here.
    chance.next_u64() % end.max(1)
}

/// Waits for a random number of ms.
pub(super) async fn pause(chance: &mut ChaCha8Rng, ms: std::ops::Range<u64>) {
    let ms = ms.start + below(chance, ms.end - ms.start);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
