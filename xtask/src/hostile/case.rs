//! One case: what a hostile client does, and what has to happen.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::target::Target;
use super::wire::{CLOSE, FIN, PING, PONG, Peer, frame};

/// A name, a deed, and its documented outcome within a time.
pub(super) struct Case {
    pub(super) name: String,
    attack: Attack,
    within: Duration,
}

enum Attack {
    /// These bytes on a fresh TCP connection.
    Request(Vec<u8>, Outcome),
    /// A WebSocket is opened on the path with these header lines; then these bytes.
    Frames { path: &'static str, lines: &'static [&'static str], bytes: Vec<u8>, outcome: Outcome },
    /// What no table can say.
    Story(Story),
}

type Story = Box<dyn Fn(&Target) -> Result<()>>;

/// What the server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It answers with this HTTP status, and hangs up unless that is 101.
    Status(u16),
    /// It sends a close frame with this code, and hangs up.
    Close(u16),
    /// It sends this many messages, and goes on.
    Messages(usize),
}

impl Case {
    /// Bytes on a fresh TCP connection.
    pub(super) fn request(name: impl Into<String>, bytes: impl Into<Vec<u8>>, outcome: Outcome) -> Self {
        Self::new(name.into(), Attack::Request(bytes.into(), outcome))
    }

    /// Bytes on an open WebSocket.
    pub(super) fn frames(
        name: impl Into<String>,
        path: &'static str,
        bytes: impl Into<Vec<u8>>,
        outcome: Outcome,
    ) -> Self {
        Self::frames_with(name, path, &[], bytes, outcome)
    }

    /// Bytes on a WebSocket that was opened with more header lines.
    pub(super) fn frames_with(
        name: impl Into<String>,
        path: &'static str,
        lines: &'static [&'static str],
        bytes: impl Into<Vec<u8>>,
        outcome: Outcome,
    ) -> Self {
        Self::new(name.into(), Attack::Frames { path, lines, bytes: bytes.into(), outcome })
    }

    /// Anything else.
    pub(super) fn story(name: impl Into<String>, story: impl Fn(&Target) -> Result<()> + 'static) -> Self {
        Self::new(name.into(), Attack::Story(Box::new(story)))
    }

    /// Longer than the usual time.
    pub(super) fn within(mut self, seconds: u64) -> Self {
        self.within = Duration::from_secs(seconds);
        self
    }

    fn new(name: String, attack: Attack) -> Self {
        Self { name, attack, within: Duration::from_secs(10) }
    }

    /// Runs the case, and checks that the result is the documented one and that others are served as before.
    pub(super) fn run(&self, target: &Target) -> Result<()> {
        let started = Instant::now();
        self.attack(target)?;
        if started.elapsed() > self.within {
            bail!("took {:.1} s instead of {:?}", started.elapsed().as_secs_f64(), self.within);
        }
        target.check_health().context("afterwards")
    }

    /// Runs the case, and checks the result.
    pub(super) fn attack(&self, target: &Target) -> Result<()> {
        match &self.attack {
            Attack::Story(story) => story(target),
            Attack::Request(bytes, outcome) => {
                let mut peer = Peer::connect(target.port)?;
                peer.patience(self.within).write_regardless(bytes);
                outcome.check(&mut peer)
            }
            Attack::Frames { path, lines, bytes, outcome } => {
                let (mut peer, _) = Peer::open_with(target.port, path, lines)?;
                peer.patience(self.within).write_regardless(bytes);
                outcome.check(&mut peer)
            }
        }
    }
}

impl Outcome {
    fn check(self, peer: &mut Peer) -> Result<()> {
        match self {
            Outcome::Close(code) => peer.expect_close(code),
            Outcome::Messages(count) => {
                for number in 0..count {
                    peer.message().with_context(|| format!("message {number} of {count}"))?;
                }
                // The answer to a ping shows that the connection goes on.
                peer.write(&frame(FIN | PING, b"still there?"))?;
                loop {
                    let answer = peer.frame()?.context("dropped instead of kept")?;
                    match answer.opcode() {
                        PONG if answer.payload == b"still there?" => return Ok(()),
                        CLOSE => bail!("closed with {} instead of kept", answer.close_code()),
                        PONG | PING => {}
                        _ => bail!("one message more: {:.80}", answer.text()),
                    }
                }
            }
            Outcome::Status(status) => {
                let Some(head) = peer.head()? else { bail!("dropped instead of answered {status}") };
                if head.status != status {
                    bail!("answered {} instead of {status}", head.status);
                }
                if status == 101 { Ok(()) } else { peer.expect_end() }
            }
        }
    }
}
