//! What happened, before it is known who is told, and how it is told.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{Cause, ControlOpcode, Event, EventKind, Excerpt, MessageDirection, Release, ViolationView};
use crate::contract::Violation;
use crate::dialect::replay::Mismatch;
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Level;
use crate::message::{CloseFrame, Message};

/// How much is shown of what user code says, in bytes.
const SHOWN: usize = 8_192;

/// One thing that happened, before it is known who is told.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    /// The index of the route.
    pub(crate) route: Option<usize>,
    /// The connection, unless it is about several or none.
    pub(crate) peer: Option<Peer>,
    /// Who else it is about: the receivers of a broadcast.
    pub(crate) receivers: Arc<[ConnectionId]>,
    pub(crate) what: What,
}

/// A connection that something happened to.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) id: ConnectionId,
    pub(crate) public_id: Arc<str>,
    pub(crate) path: String,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Opened {
        address: Option<String>,
        subprotocol: Option<Arc<str>>,
    },
    Refused {
        path: String,
        status: Option<u16>,
        code: Option<u16>,
        reason: String,
    },
    Closed {
        code: u16,
        reason: String,
        cause: CloseCause,
    },
    Message {
        direction: MessageDirection,
        /// Or the beginning of it.
        message: Message,
        /// Its length in bytes.
        size: usize,
        receivers: usize,
        room: Option<Arc<str>>,
    },
    Joined {
        room: Arc<str>,
    },
    Left {
        room: Arc<str>,
    },
    Failed {
        step: &'static str,
        error: String,
    },
    Violated {
        direction: MessageDirection,
        is_refused: bool,
        violations: Vec<Violation>,
        receivers: usize,
    },
    Logged {
        level: Level,
        text: String,
    },
    Mismatch(Box<Mismatch>),
    /// A breakpoint holds a message, until a moment in ms since 1970.
    Held {
        id: u64,
        breakpoint: u64,
        direction: MessageDirection,
        message: Message,
        until: u64,
    },
    /// A message is no longer held, or was not as too much is; with the message that has taken its place.
    Released {
        id: u64,
        breakpoint: u64,
        direction: MessageDirection,
        how: Release,
        message: Option<Message>,
    },
    Unclaimed {
        path: String,
        status: Option<u16>,
        nearest: Option<String>,
        reason: String,
    },
    Control {
        direction: MessageDirection,
        frame: ControlFrame,
    },
}

/// A control frame.
#[derive(Clone, Debug)]
pub(crate) enum ControlFrame {
    Ping(Bytes),
    Pong(Bytes),
    Close(Option<CloseFrame>),
}

impl What {
    /// A message that passed.
    pub(crate) fn message(
        direction: MessageDirection,
        message: &Message,
        receivers: usize,
        room: Option<Arc<str>>,
    ) -> Self {
        Self::Message { direction, message: message.clone(), size: message.len(), receivers, room }
    }

    pub(crate) fn kind(&self) -> EventKind {
        match self {
            What::Opened { .. } => EventKind::Opened,
            What::Refused { .. } => EventKind::Refused,
            What::Closed { .. } => EventKind::Closed,
            What::Message { .. } => EventKind::Message,
            What::Joined { .. } => EventKind::Joined,
            What::Left { .. } => EventKind::Left,
            What::Failed { .. } => EventKind::Error,
            What::Violated { .. } => EventKind::Violation,
            What::Logged { .. } => EventKind::Log,
            What::Mismatch(_) => EventKind::Mismatch,
            What::Held { .. } => EventKind::Held,
            What::Released { .. } => EventKind::Released,
            What::Unclaimed { .. } => EventKind::Unclaimed,
            What::Control { .. } => EventKind::Control,
        }
    }
}
impl Happening {
    /// How many bytes it takes about, beside a fixed number.
    pub(crate) fn bytes(&self) -> usize {
        let what = match &self.what {
            What::Message { message, .. } | What::Held { message, .. } => message.len(),
            What::Released { message, .. } => message.as_ref().map_or(0, Message::len),
            What::Refused { path, reason, .. } | What::Unclaimed { path, reason, .. } => {
                path.len() + reason.len()
            }
            What::Closed { reason, .. } => reason.len(),
            What::Failed { error, .. } => error.len(),
            What::Logged { text, .. } => text.len(),
            What::Violated { violations, .. } => violations.iter().map(|one| one.message.len() + 256).sum(),
            What::Mismatch(_) => 4 * 1024,
            What::Control { .. } => 128,
            What::Opened { .. } | What::Joined { .. } | What::Left { .. } => 0,
        };
        let is_own = Arc::strong_count(&self.receivers) == 1;
        let receivers = if is_own { size_of_val(&*self.receivers) } else { 0 };
        what + receivers + self.peer.as_ref().map_or(0, |peer| peer.path.len())
    }

    /// Drops what is too long to be kept.
    pub(crate) fn shorten(&mut self, max_payload: usize) {
        match &mut self.what {
            What::Message { message, .. } if message.len() > max_payload => {
                *message = match message.as_text() {
                    Some(text) => Message::from(&text[..text.floor_char_boundary(max_payload)]),
                    None => Message::Binary(Bytes::copy_from_slice(&message.payload()[..max_payload])),
                };
            }
            What::Failed { error: text, .. } | What::Logged { text, .. } if text.len() > SHOWN => {
                *text = beginning(text).to_owned();
            }
            _ => {}
        }
    }

