//! The golden transcripts, held by the engine alone, with exact time.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::collections::HashMap;
use std::path::Path;

use support::transcript::{CONTROL_TOKEN, Expected, Line, Names, Transcript, all};
use support::world::World;
use switchboard_core::config::Config;
use switchboard_core::control::{ControlSettings, PATH};
use switchboard_core::{ConnectionId, Input, Message};

#[test]
fn the_engine_holds_every_conversation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    for transcript in all(&root) {
        let mut run = Run::new(&transcript);
        for (number, line) in &transcript.lines {
            if let Err(error) = run.step(line) {
                panic!("{}:{number}: {error}", transcript.name);
            }
        }
    }
}

struct Run {
    world: World,
    names: Names,
    clients: HashMap<String, ConnectionId>,
}

impl Run {
    fn new(transcript: &Transcript) -> Self {
        let config = Config::from_toml(&transcript.config)
            .unwrap_or_else(|error| panic!("{}: {error}", transcript.name));
        let mut engine = config.engine([7; 32]).expect("routes");
        engine.set_control(ControlSettings::new(CONTROL_TOKEN));
        let mut world = World::with_engine(engine);
        world.address = Some([127, 0, 0, 1].into());
        world.disk =
            transcript.files.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
        Self { world, names: Names::default(), clients: HashMap::new() }
    }

    fn step(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Connects { who, path, headers } => {
                let id = self.upgrade(path, headers);
                let client = self.world.client(id);
                if client.accepted.is_none() {
                    return Err(format!("not accepted: {client:?}"));
                }
                self.world.open(id);
                self.clients.insert(who.clone(), id);
            }
            Line::Gets { status, path, headers, .. } => {
                let id = self.upgrade(path, headers);
                let got = self.world.client(id).rejected;
                if got != Some(*status) {
                    return Err(format!("expected {status}, got {got:?}"));
                }
            }
            Line::IsDropped { path, headers } => {
                let id = self.upgrade(path, headers);
                let client = self.world.client(id);
                if !client.gone || client.accepted.is_some() || client.rejected.is_some() {
                    return Err(format!("not dropped: {client:?}"));
                }
            }
            Line::Says { who, text } => self.world.message(self.clients[who], self.names.fill(text)),
            Line::SaysBinary { who, bytes } => {
                self.world.message(self.clients[who], Message::Binary(bytes.clone().into()));
            }
            Line::Pings { who, text } => {
                let payload = text.clone().into();
                self.world.input(Input::Ping { id: self.clients[who], payload });
            }
            Line::Pongs { who, text } => {
                let payload = text.clone().into();
                self.world.input(Input::Pong { id: self.clients[who], payload });
            }
            Line::Closes { who, frame: Some((code, reason)) } => {
                self.world.close(self.clients[who], *code, reason);
            }
            Line::Closes { who, frame: None } => {
                self.world.input(Input::CloseReceived { id: self.clients[who], frame: None });
            }
            Line::Vanishes { who } => self.world.cut(self.clients[who]),
            Line::Hears { who, expected } => return self.hears(who, expected),
            Line::HearsNothing { who } => {
                let heard = self.world.received(self.clients[who]);
                if !heard.is_empty() {
                    return Err(format!("expected nothing, got {heard:?}"));
                }
            }
            Line::Wait { ms } => self.world.advance(*ms),
            Line::Http { method, path, body, status, expected } => {
                let body = self.names.fill(body);
                let token = format!("Bearer {CONTROL_TOKEN}");
                let shown = path.starts_with(PATH).then_some(("authorization", token.as_str()));
                let (got, text) =
                    self.world.http_with(method, &self.names.fill(path), &body, shown.as_slice());
                if got != *status {
                    return Err(format!("expected {status}, got {got}: {text}"));
                }
                if let Some(expected) = expected {
                    return self.names.matches(expected, &text);
                }
            }
        }
        Ok(())
    }

    fn upgrade(&mut self, path: &str, headers: &[(String, String)]) -> ConnectionId {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = self.names.fill(path);
        self.world.upgrade_with(&path, &headers)
    }

    fn hears(&mut self, who: &str, expected: &Expected) -> Result<(), String> {
        let Some(heard) = self.world.next_received(self.clients[who]) else {
            return Err(format!("expected {expected:?}, got nothing"));
        };
        if heard.starts_with("<close") && !self.world.client(self.clients[who]).gone {
            // As every client does by itself.
            self.world.input(Input::CloseReceived { id: self.clients[who], frame: None });
        }
        let wanted = match expected {
            Expected::Json(json) => return self.names.matches(json, &heard),
            Expected::Text(text) => self.names.fill(text),
            Expected::Binary(bytes) => format!("<binary {:?}>", bytes::Bytes::from(bytes.clone())),
            Expected::Ping(text) => format!("<ping {text}>"),
            Expected::Pong(text) => format!("<pong {text}>"),
            Expected::Broken(damage) => format!("<damaged {damage}>"),
            Expected::Close(1006, _) if heard == "<eof>" => return Ok(()),
            Expected::Close(1006, _) => "<end>".to_owned(),
            Expected::Close(1005, _) => "<close>".to_owned(),
            Expected::Close(code, None) => {
                let prefix = format!("<close {code}");
                return if heard.starts_with(&prefix) {
                    Ok(())
                } else {
                    Err(format!("expected {prefix}>, got {heard}"))
                };
            }
            Expected::Close(code, Some(reason)) => format!("<close {code} {reason}>").replace(" >", ">"),
        };
        if heard == wanted { Ok(()) } else { Err(format!("expected {wanted}, got {heard}")) }
    }
}
