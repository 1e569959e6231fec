//! Golden transcripts (`core/tests/transcripts/README.md`) played without looking at what is heard.
//!
//! Anything that is no line of the format means nothing, so that every mutation of a transcript is a script.

use std::collections::{BTreeMap, HashMap};

use switchboard_core::config::{Assembly, Config, Dialect, RouteCallbacks, RouteConfig};
use switchboard_core::{Configuration, ConnectionId, Hooks, Input, Message, Router};

use crate::world::World;

/// How much time one script may let pass, in ms: a beating connection makes work for every bit of it.
const MAX_WAIT: u64 = 100_000;

/// How many connections one script may open.
const MAX_CLIENTS: usize = 16;

/// What it takes to start a server over and over.
#[derive(Clone)]
pub struct Plan {
    config: Config,
    router: Router,
}

impl Plan {
    /// `None` where the patterns are too large together.
    pub fn new(config: Config) -> Option<Self> {
        let mut assembly = Assembly::default();
        assembly.configured(&config, |_, _| RouteCallbacks::default());
        let router = assembly.router().ok()?.claim_all();
        Some(Self { config, router })
    }

    /// A server with nobody in it.
    pub fn serve(&self) -> World {
        let engine = self.assembly().engine(self.router.clone(), self.config.engine_limits(), [7; 32]);
        World::with_engine(engine)
    }

    /// The same for a server that runs already.
    pub fn configuration(&self) -> Configuration {
        self.assembly().configuration(self.config.engine_limits())
    }

    /// Another plan: routes in another order, without the first one, with other times, of other dialects, or none at all.
    pub fn changed(&self, how: usize) -> Option<Self> {
        let mut config = self.config.clone();
        match how % 6 {
            0 => config.routes.reverse(),
            1 if !config.routes.is_empty() => drop(config.routes.remove(0)),
            2 => config.delay = config.delay / 2 + 7,
            3 => config.routes.iter_mut().for_each(|route| *route = RouteConfig::new(route.pattern.clone())),
            4 => config.routes.clear(),
            _ => config.feeds.iter_mut().for_each(|feed| feed.history = 1),
        }
        config.check().ok()?;
        Self::new(config)
    }

    fn assembly(&self) -> Assembly {
        // Routes that wait for the host's callbacks get a handler whose hooks the script never answers.
        let hooks = Hooks { connect: true, message: true, close: true, ..Hooks::default() };
        let mut assembly = Assembly::default();
        assembly.configured(&self.config, |_, route| match route.dialect() {
            Dialect::Handlers => RouteCallbacks { hooks: hooks.clone(), ..RouteCallbacks::default() },
            _ => RouteCallbacks::default(),
        });
        assembly
    }
}

/// A running script.
pub struct Script {
    world: World,
    clients: HashMap<String, ConnectionId>,
    waited: u64,
}

impl Script {
    pub fn new(world: World) -> Self {
        Self { world, clients: HashMap::new(), waited: 0 }
    }

    /// Plays one line.
    pub fn line(&mut self, line: &str) {
        let (who, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        match (who, verb) {
            ("wait", ms) => self.wait(ms.parse().unwrap_or(0)),
            ("http", method) => self.http(method, rest),
            (_, "connects") => self.connect(who, rest),
            _ => {
                if let Some(id) = self.clients.get(who).copied().filter(|id| !self.world.client(*id).gone) {
                    self.speak(id, verb, rest);
                }
            }
        }
    }

    /// The server takes another plan.
    pub fn reconfigure(&mut self, plan: &Plan) {
        self.world.reconfigure(plan.configuration());
    }

    /// What everyone has heard, by name.
    pub fn heard(&self) -> BTreeMap<&str, &[String]> {
        let heard = |id: &ConnectionId| self.world.client(*id).received.as_slice();
        self.clients.iter().map(|(name, id)| (name.as_str(), heard(id))).collect()
    }

    /// Everyone leaves, and nothing may be left.
    pub fn finish(mut self) {
        for id in self.clients.into_values() {
            self.world.cut(id);
        }
        // What waits for a delay calls hooks later.
        for _ in 0..100 {
            while !self.world.calls.is_empty() {
                self.world.answer_next(switchboard_core::Answer::Done);
            }
            self.world.advance(MAX_WAIT / 100);
        }
        assert_eq!(self.world.engine.connections(), 0);
    }

    fn wait(&mut self, ms: u64) {
        let ms = ms.min(MAX_WAIT - self.waited);
        self.waited += ms;
        self.world.advance(ms);
    }

    fn http(&mut self, method: &str, rest: &str) {
        let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
        if http::Request::builder().method(method).uri(path).body(()).is_ok() {
            self.world.http(method, path, body);
        }
    }

    fn connect(&mut self, who: &str, rest: &str) {
        let (path, headers) = rest.split_once(" with ").unwrap_or((rest, ""));
        let headers: Vec<_> = headers.split("; ").filter_map(|header| header.split_once(": ")).collect();
        let request = headers
            .iter()
            .fold(http::Request::get(path), |request, (name, value)| request.header(*name, *value));
        if request.body(()).is_err() || self.clients.len() == MAX_CLIENTS || self.clients.contains_key(who) {
            return;
        }
        let id = self.world.upgrade_with(path, &headers);
        if self.world.client(id).accepted.is_some() {
            self.world.open(id);
            self.clients.insert(who.to_owned(), id);
        }
    }

    fn speak(&mut self, id: ConnectionId, verb: &str, rest: &str) {
        let bytes = bytes::Bytes::copy_from_slice(&rest.as_bytes()[..rest.len().min(125)]);
        match verb {
            "says" => self.world.text(id, rest),
            "says-binary" => self.world.message(id, Message::Binary(unhex(rest).into())),
            "pings" => self.world.input(Input::Ping { id, payload: bytes }),
            "pongs" => self.world.input(Input::Pong { id, payload: bytes }),
            "closes" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                match code.parse() {
                    Ok(code) => self.world.close(id, code, reason),
                    Err(_) => self.world.input(Input::CloseReceived { id, frame: None }),
                }
            }
            "vanishes" => self.world.cut(id),
            _ => {}
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
