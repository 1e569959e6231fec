//! The topics that exist.

use serde_json::Value;

use super::{Generation, Stream};

/// The topic of everything.
pub(super) const ALL: &str = "all";

/// The longest topic.
const MAX_BYTES: usize = 128;

/// The named topics of killmails; the last one is new in `g3`.
const KILLMAILS: &[&str] = &[
    "all",
    "10b",
    "5b",
    "abyssal",
    "wspace",
    "highsec",
    "lowsec",
    "nullsec",
    "bigkills",
    "solo",
    "npc",
    "citadel",
    "t1",
    "t2",
    "t3",
    "frigates",
    "destroyers",
    "cruisers",
    "battlecruisers",
    "battleships",
    "capitals",
    "freighters",
    "supercarriers",
    "titans",
    "jove",
];

/// The named topics of a stream.
pub(super) fn valid(stream: Stream, generation: Generation) -> &'static [&'static str] {
    match (stream, generation) {
        (Stream::Killmails, Generation::G3) => KILLMAILS,
        (Stream::Killmails, Generation::G1) => &KILLMAILS[..KILLMAILS.len() - 1],
        (Stream::Comments | Stream::Site, _) => &[ALL],
    }
}

/// The prefixes of topics with an id.
pub(super) fn partial(stream: Stream) -> &'static [&'static str] {
    match stream {
        Stream::Killmails => &["victim.", "attacker.", "system.", "region."],
        Stream::Comments => &[],
        Stream::Site => &["user.", "component."],
    }
}

pub(super) fn is_valid(stream: Stream, generation: Generation, topic: &str) -> bool {
    topic.len() <= MAX_BYTES
        && (valid(stream, generation).contains(&topic)
            || partial(stream).iter().any(|prefix| topic.starts_with(prefix)))
}

/// An event of the site contains its topics.
pub(super) fn of_site_event(event: &Value) -> Vec<String> {
    let own = event.get("topics").or_else(|| event.get("routingKeys")).and_then(Value::as_array);
    let own = own.into_iter().flatten().filter_map(Value::as_str);
    own.filter(|topic| *topic != ALL).chain([ALL]).map(str::to_owned).collect()
}
