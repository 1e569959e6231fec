//! A blocking WebSocket client over tungstenite; every wait is bounded.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tungstenite::{Message, WebSocket};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection to a server on 127.0.0.1.
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
}

impl Client {
    /// Connects to a path.
    pub(crate) fn connect(port: u16, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).context("nobody listens")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream)
            .map_err(|error| anyhow::anyhow!("the opening handshake failed: {error}"))?;
        Ok(Self { socket })
    }

    /// Sends a text message.
    pub(crate) fn send(&mut self, text: &str) -> Result<()> {
        Ok(self.socket.send(Message::text(text))?)
    }

    /// The next text message.
    pub(crate) fn receive(&mut self) -> Result<String> {
        loop {
            match self.socket.read().context("no answer")? {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(frame) => bail!("the server closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next text message, if one comes in this time.
    pub(crate) fn receive_within(&mut self, time: Duration) -> Result<Option<String>> {
        self.socket.get_ref().set_read_timeout(Some(time))?;
        let received = loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => break Ok(Some(text.to_string())),
                Ok(Message::Close(frame)) => bail!("the server closed: {frame:?}"),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break Ok(None);
                }
                Err(error) => return Err(error).context("the connection has ended"),
            }
        };
        self.socket.get_ref().set_read_timeout(Some(PATIENCE))?;
        received
    }

    /// Closes with code 1000 and waits for the server's half of the closing handshake.
    pub(crate) fn close(&mut self) -> Result<()> {
        let frame = tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() };
        self.socket.close(Some(frame))?;
        loop {
            match self.socket.read() {
                Ok(Message::Close(Some(frame))) if u16::from(frame.code) != 1000 => {
                    bail!("the server answered the close with {}", frame.code)
                }
                Ok(_) => {}
                Err(tungstenite::Error::ConnectionClosed) => return Ok(()),
                Err(error) => return Err(error).context("the closing handshake failed"),
            }
        }
    }
}
