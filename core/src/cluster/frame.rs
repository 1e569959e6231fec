//! What nodes send to each other, as bytes.
//!
//! Numbers are little-endian. A frame begins with the version of this format, the kind, the incarnation and the name of the
//! node that sends it. Everything that has a length has a limit, and what does not fit is an error: the broker may be shared.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::event::EntryChange;
use super::node::Node;
use crate::message::{Message, Text};

/// The version of the format.
const VERSION: u8 = 1;

/// The longest key of an entry, in bytes.
pub(super) const MAX_KEY: usize = 4 << 10;

/// The longest value of an entry, and the longest header of a message, in bytes.
pub(super) const MAX_VALUE: usize = 1 << 20;

/// The longest name of a channel, in bytes.
const MAX_CHANNEL: usize = u16::MAX as usize;

/// How many entries, changes or channels one frame may hold.
const MOST: u32 = 65_536;

/// A changed entry.
pub(super) type Change = EntryChange;

/// What one node says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) node: Node,
    pub(super) body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// For the subscribers of the channel. The header says what it is to them, and is not looked at here.
    Message { run: u64, sequence: u64, header: Bytes, message: Message },
    /// A sign of life: the version of the node's entries, and what it has published on which channels.
    Alive { version: u64, sent: Vec<(Arc<str>, u64, u64)> },
    /// Entries have changed; the first change makes this version, each further one the next.
    Changes { first: u64, changes: Vec<Change> },
    /// A part of all entries.
    Snapshot { version: u64, part: u32, parts: u32, entries: Vec<(Arc<str>, Bytes)> },
    /// A node, or everyone, is asked for a snapshot.
    Ask { of: Option<Node> },
    /// The node ends.
    Leaving,
}

/// Why a message of the broker cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It ends too early, or goes on behind its end.
    #[error("a frame of another length than it says")]
    Length,
    /// Another version of Switchboard has sent it.
    #[error("version {0} of the format of nodes, which this version of Switchboard does not speak")]
    Version(u8),
    /// There is no such kind.
    #[error("unknown kind {0}")]
    Kind(u8),
    /// A name or a text is not UTF-8.
    #[error("text that is not UTF-8")]
    Utf8,
    /// A length or a number is beyond its limit.
    #[error("a length beyond its limit")]
    Limit,
}

impl Frame {
    pub(super) fn encode(&self) -> Bytes {
        let payload = match &self.body {
            Body::Message { header, message, .. } => header.len() + message.len(),
            _ => 0,
        };
        let mut out = BytesMut::with_capacity(64 + self.node.name.len() + payload);
        out.put_u8(VERSION);
        out.put_u8(self.body.kind());
        put_node(&mut out, &self.node);
        match &self.body {
            Body::Message { run, sequence, header, message } => {
                out.put_u64_le(*run);
                out.put_u64_le(*sequence);
                put_value(&mut out, header);
                out.put_slice(message.payload());
            }
            Body::Alive { version, sent } => {
                out.put_u64_le(*version);
                put_count(&mut out, sent.len());
                for (channel, run, sequence) in sent {
                    put_text(&mut out, channel);
                    out.put_u64_le(*run);
                    out.put_u64_le(*sequence);
                }
            }
            Body::Changes { first, changes } => {
                out.put_u64_le(*first);
                put_count(&mut out, changes.len());
                for (key, value) in changes {
                    put_text(&mut out, key);
                    out.put_u8(value.is_some().into());
                    if let Some(value) = value {
                        put_value(&mut out, value);
                    }
                }
            }
            Body::Snapshot { version, part, parts, entries } => {
                out.put_u64_le(*version);
                out.put_u32_le(*part);
                out.put_u32_le(*parts);
                put_count(&mut out, entries.len());
                for (key, value) in entries {
                    put_text(&mut out, key);
                    put_value(&mut out, value);
                }
            }
            Body::Ask { of } => of.iter().for_each(|node| put_node(&mut out, node)),
            Body::Leaving => {}
        }
        out.freeze()
    }

