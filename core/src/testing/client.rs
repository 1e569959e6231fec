//! The clients of a world: what they do, and what they hear.

use super::world::World;
use crate::protocol::Violation;
use crate::{Accept, Asker, CloseCode, CloseFrame, ConnectionId, Input, Message, Mounted};

/// What became of one client that asked for a WebSocket.
#[derive(Debug, Default)]
pub struct Client {
    /// It was let in: what the host was told to answer.
    pub accepted: Option<Accept>,
    /// It was refused with this HTTP status.
    pub rejected: Option<u16>,
    /// It was left to somebody else.
    pub ignored: bool,
    /// What came and was not looked at, as [`World::received`](super::World::received) gives it.
    pub received: Vec<String>,
    /// The host was told not to read it.
    pub paused: bool,
    /// How many bytes of what it was sent it has not taken, while its connection is being closed.
    pub unsent: usize,
    /// A close frame was sent to it.
    pub is_told_closed: bool,
    /// The transport is gone, from either side.
    pub gone: bool,
}

impl World {
    /// An opening handshake as browsers send it.
    pub fn upgrade(&mut self, path: &str) -> ConnectionId {
        self.upgrade_with(path, &[])
    }

    /// The same with these headers besides; `host` instead of `localhost`.
    pub fn upgrade_with(&mut self, path: &str, headers: &[(&str, &str)]) -> ConnectionId {
        let (request, address) = (opening(path, headers), self.address);
        self.ask(|id| Input::Upgrade { id, request, address })
    }

    /// An opening handshake that the host's own application has found a route for.
    pub fn mount(&mut self, path: &str, headers: &[(&str, &str)], mounted: Mounted) -> ConnectionId {
        let (request, address) = (opening(path, headers), self.address);
        self.ask(|id| Input::Mounted { id, request, address, mounted: Box::new(mounted) })
    }

    fn ask(&mut self, input: impl FnOnce(ConnectionId) -> Input) -> ConnectionId {
        let id = self.ids.allocate();
        self.clients.insert(id, Client::default());
        self.input(input(id));
        id
    }

    /// A client that came in.
    pub fn connect(&mut self, path: &str) -> ConnectionId {
        let id = self.upgrade(path);
        self.open(id);
        id
    }

    /// The host wrote the 101.
    pub fn open(&mut self, id: ConnectionId) {
        assert!(self.clients[&id].accepted.is_some(), "not accepted: {:?}", self.clients[&id]);
        self.input(Input::Opened { id });
    }

    /// What became of a client.
    pub fn client(&self, id: ConnectionId) -> &Client {
        &self.clients[&id]
    }

    /// So many bytes of what the client was sent are what it has not taken yet.
    pub fn leave_unsent(&mut self, id: ConnectionId, bytes: usize) {
        self.client_mut(id).unsent = bytes;
    }

    /// The client sends text.
    pub fn text(&mut self, id: ConnectionId, text: &str) {
        self.message(id, text);
    }

    /// The client sends a message.
    pub fn message(&mut self, id: ConnectionId, message: impl Into<Message>) {
        self.input(Input::Message { id, message: message.into() });
    }

    /// The client sends a ping.
    pub fn ping(&mut self, id: ConnectionId, payload: &'static [u8]) {
        self.input(Input::Ping { id, payload: payload.into() });
    }

    /// The client sends a pong.
    pub fn pong(&mut self, id: ConnectionId, payload: &'static [u8]) {
        self.input(Input::Pong { id, payload: payload.into() });
    }

    /// The client's close frame.
    pub fn close(&mut self, id: ConnectionId, code: u16, reason: &str) {
        self.input(Input::CloseReceived { id, frame: Some(CloseFrame::new(CloseCode(code), reason)) });
    }

    /// The client's cable is cut.
    pub fn cut(&mut self, id: ConnectionId) {
        if !std::mem::replace(&mut self.client_mut(id).gone, true) {
            self.input(Input::Disconnected { id });
        }
    }

    /// The client breaks the protocol.
    pub fn violate(&mut self, id: ConnectionId, code: CloseCode, reason: &'static str) {
        self.input(Input::Violated { id, violation: Violation::new(code, reason) });
    }

    /// What came since the last look: text as it is, `<binary …>`, `<damaged …>`, `<ping …>`, `<pong …>`, `<close …>`, and
    /// for an end without a close frame `<eof>`, or `<end>` if what was queued may not have been written.
    pub fn received(&mut self, id: ConnectionId) -> Vec<String> {
        std::mem::take(&mut self.client_mut(id).received)
    }

    /// The oldest thing that came and was not looked at.
    pub fn next_received(&mut self, id: ConnectionId) -> Option<String> {
        let received = &mut self.clients.get_mut(&id)?.received;
        (!received.is_empty()).then(|| received.remove(0))
    }

    /// A plain HTTP request: status and body.
    pub fn http(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.http_with(method, path, body, &[])
    }

    /// The same with these headers besides.
    pub fn http_with(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut request = http::Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(bytes::Bytes::copy_from_slice(body.as_bytes())).expect("a request");
        self.request(&request).map_or((404, String::new()), |response| {
            (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
        })
    }

    /// A plain HTTP request; `None` when no endpoint is there for it.
    pub fn request(&mut self, request: &http::Request<bytes::Bytes>) -> Option<http::Response<bytes::Bytes>> {
        let mut effects = Vec::new();
        let asker = Asker { address: self.address, clock: self.clock, ..Asker::default() };
        let response = self.engine.request_from(self.now(), request, asker, &mut effects);
        self.carry_out(effects);
        response
    }
}

fn opening(path: &str, headers: &[(&str, &str)]) -> Box<http::Request<()>> {
    let mut request = http::Request::get(path).body(()).expect("a path");
    let own = [
        ("host", "localhost"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let names_host = headers.iter().any(|(name, _)| *name == "host");
    for (name, value) in own[usize::from(names_host)..].iter().chain(headers) {
        let name: http::HeaderName = name.parse().expect("a header's name");
        request.headers_mut().append(name, value.parse().expect("a header's value"));
    }
    Box::new(request)
}
