//! Servers that stop while clients still read: nothing that was sent is lost, and everyone gets a close frame, or, where
//! Vite restarts, goes on.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::config::{self, BURST};
use super::host::Hosts;
use super::target::{HostKind, Target};
use super::wire::{CLOSE, Peer, close};

/// How long the server may take; the default of `shutdownGrace` and a second.
const GRACE: Duration = Duration::from_secs(6);

/// How a server is told to stop.
#[derive(Clone, Copy)]
enum Stop {
    /// SIGTERM.
    Signal,
    /// Vite's `server.close()`.
    Close,
    /// Vite's `server.restart()`.
    Restart,
}

/// Each of these stops a server of its own.
pub(super) fn run(hosts: &Hosts) -> Vec<(String, Result<()>)> {
    let mut cases: Vec<(&str, Stop, &str)> = vec![("SIGTERM", Stop::Signal, "/api/ws/burst")];
    if hosts.kind == HostKind::Plugin {
        cases.push(("SIGTERM, with callbacks", Stop::Signal, "/api/js/burst"));
        cases.push(("server.close()", Stop::Close, "/api/ws/burst"));
        cases.push(("server.restart()", Stop::Restart, "/api/js/burst"));
    }
    cases.into_iter().map(|(name, stop, path)| (name.to_owned(), drain(hosts, stop, path))).collect()
}

fn drain(hosts: &Hosts, stop: Stop, path: &str) -> Result<()> {
    let target = hosts.start(&config::limits())?;
    // Its system keeps little for it, so most of a burst waits in the server.
    let mut reading = Peer::connect_as(target.port, Ipv4Addr::LOCALHOST, Some(16 * 1024))?;
    reading.shake(path, &[])?;
    let mut silent = target.open("/api/ws/echo")?;
    let mut half = Peer::connect(target.port)?;
    half.write(b"GET /api/ws/echo HTTP/1.1\r\n")?;
    // The handler has sent everything by the time the first message is here; most of it waits for this client.
    reading.say(r#"{"type":"burst"}"#)?;
    let first = reading.message()?.text();
    is_number(&first, 0)?;
    let stopped = Instant::now();
    stop.send(&target)?;
    reading.patience(GRACE);
    for number in 1..BURST {
        let text = reading.message().with_context(|| format!("message {number} of {BURST}"))?.text();
        is_number(&text, number)?;
        // A client that reads, but not at once.
        if number % 16 == 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    if matches!(stop, Stop::Restart) {
        // The sockets are the new server's now.
        reading.say(r#"{"type":"burst"}"#)?;
        is_number(&reading.message().context("after the restart")?.text(), 0)?;
        silent.say("still here")?;
        let echo = silent.patience(GRACE).message().context("a client that was silent")?.text();
        if echo != "still here" {
            bail!("{echo:.80} instead of an echo");
        }
        return stop.check(&target, GRACE.saturating_sub(stopped.elapsed()));
    }
    let code = 1001;
    let goodbye = reading.frame()?.context("dropped without a close frame")?;
    if goodbye.opcode() != CLOSE || goodbye.close_code() != code {
        bail!("{} came instead of {code}", goodbye.close_code());
    }
    reading.write(&close(code))?;
    reading.expect_end()?;
    silent.patience(GRACE).expect_close(code).context("a client that does not answer")?;
    stop.check(&target, GRACE.saturating_sub(stopped.elapsed()))
}

impl Stop {
    fn send(self, target: &Target) -> Result<()> {
        let control = |path: &str| {
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            target.ask(request.as_bytes()).map(drop)
        };
        match self {
            Stop::Signal => target.server.borrow().terminate(),
            Stop::Close => control("/stop"),
            Stop::Restart => control("/restart"),
        }
    }

    /// What is to be seen in the end.
    fn check(self, target: &Target, within: Duration) -> Result<()> {
        match self {
            Stop::Signal => {
                let status = target.server.borrow_mut().wait(within)?;
                // Vite exits with 128 and the signal's number, as shells expect.
                let expected = if target.kind == HostKind::Native { 0 } else { 143 };
                match status.code() {
                    Some(code) if code == expected => Ok(()),
                    _ => bail!("it ended with {status}"),
                }
            }
            Stop::Close => target.wait_for_line("CLOSED"),
            Stop::Restart => {
                target.wait_for_line("RESTARTED")?;
                target.check_health()
            }
        }
    }
}

fn is_number(text: &str, number: usize) -> Result<()> {
    let message: Value = serde_json::from_str(text)?;
    if message["number"] == number { Ok(()) } else { bail!("{text:.80} instead of {number}") }
}
