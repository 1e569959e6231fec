//! The steps of a recording, which are read while it is played.

use super::{Order, Player};
use crate::dialect::replay::captures::Captures;
use crate::dialect::replay::mismatch::{Mismatch, in_short};
use crate::dialect::replay::step::{Script, Step};
use crate::handler::command::Command;
use crate::message::{CloseFrame, Message};

/// How many messages that the client sent one after another may come in any order.
const MAX_EXPECTED: usize = 32;

impl Player {
    /// Takes a step of a recording; whether to go on.
    pub(super) fn take_recorded(&mut self, orders: &mut Vec<Order>) -> bool {
        let Script::Recording { steps, has_ended, .. } = &mut self.script else { return false };
        match steps.pop_front() {
            None if *has_ended => self.is_over = true,
            None => {
                orders.push(Order::Read);
                return false;
            }
            // `gather` has taken it.
            Some(Step::Expect { message, line }) => self.expected.push_back((message, line)),
            Some(Step::Send(message)) => {
                orders.push(Order::Do(Command::Send(self.captures.apply(&message, &self.captured))));
            }
            Some(Step::Wait(time)) => self.wait(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            Some(Step::Close(frame)) => return self.end(orders, close(frame)),
            Some(Step::Terminate) => return self.end(orders, Order::Drop),
            Some(Step::Restart) => {
                self.captures = Captures::default();
                *has_ended = false;
                orders.push(Order::Restart);
                return false;
            }
        }
        true
    }

    /// Takes what the recorded client sent next, one after another.
    pub(super) fn gather(&mut self) {
        let Script::Recording { steps, .. } = &mut self.script else { return };
        while self.wait.is_none() && self.expected.len() < MAX_EXPECTED {
            match steps.pop_front() {
                Some(Step::Expect { message, line }) => self.expected.push_back((message, line)),
                Some(other) => return steps.push_front(other),
                None => return,
            }
        }
    }

    pub(super) fn find_recorded(&mut self, message: Message) -> Result<(), Mismatch> {
        let matching = self.matching;
        let found = self
            .expected
            .iter()
            .position(|(recorded, _)| matching.differences(recorded, &message).is_empty());
        if let Some((recorded, _)) = found.and_then(|found| self.expected.remove(found)) {
            self.captures.learn(Some(&recorded), &message, &self.captured);
            return Ok(());
        }
        let differences = self.expected.front().map(|(recorded, _)| matching.differences(recorded, &message));
        let expected = self.expected.front().map(|(recorded, _)| in_short(recorded));
        Err(Mismatch::new(self.place(), expected, &message, differences.unwrap_or_default()))
    }
}

/// A recorded close; a code that cannot be sent again is the end of the transport.
fn close(frame: Option<CloseFrame>) -> Order {
    match frame {
        None => Order::Do(Command::Close { code: None, reason: String::new() }),
        Some(frame) if frame.code.is_sendable() => {
            let (code, reason) = (Some(frame.code.0), frame.reason.as_str().to_owned());
            Order::Do(Command::Close { code, reason })
        }
        Some(_) => Order::Drop,
    }
}
