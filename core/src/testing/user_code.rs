//! What user code does in a world: it runs hooks, and asks things of connections and routes.

use super::world::World;
use crate::{Answer, CallId, Command, CommandError, ConnectionId, HandlerResult, Hook, Input, RouteCommand};

impl World {
    /// User code asks something of a connection.
    pub fn command(&mut self, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        let mut effects = Vec::new();
        let result = self.engine.command(self.now(), id, command, &mut effects);
        self.carry_out(effects);
        result
    }

    /// A command of user code for a whole route.
    pub fn route_command(&mut self, route: usize, command: RouteCommand) -> Result<usize, CommandError> {
        let mut effects = Vec::new();
        let result = self.engine.route_command(self.now(), route, command, &mut effects);
        self.carry_out(effects);
        result
    }

    /// A command of user code for the dialect of the first route.
    pub fn dialect_command(
        &mut self,
        id: Option<ConnectionId>,
        name: &str,
        payload: serde_json::Value,
    ) -> HandlerResult {
        let mut effects = Vec::new();
        let result = self.engine.dialect_command(self.now(), 0, id, name, payload, &mut effects);
        self.carry_out(effects);
        result
    }

    /// The oldest hook that waits.
    pub fn next_call(&mut self) -> (CallId, ConnectionId, Hook) {
        self.calls.pop_front().expect("no hook was called")
    }

    /// A hook comes back.
    pub fn answer(&mut self, call: CallId, answer: Answer) {
        self.input(Input::Answer { call, answer });
    }

    /// Answers the oldest hook that waits; gives it back.
    pub fn answer_next(&mut self, answer: Answer) -> Hook {
        let (call, _, hook) = self.next_call();
        self.answer(call, answer);
        hook
    }
}
