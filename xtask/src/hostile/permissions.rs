//! What one client may ask of others and of the server: statistics, commands about others, addresses, presence.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::case::Case;
use super::case::Outcome::Status;
use super::target::Target;
use super::wire::Peer;

const MIB: u64 = 1 << 20;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = statistics();
    cases.push(Case::story("a guest who disconnects another", disconnect));
    cases.push(Case::story("a target that nobody listens at", |target| {
        let mut peer = target.open("/api/ws/unreachable")?;
        let told = String::from_utf8_lossy(&peer.rest()?).into_owned();
        if let Some(part) = ["127.0.0.1", "ECONNREFUSED", "os error"].iter().find(|part| told.contains(*part))
        {
            bail!("the client is told of {part}: {told}");
        }
        target.count_lines("/ws/unreachable").map(drop)
    }));
    cases.push(Case::story("presence that is too large", |target| {
        let mut member = Member::join(target, "large")?;
        for (length, status) in [(70_000, "error"), (60_000, "ok"), (66_000, "error")] {
            member.expect("large", length, status)?;
        }
        Ok(())
    }));
    cases.push(Case::story("presence on 20 topics", |target| {
        target.bounded(32 * MIB, || {
            let mut member = Member::join(target, "0")?;
            let mut tracked = 0;
            for topic in 1..=20 {
                member.enter(&topic.to_string())?;
                tracked += usize::from(member.track(&topic.to_string(), 64_000)? == "ok");
            }
            match tracked {
                16 => Ok(()),
                other => bail!("{other} topics have 64,000 bytes each of one client"),
            }
        })
    }));
    cases.push(
        Case::story("60 members with 64,000 bytes of presence each, who do not read", |target| {
            target.bounded(96 * MIB, || {
                let mut members = Vec::new();
                for _ in 0..60 {
                    let mut member = Member::join(target, "crowd")?;
                    member.push("crowd", "presence", &presence(64_000))?;
                    members.push(member);
                }
                target.check_health()
            })
        })
        .within(30),
    );
    cases
}

/// They are for those whom the route lets in.
fn statistics() -> Vec<Case> {
    let table = [
        ("without a token", "/stats", "", 401),
        ("with another token", "/stats?token=bad", "", 401),
        ("with a token for others", "/stats", "Authorization: Bearer good\r\n", 401),
        ("with the token", "/stats?token=good", "", 200),
        ("with the token for a page", "/stats?token=good", "Origin: https://evil.example\r\n", 403),
    ];
    let case = |(name, path, line, status)| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{line}\r\n");
        Case::request(format!("statistics {name}"), request, Status(status))
    };
    table.into_iter().map(case).collect()
}

fn disconnect(target: &Target) -> Result<()> {
    let mut victim = target.open("/api/ws/commands")?;
    let presence: Value = serde_json::from_slice(&victim.message()?.payload)?;
    let id = presence["users"][0]["id"].as_str().context("no id")?.to_owned();
    let mut guest = target.open("/api/ws/commands")?;
    guest.say(&json!({ "command": "disconnect", "client_id": id }).to_string())?;
    guest.say(&json!({ "command": "broadcast", "message": "still there?" }).to_string())?;
    while !victim.message()?.text().contains("still there?") {}
    Ok(())
}

/// A client of Supabase's channels.
struct Member(Peer);

impl Member {
    fn join(target: &Target, topic: &str) -> Result<Self> {
        let mut member = Self(target.open("/api/ws/phoenix?vsn=2.0.0")?);
        member.enter(topic)?;
        Ok(member)
    }

    fn enter(&mut self, topic: &str) -> Result<()> {
        self.push(topic, "phx_join", &json!({}))?;
        match self.reply()?.as_str() {
            "ok" => Ok(()),
            other => bail!("the join was answered {other}"),
        }
    }

    fn push(&mut self, topic: &str, event: &str, payload: &Value) -> Result<()> {
        self.0.say(&json!(["1", "1", format!("realtime:{topic}"), event, payload]).to_string())
    }

    /// The status of the next reply.
    fn reply(&mut self) -> Result<String> {
        loop {
            let message: Value = serde_json::from_slice(&self.0.message()?.payload)?;
            if message[3] == "phx_reply" {
                return Ok(message[4]["status"].as_str().unwrap_or_default().to_owned());
            }
        }
    }

    fn track(&mut self, topic: &str, length: usize) -> Result<String> {
        self.push(topic, "presence", &presence(length))?;
        self.reply()
    }

    fn expect(&mut self, topic: &str, length: usize, status: &str) -> Result<()> {
        match self.track(topic, length)? {
            found if found == status => Ok(()),
            found => bail!("{length} bytes were answered {found} instead of {status}"),
        }
    }
}

fn presence(length: usize) -> Value {
    json!({ "type": "presence", "event": "track", "payload": { "text": "x".repeat(length) } })
}
