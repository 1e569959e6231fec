//! What filling a feed by HTTP may cost.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use support::World;
use switchboard_core::Config;

fn world(feed: &str) -> World {
    let config = format!(
        "routes = [{{ pattern = '/ws', dialect = 'actions', actions = {{ channels = [{{ name = 'all', feed = 'news' }}] }} }}]
         feeds = [{{ name = 'news', {feed} }}]"
    );
    World::with_engine(Config::from_toml(&config).unwrap().engine([1; 32]).unwrap())
}

fn numbers(from: usize, to: usize) -> String {
    serde_json::Value::from_iter(from..to).to_string()
}

/// The numbers that a client was sent.
fn heard(world: &mut World, id: switchboard_core::ConnectionId) -> Vec<usize> {
    let texts = world.received(id).into_iter();
    texts.filter_map(|text| text.parse().ok()).collect()
}

#[test]
fn a_request_has_a_number_of_values_at_most() {
    let mut world = world("post = { maxValues = 3 }");
    assert_eq!(world.http("POST", "/feeds/news", "[1,2,3]").0, 202);
    let (status, body) = world.http("POST", "/feeds/news", "1\n2\n3\n4");
    assert_eq!((status, body.contains("has 4 values, at most 3")), (413, true), "{body}");
    let mut world = self::world("post = true");
    assert_eq!(world.http("POST", "/feeds/news", &numbers(0, 10_001)).0, 413);
}

#[test]
fn many_values_are_published_in_slices_and_in_order() {
    let mut world = world("post = { maxValues = 2000 }, history = 1");
    let ids: Vec<_> = (0..10).map(|_| world.connect("/ws")).collect();
    for id in &ids {
        world.text(*id, r#"{"action":"sub","channel":"all"}"#);
        world.received(*id);
    }
    assert_eq!(world.http("POST", "/feeds/news", &numbers(0, 2_000)).0, 202);
    let first = heard(&mut world, ids[0]);
    assert!((1..=256).contains(&first.len()), "others come between: {}", first.len());
    assert_eq!(world.http("POST", "/feeds/news", &numbers(2_000, 3_000)).0, 202, "1744 wait");
    assert_eq!(world.http("POST", "/feeds/news", "[-1]").0, 503, "too many wait");
    let mut all = first;
    for _ in 0..20 {
        world.advance(1);
        let slice = heard(&mut world, ids[0]);
        assert!(slice.len() <= 256, "{}", slice.len());
        all.extend(slice);
    }
    assert_eq!(all, (0..3_000).collect::<Vec<_>>());
    assert_eq!(world.http("POST", "/feeds/news", "[3000]").0, 202);
    assert_eq!(heard(&mut world, ids[0]), [3_000], "at once where nothing waits");
}
