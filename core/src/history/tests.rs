//! Pure tables: what is kept, and what can be recovered.

mod kept;

use chacha20::rand_core::SeedableRng;
use serde_json::{Value, json};

use super::*;
use crate::interface::connection_id::ConnectionIds;
use crate::time::WallTime;

const SMALL: HistorySettings = HistorySettings { size: 3, ttl: 1_000, max_bytes: 100 };

struct Server {
    history: History,
    random: ChaCha8Rng,
    ids: ConnectionIds,
    now: Instant,
}

impl Server {
    fn new(settings: HistorySettings) -> Self {
        let random = ChaCha8Rng::from_seed([1; 32]);
        let (history, ids) = (History::new(settings), ConnectionIds::default());
        Self { history, random, ids, now: Instant::from_ms(1) }
    }

    fn now(&self) -> Now {
        Now { instant: self.now, wall: WallTime::from_us(1_763_000_000_000_000) }
    }

    /// Says something in these rooms; gives the position after it.
    fn say(&mut self, rooms: &[&str], text: &str) -> String {
        let rooms: Vec<Arc<str>> = rooms.iter().map(|room| Arc::from(*room)).collect();
        let offset = self.history.next(self.now(), &mut self.random);
        let said = self.history.keep(self.now(), offset, &rooms, &text.into());
        position(&said)
    }

