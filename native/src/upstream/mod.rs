//! Connections that the server opens itself, for proxies and for feeds.

mod relay;

use http::{HeaderName, HeaderValue, Request};
use rustls::crypto::CryptoProvider;
use switchboard_core::{CloseFrame, Dial, Message, UpstreamEvent, UpstreamId};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// The end of an outgoing connection that the engine's effects go to. When it is dropped, the connection is too.
///
/// The engine limits how much waits here, as it is told what was taken.
pub(crate) struct Orders {
    sender: mpsc::UnboundedSender<Order>,
    paused: watch::Sender<bool>,
}

/// What the host wants of an outgoing connection.
enum Order {
    Send(Message),
    Close(Option<CloseFrame>),
}

impl Orders {
    /// Sends a message after the others.
    pub(crate) fn send(&self, message: Message) {
        // A connection that has ended reports that itself.
        let _ = self.sender.send(Order::Send(message));
    }

    /// Closes it when everything is written.
    pub(crate) fn close(&self, frame: Option<CloseFrame>) {
        let _ = self.sender.send(Order::Close(frame));
    }

    /// Reads it or not.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.send_replace(paused);
    }
}

/// A connection to open.
pub(crate) struct Dialled {
    upstream: UpstreamId,
    dial: Box<Dial>,
    orders: mpsc::UnboundedReceiver<Order>,
    paused: watch::Receiver<bool>,
}

impl Dialled {
    pub(crate) fn new(upstream: UpstreamId, dial: Box<Dial>) -> (Orders, Self) {
        let (sender, orders) = mpsc::unbounded_channel();
        let (pause, paused) = watch::channel(false);
        (Orders { sender, paused: pause }, Self { upstream, dial, orders, paused })
    }

    /// Runs it in a task of its own, which calls `tell` with each event.
    pub(crate) fn start(
        self,
        runtime: &Handle,
        tell: impl Fn(UpstreamId, UpstreamEvent) + Send + Sync + 'static,
    ) {
        let report = Report { tell: Box::new(tell), upstream: self.upstream };
        runtime.spawn(self.run(report));
    }

    async fn run(mut self, report: Report) {
        let connected = tokio::select! {
            connected = connect(&self.dial) => connected,
            // Before it is open the host can only drop it.
            _ = self.orders.recv() => return,
        };
        match connected {
            Err(Error::Http(response)) => {
                report.event(UpstreamEvent::Refused { status: response.status().as_u16() });
            }
            Err(error) => report.event(UpstreamEvent::Failed { message: describe(&error) }),
            Ok((socket, protocol)) => {
                report.event(UpstreamEvent::Opened { protocol });
                relay::relay(socket, self.orders, self.paused, &report).await;
            }
        }
    }
}

/// Reports the events of one to the engine.
struct Report {
    tell: Box<dyn Fn(UpstreamId, UpstreamEvent) + Send + Sync>,
    upstream: UpstreamId,
}

impl Report {
    fn event(&self, event: UpstreamEvent) {
        (self.tell)(self.upstream, event);
    }
}

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(dial: &Dial) -> Result<(Socket, Option<String>), Error> {
    // If the application has chosen none and more than one is built in, rustls would panic.
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

/// An error without the URL, whose query may hold a token.
fn describe(error: &Error) -> String {
    match error {
        Error::Url(_) | Error::HttpFormat(_) => "the URL or a header is malformed".to_owned(),
        other => other.to_string(),
    }
}
