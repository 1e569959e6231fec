//! The opening handshake: what is checked, what is negotiated, what is answered.

use std::hint::black_box;

use http::Request;
use switchboard_core::protocol::{
    DeflateConfig, check, encode_head, negotiate, response, select_subprotocol,
};

use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("handshake.check", checked),
    ("handshake.negotiate", negotiated),
    ("handshake.answer", answered),
    ("handshake.refuse", refused),
];

/// The head that a browser sends.
fn request() -> Request<()> {
    let headers = [
        ("host", "localhost:5173"),
        ("connection", "Upgrade"),
        ("pragma", "no-cache"),
        ("cache-control", "no-cache"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"),
        ("upgrade", "websocket"),
        ("origin", "http://localhost:5173"),
        ("sec-websocket-version", "13"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("accept-language", "en-GB,en;q=0.9"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
        ("sec-websocket-protocol", "chat, superchat"),
    ];
    let request = Request::get("/api/ws/lobby?token=secret");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

fn checked() -> Operation {
    let request = request();
    Box::new(move || {
        let handshake = check(black_box(&request)).unwrap();
        assert_eq!((handshake.protocols.len(), handshake.extensions.len()), (2, 1));
    })
}

fn negotiated() -> Operation {
    let (handshake, config) = (check(&request()).unwrap(), DeflateConfig::default());
    Box::new(move || {
        let subprotocol = select_subprotocol(black_box(&handshake.protocols), &["superchat"]);
        let agreed = negotiate(&config, black_box(&handshake.extensions)).unwrap();
        assert!(subprotocol.is_some() && agreed.is_some());
    })
}

fn answered() -> Operation {
    let handshake = check(&request()).unwrap();
    let agreed = negotiate(&DeflateConfig::default(), &handshake.extensions).unwrap().unwrap().1;
    Box::new(move || {
        let response = response(black_box(&handshake), Some("superchat"), Some(agreed.clone()));
        assert!(encode_head(&response).starts_with(b"HTTP/1.1 101 "));
    })
}

fn refused() -> Operation {
    let mut request = request();
    request.headers_mut().remove("sec-websocket-key");
    Box::new(move || {
        let refusal = check(black_box(&request)).unwrap_err();
        assert!(refusal.encode().starts_with(b"HTTP/1.1 400 "));
    })
}
