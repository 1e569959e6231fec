//! RFC 6455 and RFC 7692, server side: one socket's bytes to messages and back.
//!
//! Nothing here has a socket, a clock or a thread. A host reads and writes the bytes; this module says what they mean.
//! The steps for one connection:
//!
//! 1. [`check`] the request. If it is refused, write the [`Refusal`] as [`encode`](Refusal::encode) gives it, and close.
//! 2. Choose: [`select_subprotocol`] from the client's list, [`negotiate`] compression.
//! 3. Write [`encode_head`] of the [`response`], and make a [`WebSocket`] with what was agreed.
//! 4. Give every read to [`Reader::receive`] and handle the [`Event`]s in order: a ping is answered with
//!    [`Writer::pong`], a close or a violation with [`Writer::close`]. What was beyond the budget of one call comes with
//!    [`Reader::resume`].
//! 5. Wrap a message in [`Outgoing`] once and [`Writer::send`] it to each receiver, or many in a row in a [`Burst`];
//!    then write each [`Outbox`].
//! 6. When [`Writer::is_closed`] and the outbox is empty, the connection can end.
//!
//! ```
//! use switchboard_core::protocol::{Event, Outgoing, SocketOptions, WebSocket};
//!
//! let mut socket = WebSocket::new(&SocketOptions::default());
//! let mut events = Vec::new();
//! // "Hello", masked: RFC 6455 section 5.7
//! let mut input = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
//! socket.reader.receive(&mut input, &mut events);
//! for event in events {
//!     match event {
//!         Event::Message(message) => drop(socket.writer.send(&Outgoing::new(message))),
//!         Event::Ping(payload) => socket.writer.pong(&payload),
//!         Event::Pong(_) => {}
//!         Event::Close(frame) => socket.writer.close(frame.as_ref()),
//!         Event::Violation(violation) => socket.writer.close(Some(&violation.into())),
//!     }
//! }
//! assert_eq!(socket.writer.outbox().pop().as_deref(), Some(&b"\x81\x05Hello"[..]));
//! ```

pub mod deflate;

mod assembler;
mod burst;
mod close;
mod damage;
mod error;
mod extension;
mod handshake;
mod header;
mod host;
mod mask;
mod outbox;
mod outgoing;
mod reader;
mod refusal;
mod response;
mod token;
mod traffic;
mod utf8;
mod websocket;
mod writer;

#[cfg(test)]
#[path = "../../tests/support/client_frame.rs"]
mod client_frame;

pub use burst::Burst;
pub use damage::Damage;
pub use deflate::{Agreement, DeflateConfig, negotiate};
pub use error::Violation;
pub use extension::ExtensionOffer;
pub use handshake::{Handshake, check, select_subprotocol};
pub(crate) use header::encoded_length;
pub use host::has_valid_host;
pub use outbox::{Outbox, OutboxOptions, Overflow, Pushed};
pub use outgoing::Outgoing;
pub use reader::{Event, Reader};
pub use refusal::Refusal;
pub use response::{encode_head, response};
pub(crate) use token::is_token;
pub use traffic::Traffic;
pub use websocket::{SocketOptions, WebSocket};
pub use writer::Writer;
