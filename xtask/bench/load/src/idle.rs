//! Connections are open and do nothing.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;

use crate::accounting::Memory;
use crate::clock::{Deadline, Stopwatch};
use crate::crowd::{Crowd, MANY};
use crate::job::{Idle, Job};
use crate::messages::Messages;
use crate::report::{Report, Resident};
use crate::witness::Witness;

/// How many come and go first, so that what a server allocates once is not counted.
const FIRST: usize = 500;

/// How long the server's memory may take to settle.
const SETTLE: Duration = Duration::from_secs(8);

/// How many use compression at the same time.
const AT_ONCE: usize = 8;

/// Long enough that nobody thinks it is too short to be compressed.
const PAYLOAD: usize = 2048;

pub(crate) fn run(job: &Job, work: &Idle) -> Result<Report> {
    let deadline = Deadline::of(job);
    let memory = Memory::of(job.process);
    let mut crowd = Crowd::new(job.port)?;
    let first = open(&mut crowd, work, FIRST, deadline)?;
    crowd.drop_all(first);
    let before = memory.settled(SETTLE)?;
    let watch = Stopwatch::start(job)?;
    open(&mut crowd, work, work.connections, deadline)?;
    let report = watch.stop(work.connections as u64)?;
    let after = memory.settled(SETTLE)?;
    let resident = Resident { before, after, connections: work.connections as u64 };
    Ok(Report { resident: Some(resident), ..report })
}

fn open(crowd: &mut Crowd, work: &Idle, count: usize, deadline: Deadline) -> Result<Range<usize>> {
    let numbers = crowd.open(count, &work.path, work.deflate, deadline)?;
    if !work.deflate {
        return Ok(numbers);
    }
    let messages = Messages::new(PAYLOAD, true)?;
    let (mut witness, mut back) = (Witness::new(), 0);
    for (sent, number) in numbers.clone().enumerate() {
        crowd.send(number, messages.frames(0, 1))?;
        // All at once would show how a server queues, not what it keeps.
        let waiting = if sent + 1 == count { 0 } else { AT_ONCE - 1 };
        while back + waiting <= sent {
            let left = deadline.left(|| format!("{back} of {count} messages came back"))?;
            crowd.turn(left, MANY, |who, piece, message| {
                if who == numbers.start {
                    witness.hear(piece, message, &messages)?;
                }
                back += usize::from(piece.is_last);
                Ok(())
            })?;
        }
    }
    Ok(numbers)
}
