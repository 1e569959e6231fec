//! What the history of a route has for clients, until the route's handler has brought it into their form.

use crate::interface::connection_id::ConnectionId;
use crate::message::Message;

/// A message for clients of a route whose handler delivers what is kept.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The index of the route.
    pub(crate) route: usize,
    pub(crate) to: Vec<ConnectionId>,
    /// As it is kept, for those who do not take part; for the others in its envelope.
    pub(crate) message: Message,
    pub(crate) is_enveloped: bool,
}
