//! One echoes while many receive a broadcast.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::clock::{Deadline, Stopwatch};
use crate::frame::Piece;
use crate::job::{Bystanders, Fairness, Job};
use crate::latency::Latency;
use crate::messages::Messages;
use crate::report::Report;
use crate::room::{Plan, Room};

/// How many subscribers are read from between two looks at the echo: what that takes is seen as the server's delay.
const BETWEEN: usize = 32;

const ECHO_PAYLOAD: usize = 64;

pub(crate) fn run(job: &Job, work: &Fairness) -> Result<Report> {
    let deadline = Deadline::of(job);
    let plan = Plan {
        path: &work.path,
        subscribers: work.subscribers,
        payload: work.payload,
        deflate: false,
        bystanders: Bystanders::default(),
    };
    let mut room = Room::gather(job.port, &plan, deadline)?;
    let echo = room.crowd.open(1, &work.echo_path, false, deadline)?.start;
    let mut echo = Echo { who: echo, messages: Messages::new(ECHO_PAYLOAD, false)?, sent: 0, heard: 0 };
    rounds(&mut room, &mut echo, work, job.warm_up, deadline)?;
    let heard = room.tally.heard;
    let watch = Stopwatch::start(job)?;
    let latencies = rounds(&mut room, &mut echo, work, job.measure, deadline)?;
    let report = watch.stop((room.tally.heard - heard) as u64)?;
    room.check()?;
    Ok(Report { latency: Latency::of(latencies), ..report })
}

/// The one that echoes.
struct Echo {
    who: usize,
    messages: Messages,
    sent: usize,
    heard: usize,
}

impl Echo {
    fn hear(&mut self, piece: Piece<'_>, message: usize) -> Result<()> {
        if piece.is_first && (message >= self.sent || !self.messages.is_prefix(message, piece.payload)) {
            bail!("an echo came twice, or altered");
        }
        self.heard += usize::from(piece.is_last);
        Ok(())
    }
}

/// Broadcasts at the pace, echoes all the time, until the time is over and everything has arrived; returns how long
/// each echo took.
fn rounds(
    room: &mut Room,
    echo: &mut Echo,
    work: &Fairness,
    time: Duration,
    deadline: Deadline,
) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let (who, mut latencies, mut published, mut asked) = (echo.who, Vec::new(), 0, None);
    while begun.elapsed() < time || !room.has_heard_all() || echo.heard < echo.sent {
        let is_over = begun.elapsed() >= time;
        if !is_over && room.has_heard_all() && begun.elapsed() >= work.pace * published {
            room.publish(1)?;
            published += 1;
        }
        if echo.heard == echo.sent && !is_over {
            asked = Some(Instant::now());
            room.crowd.send(echo.who, echo.messages.frames(echo.sent, 1))?;
            echo.sent += 1;
        }
        deadline.left(|| "not everything has arrived".to_owned())?;
        let Room { crowd, tally, .. } = room;
        let mut hear = |number, piece: Piece<'_>, message| match number == who {
            true => echo.hear(piece, message),
            false => tally.hear(number, piece, message),
        };
        // Not longer than to the next broadcast.
        crowd.turn(Duration::from_millis(1), BETWEEN, &mut hear)?;
        crowd.read(who, &mut hear)?;
        if echo.heard == echo.sent {
            latencies.extend(asked.take().map(|asked| asked.elapsed()));
        }
    }
    Ok(latencies)
}
