//! permessage-deflate (RFC 7692): what is configured, offered and agreed, and the two directions.
//!
//! [`DeflateConfig`] has the server's settings, [`Offer`] is one of the client's offers, and [`Agreement`] is what
//! both agreed on: three types, so that none can be taken for another. [`negotiate`] makes the third of the first two.
//!
//! By default neither side keeps context between messages: then no connection owns compression state. Each thread keeps
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
