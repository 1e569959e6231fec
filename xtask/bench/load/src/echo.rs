//! Everyone sends and receives the same back.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::clock::{Deadline, Stopwatch};
use crate::crowd::{Crowd, MANY};
use crate::frame::Piece;
use crate::job::{Echo, Job};
use crate::messages::Messages;
use crate::report::Report;
use crate::witness::Witness;

pub(crate) fn run(job: &Job, work: &Echo) -> Result<Report> {
    let deadline = Deadline::of(job);
    let mut crowd = Crowd::new(job.port)?;
    crowd.open(work.connections, &work.path, false, deadline)?;
    let mut tally = Tally {
        messages: Messages::new(work.payload, false)?,
        witness: Witness::new(),
        sent: vec![0; work.connections],
        heard: 0,
    };
    rounds(&mut crowd, &mut tally, work, job.warm_up, deadline)?;
    let heard = tally.heard;
    let watch = Stopwatch::start(job)?;
    rounds(&mut crowd, &mut tally, work, job.measure, deadline)?;
    watch.stop((tally.heard - heard) as u64)
}

/// What has been sent and heard.
struct Tally {
    messages: Messages,
    witness: Witness,
    /// By each connection.
    sent: Vec<usize>,
    heard: usize,
}

impl Tally {
    fn hear(&mut self, who: usize, piece: Piece<'_>, message: usize) -> Result<()> {
        if piece.is_first {
            if message >= self.sent[who] {
                bail!("an echo came twice");
            }
            if piece.is_compressed || !self.messages.is_prefix(message, piece.payload) {
                bail!("an echo came out of order, or altered");
            }
        }
        if who == 0 {
            self.witness.hear(piece, message, &self.messages)?;
        }
        self.heard += usize::from(piece.is_last);
        Ok(())
    }
}

/// Lets all echo until the time is over and everything is back.
fn rounds(
    crowd: &mut Crowd,
    tally: &mut Tally,
    work: &Echo,
    time: Duration,
    deadline: Deadline,
) -> Result<()> {
    let end = Instant::now() + time;
    for who in 0..work.connections {
        burst(crowd, tally, who, work.depth)?;
    }
    let mut done = Vec::new();
    while tally.heard < tally.sent.iter().sum() {
        let left = deadline
            .left(|| format!("of {} echoes {} came", tally.sent.iter().sum::<usize>(), tally.heard))?;
        crowd.turn(left, MANY, |who, piece, message| tally.hear(who, piece, message))?;
        if Instant::now() >= end {
            continue;
        }
        done.clear();
        done.extend(crowd.touched().filter(|who| crowd.received(*who) == tally.sent[*who]));
        for who in &done {
            burst(crowd, tally, *who, work.depth)?;
        }
    }
    Ok(())
}

fn burst(crowd: &mut Crowd, tally: &mut Tally, who: usize, depth: usize) -> Result<()> {
    crowd.send(who, tally.messages.frames(tally.sent[who], depth))?;
    tally.sent[who] += depth;
    Ok(())
}
