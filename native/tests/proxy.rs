//! The proxy between real sockets, and the environment's variables.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use support::{Client, Running, refused, start, within};
use switchboard::{Admission, CloseCode, Config, Context, Handler, HandlerResult, Message, Server};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Tells how it was asked, echoes, and closes when told to.
struct Target;

impl Handler for Target {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let asked = cx.connection().map(|connection| {
            let request = connection.request();
            let authorization = request.headers().get("authorization");
            let authorization = authorization.and_then(|value| value.to_str().ok());
            format!("{} {} {authorization:?}", connection.path(), connection.query())
        });
        cx.send(asked.unwrap_or_default());
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        if message.as_text() == Some("close") {
            cx.close(CloseCode(4321), "as you wish")?;
        }
        cx.send(message);
        Ok(())
    }
}

async fn proxy(toml: &str) -> Running {
    start(Server::builder().config(Config::from_toml(toml).expect("a configuration"))).await
}

/// Neither what let the client in here nor a way out of the target's path reaches the target.
#[tokio::test]
async fn the_target_sees_no_token_and_no_path_but_its_own() {
    let target = start(Server::builder().route("/up/**", Target)).await;
    let url = target.url("/up?role=reader");
    let proxy = proxy(&format!(
        "[[routes]]\npattern = '/live/**'\nproxy = {{ url = '{url}', forward = ['authorization'] }}\n\
         authenticate = {{ token = {{ query = 'token', header = 'authorization', values = {{ DEVTOKEN = {{}} }} }} }}"
    ))
    .await;
    let mut client = proxy.connect("/live/a?token=DEVTOKEN&role=admin&b=1").await;
    assert_eq!(client.text().await, "/up/a role=reader&b=1 None");
    let request = ClientRequestBuilder::new(proxy.url("/live/b").parse().expect("a URL"));
    let mut client = Client::connect(request.with_header("authorization", "Bearer DEVTOKEN")).await;
    assert_eq!(client.text().await, "/up/b role=reader None");
    for path in ["%2e%2e%2fadmin", "..%5cadmin", "..;/admin", "%252e%252e/admin"] {
        assert_eq!(refused(proxy.url(&format!("/live/{path}?token=DEVTOKEN"))).await, 400, "{path}");
    }
}

#[tokio::test]
async fn text_binary_path_credentials_and_close_codes_pass() {
    let target = start(Server::builder().route("/up/**", Target)).await;
    let url = target.url("/up");
    let proxy = proxy(&format!(
        "[[routes]]\npattern = '/live/**'\nproxy = {{ url = '{url}', auth = {{ type = 'bearer', token = 't' }} }}"
    ))
    .await;
    let mut client = proxy.connect("/live/a/b?c=d").await;
    // Said before the target has answered, most likely.
    client.send("early").await;
    assert_eq!(client.text().await, "/up/a/b c=d Some(\"Bearer t\")");
    assert_eq!(client.text().await, "early");
    client.send(vec![0, 255]).await;
    let binary = client.next().await;
    assert!(binary.is_binary() && binary.into_data()[..] == [0, 255]);
    client.send("close").await;
    assert_eq!(client.closed().await, (4321, "as you wish".to_owned()));
    client.close().await;
    proxy.emptied().await;
    target.emptied().await;
}

#[tokio::test]
async fn subprotocols_are_the_same_on_both_sides() {
    let settings = switchboard::RouteSettings { subprotocols: vec!["chat.v1".into()], ..Default::default() };
    let endpoint = switchboard::Endpoint::from(Target).with_settings(settings);
    let target = start(Server::builder().route("/up", endpoint)).await;
    let proxy = proxy(&format!("[[routes]]\npattern = '/live'\nproxy = '{}'", target.url("/up"))).await;
    for (offer, chosen) in [("other, chat.v1", Some("chat.v1")), ("other", None)] {
        let mut request = proxy.url("/live").into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", offer.parse().expect("a header"));
        // An answer without a subprotocol where one was offered is none (RFC 6455 section 4.1).
        match (tokio_tungstenite::connect_async(request).await, chosen) {
            (Ok((_, response)), Some(chosen)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], chosen);
            }
            (Err(error), None) => assert!(error.to_string().contains("502"), "{error}"),
            (other, _) => panic!("{offer}: {other:?}"),
        }
    }
}

