//! Holds messages to the contract of their route. Routes without one never come here.

use crate::contract::{Contract, ContractMode, Violation};
use crate::control::event::{MessageDirection, What};
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::{Effect, Level};
use crate::interface::handler_error::HandlerError;
use crate::message::Message;
use crate::state::State;
use crate::time::Now;

/// How many violations of one message the log names; a live event has all.
const NAMED: usize = 3;

impl State {
    /// A message from a client is about to be handled; an error says that it is not to be.
    #[inline(never)]
    pub(crate) fn hold_received(
        &mut self,
        now: Now,
        id: ConnectionId,
        message: &Message,
        effects: &mut Vec<Effect>,
    ) -> Result<(), HandlerError> {
        let Some(route) = self.connections.get(id).map(|connection| connection.route) else { return Ok(()) };
        let Some(contract) = self.routes[route].settings.contract.clone() else { return Ok(()) };
        let violations = contract.received(message);
        if violations.is_empty() {
            return Ok(());
        }
        let text = described(&violations);
        self.note_violations(route, &[id], &contract, MessageDirection::In, violations);
        if contract.mode == ContractMode::Refuse {
            // The error path logs it.
            return Err(format!("the message breaks the contract: {text}").into());
        }
        let text =
            || format!("{} received a message that breaks its contract: {text}", self.routes[route].label);
        let kind = (route, "contract in");
        self.log_throttle.note(now.instant, kind, Level::Warn, text, effects);
        Ok(())
    }

    /// A message is about to be sent; says whether it may be.
    #[inline(never)]
    pub(crate) fn may_send(
        &mut self,
        now: Now,
        route: usize,
        to: &[ConnectionId],
        message: &Message,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(contract) = self.routes[route].settings.contract.clone() else { return true };
        if self.tells_error || to.is_empty() {
            return true;
        }
        let violations = contract.sent(message);
        if violations.is_empty() {
            return true;
        }
        let text = described(&violations);
        self.note_violations(route, to, &contract, MessageDirection::Out, violations);
        let is_refused = contract.mode == ContractMode::Refuse;
        let (level, what) = match is_refused {
            true => (Level::Error, "does not send a message that breaks its contract"),
            false => (Level::Warn, "sends a message that breaks its contract"),
        };
        let text = || format!("{} {what}: {text}", self.routes[route].label);
        self.log_throttle.note(now.instant, (route, "contract out"), level, text, effects);
        !is_refused
    }

    /// Counts a message that breaks a contract, and tells those who are told live events.
    fn note_violations(
        &mut self,
        route: usize,
        to: &[ConnectionId],
        contract: &Contract,
        direction: MessageDirection,
        violations: Vec<Violation>,
    ) {
        self.routes[route].contract_violations += 1;
        let is_refused = contract.mode == ContractMode::Refuse;
        let what = || What::Violated { direction, is_refused, violations, receivers: to.len() };
        if let [id] = *to {
            if let Some((trace, connection)) = self.traced(id) {
                trace.about(connection, what);
            }
        } else if let Some(trace) = &mut self.trace {
            trace.happened(Some(route), || to.into(), what);
        }
    }
}

fn described(violations: &[Violation]) -> String {
    let named: Vec<String> = violations.iter().take(NAMED).map(ToString::to_string).collect();
    let more = violations.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{rest}", named.join("; "))
}
