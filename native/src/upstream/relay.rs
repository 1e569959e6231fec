//! Messages in both directions of an outgoing connection; neither direction waits for the other.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use switchboard_core::{CloseCode, CloseFrame, Message, Text, UpstreamEvent};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame as WireCloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message as WireMessage};

use super::{Order, Report, describe};

/// How many bytes are written at most before the engine is told that they were taken.
const BATCH_BYTES: usize = 64 * 1024;

/// How long the transport may take to end after the other side's close frame, or after it broke.
const LINGER: Duration = Duration::from_secs(2);

/// Why writing ended.
enum Written {
    /// The host has dropped its end: the connection is dropped too.
    Dropped,
    /// Everything is written, and no close frame is to follow.
    Finished,
    /// The transport takes no more.
    Failed(Error),
}

/// Carries messages until either side ends.
pub(super) async fn relay<S>(
    socket: S,
    orders: mpsc::UnboundedReceiver<Order>,
    paused: watch::Receiver<bool>,
    report: &Report,
) where
    S: Stream<Item = Result<WireMessage, Error>> + Sink<WireMessage, Error = Error> + Unpin,
{
    let (sink, mut stream) = socket.split();
    let last = {
        let dropped = std::pin::pin!(dropped(paused.clone()));
        let reading = std::pin::pin!(read(&mut stream, paused, report));
        let writing = std::pin::pin!(write(sink, orders, report));
        tokio::select! {
            // Also in the middle of a write.
            () = dropped => return,
            last = reading => last,
            written = writing => match written {
                Written::Dropped => return,
                Written::Finished => return report.event(lost()),
                Written::Failed(error) => failed(&error),
            },
        }
    };
    report.event(last);
    // Polling the stream again writes the answer to a close frame.
    let ending = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = tokio::time::timeout(LINGER, ending).await;
}

/// Waits until the host drops its end.
async fn dropped(mut paused: watch::Receiver<bool>) {
    while paused.changed().await.is_ok() {}
}

/// Reports what comes, and returns how the connection ended.
async fn read<S>(stream: &mut S, mut paused: watch::Receiver<bool>, report: &Report) -> UpstreamEvent
where
    S: Stream<Item = Result<WireMessage, Error>> + Unpin,
{
    loop {
        // The host has dropped its end and could not pause it any more.
        let _ = paused.wait_for(|paused| !paused).await;
        match stream.next().await {
            Some(Ok(message)) => match event(message) {
                Some(last) if last.is_last() => return last,
                Some(event) => report.event(event),
                None => {}
            },
            Some(Err(error)) => return failed(&error),
            None => return lost(),
        }
    }
}

/// Writes what the host sends, and reports what was taken.
async fn write<S>(mut sink: S, mut orders: mpsc::UnboundedReceiver<Order>, report: &Report) -> Written
where
    S: Sink<WireMessage, Error = Error> + Unpin,
{
    let mut next = orders.recv().await;
    while let Some(order) = next {
        let mut order = Some(order);
        let (mut messages, mut bytes) = (0, 0);
        let mut last = None;
        while let Some(now) = order {
            match now {
                Order::Send(message) => {
                    messages += 1;
                    bytes += message.len();
                    if let Err(error) = sink.feed(wire_message(message)).await {
                        return Written::Failed(error);
                    }
                }
                Order::Close(frame) => {
                    last = Some(frame);
                    break;
                }
            }
            order = if bytes < BATCH_BYTES { orders.try_recv().ok() } else { None };
        }
        if let Err(error) = sink.flush().await {
            return Written::Failed(error);
        }
        if messages > 0 {
            report.event(UpstreamEvent::Sent { messages });
        }
        match last {
            None => {}
            Some(Some(frame)) if frame.code == CloseCode::ABNORMAL => return Written::Finished,
            Some(frame) => {
                if let Err(error) = sink.send(WireMessage::Close(frame.map(wire_close_frame))).await {
                    return Written::Failed(error);
                }
            }
        }
        next = orders.recv().await;
    }
    Written::Dropped
}

fn lost() -> UpstreamEvent {
    UpstreamEvent::Closed(Some(CloseFrame::new(CloseCode::ABNORMAL, "")))
}

/// The event for an error: an end without a close frame, or what went wrong.
fn failed(error: &Error) -> UpstreamEvent {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            lost()
        }
        Error::Io(io)
            if matches!(
                io.kind(),
                ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
            ) =>
        {
            lost()
        }
        error => UpstreamEvent::Failed { message: describe(error) },
    }
}

/// The event for a message. tungstenite answers pings.
fn event(message: WireMessage) -> Option<UpstreamEvent> {
    match message {
        WireMessage::Text(text) => {
            let text = Text::from_utf8(text.into()).ok()?;
            Some(UpstreamEvent::Message(Message::Text(text)))
        }
        WireMessage::Binary(bytes) => Some(UpstreamEvent::Message(Message::Binary(bytes))),
        WireMessage::Close(frame) => Some(UpstreamEvent::Closed(
            frame.map(|frame| CloseFrame::new(CloseCode(frame.code.into()), &frame.reason)),
        )),
        WireMessage::Ping(_) | WireMessage::Pong(_) | WireMessage::Frame(_) => None,
    }
}

fn wire_message(message: Message) -> WireMessage {
    match message {
        Message::Text(text) => WireMessage::text(text.as_str()),
        Message::Binary(bytes) => WireMessage::binary(bytes),
    }
}

fn wire_close_frame(frame: CloseFrame) -> WireCloseFrame {
    WireCloseFrame { code: frame.code.0.into(), reason: frame.reason.as_str().into() }
}
