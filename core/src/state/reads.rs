//! Parts of files that handlers wait for.

use std::collections::HashMap;

use crate::interface::connection_id::ConnectionId;
use crate::interface::file_part::ReadId;

/// Who waits for which part.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// The route, and the connection if it is for one.
    waiting: HashMap<ReadId, (usize, Option<ConnectionId>)>,
    next: u64,
}

impl Reads {
    /// One more.
    pub(crate) fn add(&mut self, route: usize, id: Option<ConnectionId>) -> ReadId {
        let read = ReadId(self.next);
        self.next += 1;
        self.waiting.insert(read, (route, id));
        read
    }

    /// It was read.
    pub(crate) fn take(&mut self, read: ReadId) -> Option<(usize, Option<ConnectionId>)> {
        self.waiting.remove(&read)
    }
}
