//! Plays the server's side of one conversation: a state machine that is told what the client sends and what time it is.

mod recorded;
mod scripted;

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use crate::dialect::replay::captures::Captures;
use crate::dialect::replay::matching::Matching;
use crate::dialect::replay::mismatch::Mismatch;
use crate::dialect::replay::phoenix;
use crate::dialect::replay::scenario::Program;
use crate::dialect::replay::step::{Script, Step};
use crate::fault::FaultList;
use crate::handler::command::Command;
use crate::message::Message;
use crate::template::ConnectionScope;
use crate::time::{Instant, Now};

/// How many steps are taken before others have their turn.
const SLICE_STEPS: usize = 1_000;

/// How much is sent before others have their turn, in bytes.
const SLICE_BYTES: usize = 256 * 1024;

/// How many messages of a client wait for the step that expects them.
const MAX_EARLY: usize = 1_000;

/// How much they may hold together, in bytes.
const MAX_EARLY_BYTES: usize = 4 << 20;

/// What a player wants done.
#[derive(Debug)]
pub(super) enum Order {
    /// Do this for the connection.
    Do(Command),
    /// End the connection without a close frame, when what was sent is written.
    Drop,
    /// Add these faults to the connection.
    Fault(FaultList),
    /// Call again at this time.
    Wake(Instant),
    /// The next part of the recording is needed.
    Read,
    /// The recording is to be read from its beginning.
    Restart,
    /// A message was not what was expected.
    Mismatch(Mismatch),
}

/// What a player can see of the moment.
pub(super) struct Stage<'a> {
    pub(super) connection: ConnectionScope<'a>,
    pub(super) now: Now,
    pub(super) random: &'a mut dyn FnMut(&mut [u8]),
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Player {
    script: Script,
    matching: Matching,
    /// Keys whose values are captured besides the usual ones.
    captured: Arc<[String]>,
    captures: Captures,
    /// When the last step was to be taken, in µs of the host's clock: waiting does not add up its delays.
    clock: u64,
    /// Until when a `Wait` takes, in µs.
    wait: Option<u64>,
    /// Recorded messages that are to come, in any order.
    expected: VecDeque<(Message, u64)>,
    /// The place of a scenario's step that waits for a message, and until when it does.
    choosing: Option<(usize, Option<Instant>)>,
    /// Messages that came before anything expected them.
    early: VecDeque<Message>,
    early_bytes: usize,
    /// The latest message that was expected, for templates.
    latest: Option<(Message, Option<Value>)>,
    /// A scenario's variables.
    variables: Vec<(String, Value)>,
    is_over: bool,
}

impl Player {
    /// Plays a recording, whose steps are [added](Self::add) as they are read.
    pub(super) fn of_recording(
        file: Arc<str>,
        matching: Matching,
        captured: Arc<[String]>,
        now: Instant,
    ) -> Self {
        Self::new(
            Script::Recording { file, steps: VecDeque::new(), has_ended: false },
            matching,
            captured,
            now,
        )
    }

    /// Plays a scenario.
    pub(super) fn of_scenario(program: Arc<Program>, now: Instant) -> Self {
        let (at, counters) = (0, vec![0; program.loops]);
        Self::new(Script::Scenario { program, at, counters }, Matching::Exact, Arc::new([]), now)
    }

    fn new(script: Script, matching: Matching, captured: Arc<[String]>, now: Instant) -> Self {
        Self {
            script,
            matching,
            captured,
            captures: Captures::default(),
            clock: now.as_ms().saturating_mul(1_000),
            wait: None,
            expected: VecDeque::new(),
            choosing: None,
            early: VecDeque::new(),
            early_bytes: 0,
            latest: None,
            variables: Vec::new(),
            is_over: false,
        }
    }

    /// The next steps of a recording, and whether they are the last.
    pub(super) fn add(&mut self, more: impl IntoIterator<Item = Step>, is_last: bool) {
        if let Script::Recording { steps, has_ended, .. } = &mut self.script {
            steps.extend(more);
            *has_ended = is_last;
        }
    }

