//! Extension offers: what is answered is a valid response to one of the offers (RFC 7692 section 7.1), and messages
//! arrive both ways with what was agreed.
//!
//! Input: one byte for the server's windows, one for its switches, then header lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::Message;
use switchboard_core::protocol::{
    Agreement, DeflateConfig, Event, ExtensionOffer, Outgoing, SocketOptions, WebSocket, negotiate,
};
use switchboard_fuzz::client_frame::{
    BINARY, ClientDeflate, ClientInflate, FIN, RSV1, client_frame, server_frame,
};

fuzz_target!(|data: &[u8]| {
    let [windows, switches, lines @ ..] = data else { return };
    let config = DeflateConfig {
        server_max_window_bits: windows >> 4,
        client_max_window_bits: windows & 15,
        server_no_context_takeover: switches & 1 != 0,
        client_no_context_takeover: switches & 2 != 0,
        strict: switches & 4 != 0,
        threshold: 0,
        level: switches >> 4,
    };
    let lines = String::from_utf8_lossy(lines);
    let offers: Vec<_> = lines.lines().flat_map(ExtensionOffer::parse_list).collect();
    let Ok(accepted) = negotiate(&config, &offers) else {
        assert!(config.strict);
        return;
    };
    let Some((agreement, header)) = accepted else { return };
    let answer = ExtensionOffer::parse_list(header.to_str().expect("ASCII"));
    let [answer] = &answer[..] else { panic!("one extension: {header:?}") };
    assert!(answer.is_well_formed && answer.name == "permessage-deflate");
    let deflate = offers.iter().filter(|offer| offer.is_named("permessage-deflate") && offer.is_well_formed);
    assert!(deflate.into_iter().any(|offer| answers(answer, offer)), "{header:?} to {lines:?}");
    assert_eq!(agreement.server_takeover, parameter(answer, "server_no_context_takeover").is_none());
    assert_eq!(agreement.client_takeover, parameter(answer, "client_no_context_takeover").is_none());
    assert_eq!(agreement.server_bits, bits(parameter(answer, "server_max_window_bits")));
    assert_eq!(agreement.client_bits, bits(parameter(answer, "client_max_window_bits")));
    assert!((9..=15).contains(&agreement.server_bits) && (8..=15).contains(&agreement.client_bits));
    exchange(agreement);
});

/// A parameter's value: outside, whether it is there; inside, whether it has one.
fn parameter<'a>(extension: &'a ExtensionOffer, name: &str) -> Option<Option<&'a str>> {
    let mut parameters = extension.parameters.iter();
    parameters.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_deref())
}

/// The window that a parameter names; 0 for what names none.
fn bits(parameter: Option<Option<&str>>) -> u8 {
    parameter.flatten().map_or(15, |value| value.parse().unwrap_or(0))
}

fn answers(answer: &ExtensionOffer, offer: &ExtensionOffer) -> bool {
    let asked_and_told = |name| parameter(offer, name).is_none() || parameter(answer, name).is_some();
    let server_bits = bits(parameter(answer, "server_max_window_bits"));
    let client_bits = bits(parameter(answer, "client_max_window_bits"));
    asked_and_told("server_no_context_takeover")
        && asked_and_told("server_max_window_bits")
        && server_bits <= bits(parameter(offer, "server_max_window_bits"))
        && (client_bits == 15 || parameter(offer, "client_max_window_bits").is_some())
        && client_bits <= bits(parameter(offer, "client_max_window_bits"))
}

/// Messages that refer back to each other, if that was agreed, in both directions.
fn exchange(agreement: Agreement) {
    let options = SocketOptions { deflate: Some(agreement), ..SocketOptions::with_max_message(10_000) };
    let mut socket = WebSocket::new(&options);
    let mut deflate = ClientDeflate::new(agreement.client_bits, agreement.client_takeover);
    let mut inflate = ClientInflate::new(agreement.server_bits, agreement.server_takeover);
    for length in [0, 3, 700, 5000] {
        let payload: Vec<u8> = (0..length).map(|index: u32| (index * index % 23) as u8).collect();
        let mut events = Vec::new();
        let mut frame = client_frame(FIN | RSV1 | BINARY, &deflate.compress(&payload));
        socket.reader.receive(&mut frame, &mut events);
        let message = Message::Binary(payload.into());
        assert_eq!(events, [Event::Message(message.clone())]);

        socket.writer.send(&Outgoing::new(message.clone()));
        let frame = socket.writer.outbox().pop().expect("a frame");
        let (first, sent) = server_frame(&mut &frame[..]).expect("a whole frame");
        let sent = if first & RSV1 != 0 { inflate.inflate(sent) } else { sent.to_vec() };
        assert_eq!(&sent, message.payload());
    }
}
