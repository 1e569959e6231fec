//! What the generator measured.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::Latency;

/// One measurement of one server, in which nothing was lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Messages received, echoes received, or connections accepted, within the measured time.
    pub count: u64,
    /// The measured time.
    pub wall: Duration,
    /// CPU time of the measured process in it.
    pub server: Duration,
    /// CPU time of the generator in it.
    pub generator: Duration,
    /// From a message's sending to its last receipt; fairness: the one's round trips.
    pub latency: Option<Latency>,
    /// What open connections hold.
    pub resident: Option<Resident>,
}

/// The measured process's memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resident {
    /// With nobody connected, after some connections have come and gone.
    pub before: u64,
    /// With all connections open.
    pub after: u64,
    /// How many they are.
    pub connections: u64,
}

impl Report {
    /// CPU time of the server for each thing counted, in ns.
    pub fn cost(&self) -> f64 {
        self.server.as_nanos() as f64 / self.count.max(1) as f64
    }

    /// Things counted each second.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The part of the time that the generator was busy: 0 to 1.
    pub fn generator_load(&self) -> f64 {
        self.generator.as_secs_f64() / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The part of the time that the server was busy: 0 to the number of its cores.
    pub fn server_load(&self) -> f64 {
        self.server.as_secs_f64() / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

impl Resident {
    /// Bytes for each open connection.
    pub fn each(&self) -> f64 {
        (self.after as f64 - self.before as f64) / self.connections.max(1) as f64
    }
}
