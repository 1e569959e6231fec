//! `cargo xtask soak cluster`: three native servers that share a Redis, or a NATS, which is killed every minute.
//!
//! All the while somebody speaks at each server, somebody listens at each, and others come and go. The run checks that:
//!
//! - whoever listens hears those who speak in their order, nothing twice, and those at their own server without a gap;
//! - what does not come from the other servers is exactly what `/health` counts as lost;
//! - who breaks off and comes back to another server, with a position, gets exactly what it missed or is told that it cannot;
//! - in the end each server shows the same presence and the same counts, which are those of the clients that are there.

mod presence;
mod returning;
mod speech;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::client::Client;
use crate::cluster::{Broker, Node, configuration};
use crate::native;
use crate::project::Project;
use returning::{Returns, Traveller};

/// How often the broker is killed.
const KILL_EVERY: Duration = Duration::from_secs(60);

/// For how many ms it is away at least, and at most so many more: shorter and longer than a lease.
const AWAY: (u64, u64) = (500, 8_000);

/// How long everything may take to be well again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many come and go at once.
const GUESTS: u64 = 12;

/// How many break off and come back at once.
const TRAVELLERS: u64 = 12;

/// How many are counted at each server.
const COUNTED: usize = 5;

/// Runs it for a while.
pub(super) fn run(project: &Project, time: Duration, seed: u64, is_built: bool, is_nats: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = if is_built { native::debug(project) } else { native::build(project)? };
    let mut broker = match is_nats {
        true => Broker::nats(project, folder.path())?,
        false => Broker::redis(folder.path())?,
    };
    let file = folder.path().join("switchboard.toml");
    std::fs::write(&file, configuration(&broker.url()))?;
    let names = ["a", "b", "c"];
    let nodes = names.map(|name| Node::start(&program, &file, name));
    let nodes = nodes.into_iter().collect::<Result<Vec<_>>>()?;
    println!(
        "{:.0} minutes with a broker that is killed every minute, seed {seed}",
        time.as_secs_f64() / 60.0
    );
    let outcome = soak(&mut broker, &nodes, time, seed);
    outcome.map_err(|error| {
        let printed: Vec<String> = nodes.iter().map(Node::printed).collect();
        error.context(format!("seed {seed}; the servers printed:\n{}", printed.join("\n")))
    })
}

