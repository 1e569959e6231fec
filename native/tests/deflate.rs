//! permessage-deflate on the wire, with a client that inflates and deflates itself.

mod support;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use support::raw::Raw;
use support::{Running, start};
use switchboard::{Context, DeflateConfig, Endpoint, Handler, HandlerResult, Message, RouteSettings, Server};

struct Everyone;

impl Handler for Everyone {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        cx.broadcast_to_all(message);
        Ok(())
    }
}

async fn server() -> Running {
    let settings = RouteSettings { deflate: Some(DeflateConfig::default()), ..RouteSettings::default() };
    start(Server::builder().route("/ws", Endpoint::from(Everyone).with_settings(settings))).await
}

async fn open(server: &Running, offer: &str) -> (Raw, String) {
    let (raw, head) =
        Raw::open(server.address, "/ws", &format!("Sec-WebSocket-Extensions: {offer}\r\n")).await;
    let extension = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("sec-websocket-extensions: ").map(str::to_owned));
    (raw, extension.unwrap_or_default())
}

/// RFC 7692 section 7.2.1: a deflated block without its last four bytes.
fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(payload.len() + 64);
    let mut compressor = Compress::new(Compression::default(), false);
    compressor.compress_vec(payload, &mut compressed, FlushCompress::Sync).expect("room");
    assert_eq!(compressed.split_off(compressed.len() - 4), [0, 0, 0xff, 0xff]);
    compressed
}

fn inflate(compressed: &[u8], length: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(length + 64);
    let tail = [compressed, &[0, 0, 0xff, 0xff]].concat();
    Decompress::new(false).decompress_vec(&tail, &mut payload, FlushDecompress::Sync).expect("deflate");
    payload
}

#[tokio::test]
async fn a_large_message_is_compressed_for_who_agreed_to_it() {
    let server = server().await;
    let (mut deflating, extension) = open(&server, "permessage-deflate; client_max_window_bits").await;
    assert!(extension.starts_with("permessage-deflate"), "{extension}");
    assert!(extension.contains("server_no_context_takeover"), "{extension}");
    let (mut plain, head) = Raw::open(server.address, "/ws", "").await;
    assert!(!head.to_lowercase().contains("sec-websocket-extensions"), "{head}");

    let text = "all work and no play ".repeat(200);
    deflating.send(0xc1, &deflate(text.as_bytes())).await;
    let frame = deflating.frame().await;
    assert_eq!(frame.head, 0xc1, "RSV1 is set");
    assert!(frame.payload.len() < text.len() / 10, "{} bytes", frame.payload.len());
    assert_eq!(inflate(&frame.payload, text.len()), text.as_bytes());
    let frame = plain.frame().await;
    assert_eq!((frame.head, frame.payload), (0x81, text.into_bytes()));
}

#[tokio::test]
async fn a_small_message_is_not_worth_it() {
    let server = server().await;
    let (mut raw, _) = open(&server, "permessage-deflate").await;
    raw.send(0x81, b"small").await;
    let frame = raw.frame().await;
    assert_eq!((frame.head, frame.payload.as_slice()), (0x81, &b"small"[..]));
}

/// 16 MiB of zeros in a few KiB: refused by what it inflates to, not by what it is.
#[tokio::test]
async fn a_bomb_is_refused() {
    let server = server().await;
    let (mut raw, _) = open(&server, "permessage-deflate").await;
    raw.send(0xc2, &deflate(&vec![0; (16 << 20) + 1])).await;
    assert_eq!(support::raw::close_payload(&raw.frame().await).0, 1009);
}