    /// Refers to the receivers of another one, if they are the same.
    pub(crate) fn share_receivers(&mut self, other: &Self) {
        if self.receivers == other.receivers {
            self.receivers = other.receivers.clone();
        }
    }

    /// The message for a subscriber that is shown so many bytes of a payload. `label` is the route's.
    pub(crate) fn told(&self, sequence: u64, at: u64, label: &str, payload_bytes: usize) -> Message {
        let (connection, path) =
            self.peer.as_ref().map_or(("", ""), |peer| (&*peer.public_id, peer.path.as_str()));
        let route = label;
        match &self.what {
            What::Opened { address, subprotocol } => {
                let (address, subprotocol) = (address.as_deref(), subprotocol.as_deref());
                Event::Opened { at, sequence, connection, route, path, address, subprotocol }
            }
            What::Refused { path, status, code, reason } => {
                let route = self.route.map(|_| route);
                Event::Refused { at, sequence, path, route, status: *status, code: *code, reason }
            }
            What::Closed { code, reason, cause } => {
                let (code, cause) = (*code, Cause::from(*cause));
                Event::Closed { at, sequence, connection, route, path, code, reason, cause }
            }
            What::Message { direction, message, size, receivers, room } => {
                let peer = self.peer.as_ref();
                let Excerpt { text, binary, is_cut } = Excerpt::of(message, payload_bytes);
                Event::Message {
                    at,
                    sequence,
                    direction: *direction,
                    connection: peer.map(|_| connection),
                    route,
                    path: peer.map(|_| path),
                    receivers: *receivers,
                    room: room.as_deref(),
                    size: *size,
                    text,
                    binary,
                    is_cut: is_cut || message.len() < *size,
                }
            }
            What::Joined { room } => Event::Joined { at, sequence, connection, route, room },
            What::Left { room } => Event::Left { at, sequence, connection, route, room },
            What::Failed { step, error } => {
                let error = beginning(error);
                Event::Error { at, sequence, connection, route, path, step, error }
            }
            What::Violated { direction, is_refused, violations, receivers } => {
                let peer = self.peer.as_ref();
                Event::Violation {
                    at,
                    sequence,
                    direction: *direction,
                    connection: peer.map(|_| connection),
                    route,
                    path: peer.map(|_| path),
                    receivers: *receivers,
                    is_refused: *is_refused,
                    violations: violations.iter().map(ViolationView::from).collect(),
                }
            }
            What::Logged { level, text } => {
                Event::Log { at, sequence, level: level_name(*level), text: beginning(text) }
            }
            What::Mismatch(mismatch) => {
                let Mismatch { place, expected, got, differences } = &**mismatch;
                let text = mismatch.to_string();
                let (place, expected) = (place.as_str(), expected.as_deref());
                Event::Mismatch {
                    at,
                    sequence,
                    connection,
                    route,
                    path,
                    place,
                    expected,
                    got,
                    differences,
                    text,
                }
            }
            What::Held { id, breakpoint, direction, message, until } => {
                let Excerpt { text, binary, is_cut } = Excerpt::of(message, payload_bytes);
                Event::Held {
                    at,
                    sequence,
                    id: *id,
                    breakpoint: *breakpoint,
                    connection,
                    route,
                    path,
                    direction: *direction,
                    until: *until,
                    size: message.len(),
                    text,
                    binary,
                    is_cut,
                }
            }
            What::Released { id, breakpoint, direction, how, message } => {
                let excerpt = message.as_ref().map(|message| Excerpt::of(message, payload_bytes));
                let (text, binary) = excerpt.map_or((None, None), |excerpt| (excerpt.text, excerpt.binary));
                Event::Released {
                    at,
                    sequence,
                    id: *id,
                    breakpoint: *breakpoint,
                    connection,
                    route,
                    path,
                    direction: *direction,
                    how: *how,
                    size: message.as_ref().map(Message::len),
                    text,
                    binary,
                }
            }
            What::Unclaimed { path, status, nearest, reason } => {
                let (status, nearest) = (*status, nearest.as_deref());
                Event::Unclaimed { at, sequence, path, status, nearest, reason }
            }
            What::Control { direction, frame } => {
                let (opcode, payload) = match frame {
                    ControlFrame::Ping(payload) => (ControlOpcode::Ping, Some(payload)),
                    ControlFrame::Pong(payload) => (ControlOpcode::Pong, Some(payload)),
                    ControlFrame::Close(_) => (ControlOpcode::Close, None),
                };
                let text = payload.map(|payload| std::str::from_utf8(payload));
                let closing = match frame {
                    ControlFrame::Close(Some(frame)) => Some((frame.code.0, frame.reason.as_str())),
                    _ => None,
                };
                Event::Control {
                    at,
                    sequence,
                    direction: *direction,
                    connection,
                    route,
                    path,
                    opcode,
                    text: text.and_then(Result::ok),
                    binary: payload
                        .filter(|_| text.is_some_and(|text| text.is_err()))
                        .map(|payload| STANDARD.encode(payload)),
                    code: closing.map(|(code, _)| code),
                    reason: closing.map(|(_, reason)| reason),
                }
            }
        }
        .message()
    }
}

/// The beginning of what user code says.
fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN)]
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}
