//! Files that a handler reads part by part.

use super::Context;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::interface::file_part::ReadId;

impl Context<'_> {
    /// Asks for a part of a file, at most `length` bytes from `offset` on, for the connection in focus: it comes to
    /// [`Handler::file_part`](crate::Handler::file_part), unless the connection has ended by then. `None` without a connection
    /// in focus.
    pub fn read_file_part(&mut self, file: &str, offset: u64, length: u64) -> Option<ReadId> {
        self.id.map(|id| self.ask_for_part(Some(id), file, offset, length))
    }

    /// The same for the route as a whole.
    pub fn read_file_part_for_route(&mut self, file: &str, offset: u64, length: u64) -> ReadId {
        self.ask_for_part(None, file, offset, length)
    }

    fn ask_for_part(&mut self, id: Option<ConnectionId>, file: &str, offset: u64, length: u64) -> ReadId {
        let read = self.state.reads.add(self.route, id);
        // What is more than this is asked for again.
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.effects.push(Effect::ReadFilePart { read, file: file.to_owned(), offset, length });
        read
    }
}
