//! Inflating messages (RFC 7692 section 7.2.2) as their payload comes, never past a limit.
//!
//! Between messages there is one decompressor per thread; a message that comes in pieces has it, or one of its own,
//! until it is complete. What a client may refer back to is kept as its [`History`], plain bytes that prime the
//! decompressor: that takes less memory than a decompressor per connection (at most the window, and nothing before the
//! first message), and the end of the deflate stream can be forced, which is the only way to see that a message was cut
//! short.

use std::cell::RefCell;
use std::mem;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::super::utf8::Utf8Validator;
use super::FLUSH_TAIL;

/// What follows the flush tail: a final, empty block. A whole message leads exactly to its end, without output.
const FINAL_BLOCK: [u8; 2] = [0x03, 0x00];

/// How many deflate streams one message may consist of. Each costs a reset, and two bytes are enough for one.
const MAX_STREAMS: usize = 1024;

/// The first guess at an output's size, in bytes.
const FIRST_CAPACITY: usize = 4 * 1024;

/// Outputs of at least this many bytes leave with their buffer instead of being copied out of it.
const COPY_LIMIT: usize = 64 * 1024;

/// Why a message did not inflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum InflateError {
    /// More output than allowed.
    TooBig,
    /// Not deflate data, or cut short.
    Invalid,
    /// A text whose output, as far as it came, is not UTF-8.
    NotUtf8,
}

/// The latest bytes a client with context takeover sent, as far back as its window reaches.
#[derive(Debug)]
pub(in super::super) struct History {
    bytes: Vec<u8>,
    window: usize,
}

impl History {
    /// Nothing remembered yet; `client_bits` is the agreed window as a power of two.
    pub(in super::super) fn new(client_bits: u8) -> Self {
        // zlib has always compressed with 9 bits where 8 were asked for.
        Self { bytes: Vec::new(), window: 1 << client_bits.clamp(9, 15) }
    }

    fn push(&mut self, message: &[u8]) {
        let message = &message[message.len().saturating_sub(self.window)..];
        let excess = (self.bytes.len() + message.len()).saturating_sub(self.window);
        self.bytes.drain(..excess);
        self.bytes.extend_from_slice(message);
    }
}

thread_local! {
    static INFLATER: RefCell<Inflater> = const { RefCell::new(Inflater::new(None)) };
}

/// Inflates a message's payload into at most `max` bytes, and remembers it if the client may refer back to it.
///
/// If there are several faults, the first one is returned, as if the payload had come byte by byte.
pub(in super::super) fn inflate(
    payload: &[u8],
    history: Option<&mut History>,
    is_text: bool,
    max: usize,
) -> Result<Bytes, InflateError> {
    INFLATER.with_borrow_mut(|inflater| {
        (inflater.streams, inflater.is_ended) = (0, false);
        let pushed = inflater.push(payload, history.as_deref(), max);
        // Text that comes in pieces fails before its end is forced.
        let came = inflater.output.len();
        let result = pushed.and_then(|()| inflater.force_end(max));
        let is_broken_text =
            result.is_err() && is_text && Utf8Validator::default().push(&inflater.output[..came]).is_err();
        let message = inflater.take_output();
        match result {
            Err(_) if is_broken_text => return Err(InflateError::NotUtf8),
            result => result?,
        }
        if let Some(history) = history {
            history.push(&message);
        }
        Ok(message)
    })
}

/// One message's decompressor and its output so far.
#[derive(Debug)]
pub(in super::super) struct Inflater {
    stream: Option<Decompress>,
    output: Vec<u8>,
    /// How many deflate streams have begun.
    streams: usize,
    /// The latest stream has ended and nothing has come behind it.
    is_ended: bool,
}

impl Inflater {
    const fn new(stream: Option<Decompress>) -> Self {
        Self { stream, output: Vec::new(), streams: 0, is_ended: false }
    }

    /// For a message that comes in pieces: takes the thread's decompressor, if it is there.
    pub(in super::super) fn begin() -> Self {
        Self::new(INFLATER.with_borrow_mut(|inflater| inflater.stream.take()))
    }