    pub(super) fn decode(payload: Bytes) -> Result<Self, FrameError> {
        let mut rest = Rest(payload);
        let version = rest.u8()?;
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let kind = rest.u8()?;
        let node = rest.node()?;
        let body = match kind {
            0 | 1 => {
                let (run, sequence, header) = (rest.u64()?, rest.u64()?, rest.value()?);
                let payload = std::mem::take(&mut rest.0);
                let message = match kind {
                    0 => Message::Text(Text::from_utf8(payload).map_err(|_| FrameError::Utf8)?),
                    _ => Message::Binary(payload),
                };
                Body::Message { run, sequence, header, message }
            }
            2 => Body::Alive {
                version: rest.u64()?,
                sent: rest.list(|rest| Ok((rest.text(MAX_CHANNEL)?, rest.u64()?, rest.u64()?)))?,
            },
            3 => Body::Changes {
                first: rest.u64()?,
                changes: rest.list(|rest| {
                    let (key, is_set) = (rest.text(MAX_KEY)?, rest.u8()? != 0);
                    Ok((key, if is_set { Some(rest.value()?) } else { None }))
                })?,
            },
            4 => Body::Snapshot {
                version: rest.u64()?,
                part: rest.u32()?,
                parts: rest.u32()?,
                entries: rest.list(|rest| Ok((rest.text(MAX_KEY)?, rest.value()?)))?,
            },
            5 => Body::Ask { of: if rest.0.is_empty() { None } else { Some(rest.node()?) } },
            6 => Body::Leaving,
            kind => return Err(FrameError::Kind(kind)),
        };
        if rest.0.has_remaining() { Err(FrameError::Length) } else { Ok(Self { node, body }) }
    }
}

impl Body {
    fn kind(&self) -> u8 {
        match self {
            Body::Message { message: Message::Text(_), .. } => 0,
            Body::Message { message: Message::Binary(_), .. } => 1,
            Body::Alive { .. } => 2,
            Body::Changes { .. } => 3,
            Body::Snapshot { .. } => 4,
            Body::Ask { .. } => 5,
            Body::Leaving => 6,
        }
    }
}

fn put_node(out: &mut BytesMut, node: &Node) {
    out.put_u64_le(node.incarnation);
    // Settings cut longer names.
    out.put_u8(u8::try_from(node.name.len()).unwrap_or(u8::MAX));
    out.put_slice(node.name.as_bytes());
}

fn put_count(out: &mut BytesMut, count: usize) {
    out.put_u32_le(u32::try_from(count).unwrap_or(u32::MAX));
}

fn put_text(out: &mut BytesMut, text: &str) {
    let text = &text[..text.floor_char_boundary(MAX_CHANNEL)];
    out.put_u16_le(u16::try_from(text.len()).unwrap_or(u16::MAX));
    out.put_slice(text.as_bytes());
}

fn put_value(out: &mut BytesMut, value: &Bytes) {
    put_count(out, value.len());
    out.put_slice(value);
}

/// What was not read yet.
struct Rest(Bytes);

impl Rest {
    fn u8(&mut self) -> Result<u8, FrameError> {
        self.0.try_get_u8().map_err(|_| FrameError::Length)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        self.0.try_get_u32_le().map_err(|_| FrameError::Length)
    }

    fn u64(&mut self) -> Result<u64, FrameError> {
        self.0.try_get_u64_le().map_err(|_| FrameError::Length)
    }

    fn bytes(&mut self, length: usize, most: usize) -> Result<Bytes, FrameError> {
        match length {
            _ if length > most => Err(FrameError::Limit),
            _ if length > self.0.len() => Err(FrameError::Length),
            _ => Ok(self.0.split_to(length)),
        }
    }

    fn text(&mut self, most: usize) -> Result<Arc<str>, FrameError> {
        let length = self.0.try_get_u16_le().map_err(|_| FrameError::Length)?;
        let bytes = self.bytes(length.into(), most)?;
        std::str::from_utf8(&bytes).map(Arc::from).map_err(|_| FrameError::Utf8)
    }

    fn value(&mut self) -> Result<Bytes, FrameError> {
        let length = self.u32()?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX), MAX_VALUE)
    }

    fn node(&mut self) -> Result<Node, FrameError> {
        let incarnation = self.u64()?;
        let length = self.u8()?;
        let bytes = self.bytes(length.into(), u8::MAX.into())?;
        let name = std::str::from_utf8(&bytes).map_err(|_| FrameError::Utf8)?.into();
        Ok(Node { name, incarnation })
    }

    fn list<T>(&mut self, each: impl Fn(&mut Self) -> Result<T, FrameError>) -> Result<Vec<T>, FrameError> {
        match self.u32()? {
            count if count > MOST => Err(FrameError::Limit),
            count => (0..count).map(|_| each(self)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
