//! What the generator is told to do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One measurement of one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Where the server listens, on 127.0.0.1.
    pub port: u16,
    /// The process whose CPU time and memory are read.
    pub process: u32,
    /// The core that the generator's thread keeps to; `None`: any.
    pub core: Option<usize>,
    /// How long the work goes on before the measurement.
    pub warm_up: Duration,
    /// How long it is measured.
    pub measure: Duration,
    /// When the job has failed, whatever it waits for.
    pub limit: Duration,
    /// What is measured.
    pub work: Work,
}

/// The kinds of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// One sends, all others in the room receive.
    FanOut(FanOut),
    /// Everyone sends and receives the same back.
    Echo(Echo),
    /// Connections are opened and dropped.
    Accept(Accept),
    /// Connections are open and do nothing.
    Idle(Idle),
    /// One echoes while many receive a broadcast.
    Fairness(Fairness),
}

/// One sends, all others in the room receive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FanOut {
    /// The room: connections to the same path hear each other.
    pub path: String,
    /// How many receive.
    pub subscribers: usize,
    /// How many messages are sent in one write before all of them have arrived everywhere.
    pub in_flight: usize,
    /// A message's length in bytes, before compression.
    pub payload: usize,
    /// Whether permessage-deflate is offered and required.
    pub deflate: bool,
    /// The time from one write to the next at least; zero: as soon as everything has arrived.
    pub pace: Duration,
    /// How long the generator looks away after each look, so that a server that sends need not wake it up each time;
    /// zero: it waits for each message, for the sake of latency.
    pub rest: Duration,
    /// Connections in other rooms.
    pub bystanders: Bystanders,
}

/// Connections in other rooms, which must not cost anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bystanders {
    /// How many rooms there are beside the measured one.
    pub rooms: usize,
    /// How many connections are in each of them.
    pub members: usize,
}

/// Everyone sends and receives the same back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// Where messages come back.
    pub path: String,
    /// How many do so at the same time.
    pub connections: usize,
    /// How many messages each sends in one write before all of them have come back.
    pub depth: usize,
    /// A message's length in bytes, before compression.
    pub payload: usize,
}

/// Connections are opened and dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accept {
    /// What they ask for.
    pub path: String,
    /// How many handshakes run at the same time.
    pub at_once: usize,
}

/// Connections are open and do nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    /// What they ask for; messages come back.
    pub path: String,
    /// How many.
    pub connections: usize,
    /// Whether permessage-deflate is offered, required, and used by each once: for one message there and back.
    pub deflate: bool,
}

/// One echoes while many receive a broadcast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// The room of the broadcast.
    pub path: String,
    /// Where the one's messages come back.
    pub echo_path: String,
    /// How many receive.
    pub subscribers: usize,
    /// A broadcast message's length in bytes.
    pub payload: usize,
    /// The time from one broadcast to the next.
    pub pace: Duration,
}
