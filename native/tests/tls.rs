//! `wss://` and `https://`: TLS in front of everything that plain TCP has.

mod support;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName};
use support::raw::upgrade_request;
use support::{BOUND, Client, Running, start, within};
use switchboard::{
    Callbacks, Config, Incoming, Limits, Message, Peer, RouteSettings, Server, ServerError, Tls,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message as WireMessage;
use tokio_tungstenite::{Connector, connect_async_tls_with_config};

/// A certificate that nobody but this test's clients trusts.
struct Identity {
    cert: String,
    key: String,
    der: CertificateDer<'static>,
}

fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    Identity { cert: made.cert.pem(), key: made.signing_key.serialize_pem(), der: made.cert.der().clone() }
}

impl Identity {
    fn tls(&self) -> Tls {
        Tls::from_pem(self.cert.as_bytes(), self.key.as_bytes()).expect("a certificate and its key")
    }

    fn client(&self) -> Arc<rustls::ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.der.clone()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().expect("versions");
        Arc::new(config.with_root_certificates(roots).with_no_client_auth())
    }

    async fn connect(&self, address: SocketAddr, path: &str) -> Client {
        let url = format!("wss://localhost:{}{path}", address.port());
        let connector = Some(Connector::Rustls(self.client()));
        let connected = connect_async_tls_with_config(url, None, false, connector);
        let (socket, _) = within("connecting", connected).await.expect("101");
        Client { socket }
    }

    /// A client of bytes below WebSocket.
    async fn raw(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(address).await.expect("a server");
        let name = ServerName::try_from("localhost").expect("a name");
        within("TLS", TlsConnector::from(self.client()).connect(name, stream)).await.expect("TLS")
    }
}

fn echo() -> Callbacks {
    Callbacks::new().on_message(|peer: Peer, message: Incoming| async move {
        if let Incoming::Message(message) = message {
            peer.send(message);
        }
    })
}

async fn echo_server(identity: &Identity) -> Running {
    start(Server::builder().route("/ws", echo()).tls(identity.tls())).await
}

#[tokio::test]
async fn messages_of_all_sizes_go_both_ways() {
    let identity = identity();
    let server = echo_server(&identity).await;
    let mut client = identity.connect(server.address, "/ws").await;
    for length in [0, 1, 125, 126, 16_383, 16_384, 16_385, 65_536, 300_000, 5 << 20] {
        let payload: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        client.send(payload.clone()).await;
        assert!(
            client.next().await == WireMessage::Binary(payload.into()),
            "{length} bytes came back changed"
        );
    }
    client.send(WireMessage::Ping("p".into())).await;
    assert_eq!(client.next().await, WireMessage::Pong("p".into()));
    client.close().await;
    server.emptied().await;
}

#[tokio::test]
async fn many_messages_in_both_directions_at_once() {
    const COUNT: usize = 2000;
    let identity = identity();
    let server = echo_server(&identity).await;
    let (mut sink, mut stream) = identity.connect(server.address, "/ws").await.socket.split();
    let sending = tokio::spawn(async move {
        for number in 0..COUNT {
            sink.send(format!("{number} {}", "x".repeat(number * 7 % 5000)).into()).await.expect("open");
        }
        sink
    });
    for number in 0..COUNT {
        let message = within("an echo", stream.next()).await.expect("open").expect("a message");
        assert!(message.into_text().expect("text").starts_with(&format!("{number} ")), "message {number}");
    }
    drop(within("sending", sending).await.expect("no panic"));
}

