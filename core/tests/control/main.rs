//! The control API: who may ask, what it shows and does, and what subscribers of live events are told.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod access;
mod asking;
mod breakpoint_ends;
mod breakpoints;
mod clock;
mod events;
mod history;
mod pausing;
mod recordings;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use support::World;
use switchboard_core::control::{ControlSettings, EVENTS_PATH, MAX_BODY, PATH};
use switchboard_core::{Asker, Config, ConnectionId, Input};

const CONFIG: &str = "
    feeds = [{ name = 'news' }]
    [[routes]]
    pattern = '/chat/{room}'
    dialect = 'relay'
    room = '{connection.params.room}'
    [[routes]]
    pattern = '/echo'
    dialect = 'echo'
    [[routes]]
    pattern = '/guarded'
    dialect = 'echo'
    authenticate = { token = { query = 'token', values = { s3cret = { user = 'ada' } } } }
";

struct Control {
    world: World,
}

impl Control {
    fn new() -> Self {
        Self::of(CONFIG)
    }

    fn of(config: &str) -> Self {
        let mut world = World::with_engine(Config::from_toml(config).unwrap().engine([1; 32]).unwrap());
        world.engine.set_control(ControlSettings::new("t0p"));
        world.address = Some([127, 0, 0, 1].into());
        Self { world }
    }

    /// Status and body of a request with the token.
    fn ask(&mut self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let headers = [("host", "localhost"), ("authorization", "Bearer t0p")];
        self.ask_with(method, path, body, &headers)
    }

    fn ask_with(&mut self, method: Method, path: &str, body: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(format!("{PATH}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let response = self.world.request(&request).unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("access-control-allow-origin"), "CORS is closed");
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, "");
        assert_eq!(status, 200, "{body}");
        body
    }

    fn post(&mut self, path: &str, body: Value) -> Value {
        let (status, body) = self.ask(Method::POST, path, &body.to_string());
        assert_eq!(status, 200, "{body}");
        body
    }

    fn error(&mut self, method: Method, path: &str, body: &str) -> (u16, String) {
        let (status, body) = self.ask(method, path, body);
        (status, body["error"].as_str().unwrap().to_owned())
    }

    fn subscribe(&mut self, query: &str) -> ConnectionId {
        let id = self.world.connect(&format!("{EVENTS_PATH}?token=t0p{query}"));
        assert_eq!(self.told(id)[0]["type"], "subscribed");
        id
    }

    /// What a subscriber was told since the last look.
    fn told(&mut self, id: ConnectionId) -> Vec<Value> {
        self.world.received(id).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    fn public_id(&self, id: ConnectionId) -> String {
        self.world.engine.connection(id).unwrap().public_id().to_string()
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}
