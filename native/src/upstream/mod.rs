//! Connections that the server opens itself, for handlers that proxy.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use http::{HeaderName, HeaderValue, Request};
use rustls::crypto::CryptoProvider;
use switchboard_core::{CloseCode, CloseFrame, Dial, Input, Message, Text, UpstreamEvent, UpstreamId};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame as WireCloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message as WireMessage};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::host::Host;

/// How many messages may wait for the other side; one more breaks the connection.
const MAX_WAITING: usize = 1024;

/// How long the other side may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What an outgoing connection is told. Dropping the sender ends it.
pub(crate) enum Order {
    Send(Message),
    Close(Option<CloseFrame>),
}

/// The end of an outgoing connection that the engine's effects go to.
pub(crate) type Orders = mpsc::Sender<Order>;

/// A connection to open.
pub(crate) struct Dialled {
    upstream: UpstreamId,
    dial: Box<Dial>,
    orders: mpsc::Receiver<Order>,
}

impl Dialled {
    pub(crate) fn new(upstream: UpstreamId, dial: Box<Dial>) -> (Orders, Self) {
        let (sender, orders) = mpsc::channel(MAX_WAITING);
        (sender, Self { upstream, dial, orders })
    }

    /// Runs it in a task of its own.
    pub(crate) fn start(self, host: &Arc<Host>) {
        let report = Report { host: host.clone(), upstream: self.upstream };
        host.runtime().spawn(self.run(report));
    }

    async fn run(mut self, report: Report) {
        let timeout = Duration::from_millis(self.dial.timeout);
        let connected = tokio::time::timeout(timeout, connect(&self.dial));
        let connected = tokio::select! {
            connected = connected => connected,
            // Nothing is sent before it is open: the order can only be to give up.
            _ = self.orders.recv() => return,
        };
        match connected {
            Err(_) => report.failed(format!("no answer within {} ms", self.dial.timeout)),
            Ok(Err(error)) => report.failed(describe(&error)),
            Ok(Ok((socket, protocol))) => {
                report.event(UpstreamEvent::Opened { protocol });
                let last = relay(socket, self.orders, &report).await;
                report.event(last);
            }
        }
    }
}

struct Report {
    host: Arc<Host>,
    upstream: UpstreamId,
}

impl Report {
    fn event(&self, event: UpstreamEvent) {
        let upstream = self.upstream;
        self.host.turn(|turn| turn.input(Input::Upstream { upstream, event }));
    }

    fn failed(&self, message: String) {
        self.event(UpstreamEvent::Failed { message });
    }
}

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(dial: &Dial) -> Result<(Socket, Option<String>), Error> {
    // Where the program around us chose none and more than one is built in, rustls would panic.
    if CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(dial.max_message))
        .max_frame_size(Some(dial.max_message));
    let (socket, response) = connect_async_with_config(request(dial)?, Some(config), true).await?;
    let protocol = response.headers().get(http::header::SEC_WEBSOCKET_PROTOCOL);
    let protocol = protocol.and_then(|name| name.to_str().ok()).map(str::to_owned);
    Ok((socket, protocol))
}

fn request(dial: &Dial) -> Result<Request<()>, Error> {
    let mut request = dial.url.as_str().into_client_request()?;
    let headers = request.headers_mut();
    for (name, value) in &dial.headers {
        headers.append(name.parse::<HeaderName>().map_err(http::Error::from)?, header(value)?);
    }
    if !dial.protocols.is_empty() {
        headers.insert(http::header::SEC_WEBSOCKET_PROTOCOL, header(&dial.protocols.join(", "))?);
    }
    Ok(request)
}

fn header(value: &str) -> Result<HeaderValue, Error> {
    Ok(value.parse::<HeaderValue>().map_err(http::Error::from)?)
}

/// Carries messages both ways; what the end was.
async fn relay<S>(mut socket: S, mut orders: mpsc::Receiver<Order>, report: &Report) -> UpstreamEvent
where
    S: Stream<Item = Result<WireMessage, Error>> + Sink<WireMessage, Error = Error> + Unpin,
{
    loop {
        tokio::select! {
            came = socket.next() => match came {
                Some(Ok(message)) => {
                    if let Some(event) = event(message) {
                        if event.is_last() {
                            return event;
                        }
                        report.event(event);
                    }
                }
                Some(Err(Error::ConnectionClosed | Error::Protocol(_))) | None => return lost(),
                Some(Err(error)) => return UpstreamEvent::Failed { message: describe(&error) },
            },
            order = orders.recv() => {
                let message = match order {
                    Some(Order::Send(message)) => wire_message(message),
                    Some(Order::Close(frame)) => return close(socket, frame).await,
                    None => return close(socket, None).await,
                };
                if let Err(error) = socket.send(message).await {
                    return UpstreamEvent::Failed { message: describe(&error) };
                }
            }
        }
    }
}

async fn close<S>(mut socket: S, frame: Option<CloseFrame>) -> UpstreamEvent
where
    S: Stream<Item = Result<WireMessage, Error>> + Sink<WireMessage, Error = Error> + Unpin,
{
    let frame =
        frame.map(|frame| WireCloseFrame { code: frame.code.0.into(), reason: frame.reason.as_str().into() });
    let closing = async {
        if socket.send(WireMessage::Close(frame)).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    // The engine has forgotten this connection; nobody minds how it ends.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
    lost()
}

fn lost() -> UpstreamEvent {
    UpstreamEvent::Closed(Some(CloseFrame::new(CloseCode::ABNORMAL, "")))
}

/// What the engine hears of a message; pings are answered by tungstenite.
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

/// An error without the URL, whose query may hold a token.
fn describe(error: &Error) -> String {
    match error {
        Error::Http(response) => format!("answered {} instead of 101", response.status()),
        Error::Url(_) | Error::HttpFormat(_) => "the URL or a header is malformed".to_owned(),
        other => other.to_string(),
    }
}
