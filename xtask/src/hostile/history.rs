//! What clients may say of where they were, and what they may have a history hold.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::case::Case;
use super::target::Target;
use super::wire::Peer;

const PATH: &str = "/api/ws/kept";

const MIB: u64 = 1 << 20;

/// What a history holds at most, and as much again while it is dropped.
const MOST: u64 = 128 * MIB;

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = positions()
        .into_iter()
        .map(|(name, position)| {
            Case::story(format!("a position {name}"), move |target| {
                let mut peer = target.open(&format!("{PATH}?switchboard-history=lobby@{position}"))?;
                expect_nothing(&mut peer, "lobby")
            })
        })
        .collect();
    // As many as an opening handshake of 16 KiB has room for.
    cases.push(Case::story("400 names of rooms", |target| {
        let query: Vec<String> = (0..400).map(|room| format!("switchboard-history={room:x}@1:1")).collect();
        let mut peer = target.open(&format!("{PATH}?{}", query.join("&")))?;
        expect_nothing(&mut peer, "0")
    }));
    cases.push(Case::story("a name that is not text, and none at all", |target| {
        for query in [
            "switchboard-history=%FF%00@%FE",
            "switchboard-history=@",
            "switchboard-history=%",
            "switchboard-history",
        ] {
            target.open(&format!("{PATH}?{query}")).and_then(|mut peer| show(&mut peer))?;
        }
        Ok(())
    }));
    cases.push(Case::story("messages to 20,000 rooms", |target| flood(target, 20_000, "")).within(60));
    cases.push(
        Case::story("messages to 3,000 rooms with names of 32 KiB", |target| {
            flood(target, 3_000, &"n".repeat(32 << 10))
        })
        .within(60),
    );
    cases.push(
        Case::story("40 clients that take part in a flood, and do not read", |target| {
            target.bounded(MOST, || {
                let mut idle = Vec::new();
                for _ in 0..40 {
                    let mut peer = target.open(&format!("{PATH}?switchboard-history"))?;
                    peer.say(&json!({ "type": "join", "room": "crowd" }).to_string())?;
                    idle.push(peer);
                }
                let mut loud = target.open(PATH)?;
                for _ in 0..500 {
                    loud.say(&said("crowd", 16 << 10))?;
                }
                show(&mut loud)
            })
        })
        .within(60),
    );
    cases
}

/// Of no history, each with what it is.
fn positions() -> Vec<(&'static str, String)> {
    let epochs = |count: u64| (0..count).map(|epoch| format!("{epoch:x}:1")).collect::<Vec<_>>().join(".");
    vec![
        ("that is empty", String::new()),
        ("that is no position", "x".to_owned()),
        ("of another server", "6921a3f09f3a61c2:42".to_owned()),
        ("with the largest numbers", format!("{:x}:{}~{:x}", u64::MAX, u64::MAX, u32::MAX)),
        ("beyond the largest numbers", format!("{:x}0:{}0", u64::MAX, u64::MAX)),
        ("before all of them", "0:0~0".to_owned()),
        ("of as many servers as there may be", epochs(250)),
        ("of more servers", epochs(1_500)),
        ("with a sign", "1:-1".to_owned()),
        ("that is long", "1".repeat(8_000)),
    ]
}

/// Joins a room, of which nothing was missed that is known.
fn expect_nothing(peer: &mut Peer, room: &str) -> Result<()> {
    peer.say(&json!({ "type": "join", "room": room }).to_string())?;
    loop {
        let message: Value = serde_json::from_slice(&peer.message()?.payload)?;
        match (&message["history"]["recovered"], &message["joined"]) {
            (Value::Bool(false), _) => return show(peer),
            (Value::Null, Value::Null) => {}
            _ => bail!("it said {message} instead of recovered: false"),
        }
    }
}

fn flood(target: &Target, rooms: usize, name: &str) -> Result<()> {
    target.bounded(MOST, || {
        let mut peer = target.open(PATH)?;
        for room in 0..rooms {
            peer.say(&said(&format!("{room}{name}"), 1 << 10))?;
        }
        show(&mut peer)
    })
}

fn said(room: &str, length: usize) -> String {
    json!({ "type": "say", "room": room, "text": "x".repeat(length) }).to_string()
}

/// All that was sent before is done when this is answered.
fn show(peer: &mut Peer) -> Result<()> {
    peer.patience(std::time::Duration::from_secs(50));
    peer.say(&json!({ "type": "show", "value": "done" }).to_string())?;
    while !peer.message()?.text().contains("done") {}
    Ok(())
}
