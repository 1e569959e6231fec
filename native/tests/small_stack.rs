//! What a client has waiting costs memory, which is bounded, and never stack: each server here runs on a thread with
//! little of it, and a recursion for each message would end the test's process.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use support::raw::{frame, upgrade_request};
use switchboard::{
    Builder, Callbacks, Context, Endpoint, Handler, HandlerError, HandlerResult, Limits, Message, Peer,
    RouteSettings, Server,
};
use switchboard_core::Hook;
use tokio::sync::oneshot;

/// Enough for one turn of a debug build, not for a thousand in one another.
const STACK: usize = 512 << 10;

const MESSAGES: usize = 100_000;

/// So many end with their runtime, each after a turn of its own.
const FEWER_MESSAGES: usize = 10_000;

/// A server on a thread of its own, whose runtime ends when `stop` is sent or dropped.
struct OnSmallStack {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl OnSmallStack {
    fn start(builder: Builder) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (sender, address) = mpsc::channel();
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let server = builder.bind("127.0.0.1:0").await.expect("a free port");
                sender.send(server.local_addr()).expect("a test that listens");
                let serving = tokio::spawn(server.serve());
                let _ = stopped.await;
                serving.abort();
            });
        });
        let address = address.recv_timeout(support::BOUND).expect("a server");
        Self { address, stop, thread: thread.expect("a thread") }
    }

    fn stop(self) {
        drop(self.stop);
        self.thread.join().expect("no panic");
    }
}

/// A client that sends everything at once.
struct Client(TcpStream);

impl Client {
    fn open(address: SocketAddr, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).expect("a server");
        stream.set_read_timeout(Some(support::BOUND)).expect("a timeout");
        stream.write_all(upgrade_request(path, "").as_bytes()).expect("an open socket");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a response");
            head.push(byte[0]);
        }
        Self(stream)
    }

    /// Sends many tiny messages, and a last frame.
    fn flood(&mut self, messages: usize, last: &[u8]) {
        let mut bytes = frame(0x81, b"x").repeat(messages);
        bytes.extend(last);
        self.0.write_all(&bytes).expect("an open socket");
    }

    fn expect(&mut self, frame: &[u8]) {
        let mut received = vec![0; frame.len()];
        self.0.read_exact(&mut received).expect("a frame");
        assert_eq!(received, frame);
    }
}

/// Asks for a callback about each message, though its route has none.
struct Asks;

impl Handler for Asks {
    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        match message.as_text() {
            Some("last") => cx.send("done"),
            _ => drop(cx.call(Hook::Message { message: Some(message) })),
        }
        Ok(())
    }

    fn error(&mut self, _: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        assert!(error.to_string().contains("no callbacks"), "{error}");
        Ok(())
    }
}

#[test]
fn calls_without_callbacks_are_answered_one_after_another() {
    for delay in [0, 1].map(Duration::from_millis) {
        let settings = RouteSettings { delay, ..RouteSettings::default() };
        let endpoint = Endpoint::from(Asks).with_settings(settings);
        let server = OnSmallStack::start(Server::builder().route("/ws", endpoint));
        let mut client = Client::open(server.address, "/ws");
        client.flood(MESSAGES, &frame(0x81, b"last"));
        client.expect(b"\x81\x04done");
        server.stop();
    }
}

#[test]
fn callbacks_that_end_with_the_runtime_start_no_others() {
    let callbacks = Callbacks::new().on_message(|_: Peer, _| std::future::pending::<()>());
    let limits = Limits { pending_messages: 2 * FEWER_MESSAGES, ..Limits::default() };
    let server = OnSmallStack::start(Server::builder().limits(limits).route("/ws", callbacks));
    let mut client = Client::open(server.address, "/ws");
    client.flood(FEWER_MESSAGES, &frame(0x89, b"p"));
    client.expect(b"\x8a\x01p");
    server.stop();
}
