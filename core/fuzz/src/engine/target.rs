//! Targets of a proxy, which keep to what a host promises about them.

use switchboard_core::{CloseCode, CloseFrame, Input, UpstreamEvent, UpstreamId};

use super::step::TargetStep;
use crate::world::World;

/// All targets that were ever dialled, in order.
#[derive(Default)]
pub(super) struct Targets(Vec<Target>);

struct Target {
    upstream: UpstreamId,
    is_open: bool,
    /// Nothing more can come of it.
    is_over: bool,
    /// How many messages it has sent.
    said: u32,
    /// How many messages it was sent, and how many of them it has taken.
    heard: u32,
    taken: u32,
}

impl Targets {
    /// Looks at what the engine has sent: everything that a client says has to come once and in order.
    pub(super) fn look(&mut self, world: &mut World) {
        let known = self.0.len();
        self.0.extend(world.dials[known..].iter().map(|(upstream, _)| Target::new(*upstream)));
        for (upstream, text) in std::mem::take(&mut world.upstream) {
            let target =
                self.0.iter_mut().find(|target| target.upstream == upstream).expect("a dialled target");
            if text == "<end>" {
                target.is_over = true;
            } else if let Some(number) = text.strip_prefix("client ") {
                assert!(target.is_open, "sent to before it has answered");
                assert_eq!(number.parse(), Ok(target.heard), "in order");
                target.heard += 1;
            }
        }
    }

    /// Has one of the latest do something, as far as it can.
    pub(super) fn step(&mut self, which: u8, step: &TargetStep, world: &mut World) {
        let back = usize::from(which) % self.0.len().clamp(1, 16);
        let Some(index) = self.0.len().checked_sub(1 + back) else { return };
        let target = &mut self.0[index];
        if let Some(event) = target.event(index, step) {
            let upstream = target.upstream;
            world.input(Input::Upstream { upstream, event });
        }
    }

    /// All end.
    pub(super) fn finish(&mut self, world: &mut World) {
        self.look(world);
        for target in self.0.iter_mut().filter(|target| !target.is_over) {
            target.is_over = true;
            let event = match target.is_open {
                true => UpstreamEvent::Closed(None),
                false => UpstreamEvent::Failed { message: "over".into() },
            };
            world.input(Input::Upstream { upstream: target.upstream, event });
        }
        self.look(world);
    }
}

impl Target {
    fn new(upstream: UpstreamId) -> Self {
        Self { upstream, is_open: false, is_over: false, said: 0, heard: 0, taken: 0 }
    }

    /// What the host reports; `None`: it cannot happen now.
    fn event(&mut self, index: usize, step: &TargetStep) -> Option<UpstreamEvent> {
        if self.is_over {
            return None;
        }
        let event = match step {
            TargetStep::Opens { .. } if self.is_open => return None,
            TargetStep::Opens { is_wrong } => {
                self.is_open = true;
                UpstreamEvent::Opened { protocol: is_wrong.then(|| "nobody's".to_owned()) }
            }
            TargetStep::Says if self.is_open => {
                self.said += 1;
                UpstreamEvent::Message(format!("target {index} {}", self.said - 1).into())
            }
            TargetStep::Takes(count) if self.is_open => {
                let messages = u32::from(*count).min(self.heard - self.taken);
                self.taken += messages;
                UpstreamEvent::Sent { messages: messages as usize }
            }
            TargetStep::Closes(code) if self.is_open => {
                UpstreamEvent::Closed(code.map(|code| CloseFrame::new(CloseCode(code), "r")))
            }
            TargetStep::Refuses(status) if !self.is_open => UpstreamEvent::Refused { status: *status },
            TargetStep::Fails => UpstreamEvent::Failed { message: "broken".into() },
            _ => return None,
        };
        self.is_over = event.is_last();
        Some(event)
    }
}
