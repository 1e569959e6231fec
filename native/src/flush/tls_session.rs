//! TLS between a connection's TCP stream and its WebSocket.

use std::io::{self, IoSlice, Read, Write};

use rustls::ServerConnection;
use switchboard_core::protocol::Outbox;
use tokio::net::tcp::OwnedWriteHalf;

use crate::flush::gather::gather;

/// How many bytes are taken from the outbox before the stream has taken what they became, so that nearly all that waits
/// for a slow client waits in the outbox, where it is bounded.
const MAX_ENCRYPTED: usize = 64 << 10;

/// The TLS session of one connection, with its buffers.
pub(crate) struct TlsSession {
    connection: ServerConnection,
}

impl TlsSession {
    /// The opening handshakes of TLS and of WebSocket are done.
    pub(crate) fn new(mut connection: ServerConnection) -> Self {
        connection.set_buffer_limit(Some(MAX_ENCRYPTED));
        Self { connection }
    }

    /// Whether the stream has not taken all that was encrypted.
    pub(crate) fn is_pending(&self) -> bool {
        self.connection.wants_write()
    }

    /// Writes until nothing waits, in the outbox or here, or until the stream takes no more.
    pub(crate) fn write(&mut self, stream: &OwnedWriteHalf, outbox: &mut Outbox) -> io::Result<()> {
        loop {
            self.write_encrypted(stream)?;
            if outbox.is_empty() {
                return Ok(());
            }
            let taken = gather(outbox, |frames| self.connection.writer().write_vectored(frames))?;
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            outbox.advance(taken);
        }
    }

    /// Decrypts what came from the stream. True: the client has ended the TLS connection, and nothing more comes.
    pub(crate) fn read(&mut self, mut encrypted: &[u8], decrypted: &mut Vec<u8>) -> io::Result<bool> {
        while !encrypted.is_empty() {
            let taken = self.connection.read_tls(&mut encrypted)?;
            let state = self.connection.process_new_packets().map_err(io::Error::other)?;
            self.take(state.plaintext_bytes_to_read(), decrypted)?;
            if state.peer_has_closed() || taken == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was decrypted before this took over.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let state = self.connection.process_new_packets().map_err(io::Error::other)?;
        let mut rest = Vec::new();
        self.take(state.plaintext_bytes_to_read(), &mut rest)?;
        Ok(rest)
    }

    /// Tells the client that nothing more comes (RFC 8446 section 6.1), if the stream takes it.
    pub(crate) fn close(&mut self, stream: &OwnedWriteHalf) {
        self.connection.send_close_notify();
        let _ = self.write_encrypted(stream);
    }

    fn take(&mut self, length: usize, decrypted: &mut Vec<u8>) -> io::Result<()> {
        let start = decrypted.len();
        decrypted.resize(start + length, 0);
        self.connection.reader().read_exact(&mut decrypted[start..])
    }

    fn write_encrypted(&mut self, stream: &OwnedWriteHalf) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut WithoutWaiting(stream)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The stream for rustls to write to.
struct WithoutWaiting<'a>(&'a OwnedWriteHalf);

impl Write for WithoutWaiting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