#[tokio::test]
async fn broadcasts_reach_all() {
    let identity = identity();
    let relay = Callbacks::new().on_message(|peer: Peer, message: Incoming| async move {
        peer.broadcast(message.as_text().unwrap_or_default());
    });
    let server = start(Server::builder().route("/ws", relay).tls(identity.tls())).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(identity.connect(server.address, "/ws").await);
    }
    let large = "x".repeat(100_000);
    clients[0].send("first").await;
    clients[0].send(large.as_str()).await;
    for client in &mut clients[1..] {
        assert_eq!(client.text().await, "first");
        assert!(client.text().await == large);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_the_others_are_served() {
    let identity = identity();
    let flood = Callbacks::new().on_message(|peer: Peer, _: Incoming| async move {
        for _ in 0..64 {
            peer.send("x".repeat(1 << 20));
        }
    });
    let server =
        start(Server::builder().route("/flood", flood).route("/ws", echo()).tls(identity.tls())).await;
    let mut slow = identity.raw(server.address).await;
    slow.write_all(upgrade_request("/flood", "").as_bytes()).await.expect("open");
    slow.write_all(&support::raw::frame(0x81, b"go")).await.expect("open");
    slow.flush().await.expect("open");
    let mut other = identity.connect(server.address, "/ws").await;
    other.send("x").await;
    assert_eq!(other.text().await, "x");
    // Once it reads, it gets what was sent before it was given up, without a gap, and the reason.
    let mut heard = Vec::new();
    let _ = within("the end", slow.read_to_end(&mut heard)).await;
    let start = heard.windows(4).position(|four| four == b"\r\n\r\n").expect("a response") + 4;
    let mut frames = &heard[start..];
    let mut close = None;
    while let [head, 127, rest @ ..] = frames {
        assert_eq!(*head, 0x81);
        frames = &rest[8 + (1 << 20)..];
    }
    if let [0x88, length, code @ ..] = frames {
        assert_eq!(usize::from(*length), code.len());
        close = Some(u16::from_be_bytes([code[0], code[1]]));
    }
    assert_eq!(close, Some(1013));
    assert!(heard.len() < 16 << 20, "{} bytes were kept for a client that did not read", heard.len());
}

#[tokio::test]
async fn reading_pauses_and_goes_on() {
    let identity = identity();
    // The client may be slow too: what waits for it is not what this is about.
    let delay = Duration::from_millis(1);
    let settings = RouteSettings { delay, max_outbound: 64 << 20, ..RouteSettings::default() };
    let endpoint = switchboard::Endpoint::from(echo()).with_settings(settings);
    let server = start(Server::builder().route("/ws", endpoint).tls(identity.tls())).await;
    let (mut sink, mut stream) = identity.connect(server.address, "/ws").await.socket.split();
    let sending = tokio::spawn(async move {
        for number in 0..600u32 {
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(20_000, 0);
            sink.send(payload.into()).await.expect("open");
        }
        sink
    });
    for number in 0..600u32 {
        let message = within("an echo", stream.next()).await.expect("open").expect("a message");
        assert_eq!(message.into_data()[..4], number.to_be_bytes(), "message {number}");
    }
    drop(within("sending", sending).await.expect("no panic"));
}

#[tokio::test]
async fn closing_and_stopping_are_told() {
    let identity = identity();
    let close =
        Callbacks::new().on_message(|peer: Peer, _: Incoming| async move { drop(peer.close(4000, "bye")) });
    let server =
        start(Server::builder().route("/close", close).route("/ws", echo()).tls(identity.tls())).await;
    let mut client = identity.connect(server.address, "/close").await;
    client.send("x").await;
    assert_eq!(client.closed().await, (4000, "bye".to_owned()));
    client.close().await;
    let mut client = identity.connect(server.address, "/ws").await;
    server.shutdown.shutdown();
    assert_eq!(client.closed().await.0, 1001);
    client.close().await;
    within("the end", server.serving).await.expect("no panic").expect("served");
}

#[tokio::test]
async fn the_end_of_a_connection_is_a_tls_end() {
    let identity = identity();
    let server = echo_server(&identity).await;
    let mut raw = identity.raw(server.address).await;
    raw.write_all(upgrade_request("/ws", "").as_bytes()).await.expect("open");
    raw.write_all(&support::raw::frame(0x88, &[0x0f, 0xa0])).await.expect("open");
    let mut heard = Vec::new();
    // Without a close_notify rustls takes the end for a truncation and fails.
    within("the end", raw.read_to_end(&mut heard)).await.expect("a close_notify");
    assert!(heard.windows(2).any(|pair| pair == [0x88, 2] || pair == [0x88, 6]), "no close frame");
    server.emptied().await;
}

#[tokio::test]
async fn plain_http_is_answered_over_tls_and_pages_of_the_same_host_may_connect() {
    let identity = identity();
    let server = start(Server::builder().route("/ws", echo()).page(true).tls(identity.tls())).await;
    let mut raw = identity.raw(server.address).await;
    raw.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .expect("open");
    let mut answer = String::new();
    within("an answer", raw.read_to_string(&mut answer)).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let mut raw = identity.raw(server.address).await;
    let page = format!("Origin: https://localhost:{}\r\n", server.address.port());
    raw.write_all(upgrade_request("/ws", &page).as_bytes()).await.expect("open");
    let mut status = [0; 12];
    within("an answer", raw.read_exact(&mut status)).await.expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 101");
}

#[tokio::test]
async fn who_speaks_no_tls_is_dropped() {
    let identity = identity();
    let limits = Limits { handshake_timeout: Duration::from_millis(200), ..Limits::default() };
    let server = start(Server::builder().route("/ws", echo()).limits(limits).tls(identity.tls())).await;
    let mut plain = TcpStream::connect(server.address).await.expect("a server");
    plain.write_all(upgrade_request("/ws", "").as_bytes()).await.expect("open");
    let mut heard = Vec::new();
    let _ = within("the end", plain.read_to_end(&mut heard)).await;
    assert!(!heard.starts_with(b"HTTP"), "an answer in plain text");
    let mut silent = TcpStream::connect(server.address).await.expect("a server");
    let _ = within("the end of a silent one", silent.read(&mut [0])).await;
    let mut client = identity.connect(server.address, "/ws").await;
    client.send("x").await;
    assert_eq!(client.text().await, "x");
}

/// A folder with a certificate, its key and a configuration that names them.
fn folder(name: &str, identity: &Identity) -> PathBuf {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("cert.pem"), &identity.cert).expect("a file");
    std::fs::write(folder.join("key.pem"), &identity.key).expect("a file");
    folder
}

