//! What a feed's memory costs.

use serde_json::{Value, json};
use switchboard_core::Input;

use super::server::Server;
use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] =
    &[("feeds.publish_with_10_keys", || publish(10)), ("feeds.publish_with_10000_keys", || publish(10_000))];

/// The least recently changed key gets a new value, and there are no subscribers.
fn publish(keys: u64) -> Operation {
    let feed = json!({ "name": "prices", "key": ["symbol"], "history": 2 });
    let mut server = Server::new(json!({ "feeds": [feed], "routes": [] }));
    let mut publish = move |symbol: u64| {
        let value: Value = json!({ "symbol": symbol });
        server.input(Input::Publish { feed: "prices".into(), value });
    };
    (0..keys).for_each(&mut publish);
    let mut symbols = (0..keys).cycle();
    Box::new(move || publish(symbols.next().unwrap()))
}
