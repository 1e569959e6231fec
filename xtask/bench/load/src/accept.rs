//! Connections are opened and dropped.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::clock::{Deadline, Stopwatch};
use crate::crowd::{Crowd, MANY};
use crate::handshake;
use crate::job::{Accept, Job};
use crate::report::Report;

pub(crate) fn run(job: &Job, work: &Accept) -> Result<Report> {
    let deadline = Deadline::of(job);
    let mut crowd = Crowd::new(job.port)?;
    let request = handshake::request(job.port, &work.path, false);
    for number in 0..work.at_once {
        crowd.begin(number, &request, false)?;
    }
    rounds(&mut crowd, &request, job.warm_up, deadline)?;
    let watch = Stopwatch::start(job)?;
    let count = rounds(&mut crowd, &request, job.measure, deadline)?;
    watch.stop(count)
}

/// Drops what is open and opens another one in its place, until the time is over; returns how often.
fn rounds(crowd: &mut Crowd, request: &[u8], time: Duration, deadline: Deadline) -> Result<u64> {
    let end = Instant::now() + time;
    let (mut count, mut open) = (0, Vec::new());
    while Instant::now() < end {
        let left = deadline.left(|| format!("{count} connections were accepted"))?;
        crowd.turn(left, MANY, |_, _, _| Ok(()))?;
        open.clear();
        open.extend(crowd.touched().filter(|number| crowd.is_open(*number)));
        for number in &open {
            crowd.begin(*number, request, false)?;
        }
        count += open.len() as u64;
    }
    Ok(count)
}