    /// What was inflated so far.
    pub(in super::super) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Inflates the next piece of payload. After an error the output has what was inflated before it, at most one byte
    /// more than `max`.
    pub(in super::super) fn push(
        &mut self,
        mut piece: &[u8],
        history: Option<&History>,
        max: usize,
    ) -> Result<(), InflateError> {
        while !piece.is_empty() {
            let stream = self.stream.get_or_insert_with(|| Decompress::new(false));
            // More blocks may follow a final one (7.2.3.5), the least of them the empty one of 7.2.3.4.
            if self.streams == 0 || self.is_ended {
                if self.streams == MAX_STREAMS {
                    return Err(InflateError::Invalid);
                }
                self.streams += 1;
                self.is_ended = false;
                prime(stream, history.map_or(&[], |history| &history.bytes), &self.output)?;
            }
            match feed(stream, piece, &mut self.output, max)? {
                Some(rest) => {
                    self.is_ended = true;
                    piece = rest;
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Ends a message that came in pieces and remembers it if the client may refer back to it.
    pub(in super::super) fn finish(
        mut self,
        history: Option<&mut History>,
        max: usize,
    ) -> Result<Bytes, InflateError> {
        self.force_end(max)?;
        if let Some(history) = history {
            history.push(&self.output);
        }
        let Self { stream, mut output, .. } = self;
        INFLATER.with_borrow_mut(|inflater| inflater.stream = stream);
        output.shrink_to_fit();
        Ok(output.into())
    }

    /// Fails for a message that was cut short.
    fn force_end(&mut self, max: usize) -> Result<(), InflateError> {
        match &mut self.stream {
            // A last block that is marked as final is tolerated without the empty block behind it. There are also
            // clients that send nothing at all for an empty message, though one zero byte is meant (7.2.3.6).
            Some(stream) if self.streams > 0 && !self.is_ended => finish(stream, &mut self.output, max),
            _ => Ok(()),
        }
    }

    /// The output as bytes of its own; the buffer stays with the thread unless it has become large.
    fn take_output(&mut self) -> Bytes {
        if self.output.len() < COPY_LIMIT {
            let message = Bytes::copy_from_slice(&self.output);
            self.output.clear();
            self.output.shrink_to(COPY_LIMIT);
            return message;
        }
        let mut output = mem::take(&mut self.output);
        output.shrink_to_fit();
        output.into()
    }
}

/// Starts a deflate stream that may refer back to the history and to the output so far.
fn prime(stream: &mut Decompress, history: &[u8], output: &[u8]) -> Result<(), InflateError> {
    stream.reset(false);
    for dictionary in [history, output] {
        if !dictionary.is_empty() {
            stream.set_dictionary(dictionary).map_err(|_| InflateError::Invalid)?;
        }
    }
    Ok(())
}

/// Inflates `input` to its end, or to the end of a final block; returns what is left of it.
fn feed<'a>(
    stream: &mut Decompress,
    mut input: &'a [u8],
    output: &mut Vec<u8>,
    max: usize,
) -> Result<Option<&'a [u8]>, InflateError> {
    loop {
        // One byte more than allowed, to tell a message of exactly `max` bytes from a longer one.
        if output.len() == output.capacity() {
            let capacity = (output.capacity() * 2).max(FIRST_CAPACITY).min(max.saturating_add(1));
            output.reserve_exact(capacity.saturating_sub(output.len()).max(1));
        }
        let (taken_before, made_before) = (stream.total_in(), output.len());
        let status = stream.decompress_vec(input, output, FlushDecompress::None);
        if output.len() > max {
            output.truncate(max + 1);
            return Err(InflateError::TooBig);
        }
        let status = status.map_err(|_| InflateError::Invalid)?;
        let taken = usize::try_from(stream.total_in() - taken_before).unwrap_or(input.len());
        input = &input[taken..];
        if status == Status::StreamEnd {
            return Ok(Some(input));
        }
        if output.len() < output.capacity() {
            if input.is_empty() {
                return Ok(None);
            }
            if taken == 0 && output.len() == made_before {
                return Err(InflateError::Invalid);
            }
        }
    }
}

/// Puts back the flush tail and forces the end, which comes exactly and without output if the message was whole.
fn finish(stream: &mut Decompress, output: &mut Vec<u8>, max: usize) -> Result<(), InflateError> {
    let made = output.len();
    let mut end = [0; FLUSH_TAIL.len() + FINAL_BLOCK.len()];
    end[..FLUSH_TAIL.len()].copy_from_slice(&FLUSH_TAIL);
    end[FLUSH_TAIL.len()..].copy_from_slice(&FINAL_BLOCK);
    match feed(stream, &end, output, max) {
        Ok(Some([])) if output.len() == made => Ok(()),
        _ => Err(InflateError::Invalid),
    }
}

#[cfg(test)]
mod tests;