/// A server for one connection, which `serve` gets after the opening handshake.
async fn serving<F>(
    serve: impl FnOnce(tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>) -> F + Send + 'static,
) -> String
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        serve(accept_async(stream).await.expect("a handshake")).await;
    });
    format!("ws://{address}")
}

/// What the target answers, the client is answered, and what is chosen of its headers reaches the target.
#[tokio::test]
async fn the_opening_handshake_is_the_targets() {
    struct Guarded;
    impl Handler for Guarded {
        fn authenticate(&mut self, cx: &mut Context<'_>) -> Option<Admission> {
            let request = cx.connection()?.request();
            let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
            let is_known =
                header("origin") == Some("https://app.example") && header("cookie") == Some("id=1");
            Some(match (is_known, header("x-other")) {
                (true, None) => Admission::accept(),
                _ => Admission::refuse_with(http::StatusCode::FORBIDDEN),
            })
        }

        fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
            cx.send(message);
            Ok(())
        }
    }
    let settings = switchboard::RouteSettings {
        authentication: switchboard::Authentication::Handler,
        origins: switchboard::Origins::Any,
        ..Default::default()
    };
    let target =
        start(Server::builder().route("/up", switchboard::Endpoint::from(Guarded).with_settings(settings)))
            .await;
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = taken.local_addr().expect("an address");
    let silent = format!("ws://{free}");
    let proxy = proxy(&format!(
        "origins = '*'\n\
         [[routes]]\npattern = '/live'\nproxy = {{ url = '{}', forward = ['origin', 'cookie'] }}\n\
         [[routes]]\npattern = '/elsewhere'\nproxy = '{}'\n\
         [[routes]]\npattern = '/silent'\nproxy = {{ url = '{silent}', timeout = 100 }}\n",
        target.url("/up"),
        target.url("/elsewhere"),
    ))
    .await;
    let request = |path: &str, cookie: &'static str| {
        let mut request = proxy.url(path).into_client_request().expect("a request");
        request.headers_mut().insert("origin", "https://app.example".parse().expect("a header"));
        request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
        request.headers_mut().insert("x-other", "stays here".parse().expect("a header"));
        request
    };
    let mut client = Client::connect(request("/live", "id=1")).await;
    client.send("let in").await;
    assert_eq!(client.text().await, "let in");
    client.close().await;
    assert_eq!(refused(request("/live", "id=2")).await, 403);
    assert_eq!(refused(request("/elsewhere", "id=1")).await, 404);
    assert_eq!(refused(request("/silent", "id=1")).await, 504);
    drop(taken);
    assert_eq!(refused(request("/silent", "id=1")).await, 502);
    proxy.emptied().await;
}

#[tokio::test]
async fn a_target_that_vanishes_ends_its_client_as_abruptly() {
    let url = serving(|mut socket| async move {
        socket.send("hello".into()).await.expect("sent");
        let _ = socket.next().await;
    })
    .await;
    let proxy = proxy(&format!("[[routes]]\npattern = '/live'\nproxy = '{url}'")).await;
    let mut client = proxy.connect("/live").await;
    assert_eq!(client.text().await, "hello");
    client.send("go").await;
    let end = within("the end", client.socket.next()).await;
    assert!(!matches!(&end, Some(Ok(_))), "{end:?} instead of an end without a close frame");
}

#[tokio::test]
async fn a_close_frame_without_a_code_stays_without() {
    let url = serving(|mut socket| async move {
        socket.close(None).await.expect("closed");
        while socket.next().await.is_some() {}
    })
    .await;
    let proxy = proxy(&format!("[[routes]]\npattern = '/live'\nproxy = '{url}'")).await;
    let mut client = proxy.connect("/live").await;
    assert_eq!(client.closed().await.0, 1005);
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", silent.local_addr().expect("an address"));
    let proxy = proxy(&format!(
        "[[routes]]\npattern = '/p/**'\nproxy = {{ targets = {{ silent = '{url}' }}, timeout = 100 }}"
    ))
    .await;
    let mut client = proxy.connect("/p/silent").await;
    let error = client.json().await;
    assert_eq!(error["error"], "Proxy connection error: no answer within 100 ms");
    assert_eq!(client.closed().await, (1011, "Proxy error".to_owned()));
}