fn soak(broker: &mut Broker, nodes: &[Node], time: Duration, seed: u64) -> Result<()> {
    agree(
        nodes,
        "the servers find each other",
        |node| Ok(node.health()?["cluster"]["nodes"] == nodes.len()),
    )?;
    let ports: Vec<u16> = nodes.iter().map(Node::port).collect();
    let (is_over, is_silent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let listen = |path| -> Result<Vec<_>> {
        ports.iter().map(|port| speech::Listener::start(path, *port, is_silent.clone())).collect()
    };
    let (listeners, kept_listeners) = (listen(speech::ROOM)?, listen(returning::PATH)?);
    let speak = |path: &'static str| -> Vec<_> {
        let ports = ports.iter().enumerate();
        ports.map(|(index, port)| speech::speak(path, index, *port, is_over.clone())).collect()
    };
    let (speakers, kept_speakers) = (speak(speech::ROOM), speak(returning::PATH));
    let travellers: Vec<_> = (0..TRAVELLERS)
        .map(|number| Traveller::start(ports.clone(), !seed ^ number, is_over.clone()))
        .collect();
    for listener in listeners.iter().chain(&kept_listeners) {
        listener.hears_all_of(nodes.len(), PATIENCE)?;
    }
    let watchers = ports.iter().enumerate().map(|(index, port)| presence::Watcher::start(index, *port));
    let mut watchers = watchers.collect::<Result<Vec<_>>>()?;
    let guests: Vec<_> = (0..GUESTS)
        .map(|number| presence::come_and_go(number, ports.clone(), seed ^ number, is_over.clone()))
        .collect();
    let counted = ports.iter().flat_map(|port| (0..COUNTED).map(|_| Client::connect(*port, "/counted")));
    let counted = counted.collect::<Result<Vec<_>>>()?;

    let kills = trouble(broker, time, seed)?;
    agree(nodes, "the servers find each other again", |node| {
        let health = node.health()?;
        Ok(health["status"] == "ok" && health["cluster"]["nodes"] == nodes.len())
    })?;
    is_over.store(true, Ordering::Relaxed);
    let said = all_joined(speakers, "who speaks")?;
    let kept = all_joined(kept_speakers, "who speaks where it is kept")?;
    let mut returns = Returns::default();
    let travellers = all_joined(travellers, "who comes back")?;
    for (traveller, port) in travellers.into_iter().zip(ports.iter().cycle()) {
        returns += traveller.finish(*port, &kept, PATIENCE).context("who comes back when all is said")?;
    }
    let visits: u64 = all_joined(guests, "who comes and goes")?.into_iter().sum();

    let mut expected: Vec<String> = watchers.iter().map(|watcher| watcher.name().to_owned()).collect();
    expected.sort();
    for watcher in &mut watchers {
        watcher.sees(&expected, PATIENCE)?;
    }
    let all = counted.len();
    agree(nodes, "each server counts all", |node| Ok(node.counted()? == all))?;

    for (all, said) in [(&listeners, &said), (&kept_listeners, &kept)] {
        for (index, listener) in all.iter().enumerate() {
            listener.is_at(index, said[index], PATIENCE)?;
        }
    }
    is_silent.store(true, Ordering::Relaxed);
    let (mut heard_in_all, mut lost_in_all) = (0, 0);
    for (index, listeners) in listeners.into_iter().zip(kept_listeners).enumerate() {
        let (mut heard, mut missed) = (0, 0);
        for (listener, said) in [(listeners.0, &said), (listeners.1, &kept)] {
            let of_all = listener.end()?;
            let missed_of_all = of_all.missed(said);
            if missed_of_all[index] > 0 {
                let count = missed_of_all[index];
                bail!("{count} messages of its own server are missing at {}", nodes[index].name());
            }
            heard += of_all.count();
            missed += missed_of_all.iter().sum::<u64>();
        }
        // The last ones are told as lost by the next sign of life.
        agree(&nodes[index..=index], "what is missing is counted", |node| {
            Ok(node.health()?["cluster"]["lost"].as_u64() == Some(missed))
        })
        .with_context(|| format!("{missed} messages are missing at {}", nodes[index].name()))?;
        let cluster = nodes[index].health()?["cluster"].clone();
        println!(
            "{}: said {}, heard {heard}, missed {missed}; counted: lost {}, not sent {}, repeated {}, links {}",
            nodes[index].name(),
            said[index] + kept[index],
            cluster["lost"],
            cluster["unsent"],
            cluster["repeated"],
            cluster["links"],
        );
        heard_in_all += heard;
        lost_in_all += missed;
    }
    println!(
        "the broker was killed {kills} times; {visits} visits; all servers show {} present and {all} counted; {heard_in_all} \
         messages heard, {lost_in_all} lost and counted",
        expected.len(),
    );
    let Returns { recovered, refused, heard, complete } = returns;
    println!(
        "who came back to another server got all that was missed {recovered} times, and was told {refused} times that \
         something is missing; {heard} messages came without a gap, {complete} speakers were followed to the end"
    );
    drop(counted);
    let is_quiet = lost_in_all == 0 || visits < GUESTS || recovered == 0 || refused == 0 || complete == 0;
    match kills > 0 && is_quiet {
        true => bail!("too little has happened to prove anything"),
        false => Ok(()),
    }
}

/// Kills the broker again and again. Gives how often.
fn trouble(broker: &mut Broker, time: Duration, seed: u64) -> Result<u64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let end = Instant::now() + time;
    let mut kills = 0;
    while Instant::now() + KILL_EVERY <= end {
        // The first half is quiet, so that everything is well before the next kill.
        std::thread::sleep(KILL_EVERY / 2);
        let away = Duration::from_millis(AWAY.0 + random.next_u64() % AWAY.1);
        broker.kill();
        std::thread::sleep(away);
        broker.run()?;
        kills += 1;
        println!("{kills}: the broker was away for {:.1} s", away.as_secs_f64());
        std::thread::sleep((KILL_EVERY / 2).saturating_sub(away));
    }
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    Ok(kills)
}

/// Waits until all nodes say so.
fn agree(nodes: &[Node], what: &str, mut says: impl FnMut(&Node) -> Result<bool>) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    for node in nodes {
        while !says(node)? {
            if Instant::now() > end {
                bail!("{what}: not at {}, whose health is {}", node.name(), node.health()?);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

/// What threads that do the same have come to.
fn all_joined<T>(threads: Vec<JoinHandle<Result<T>>>, who: &'static str) -> Result<Vec<T>> {
    threads.into_iter().map(|thread| joined(thread).context(who)).collect()
}

fn joined<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| bail!("a thread has panicked"))
}