    /// A client comes with this query and joins these rooms: for each whether it was recovered, and the texts.
    fn come(&mut self, query: &str, rooms: &[&str]) -> Vec<(Option<bool>, Vec<String>)> {
        let id = self.ids.allocate();
        self.history.follow(id, query);
        let joined = rooms.iter().map(|room| {
            let joined = self.history.joined(self.now(), id, room, true, &mut self.random).unwrap();
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

fn position(envelope: &Message) -> String {
    let envelope: Value = envelope.parse_json().unwrap();
    envelope["history"]["position"].as_str().unwrap().to_owned()
}

#[test]
fn who_comes_back_gets_just_what_it_missed() {
    let mut kept = Server::new(SMALL);
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
    let mut kept = Server::new(SMALL);
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
    assert_eq!(kept.recover("a", &long).unwrap(), [""; 0]);
    let dropped = kept.history.rooms["a"].dropped().clone();
    assert_eq!(kept.history.bytes, Room::new("a", dropped).bytes(), "no message is left");
}

#[test]
fn what_is_no_position_of_this_history_is_not_recovered() {
    let mut kept = Server::new(SMALL);
    let first = kept.say(&["a"], "1");
    let future = first.replace(":1", ":2");
    for position in ["", "x", "0:0", "0000000000000000:1", &future] {
        assert_eq!(kept.recover("a", position), None, "{position}");
    }
    let mut other = Server::new(SMALL);
    other.random = ChaCha8Rng::from_seed([2; 32]);
    other.say(&["a"], "1");
    assert_eq!(other.recover("a", &first), None);
}

#[test]
fn a_message_to_several_rooms_comes_back_once() {
    let mut kept = Server::new(SMALL);
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
    let mut kept = Server::new(SMALL);
    let first = kept.say(&[], "1");
    kept.say(&[], "2");
    assert_eq!(kept.recover("", &first).unwrap(), ["2"]);
}

#[test]
fn a_message_is_in_its_envelope_as_it_is() {
    let mut kept = Server::new(SMALL);
    let rooms = [Arc::from("a")];
    let mut keep = |rooms: &[Arc<str>], message: &Message| {
        let offset = kept.history.next(kept.now(), &mut kept.random);
        let said = kept.history.keep(kept.now(), offset, rooms, message);
        (said.parse_json::<Value>().unwrap(), position(&said))
    };
    let (text, at) = keep(&rooms, &"say \"hi\"".into());
    assert!(at.ends_with(":1"), "{at}");
    assert_eq!(text, json!({ "history": { "rooms": ["a"], "position": at }, "text": "say \"hi\"" }));
    let (binary, at) = keep(&[], &Message::Binary(vec![0, 255].into()));
    assert_eq!(binary, json!({ "history": { "rooms": [], "position": at }, "binary": "AP8=" }));
}

#[test]
fn who_does_not_ask_takes_no_part() {
    let mut kept = Server::new(SMALL);
    for query in ["", "a=b", "switchboard-histor=x", "x=switchboard-history"] {
        let id = kept.ids.allocate();
        kept.history.follow(id, query);
        assert!(!kept.history.is_follower(id), "{query}");
        assert_eq!(kept.history.joined(kept.now(), id, "a", true, &mut kept.random), None);
    }
    let id = kept.ids.allocate();
    kept.history.follow(id, "switchboard-history");
    assert!(kept.history.is_follower(id));
}

#[test]
fn rooms_have_a_limit_beyond_which_the_silent_are_forgotten() {
    let mut kept = Server::new(SMALL);
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
    let mut kept = Server::new(HistorySettings { size: 2, ..SMALL });
    let mut held = Vec::new();
    for _ in 0..4 {
        kept.say(&["a"], "");
        held.push(kept.history.bytes);
    }
    assert!(0 < held[0] && held[0] < held[1] && held[3] == held[2], "{held:?}");
}

#[test]
fn names_of_rooms_count_too() {
    let mut kept = Server::new(SMALL);
    let long = "x".repeat(64 << 10);
    let others: Vec<String> = (0..20).map(|number| format!("{long}{number}")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    for number in 0..1_100 {
        kept.say(&[&format!("{number}{long}")], "");
        if number % 500 == 0 {
            kept.say(&others, "");
        }
        let (rooms, bytes) = (kept.history.rooms.len(), kept.history.bytes);
        assert!(bytes <= MOST_BYTES && rooms * long.len() <= MOST_BYTES, "{rooms} rooms, {bytes} bytes");
    }
    let held: usize = kept.history.rooms.values().map(Room::bytes).sum();
    assert_eq!(kept.history.bytes, held);
}

#[test]
fn what_is_known_of_messages_that_are_not_kept_counts_too() {
    let (mut kept, stranger) = (Server::new(SMALL), Node { name: "stranger".into(), incarnation: 1 });
    // Each room that is made later begins with what is known of those that were forgotten.
    for number in 1..300 {
        let offset = Offset { epoch: Epoch(number << 32), number };
        kept.history.heard(kept.now(), &stranger, offset);
        kept.history.keep(kept.now(), offset, &["a".into()], &"x".into());
        kept.history.forget_silent();
    }
    let known = kept.history.forgotten.epochs();
    let before = kept.history.bytes;
    (0..100).for_each(|number| _ = kept.say(&[&format!("room {number}")], ""));
    assert!(known > 200 && kept.history.bytes - before > 100 * known * size_of::<Offset>());
    let held: usize = kept.history.rooms.values().map(Room::bytes).sum();
    assert_eq!(kept.history.bytes, held);
}

/// Whoever may publish at the broker can invent as many as there are.
#[test]
fn very_many_epochs_are_forgotten() {
    let (mut kept, stranger) = (Server::new(SMALL), Node { name: "stranger".into(), incarnation: 1 });
    let own = kept.say(&["a"], "own");
    for number in 1..2_000 {
        let offset = Offset { epoch: Epoch(number << 32), number };
        kept.history.heard(kept.now(), &stranger, offset);
        kept.history.keep(kept.now(), offset, &["a".into(), format!("b{number}").into()], &"x".into());
        assert!(kept.history.rooms["a"].dropped().epochs() <= 2 * epochs::MOST);
        assert!(kept.history.forgotten.epochs() <= 2 * epochs::MOST);
    }
    assert_eq!(kept.recover("a", &own), None, "what was said since is no longer kept");
    let now = kept.say(&["a"], "own again");
    assert_eq!(kept.recover("a", &now).unwrap(), [""; 0]);
}

#[test]
fn a_client_that_is_ahead_of_its_node_hears_nothing_twice() {
    let (mut there, mut here) = (Server::new(SMALL), Server::new(SMALL));
    there.random = ChaCha8Rng::from_seed([2; 32]);
    let node = Node { name: "there".into(), incarnation: 1 };
    let rooms = [Arc::from("a")];
    let say = |there: &mut Server, text: &str| {
        let offset = there.history.next(there.now(), &mut there.random);
        (offset, position(&there.history.keep(there.now(), offset, &rooms, &text.into())))
    };
    let hear = |here: &mut Server, (offset, _): &(Offset, String), text: &str| {
        let heard = here.history.heard(here.now(), &node, *offset);
        here.history.keep(here.now(), *offset, &rooms, &text.into());
        matches!(heard, Heard::Next { lost: Some(_), .. })
    };
    let (first, second, third) = (say(&mut there, "1"), say(&mut there, "2"), say(&mut there, "3"));
    assert!(!hear(&mut here, &first, "1"));
    // It has heard two there.
    let id = here.ids.allocate();
    here.history.follow(id, &format!("switchboard-history=a@{}", second.1));
    let joined = here.history.joined(here.now(), id, "a", true, &mut here.random).unwrap();
    let head: Value = joined.envelope.parse_json().unwrap();
    assert_eq!((&head["history"]["recovered"], joined.missed), (&true.into(), Vec::new()));
    let epoch = format!("{:016x}", second.0.epoch.0);
    assert!(position(&joined.envelope).contains(&format!("{epoch}:2")), "{head}");
    assert!(here.history.is_ahead(id));
    assert!(!hear(&mut here, &second, "2"));
    assert_eq!(here.history.for_ahead(here.now(), id, second.0, &rooms, &"2".into()), None);
    assert!(!here.history.is_ahead(id), "it has come here, too");
    assert!(!hear(&mut here, &third, "3"));
    assert_eq!(here.recover("a", &second.1).unwrap(), ["3"]);
}

#[test]
fn what_did_not_come_from_another_node_cannot_be_recovered() {
    let (mut there, mut here) = (Server::new(SMALL), Server::new(SMALL));
    there.random = ChaCha8Rng::from_seed([2; 32]);
    let node = Node { name: "there".into(), incarnation: 1 };
    let rooms = [Arc::from("a")];
    let positions: Vec<String> = ["1", "2", "3"].map(|text| there.say(&["a"], text)).into();
    assert_eq!(here.recover("a", &positions[0]), None, "nobody is known who says such things");
    let (epoch, told) = there.history.tell(there.now(), &mut there.random);
    let hear = |here: &mut Server, number: u64| {
        let offset = Offset { epoch, number };
        let heard = here.history.heard(here.now(), &node, offset);
        here.history.keep(here.now(), offset, &rooms, &number.to_string().as_str().into());
        matches!(heard, Heard::Next { lost: Some(_), .. })
    };
    assert!(!hear(&mut here, 1) && hear(&mut here, 3), "2 is lost");
    assert_eq!(here.recover("a", &positions[0]), None);
    assert_eq!(here.recover("a", &positions[1]).unwrap(), ["3"]);
    // What another node tells of may still be on its way.
    there.say(&["a"], "4");
    let (_, later) = there.history.tell(there.now(), &mut there.random);
    here.history.told(here.now(), &node, epoch, &told);
    assert_eq!(here.recover("a", &positions[2]).unwrap(), [""; 0], "all of that is known");
    here.history.told(here.now(), &node, epoch, &later);
    assert_eq!(here.recover("a", &positions[2]), None, "perhaps 4 is lost");
    assert!(here.history.give_up(here.now, 100).is_empty());
    here.now = here.now + 100;
    assert!(!here.history.give_up(here.now, 100).is_empty());
    assert_eq!(here.recover("a", &positions[2]), None, "4 is lost");
    assert_eq!(here.recover("a", &later.to_string()).unwrap(), [""; 0]);
}

#[test]
fn epochs_that_are_over_for_long_are_left_out_of_positions() {
    let (mut there, mut here) = (Server::new(SMALL), Server::new(SMALL));
    there.random = ChaCha8Rng::from_seed([2; 32]);
    let node = Node { name: "there".into(), incarnation: 1 };
    let old = there.say(&["a"], "1");
    let (epoch, _) = there.history.tell(there.now(), &mut there.random);
    here.history.heard(here.now(), &node, Offset { epoch, number: 1 });
    let both = here.say(&["a"], "2");
    assert!(both.contains('.') && !both.contains('~'), "{both}");
    here.history.left(here.now, &node);
    here.now = here.now + 2 * SMALL.ttl + 1;
    let one = here.say(&["a"], "3");
    assert!(!one.contains('.') && one.contains('~'), "{one}");
    assert_eq!(here.recover("a", &one).unwrap(), [""; 0]);
    assert_eq!(here.recover("b", &both).unwrap(), [""; 0], "it is still known");
    assert_eq!(here.recover("b", &old).unwrap(), [""; 0]);
}
