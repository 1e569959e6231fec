//! Posts that fill feeds: with large values, and with many.

use anyhow::{Result, bail};

use super::case::Case;
use super::case::Outcome::Status;
use super::target::Target;
use super::wire::{FIN, PING, PONG, frame};

const MIB: u64 = 1 << 20;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::request("10,001 values at once", post(&array(10_001)), Status(413)),
        Case::request("more bytes than a body may have", post(&text((1 << 20) + 1)), Status(413)),
        Case::story("100 posts of a megabyte", |target| {
            // A feed keeps 16 MiB; the rest is what allocators and the garbage collector hold in between.
            target.bounded(64 * MIB, || (0..100).try_for_each(|_| accepted(target, &text((1 << 20) - 2))))
        })
        .within(60),
        Case::story("10,000 values for ten subscribers, and somebody who wants an echo", |target| {
            let mut subscribers = Vec::new();
            for _ in 0..10 {
                let mut peer = target.open("/api/ws/news")?;
                peer.say(r#"{"action":"sub","channel":"news"}"#)?;
                // Nothing else tells that the subscription is done: frames are handled in order.
                peer.write(&frame(FIN | PING, b"subscribed"))?;
                while peer.frame()?.is_some_and(|frame| frame.opcode() != PONG) {}
                subscribers.push(peer);
            }
            accepted(target, &array(10_000))?;
            target.open("/api/ws/echo")?.echo("meanwhile")?;
            for peer in &mut subscribers {
                for number in 0..10_000 {
                    let frame = loop {
                        let frame = peer.message()?;
                        if frame.text().parse::<u32>().is_ok() {
                            break frame;
                        }
                    };
                    if frame.text() != number.to_string() {
                        bail!("{} came instead of {number}", frame.text());
                    }
                }
            }
            Ok(())
        })
        .within(60),
    ]
}

fn accepted(target: &Target, body: &str) -> Result<()> {
    match target.ask(&post(body))? {
        Some(head) if head.status == 202 => Ok(()),
        other => bail!("answered {other:?}"),
    }
}

fn post(body: &str) -> Vec<u8> {
    format!(
        "POST /feeds/news HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The numbers below this one.
fn array(count: usize) -> String {
    let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

/// A JSON text of so many characters, and its quotes.
fn text(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length))
}
