//! The client's side of the wire, just enough to test the server's: masked frames out, server frames in.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test takes what it needs of this")]

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

pub const FIN: u8 = 0x80;
pub const RSV1: u8 = 0x40;
pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame with this first byte: flags and opcode.
pub fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = client_header(first, payload.len() as u64);
    frame.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ MASK[index % 4]));
    frame
}

/// The header alone, for payloads that never come.
pub fn client_header(first: u8, length: u64) -> Vec<u8> {
    let mut header = vec![first];
    match length {
        0..=125 => header.push(0x80 | length as u8),
        126..=0xffff => {
            header.push(0x80 | 126);
            header.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend_from_slice(&length.to_be_bytes());
        }
    }
    header.extend_from_slice(&MASK);
    header
}

/// A message in as many fragments as there are pieces.
pub fn client_message(first: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let last = pieces.len().saturating_sub(1);
    let frame = |(index, piece): (usize, &&[u8])| {
        let first = if index == 0 { first & !FIN } else { CONTINUATION };
        client_frame(if index == last { first | FIN } else { first }, piece)
    };
    pieces.iter().enumerate().flat_map(frame).collect()
}

/// Takes the first server frame off `bytes`: its first byte and its payload.
pub fn server_frame<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let [first, second, rest @ ..] = *bytes else { return None };
    assert_eq!(second & 0x80, 0, "a server does not mask");
    let (length, rest) = match second {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (u64::from(*short), rest),
    };
    let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some((*first, payload))
}

/// A client's compressor; `takeover` keeps its context between messages.
pub struct ClientDeflate {
    stream: Compress,
    takeover: bool,
}

impl ClientDeflate {
    pub fn new(bits: u8, takeover: bool) -> Self {
        let stream = Compress::new_with_window_bits(Compression::new(6), false, bits.max(9));
        Self { stream, takeover }
    }

    /// The message's payload for a frame with RSV1.
    pub fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.takeover {
            self.stream.reset();
        }
        let mut payload = Vec::with_capacity(message.len() * 2 + 64);
        let before = self.stream.total_in();
        self.stream.compress_vec(message, &mut payload, FlushCompress::Sync).expect("compressed");
        assert_eq!(self.stream.total_in() - before, message.len() as u64);
        match payload.strip_suffix(&[0, 0, 0xff, 0xff]) {
            Some(payload) => payload.to_vec(),
            None => vec![0],
        }
    }
}

/// A client's decompressor with exactly the agreed window; `takeover` keeps it between messages.
pub struct ClientInflate {
    stream: Decompress,
    takeover: bool,
}

impl ClientInflate {
    pub fn new(bits: u8, takeover: bool) -> Self {
        Self { stream: Decompress::new_with_window_bits(false, bits), takeover }
    }

    pub fn inflate(&mut self, payload: &[u8]) -> Vec<u8> {
        if !self.takeover {
            self.stream.reset(false);
        }
        let input = [payload, &[0, 0, 0xff, 0xff]].concat();
        let mut rest = &input[..];
        let mut message = Vec::new();
        loop {
            // Small pieces of output leave the decompressor only its window to refer to.
            let mut piece = [0; 16];
            let (taken, made) = (self.stream.total_in(), self.stream.total_out());
            self.stream.decompress(rest, &mut piece, FlushDecompress::None).expect("inflates");
            rest = &rest[(self.stream.total_in() - taken) as usize..];
            let made = (self.stream.total_out() - made) as usize;
            message.extend_from_slice(&piece[..made]);
            if made < piece.len() && rest.is_empty() {
                return message;
            }
        }
    }
}
