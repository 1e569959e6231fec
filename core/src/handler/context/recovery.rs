//! Clients that ask for what they have missed by words of their own.

use super::Context;
use super::connection::check_room;
use crate::handler::command::CommandError;

impl Context<'_> {
    /// Has the connection in focus take part in the route's history from now on, as `switchboard-history` in the query of its
    /// opening handshake does. It joins the room, if it is not in it, is told how far the room is, and with a position that it
    /// was told before whether it can get all that it has missed since, which then follows. An empty room is everyone on the
    /// route; an empty position is none.
    ///
    /// Errors: the route keeps no history, its handler says itself who takes part, or the room is one too many or has too long
    /// a name.
    pub fn recover(&mut self, room: &str, position: Option<&str>) -> Result<(), CommandError> {
        match self.state.routes[self.route].settings.history_by_handler {
            true => Err(CommandError::HistoryOfJoins),
            false => self.recover_in(room, position),
        }
    }

    /// The same for the route's handler.
    pub(crate) fn recover_in(&mut self, room: &str, position: Option<&str>) -> Result<(), CommandError> {
        let Some(connection) = self.connection().filter(|connection| connection.is_open()) else {
            return Ok(());
        };
        let (id, is_there) = (connection.id(), room.is_empty() || connection.is_in_room(room));
        if !is_there {
            check_room(&self.state.limits, connection, room)?;
        }
        let Some(history) = &mut self.state.routes[self.route].history else {
            return Err(CommandError::NoHistory);
        };
        history.recover(id, room, position);
        match is_there {
            true => self.tell_history(room),
            false => self.join(room)?,
        }
        Ok(())
    }
}
