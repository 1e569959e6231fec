//! A sender, its subscribers, and the proof that they hear everything exactly once.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::clock::Deadline;
use crate::crowd::Crowd;
use crate::frame::Piece;
use crate::job::Bystanders;
use crate::messages::Messages;
use crate::witness::Witness;

/// How long it must be quiet until nothing more is thought to come, and until all are thought to have joined.
const QUIET: Duration = Duration::from_millis(50);

/// How long subscribers may take to hear a first message before it is sent again.
const PROBE: Duration = Duration::from_secs(4);

/// How long it must be quiet after that, when nobody can tell how many messages are still to come.
const LONG_QUIET: Duration = Duration::from_secs(1);

/// All connections of a fan-out, open and joined.
pub(crate) struct Room {
    pub(crate) crowd: Crowd,
    pub(crate) tally: Tally,
    deadline: Deadline,
}

/// What has been sent and heard.
pub(crate) struct Tally {
    messages: Messages,
    witness: Witness,
    deflate: bool,
    subscribers: Range<usize>,
    /// Until everyone has joined, the first message is sent again and again and may be missed.
    is_probing: bool,
    pub(crate) sent: usize,
    pub(crate) heard: usize,
}

/// What to build a room from.
pub(crate) struct Plan<'p> {
    pub(crate) path: &'p str,
    pub(crate) subscribers: usize,
    pub(crate) payload: usize,
    pub(crate) deflate: bool,
    pub(crate) bystanders: Bystanders,
}

impl Room {
    /// Opens all connections, and waits until every subscriber hears the sender.
    pub(crate) fn gather(port: u16, plan: &Plan<'_>, deadline: Deadline) -> Result<Self> {
        let mut crowd = Crowd::new(port)?;
        for room in 0..plan.bystanders.rooms {
            crowd.open(plan.bystanders.members, &format!("{}-{room}", plan.path), plan.deflate, deadline)?;
        }
        let subscribers = crowd.open(plan.subscribers, plan.path, plan.deflate, deadline)?;
        crowd.open(1, plan.path, plan.deflate, deadline)?;
        let tally = Tally {
            messages: Messages::new(plan.payload, plan.deflate)?,
            witness: Witness::new(),
            deflate: plan.deflate,
            subscribers,
            is_probing: true,
            sent: 0,
            heard: 0,
        };
        let mut room = Self { crowd, tally, deadline };
        room.probe()?;
        Ok(room)
    }

    /// Sends the next so many messages in one write.
    pub(crate) fn publish(&mut self, count: usize) -> Result<()> {
        let frames = self.tally.messages.frames(self.tally.sent, count);
        self.crowd.send(self.tally.subscribers.end, frames)?;
        self.tally.sent += count;
        Ok(())
    }

    /// Whether everyone has heard everything.
    pub(crate) fn has_heard_all(&self) -> bool {
        self.tally.heard >= self.tally.sent * self.tally.subscribers.len()
    }

    /// Reads once from whoever has something.
    pub(crate) fn listen(&mut self, most: usize) -> Result<()> {
        let tally = &mut self.tally;
        let left = self.deadline.left(|| tally.missing(&self.crowd))?;
        self.crowd.turn(left, most, |who, piece, message| tally.hear(who, piece, message))
    }

    /// Checks that everyone has heard every message exactly once, and that nothing more comes.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.wait_for_quiet(QUIET)?;
        let Self { crowd, tally, .. } = self;
        if tally.subscribers.clone().any(|number| crowd.received(number) != tally.sent) {
            bail!("{}", tally.missing(crowd));
        }
        Ok(())
    }

    fn probe(&mut self) -> Result<()> {
        // A server may let a connection in before it has joined.
        self.wait_for_quiet(QUIET)?;
        let mut quiet = QUIET;
        loop {
            let frames = self.tally.messages.frames(0, 1);
            self.crowd.send(self.tally.subscribers.end, frames)?;
            let end = Instant::now() + PROBE;
            while !self.has_joined() && Instant::now() < end {
                self.deadline.left(|| "not all subscribers have joined".to_owned())?;
                let tally = &mut self.tally;
                self.crowd
                    .turn(QUIET, crate::crowd::MANY, |who, piece, message| tally.hear(who, piece, message))?;
            }
            if self.has_joined() {
                break;
            }
            quiet = LONG_QUIET;
        }
        self.wait_for_quiet(quiet)?;
        self.crowd.forget_received(self.tally.subscribers.clone());
        (self.tally.is_probing, self.tally.heard) = (false, 0);
        Ok(())
    }

    fn has_joined(&self) -> bool {
        self.tally.subscribers.clone().all(|number| self.crowd.received(number) > 0)
    }

    fn wait_for_quiet(&mut self, quiet: Duration) -> Result<()> {
        loop {
            let (tally, mut is_quiet) = (&mut self.tally, true);
            self.crowd.turn(quiet, crate::crowd::MANY, |who, piece, message| {
                is_quiet = false;
                tally.hear(who, piece, message)
            })?;
            if is_quiet {
                return Ok(());
            }
            self.deadline.left(|| "messages keep coming".to_owned())?;
        }
    }
}

impl Tally {
    /// Takes one piece of one message of one connection.
    pub(crate) fn hear(&mut self, who: usize, piece: Piece<'_>, message: usize) -> Result<()> {
        if !self.subscribers.contains(&who) {
            let who = if who == self.subscribers.end { "its sender" } else { "another room" };
            bail!("a message reached {who}");
        }
        let message = if self.is_probing { 0 } else { message };
        if piece.is_first {
            if !self.is_probing && message >= self.sent {
                bail!("a message arrived twice, or one that was not sent");
            }
            if piece.is_compressed != self.deflate {
                bail!("a message arrived {}compressed", if self.deflate { "un" } else { "" });
            }
            if !piece.is_compressed && !self.messages.is_prefix(message, piece.payload) {
                bail!("a message arrived out of order, or altered");
            }
        }
        if who == self.subscribers.start {
            self.witness.hear(piece, message, &self.messages)?;
        }
        self.heard += usize::from(piece.is_last);
        Ok(())
    }

    fn missing(&self, crowd: &Crowd) -> String {
        let due = self.sent * self.subscribers.len();
        let short = self.subscribers.clone().filter(|number| crowd.received(*number) < self.sent).count();
        format!(
            "{} of {due} messages arrived, {short} of {} subscribers miss some",
            self.heard,
            self.subscribers.len()
        )
    }
}
