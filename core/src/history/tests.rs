//! Pure tables: what is kept, and what can be recovered.

use chacha20::rand_core::SeedableRng;
use serde_json::{Value, json};

use super::*;
use crate::interface::connection_id::ConnectionIds;

const SMALL: HistorySettings = HistorySettings { size: 3, ttl: 1_000, max_bytes: 100 };

struct Kept {
    history: History,
    random: ChaCha8Rng,
    ids: ConnectionIds,
    now: Instant,
}

impl Kept {
    fn new(settings: HistorySettings) -> Self {
        let random = ChaCha8Rng::from_seed([1; 32]);
        let (history, ids) = (History::new(settings), ConnectionIds::default());
        Self { history, random, ids, now: Instant::from_ms(1) }
    }

    /// Says something in these rooms; gives the position after it.
    fn say(&mut self, rooms: &[&str], text: &str) -> String {
        let rooms: Vec<Arc<str>> = rooms.iter().map(|room| Arc::from(*room)).collect();
        let (_, position) = self.history.keep(self.now, &rooms, &text.into(), &mut self.random);
        let envelope: Value = position.parse_json().unwrap();
        envelope["history"]["position"].as_str().unwrap().to_owned()
    }

    /// A client comes with this query and joins these rooms: for each whether it was recovered, and the texts.
    fn come(&mut self, query: &str, rooms: &[&str]) -> Vec<(Option<bool>, Vec<String>)> {
        let id = self.ids.allocate();
        self.history.follow(id, query);
        let joined = rooms.iter().map(|room| {
            let joined = self.history.joined(self.now, id, room, &mut self.random).unwrap();
            let text = |message: Message| {
                let envelope: Value = message.parse_json().unwrap();
                envelope["text"].as_str().unwrap().to_owned()
            };
            let envelope: Value = joined.envelope.parse_json().unwrap();
            let recovered = envelope["history"]["recovered"].as_bool();
            (recovered, joined.missed.into_iter().map(text).collect())
        });
        let joined = joined.collect();
        self.history.forget(id);
        joined
    }

    fn recover(&mut self, room: &str, position: &str) -> Option<Vec<String>> {
        let (recovered, texts) =
            self.come(&format!("switchboard-history={room}@{position}"), &[room]).remove(0);
        recovered.unwrap().then_some(texts)
    }
}

#[test]
fn who_comes_back_gets_just_what_it_missed() {
    let mut kept = Kept::new(SMALL);
    let first = kept.say(&["a"], "1");
    kept.say(&["b"], "other room");
    kept.say(&["a"], "2");
    let last = kept.say(&["a"], "3");
    assert_eq!(kept.recover("a", &first).unwrap(), ["2", "3"]);
    assert_eq!(kept.recover("a", &last).unwrap(), [""; 0]);
    // Nothing was ever said there.
    assert_eq!(kept.recover("c", &first).unwrap(), [""; 0]);
    kept.say(&["a"], "4");
    assert_eq!(kept.recover("a", &first).unwrap(), ["2", "3", "4"]);
    kept.say(&["a"], "5");
    assert_eq!(kept.recover("a", &first), None, "2 is no longer kept");
    assert_eq!(kept.recover("b", &first).unwrap(), ["other room"]);
}

#[test]
fn what_is_too_old_or_too_much_is_not_kept() {
    let mut kept = Kept::new(SMALL);
    let first = kept.say(&["a"], "1");
    kept.say(&["a"], "2");
    kept.now = kept.now + 1_000;
    assert_eq!(kept.recover("a", &first).unwrap(), ["2"]);
    kept.now = kept.now + 1;
    assert_eq!(kept.recover("a", &first), None);
    let third = kept.say(&["a"], "3");
    assert_eq!(kept.recover("a", &third).unwrap(), [""; 0]);
    let long = kept.say(&["a"], &"x".repeat(101));
    assert_eq!(kept.recover("a", &third), None);
    assert_eq!((kept.recover("a", &long).unwrap(), kept.history.bytes), (Vec::new(), 0));
}

