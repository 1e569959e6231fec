//! One sends, all others in the room receive.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::clock::{Deadline, Stopwatch};
use crate::crowd::MANY;
use crate::job::{FanOut, Job};
use crate::latency::Latency;
use crate::report::Report;
use crate::room::{Plan, Room};

pub(crate) fn run(job: &Job, work: &FanOut) -> Result<Report> {
    let plan = Plan {
        path: &work.path,
        subscribers: work.subscribers,
        payload: work.payload,
        deflate: work.deflate,
        bystanders: work.bystanders,
    };
    let mut room = Room::gather(job.port, &plan, Deadline::of(job))?;
    rounds(&mut room, work, job.warm_up)?;
    let heard = room.tally.heard;
    let watch = Stopwatch::start(job)?;
    let latencies = rounds(&mut room, work, job.measure)?;
    let report = watch.stop((room.tally.heard - heard) as u64)?;
    room.check()?;
    Ok(Report { latency: Latency::of(latencies), ..report })
}

/// Sends again and again until the time is over and everything has arrived; returns how long each round took.
fn rounds(room: &mut Room, work: &FanOut, time: Duration) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut latencies = Vec::new();
    while begun.elapsed() < time {
        let sent = Instant::now();
        room.publish(work.in_flight)?;
        room.listen(MANY)?;
        while !room.has_heard_all() {
            if !work.rest.is_zero() {
                std::thread::sleep(work.rest);
            }
            room.listen(MANY)?;
        }
        latencies.push(sent.elapsed());
        std::thread::sleep(work.pace.saturating_sub(sent.elapsed()));
    }
    Ok(latencies)
}