/// The program in a folder with these files, and its address.
async fn program(name: &str, files: &[(&str, &str)], variables: &[(&str, &str)]) -> (Child, String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.kill_on_drop(true).current_dir(&folder).args(["--port", "0"]).envs(variables.iter().copied());
    command.env_remove("NODE_ENV").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().expect("the program");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    loop {
        let line = within("a line", lines.next_line()).await.expect("UTF-8").expect("a URL");
        if let Some((_, url)) = line.split_once("ws://") {
            let address = url.split('/').next().expect("an address").to_owned();
            // The program's table goes on; nobody has to read it, but it must not break its pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (child, address);
        }
    }
}

#[tokio::test]
async fn variables_in_files_add_events_and_proxies() {
    let target = start(Server::builder().route("/up/**", Target)).await;
    let local = format!(
        "WEBSOCKET_ENABLED=true\nWEBSOCKET_PATH=/ws\n\
         WEBSOCKET_MOCK_EVENTS=[{{\"name\":\"ticker\",\"interval\":50,\"data\":{{\"price\":100}}}}]\n\
         WEBSOCKET_PROXY_ENABLED=true\nWEBSOCKET_PROXY_ROUTES=echo:{}\n\
         WEBSOCKET_HEARTBEAT_INTERVAL=30000\nWEBSOCKET_PROXY_AUTH_ECHO=bearer:from-the-file\n",
        target.url("/up")
    );
    let variables = [("WEBSOCKET_PROXY_AUTH_ECHO", "bearer:from-the-process")];
    let (_child, address) = program("environment", &[(".env.local", &local)], &variables).await;
    let mut client = Client::connect(format!("ws://{address}/ws")).await;
    assert_eq!(client.json().await["type"], "connected");
    let event = client.json().await;
    assert_eq!((&event["type"], &event["data"]), (&json!("event"), &json!({ "price": 100 })));
    let mut proxied = Client::connect(format!("ws://{address}/ws/proxy/echo/x?y=1")).await;
    assert_eq!(proxied.json().await["type"], "proxy_connected");
    assert_eq!(proxied.text().await, "/up/x y=1 Some(\"Bearer from-the-process\")");
}

/// A target behind TLS that shows a certificate for this name, which has expired or not: its port, and the certificate.
async fn tls_target(name: &str, has_expired: bool) -> (u16, String) {
    let signing_key = rcgen::KeyPair::generate().expect("a key");
    let mut made = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
    if has_expired {
        made.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let made = made.self_signed(&signing_key).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    let tls = tls.with_no_client_auth().with_single_cert(vec![made.der().clone()], key).expect("a key");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                echo(stream).await;
            }
        }
    });
    (port, made.pem())
}

/// A program that proxies to this target and trusts this certificate.
async fn trusting(port: u16, pem: &str) -> (Child, String) {
    let route = format!("tls:wss://localhost:{port}");
    let variables = [
        ("WEBSOCKET_ENABLED", "true"),
        ("WEBSOCKET_PROXY_ENABLED", "true"),
        ("WEBSOCKET_PROXY_ROUTES", &route),
        ("SSL_CERT_FILE", "ca.pem"),
    ];
    program(&format!("tls-{port}"), &[("ca.pem", pem)], &variables).await
}

#[tokio::test]
async fn targets_with_a_certificate_that_has_expired_or_is_for_another_name_are_refused() {
    for (name, has_expired) in [("localhost", true), ("other.example", false)] {
        let (port, pem) = tls_target(name, has_expired).await;
        let (_child, address) = trusting(port, &pem).await;
        let mut client = Client::connect(format!("ws://{address}/ws/proxy/tls")).await;
        let (code, reason) = client.closed().await;
        assert_eq!(code, 1011, "{name}: {reason}");
    }
}

#[tokio::test]
async fn targets_can_be_behind_tls() {
    let (port, pem) = tls_target("localhost", false).await;
    let config = format!("[[routes]]\npattern = '/live'\nproxy = 'wss://localhost:{port}'\n");
    // Nobody vouches for the certificate here, and the program's folder does so with the variable.
    let distrusting = proxy(&config).await;
    assert_eq!(refused(distrusting.url("/live")).await, 502);
    let (_child, address) = trusting(port, &pem).await;
    let mut client = Client::connect(format!("ws://{address}/ws/proxy/tls")).await;
    assert_eq!(client.json().await["type"], "proxy_connected");
    client.send("over TLS").await;
    assert_eq!(client.text().await, "over TLS");
}

async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}