#[test]
fn what_is_no_position_of_this_history_is_not_recovered() {
    let mut kept = Kept::new(SMALL);
    let first = kept.say(&["a"], "1");
    let future = first.replace(":1", ":2");
    for position in ["", "x", "0:0", "00000000:1", &future] {
        assert_eq!(kept.recover("a", position), None, "{position}");
    }
    let mut other = Kept::new(SMALL);
    other.random = ChaCha8Rng::from_seed([2; 32]);
    other.say(&["a"], "1");
    assert_eq!(other.recover("a", &first), None);
}

#[test]
fn a_message_to_several_rooms_comes_back_once() {
    let mut kept = Kept::new(SMALL);
    let first = kept.say(&["a"], "1");
    kept.say(&["a", "b"], "both");
    kept.say(&["b"], "2");
    let query = format!("switchboard-history=a@{first}&x=1&switchboard-history=b@{first}");
    let joined = kept.come(&query, &["a", "b", "c", "a"]);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        joined,
        [
            (Some(true), texts(&["both"])),
            (Some(true), texts(&["2"])),
            (None, Vec::new()),
            // It is told once only.
            (None, Vec::new()),
        ]
    );
}

#[test]
fn everyone_on_the_route_is_a_room_without_a_name() {
    let mut kept = Kept::new(SMALL);
    let first = kept.say(&[], "1");
    kept.say(&[], "2");
    assert_eq!(kept.recover("", &first).unwrap(), ["2"]);
}

#[test]
fn a_message_is_in_its_envelope_as_it_is() {
    let mut kept = Kept::new(SMALL);
    let rooms = [Arc::from("a")];
    let (text, _) = kept.history.keep(kept.now, &rooms, &"say \"hi\"".into(), &mut kept.random);
    let position = format!("{:08x}", kept.history.epoch.unwrap());
    let expected = json!({
        "history": { "rooms": ["a"], "position": format!("{position}:1") },
        "text": "say \"hi\"",
    });
    assert_eq!(text.parse_json::<Value>().unwrap(), expected);
    let bytes = Message::Binary(vec![0, 255].into());
    let (binary, _) = kept.history.keep(kept.now, &[], &bytes, &mut kept.random);
    let expected =
        json!({ "history": { "rooms": [], "position": format!("{position}:2") }, "binary": "AP8=" });
    assert_eq!(binary.parse_json::<Value>().unwrap(), expected);
}

#[test]
fn who_does_not_ask_takes_no_part() {
    let mut kept = Kept::new(SMALL);
    for query in ["", "a=b", "switchboard-histor=x", "x=switchboard-history"] {
        let id = kept.ids.allocate();
        kept.history.follow(id, query);
        assert!(!kept.history.is_follower(id), "{query}");
        assert_eq!(kept.history.joined(kept.now, id, "a", &mut kept.random), None);
    }
    let id = kept.ids.allocate();
    kept.history.follow(id, "switchboard-history");
    assert!(kept.history.is_follower(id));
}

#[test]
fn rooms_have_a_limit_beyond_which_the_silent_are_forgotten() {
    let mut kept = Kept::new(SMALL);
    let first = kept.say(&["busy"], "1");
    kept.say(&["silent"], "2");
    for number in 0..MOST_ROOMS {
        kept.say(&[&format!("room {number}")], "x");
        kept.say(&["busy"], "y");
    }
    assert!(kept.history.rooms.len() <= MOST_ROOMS, "{}", kept.history.rooms.len());
    assert_eq!(kept.recover("silent", &first), None, "what it missed is not known any more");
    let now = kept.say(&["busy"], "z");
    assert_eq!(kept.recover("busy", &now).unwrap(), [""; 0]);
    assert_eq!(kept.recover("silent", &now).unwrap(), [""; 0]);
    let held: usize = kept.history.rooms.values().map(Room::bytes).sum();
    assert_eq!(kept.history.bytes, held);
}

#[test]
fn messages_without_payload_count_too() {
    let mut kept = Kept::new(HistorySettings { size: 2, ..SMALL });
    let mut held = Vec::new();
    for _ in 0..3 {
        kept.say(&["a"], "");
        held.push(kept.history.bytes);
    }
    assert!(0 < held[0] && held[1] == 2 * held[0] && held[2] == held[1], "{held:?}");
}
