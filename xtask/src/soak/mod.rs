//! `cargo xtask soak`: hundreds of clients that come and go, behave well and badly, and check all that they hear.
//!
//! What a client does follows from the seed and its number, so that a fault can be reproduced; how clients interleave
//! does not. The run checks that:
//!
//! - an echo is what was sent, in order, however it was fragmented and compressed;
//! - in a room every number comes, in order, from joining to leaving or to a close with a reason;
//! - through a proxy everything comes, in order, from a target that floods or echoes to clients that read when they like;
//!   a target that stalls, breaks off, refuses or never answers costs its own client only, with the documented outcome;
//! - whoever breaks a rule, stays silent or does not read is closed with the code that is documented for it;
//! - when all have left, no connection, room, timer or call is left, no file descriptor, and memory is back near the start.

mod behavior;
#[path = "../../../core/tests/support/client_frame.rs"]
mod client_frame;
mod cluster;
mod echo;
mod peer;
mod room;
mod rude;
mod server;
mod tally;
mod target;
mod upstream;

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::project::Project;
use behavior::Behavior;
use server::{Reading, Server};
use tally::Tally;

/// How long, against what, and from which seed.
#[derive(Args)]
pub(crate) struct Options {
    /// Which server
    #[arg(default_value = "native")]
    subject: Subject,
    /// How long clients connect and leave [default: 2, of a cluster 10]
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// The seed of all random numbers; without it, another one each time
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many clients there are at once, beside those that speak in rooms
    #[arg(long, value_name = "N", default_value_t = 300)]
    clients: u64,
    /// Run the native server as it is in target/release, for a cluster in target/debug, or the plugin as it is in npm/dist
    #[arg(long)]
    built: bool,
    /// Have a cluster share a NATS instead of a Redis
    #[arg(long)]
    nats: bool,
}

/// What is put under load.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Subject {
    /// The native server
    Native,
    /// The plugin in a Vite development server
    Plugin,
    /// Three native servers that share a Redis, or with --nats a NATS, which is killed every minute
    Cluster,
}

/// The server under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Native,
    Plugin,
}

/// Memory is first read after a part of the time: what is allocated once is no leak.
const WARM_UP: f64 = 0.2;

/// How long connections may take to be gone after their clients.
const DRAIN: Duration = Duration::from_secs(20);

/// Runs the clients, and fails on any fault.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()) ^ time_seed());
    let time = |minutes: f64| Duration::from_secs_f64(minutes * 60.0);
    let host = match options.subject {
        Subject::Native => Host::Native,
        Subject::Plugin => Host::Plugin,
        Subject::Cluster => {
            let time = time(options.minutes.unwrap_or(10.0));
            return cluster::run(project, time, seed, options.built, options.nats);
        }
    };
    let minutes = options.minutes.unwrap_or(2.0);
    let server = Server::start(project, host, options.built)?;
    println!("{minutes} minutes with {} clients at once, seed {seed}", options.clients);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(soak(&server, options, time(minutes), seed));
    outcome.map_err(|error| error.context(format!("seed {seed}; the server printed:\n{}", server.printed())))
}

async fn soak(server: &Server, options: &Options, whole: Duration, seed: u64) -> Result<()> {
    let tally = Tally::default();
    let first = churn(server, options, seed, whole.mul_f64(WARM_UP), &tally).await?;
    println!("warm: {first}");
    let last = churn(server, options, seed ^ u64::MAX, whole.mul_f64(1.0 - WARM_UP), &tally).await?;
    println!("end:  {last}");
    println!("{tally}");
    tally.check_faults()?;
    tally.check_variety()?;
    last.check_against(&first)
}

/// Runs clients for a while; when all have left, reads what the server still holds.
async fn churn(
    server: &Server,
    options: &Options,
    seed: u64,
    time: Duration,
    tally: &Tally,
) -> Result<Reading> {
    let end = Instant::now() + time;
    let local = tokio::task::LocalSet::new();
    let target = server.target();
    for speaker in room::speakers(target) {
        local.spawn_local(room::speak(speaker, seed, end, tally.clone()));
    }
    for number in 0..options.clients {
        local.spawn_local(Behavior::live(target, number, seed, end, tally.clone()));
    }
    local.await;
    server.drained(Instant::now() + DRAIN).await
}

fn time_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.subsec_nanos().into())
}
