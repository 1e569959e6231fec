//! The headers of a byte stream of frames (RFC 6455 section 5.2); payloads are skipped.

use anyhow::{Result, bail};

/// What a server's frame may begin with: 2 bytes and a length of up to 8.
const MAX_HEADER: usize = 10;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const MASKED: u8 = 0x80;

/// Where in the stream one connection is.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    header: [u8; MAX_HEADER],
    header_bytes: u8,
    /// Payload bytes still to come.
    left: u64,
    /// The first byte of the message that is being received, if it has begun.
    message: Option<u8>,
    /// Whether the frame that is being received is a control frame: no part of the message around it.
    is_control: bool,
    /// Whether the last data frame has FIN.
    ends_message: bool,
}

/// A piece of a data message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'b> {
    /// As many bytes as there are; more may follow as another piece.
    pub(crate) payload: &'b [u8],
    /// Whether nothing of this message came before.
    pub(crate) is_first: bool,
    /// Whether the message is complete with it.
    pub(crate) is_last: bool,
    /// Whether the message is compressed (RFC 7692 section 6).
    pub(crate) is_compressed: bool,
    /// Whether it is text.
    pub(crate) is_text: bool,
}

impl FrameReader {
    /// Reads on. A close frame is an error, other control frames are passed over.
    pub(crate) fn read<'b>(
        &mut self,
        mut bytes: &'b [u8],
        mut each: impl FnMut(Piece<'b>) -> Result<()>,
    ) -> Result<()> {
        while !bytes.is_empty() {
            if self.left > 0 {
                bytes = self.payload(bytes, false, &mut each)?;
                continue;
            }
            let Some(rest) = self.header(bytes) else { return Ok(()) };
            bytes = self.begin(rest, &mut each)?;
        }
        Ok(())
    }

    /// Takes header bytes; returns what is behind the header once it is complete.
    fn header<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let mut taken = 0;
        while usize::from(self.header_bytes) < self.header_length() {
            let byte = bytes.get(taken)?;
            self.header[usize::from(self.header_bytes)] = *byte;
            self.header_bytes += 1;
            taken += 1;
        }
        Some(&bytes[taken..])
    }

    /// As far as is known up to now.
    fn header_length(&self) -> usize {
        match (self.header_bytes, self.header[1]) {
            (0 | 1, _) => 2,
            (_, 126) => 4,
            (_, 127) => 10,
            _ => 2,
        }
    }

    fn begin<'b>(
        &mut self,
        rest: &'b [u8],
        each: &mut impl FnMut(Piece<'b>) -> Result<()>,
    ) -> Result<&'b [u8]> {
        let [first, second, length @ ..] = self.header;
        self.header_bytes = 0;
        if second & MASKED != 0 {
            bail!("the server masks its frames");
        }
        self.left = match second {
            126 => u64::from(u16::from_be_bytes([length[0], length[1]])),
            127 => u64::from_be_bytes(length),
            short => u64::from(short),
        };
        self.is_control = first & 0x08 != 0;
        match first & 0x0f {
            0x8 => bail!("the server closed a connection{}", close_code(rest)),
            0x9 | 0xa => {}
            0x0 if self.message.is_some() => self.ends_message = first & FIN != 0,
            0x1 | 0x2 if self.message.is_none() => {
                self.ends_message = first & FIN != 0;
                self.message = Some(first);
            }
            opcode => bail!("the server sent a frame out of place: opcode {opcode:#x}"),
        }
        let is_first = first & 0x0f != 0;
        self.payload(rest, is_first, each)
    }

    fn payload<'b>(
        &mut self,
        bytes: &'b [u8],
        is_first: bool,
        each: &mut impl FnMut(Piece<'b>) -> Result<()>,
    ) -> Result<&'b [u8]> {
        let (payload, rest) = bytes.split_at((self.left).min(bytes.len() as u64) as usize);
        self.left -= payload.len() as u64;
        if let Some(first) = self.message.filter(|_| !self.is_control) {
            let is_last = self.left == 0 && self.ends_message;
            if is_last {
                self.message = None;
            }
            let (is_compressed, is_text) = (first & RSV1 != 0, first & 0x0f == 0x1);
            each(Piece { payload, is_first, is_last, is_compressed, is_text })?;
        }
        Ok(rest)
    }
}

fn close_code(payload: &[u8]) -> String {
    match payload {
        [high, low, ..] => format!(" with {}", u16::from_be_bytes([*high, *low])),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream holds, however it is cut: (payload, compressed, text).
    fn messages(stream: &[u8], cut: usize) -> Result<Vec<(Vec<u8>, bool, bool)>> {
        let (mut reader, mut messages, mut current) = (FrameReader::default(), Vec::new(), Vec::new());
        for bytes in stream.chunks(cut) {
            reader.read(bytes, |piece| {
                assert_eq!(piece.is_first, piece.is_first && current.is_empty());
                current.extend_from_slice(piece.payload);
                if piece.is_last {
                    messages.push((std::mem::take(&mut current), piece.is_compressed, piece.is_text));
                }
                Ok(())
            })?;
        }
        Ok(messages)
    }

    #[test]
    fn all_lengths_however_they_are_cut() {
        let mut stream = vec![0x81, 2, b'h', b'i', 0x82, 0, 0xc1, 126, 1, 0];
        stream.extend([b'x'; 256]);
        stream.extend([0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        stream.extend([b'y'; 65536]);
        let expected = vec![
            (b"hi".to_vec(), false, true),
            (Vec::new(), false, false),
            (vec![b'x'; 256], true, true),
            (vec![b'y'; 65536], false, true),
        ];
        for cut in [1, 2, 3, 7, 300, stream.len()] {
            assert_eq!(messages(&stream, cut).unwrap(), expected, "{cut}");
        }
    }

    #[test]
    fn fragments_make_one_message_and_pings_none() {
        let stream = [0x01, 1, b'a', 0x89, 2, b'p', b'q', 0x00, 1, b'b', 0x80, 0, 0x8a, 0, 0x81, 1, b'c'];
        for cut in 1..=stream.len() {
            let expected = vec![(b"ab".to_vec(), false, true), (b"c".to_vec(), false, true)];
            assert_eq!(messages(&stream, cut).unwrap(), expected, "{cut}");
        }
    }

    #[test]
    fn what_a_server_must_not_send() {
        for (stream, word) in [
            (&[0x88, 2, 3, 0xf5][..], "1013"),
            (&[0x81, 0x82, 0, 0, 0, 0, 0, 0], "mask"),
            (&[0x80, 0], "out of place"),
            (&[0x01, 0, 0x81, 0], "out of place"),
            (&[0x83, 0], "out of place"),
        ] {
            let error = messages(stream, stream.len()).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
