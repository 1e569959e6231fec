//! A client of bytes, for what well-behaved clients do not do.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::within;

/// The key of RFC 6455's example; its answer is `s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub struct Raw {
    pub stream: TcpStream,
}

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// FIN, RSV bits and opcode.
    pub head: u8,
    pub payload: Vec<u8>,
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("a server") }
    }

    /// One whose system takes little that is not read.
    pub async fn with_small_buffer(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(16 << 10).expect("a buffer");
        Self { stream: socket.connect(address).await.expect("a server") }
    }

    /// Connects and opens a WebSocket; `headers` are extra lines, each with its end. Gives the response's head.
    pub async fn open(address: SocketAddr, path: &str, headers: &str) -> (Self, String) {
        let mut raw = Self::connect(address).await;
        raw.write(upgrade_request(path, headers).as_bytes()).await;
        let head = raw.head().await;
        (raw, head)
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        within("writing", self.stream.write_all(bytes)).await.expect("an open socket");
    }

    /// One response's head, with the empty line.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within("a response", self.stream.read_u8()).await.expect("a response"));
        }
        String::from_utf8(head).expect("ASCII")
    }

    /// Everything to the end of the stream.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = within("the end", self.stream.read_to_end(&mut rest)).await;
        rest
    }

    pub async fn frame(&mut self) -> Frame {
        self.try_frame().await.expect("a frame")
    }

    pub async fn try_frame(&mut self) -> std::io::Result<Frame> {
        within("a frame", async {
            let head = self.stream.read_u8().await?;
            let length = match self.stream.read_u8().await? {
                126 => u64::from(self.stream.read_u16().await?),
                127 => self.stream.read_u64().await?,
                length => u64::from(length),
            };
            let mut payload = vec![0; usize::try_from(length).expect("a length")];
            self.stream.read_exact(&mut payload).await?;
            Ok(Frame { head, payload })
        })
        .await
    }

    pub async fn send(&mut self, head: u8, payload: &[u8]) {
        self.write(&frame(head, payload)).await;
    }
}

pub fn upgrade_request(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    )
}

/// A masked client frame.
pub fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![head];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..65536 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A close frame's code and reason.
pub fn close_payload(frame: &Frame) -> (u16, String) {
    assert_eq!(frame.head, 0x88, "not a close frame: {frame:?}");
    let (code, reason) = frame.payload.split_first_chunk().expect("a code");
    (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).expect("UTF-8"))
}
