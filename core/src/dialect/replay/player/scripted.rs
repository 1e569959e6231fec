//! The steps of a scenario.

use serde_json::Value;

use super::{Order, Player, Stage};
use crate::dialect::json;
use crate::dialect::replay::mismatch::Mismatch;
use crate::dialect::replay::scalars::MAX_DEPTH;
use crate::dialect::replay::scenario::Instruction;
use crate::dialect::replay::step::Script;
use crate::handler::command::Command;
use crate::message::Message;
use crate::template::Scope;

impl Player {
    /// Takes a step of a scenario; whether to go on.
    pub(super) fn take_scripted(&mut self, stage: &mut Stage<'_>, orders: &mut Vec<Order>) -> bool {
        let Script::Scenario { program, at, counters } = &mut self.script else { return false };
        let (program, here) = (program.clone(), *at);
        *at += 1;
        match program.steps.get(here) {
            None => self.is_over = true,
            Some(Instruction::Goto(to)) => *at = *to,
            Some(Instruction::Enter { counter }) => counters[*counter] = 0,
            Some(Instruction::Repeat { counter, times, to }) => {
                counters[*counter] = counters[*counter].saturating_add(1);
                if times.is_none_or(|times| counters[*counter] < times) {
                    *at = *to;
                }
            }
            Some(Instruction::Expect { within, .. }) => {
                let until = within.as_ref().map(|(ms, _)| stage.now.instant + *ms);
                self.choosing = Some((here, until));
            }
            Some(Instruction::Wait(ms)) => self.wait(ms.saturating_mul(1_000)),
            Some(Instruction::Send(value)) => {
                let message = self.with_scope(stage, |scope| value.message(scope));
                orders.extend(message.map(|message| Order::Do(Command::Send(message))));
            }
            Some(Instruction::SendBinary(bytes)) => {
                orders.push(Order::Do(Command::Send(Message::Binary(bytes.clone()))));
            }
            Some(Instruction::Set(name, value)) => {
                let value = self.with_scope(stage, |scope| value.value(scope));
                self.set(name, value);
            }
            Some(Instruction::Do(action)) => {
                let commands = self.with_scope(stage, |scope| action.fill(scope));
                orders.extend(commands.into_iter().map(Order::Do));
            }
            Some(Instruction::Fault(faults)) => {
                // It counts for what is sent in later turns.
                orders.extend([Order::Fault(faults.clone()), Order::Wake(stage.now.instant + 1)]);
                return false;
            }
            Some(Instruction::Close { code, reason }) => {
                let reason = self.with_scope(stage, |scope| reason.text(scope));
                return self.end(orders, Order::Do(Command::Close { code: *code, reason }));
            }
            Some(Instruction::Terminate) => return self.end(orders, Order::Drop),
        }
        true
    }

    pub(super) fn choose(
        &mut self,
        place: usize,
        message: Message,
        stage: &mut Stage<'_>,
    ) -> Result<(), Mismatch> {
        let Script::Scenario { program, .. } = &self.script else { return Ok(()) };
        let program = program.clone();
        let Some(Instruction::Expect { alternatives, path, .. }) = program.steps.get(place) else {
            return Ok(());
        };
        let json = message.as_text().and_then(|text| json::parse(text, MAX_DEPTH));
        let before = self.latest.replace((message, json));
        let found = self.with_scope(stage, |scope| alternatives.iter().find(|one| one.pattern.fits(scope)));
        if let (Some(found), Script::Scenario { at, .. }) = (found, &mut self.script) {
            *at = found.to;
            self.choosing = None;
            return Ok(());
        }
        let differences = match &alternatives[..] {
            [only] => self.with_scope(stage, |scope| only.pattern.differences(scope)),
            _ => Vec::new(),
        };
        let expected: Vec<String> = alternatives.iter().map(|one| one.pattern.to_string()).collect();
        let unexpected = std::mem::replace(&mut self.latest, before);
        let message = unexpected.map(|(message, _)| message).unwrap_or_else(|| Message::from(""));
        Err(Mismatch::new(path.clone(), Some(expected.join(" or ")), &message, differences))
    }

    /// Whether a scenario's step has waited long enough; then it goes on elsewhere.
    pub(super) fn has_lapsed(&mut self, stage: &Stage<'_>) -> bool {
        let Some((place, Some(until))) =
            self.choosing.filter(|(_, until)| until.is_some_and(|it| it <= stage.now.instant))
        else {
            return false;
        };
        let Script::Scenario { program, at, .. } = &mut self.script else { return false };
        if let Some(Instruction::Expect { within: Some((_, otherwise)), .. }) = program.steps.get(place) {
            *at = *otherwise;
        }
        self.choosing = None;
        self.clock = until.as_ms().saturating_mul(1_000);
        true
    }

    fn set(&mut self, name: &str, value: Option<Value>) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.extend(value.map(|value| (name.to_owned(), value)));
    }

    fn with_scope<T>(&self, stage: &mut Stage<'_>, evaluate: impl FnOnce(&mut Scope<'_>) -> T) -> T {
        let mut scope = Scope::new(stage.connection, stage.now.wall, &mut *stage.random);
        if let Some((message, json)) = &self.latest {
            scope.message = Some(message);
            scope.json = json.as_ref();
        }
        scope.lets.clone_from(&self.variables);
        evaluate(&mut scope)
    }
}