#[tokio::test]
async fn a_configuration_names_the_files() {
    let identity = identity();
    let folder = folder("config", &identity);
    let text =
        "listen.tls = { cert = 'cert.pem', key = 'key.pem' }\n[[routes]]\npattern = '/ws'\ndialect = 'echo'";
    let mut config = Config::from_toml(text).expect("a configuration");
    config.anchor(&folder);
    let server = start(Server::builder().config(config)).await;
    let mut client = identity.connect(server.address, "/ws").await;
    client.send("x").await;
    assert_eq!(client.text().await, "x");
}

#[test]
fn files_that_are_not_right_are_named() {
    let (identity, other) = (identity(), identity());
    let folder = folder("errors", &identity);
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let (empty, foreign) = (folder.join("empty.pem"), folder.join("foreign.pem"));
    std::fs::write(&empty, "").expect("a file");
    std::fs::write(&foreign, &other.key).expect("a file");
    let missing = folder.join("missing.pem");
    for (cert, key, told) in [
        (&missing, &key, "missing.pem"),
        (&cert, &missing, "missing.pem"),
        (&empty, &key, "no certificate"),
        (&cert, &empty, "no private key"),
        (&cert, &cert, "no private key"),
        (&cert, &foreign, "does not belong"),
    ] {
        let error = Tls::from_files(cert, key).expect_err("not right").to_string();
        assert!(error.contains(told), "{error}");
        assert!(!error.contains("PRIVATE KEY"), "a secret in a message: {error}");
    }
    let config = format!("listen.tls = {{ cert = '{}', key = '{}' }}", cert.display(), missing.display());
    let config = Config::from_toml(&config).expect("a configuration");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bound = runtime.block_on(Server::builder().config(config).bind("127.0.0.1:0"));
    assert!(matches!(bound, Err(ServerError::Tls(_))), "{bound:?}");
}

/// An axum application that does its own TLS.
struct TlsListener {
    listener: tokio::net::TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = tokio_rustls::server::TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

#[tokio::test]
async fn an_application_may_do_its_own_tls() {
    let identity = identity();
    let switchboard = Server::builder().route("/ws", echo()).build().expect("a pattern");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let acceptor = tokio_rustls::TlsAcceptor::from(identity.tls().into_config());
    let listener = TlsListener { listener, acceptor };
    tokio::spawn(async move { axum::serve(listener, switchboard.router()).await });
    let mut client = identity.connect(address, "/ws").await;
    for text in ["x", "y"] {
        client.send(text).await;
        assert_eq!(client.text().await, text);
    }
    let message = Message::from("z".repeat(1 << 20));
    client.send(message.as_text().unwrap_or_default()).await;
    assert_eq!(client.text().await.len(), 1 << 20);
    tokio::time::timeout(BOUND, client.close()).await.expect("closed");
}
