//! Somebody who may write to the broker and means no good: nodes count it, hold only so much of it, and serve their clients.

use std::fmt::Write as _;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::broker::BrokerProcess;
use crate::messages::hello;
use crate::node::{becomes, configuration, sees};
use crate::processes::File;
use crate::support::program::listening;
use crate::support::{Client, within};

/// How much the resident memory of a node may grow, in KiB: buffers, and what is within its limits.
const MOST_GROWTH: u64 = 64 << 10;

/// How many names are invented.
const STRANGERS: u32 = 20_000;

/// How many are invented between two looks at what the nodes have counted: the broker drops who is too far behind.
const AT_ONCE: u32 = 1_000;

/// A client of Redis that publishes bytes.
struct Publisher {
    stream: BufReader<TcpStream>,
    waiting: Vec<u8>,
    count: usize,
}

impl Publisher {
    async fn new(url: &str) -> Self {
        let address = url.strip_prefix("redis://").expect("a URL of Redis");
        let stream = within("the broker", TcpStream::connect(address)).await.expect("a connection");
        Self { stream: BufReader::new(stream), waiting: Vec::new(), count: 0 }
    }

    async fn publish(&mut self, channel: &str, payload: &[u8]) {
        let header =
            format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n${}\r\n", channel.len(), payload.len());
        self.waiting.extend_from_slice(header.as_bytes());
        self.waiting.extend_from_slice(payload);
        self.waiting.extend_from_slice(b"\r\n");
        self.count += 1;
        if self.waiting.len() > 256 << 10 {
            self.flush().await;
        }
    }

    /// Waits until the broker has taken all of it.
    async fn flush(&mut self) {
        let publishing = async {
            self.stream.get_mut().write_all(&self.waiting).await.expect("the broker");
            for _ in 0..self.count {
                let mut line = String::new();
                self.stream.read_line(&mut line).await.expect("the broker");
                assert!(line.starts_with(':'), "{line}");
            }
        };
        within("the broker to take it", publishing).await;
        self.waiting.clear();
        self.count = 0;
    }
}

/// The beginning of a frame: its version and kind, and who says it.
fn frame(version: u8, kind: u8, incarnation: u64, name: &str) -> Vec<u8> {
    let mut frame = vec![version, kind];
    frame.extend(incarnation.to_le_bytes());
    frame.push(u8::try_from(name.len()).expect("a short name"));
    frame.extend(name.as_bytes());
    frame
}

/// A text for whoever listens on a channel, as if this node had said it.
fn message(incarnation: u64, name: &str, (run, sequence): (u64, u64), header: &[u8], text: &[u8]) -> Vec<u8> {
    let mut message = frame(1, 0, incarnation, name);
    message.extend(run.to_le_bytes());
    message.extend(sequence.to_le_bytes());
    message.extend(u32::try_from(header.len()).expect("a header").to_le_bytes());
    message.extend(header);
    message.extend(text);
    message
}

/// A node whose log is kept.
async fn logged(file: &File) -> (tokio::process::Child, String, tokio::task::JoinHandle<String>) {
    let (mut process, address, _) =
        listening(crate::support::program::switchboard(), &file.arguments()).await;
    let mut errors = process.stderr.take().expect("a pipe");
    let log = tokio::spawn(async move {
        let mut log = String::new();
        errors.read_to_string(&mut log).await.expect("UTF-8");
        log
    });
    (process, address, log)
}