    /// A message came; it is looked at when the player [goes on](Self::go_on).
    pub(super) fn hear(&mut self, message: Message, orders: &mut Vec<Order>) {
        if matches!(self.script, Script::Recording { .. })
            && let Some(reply) = phoenix::heartbeat_reply(&message)
        {
            return orders.push(Order::Do(Command::Send(reply)));
        }
        self.early_bytes += message.len();
        self.early.push_back(message);
        while self.early.len() > MAX_EARLY || self.early_bytes > MAX_EARLY_BYTES {
            let Some(message) = self.take_early() else { break };
            let place = format!("{}, which is not that far", self.place());
            orders.push(Order::Mismatch(Mismatch::new(place, None, &message, Vec::new())));
        }
    }

    /// Takes all steps that can be taken now.
    pub(super) fn go_on(&mut self, stage: &mut Stage<'_>, orders: &mut Vec<Order>) {
        let (mut steps, mut bytes) = (0, 0);
        loop {
            if let Some(until) = self.wait {
                let due = Instant::from_ms(until.div_ceil(1_000));
                if due > stage.now.instant {
                    return orders.push(Order::Wake(due));
                }
                self.wait = None;
                self.clock = until;
            }
            self.gather();
            if !self.expected.is_empty() || self.choosing.is_some() {
                if !self.meet(stage, orders) {
                    return self.await_message(orders);
                }
                continue;
            }
            if self.is_over {
                return self.refuse_early(orders);
            }
            steps += 1;
            if steps > SLICE_STEPS || bytes > SLICE_BYTES {
                return orders.push(Order::Wake(stage.now.instant + 1));
            }
            let before = orders.len();
            let goes_on = match &self.script {
                Script::Recording { .. } => self.take_recorded(orders),
                Script::Scenario { .. } => self.take_scripted(stage, orders),
            };
            bytes += orders[before..].iter().map(sent).sum::<usize>();
            if !goes_on {
                return;
            }
        }
    }

    fn wait(&mut self, us: u64) {
        self.wait = Some(self.clock.saturating_add(us));
    }

    fn end(&mut self, orders: &mut Vec<Order>, order: Order) -> bool {
        self.is_over = true;
        orders.push(order);
        false
    }

    /// Looks for an expected message among those that came; whether one was there.
    fn meet(&mut self, stage: &mut Stage<'_>, orders: &mut Vec<Order>) -> bool {
        while let Some(message) = self.take_early() {
            let met = match self.choosing {
                Some((place, until)) if until.is_none_or(|until| stage.now.instant < until) => {
                    self.choose(place, message, stage)
                }
                Some(_) => {
                    self.early_bytes += message.len();
                    self.early.push_front(message);
                    break;
                }
                None => self.find_recorded(message),
            };
            match met {
                Ok(()) => {
                    self.clock = stage.now.instant.as_ms().saturating_mul(1_000);
                    return true;
                }
                Err(mismatch) => orders.push(Order::Mismatch(mismatch)),
            }
        }
        self.has_lapsed(stage)
    }

    /// Nothing that came is what is expected.
    fn await_message(&mut self, orders: &mut Vec<Order>) {
        match (&self.script, self.choosing) {
            // What the client sent next may be in the part that was not read.
            (Script::Recording { steps, has_ended: false, .. }, _) if steps.is_empty() => {
                orders.push(Order::Read)
            }
            (_, Some((_, Some(until)))) => orders.push(Order::Wake(until)),
            _ => {}
        }
    }

    /// Nothing more is expected.
    fn refuse_early(&mut self, orders: &mut Vec<Order>) {
        while let Some(message) = self.take_early() {
            if self.matching != Matching::Any {
                let mismatch = Mismatch::new(self.place(), None, &message, Vec::new());
                orders.push(Order::Mismatch(mismatch));
            }
        }
    }

    fn take_early(&mut self) -> Option<Message> {
        let message = self.early.pop_front()?;
        self.early_bytes -= message.len();
        Some(message)
    }

    /// Where the player is, for reports.
    fn place(&self) -> String {
        match (&self.script, self.expected.front()) {
            (Script::Recording { file, .. }, Some((_, line))) => format!("{file} line {line}"),
            (Script::Recording { file, .. }, None) => file.to_string(),
            (Script::Scenario { program, .. }, _) => program.name.clone(),
        }
    }
}

/// How much an order sends, in bytes.
fn sent(order: &Order) -> usize {
    match order {
        Order::Do(Command::Send(message)) => message.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
