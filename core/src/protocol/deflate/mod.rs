//! permessage-deflate (RFC 7692): what is configured, offered and agreed, and the two directions.
//!
//! [`DeflateConfig`] is what the server wants, [`Offer`] one thing the client offers, [`Agreement`] what the two
//! settled on: three types, so that none can be taken for another. [`negotiate`] leads from the first two to the third.
//!
//! By default nobody keeps context between messages: then no connection owns compression state. Each thread keeps
//! one decompressor and one compressor per window size and resets them per message, and one compressed frame serves
//! every receiver of a broadcast. Only a message that comes in pieces has a decompressor of its own, until it is complete.

mod compress;
mod config;
mod inflate;
mod negotiate;
mod offer;

pub use config::{Agreement, DeflateConfig};
pub use negotiate::negotiate;
pub use offer::Offer;

pub(super) use compress::{Compressor, compress_once};
pub(super) use inflate::{History, InflateError, Inflater, inflate};

/// The name of the extension in `Sec-WebSocket-Extensions`.
pub const EXTENSION: &str = "permessage-deflate";

/// What a sync flush ends with; left out on the wire (RFC 7692 section 7.2.1).
const FLUSH_TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