/// The resident memory of a process in KiB.
fn memory(process: &tokio::process::Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id().expect("a process")));
    let status = status.expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_to_the_broker_costs_no_client_its_connection_and_no_node_its_memory() {
    let Some(broker) = BrokerProcess::redis().await else { return };
    let mut nodes = Vec::new();
    for name in ["a", "b"] {
        let file = configuration(name, &broker.url())
            + "[[routes]]\npattern = '/kept/{room}'\ndialect = 'relay'\nhistory = { size = 5 }\n";
        nodes.push(logged(&File::new(&format!("hostile-{name}"), &file)).await);
    }
    let at: Vec<String> = nodes.iter().map(|(_, address, _)| address.clone()).collect();
    sees(&at[0], &["b"]).await;
    sees(&at[1], &["a"]).await;
    let connect = |at: &str, path: &str| Client::connect(format!("ws://{at}{path}"));
    let mut speaker = connect(&at[0], "/room/x").await;
    let mut listeners = [connect(&at[0], "/room/x").await, connect(&at[1], "/room/x").await];
    hello(&mut speaker, "a friend", &mut listeners).await;
    let mut kept = connect(&at[1], "/kept/x?switchboard-history").await;
    let keeping = tokio::spawn(async move { while !kept.text().await.contains("still kept") {} });
    let before: Vec<u64> = nodes.iter().map(|(process, ..)| memory(process)).collect();

    let mut stranger = Publisher::new(&broker.url()).await;
    let (all, room, route) = (
        "switchboard:nodes",
        "switchboard:channel:room /room/{room}#/room/x",
        "switchboard:channel:route /kept/{room}",
    );
    let longest = "n".repeat(200);
    let mut garbage = 0;
    for number in 0..STRANGERS {
        let name = format!("{longest}{number}");
        // What is said in the name of nodes that never were.
        stranger.publish(room, &message(1, &name, (1, u64::MAX), &[9], b"")).await;
        if number % 20 == 0 {
            // What is no frame, or one of another version, or ends too early, or says impossible things.
            let large = vec![b'x'; 100 << 10];
            let kinds = [
                &b"garbage"[..],
                &frame(2, 2, 1, "c"),
                &frame(1, 77, 1, "c"),
                &frame(1, 2, 1, "c"),
                &[],
                &large,
            ];
            for broken in kinds {
                stranger.publish(all, broken).await;
                garbage += 1;
            }
            // Histories of epochs that never were.
            let mut header = vec![7];
            header.extend((u64::from(number) << 32).to_le_bytes());
            header.extend(u64::MAX.to_le_bytes());
            header.extend(5_u16.to_le_bytes());
            header.extend(format!("r{:04}", number % 1_000).as_bytes());
            stranger.publish(route, &message(1, "z", (1, u64::from(number / 20) + 1), &header, b"x")).await;
            // A node that comes and goes at once, with the last incarnation that there is.
            let mut alive = frame(1, 2, u64::MAX, &name);
            alive.extend([0xff; 8]);
            alive.extend([0; 4]);
            stranger.publish(all, &alive).await;
            stranger.publish(all, &frame(1, 6, u64::MAX, &name)).await;
        }
        if number % AT_ONCE == 0 {
            stranger.flush().await;
            for address in &at {
                let counted = |health: &serde_json::Value| health["cluster"]["undecodable"] == garbage;
                becomes("it has counted all garbage", address, counted).await;
            }
        }
    }
    stranger.flush().await;
    let mut alive = frame(1, 2, 1, "the last stranger");
    alive.extend([0; 12]);
    stranger.publish(all, &alive).await;
    stranger.flush().await;

    for (index, address) in at.iter().enumerate() {
        let has_all = |health: &serde_json::Value| {
            health["cluster"]["others"].to_string().contains("the last stranger")
        };
        let health = becomes("it has heard all of it", address, has_all).await;
        assert_eq!(health["status"], "ok", "{health}");
        let cluster = &health["cluster"];
        assert_eq!((&cluster["links"], &cluster["undecodable"]), (&1.into(), &garbage.into()), "{health}");
        let now = memory(&nodes[index].0);
        eprintln!("from {} to {now} KiB", before[index]);
        assert!(now < before[index] + MOST_GROWTH, "from {} to {now} KiB", before[index]);
    }
    hello(&mut speaker, "a friend still", &mut listeners).await;
    let mut at_b = connect(&at[1], "/kept/x").await;
    at_b.send("still kept").await;
    within("what is kept", keeping).await.expect("a connection that is open");
    // It leaves when its lease is over.
    for (address, other) in at.iter().zip(["b", "a"]) {
        sees(address, &[other]).await;
    }
    for (mut process, _, log) in nodes {
        process.start_kill().expect("a process");
        let log = within("its log", log).await.expect("a log");
        let mut kinds = String::new();
        for kind in ["is of no node", "has joined", "has left", "were lost"] {
            let _ = write!(kinds, "{kind}: {}, ", log.lines().filter(|line| line.contains(kind)).count());
        }
        eprintln!("{kinds}");
        assert!(log.lines().count() < 3_000, "{} lines: {kinds}", log.lines().count());
    }
}
