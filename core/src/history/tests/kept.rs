//! What the broker keeps of a history.

use super::*;

/// What the broker keeps: messages with their age, and notes by key.
#[derive(Default)]
struct Broker {
    messages: Vec<(Offset, String)>,
    notes: std::collections::BTreeMap<String, bytes::Bytes>,
}

impl Broker {
    /// A server says something in the room `a`.
    fn say(&mut self, server: &mut Server, text: &str) -> String {
        let offset = server.history.next(server.now(), &mut server.random);
        self.notes.extend(server.history.speaks(server.now(), &mut server.random));
        self.messages.push((offset, text.to_owned()));
        position(&server.history.keep(server.now(), offset, &["a".into()], &text.into()))
    }

    fn read(&self, server: &mut Server, age: u64) -> Numbers {
        assert!(server.history.begin_reading(server.now, 0));
        let node = Node { name: "there".into(), incarnation: 1 };
        let read = self.messages.iter().map(|(offset, text)| Read {
            age,
            node: node.clone(),
            offset: *offset,
            rooms: [Arc::from("a")].into(),
            message: text.as_str().into(),
        });
        assert!(server.history.read_part(read.collect()));
        let notes: Vec<_> = self.notes.values().cloned().collect();
        server.history.read_all(server.now(), &notes)
    }
}

fn two_servers() -> (Server, Server) {
    let (mut there, here) = (Server::new(SMALL), Server::new(SMALL));
    there.random = ChaCha8Rng::from_seed([2; 32]);
    (there, here)
}

#[test]
fn a_server_that_starts_has_what_the_broker_keeps() {
    let ((mut there, mut here), mut broker) = (two_servers(), Broker::default());
    let positions: Vec<String> = ["1", "2", "3"].map(|text| broker.say(&mut there, text)).into();
    assert!(broker.read(&mut here, 500).is_empty());
    assert_eq!(here.recover("a", &positions[0]).unwrap(), ["2", "3"]);
    assert_eq!(here.recover("a", &positions[2]).unwrap(), [""; 0]);
    let future = positions[2].replace(":3", ":4");
    assert_eq!(here.recover("a", &future), None, "the broker has lost its end");
    // Reading again adds nothing.
    broker.read(&mut here, 500);
    assert_eq!(here.recover("a", &positions[0]).unwrap(), ["2", "3"]);
    here.now = here.now + 501;
    assert_eq!(here.recover("a", &positions[0]), None, "too old by the time when it was said");
    assert_eq!(here.recover("a", &positions[2]).unwrap(), [""; 0]);
}

#[test]
fn what_the_broker_has_dropped_is_not_promised() {
    let ((mut there, mut here), mut broker) = (two_servers(), Broker::default());
    let positions: Vec<String> = ["1", "2", "3", "4"].map(|text| broker.say(&mut there, text)).into();
    broker.messages.remove(1);
    broker.read(&mut here, 0);
    assert_eq!(here.recover("a", &positions[0]), None);
    assert_eq!(here.recover("a", &positions[1]).unwrap(), ["3", "4"]);
    // A node of which nothing is left but its note may have said more than it knew.
    let (mut third, mut late) = (Server::new(SMALL), Server::new(SMALL));
    third.random = ChaCha8Rng::from_seed([3; 32]);
    let node = Node { name: "there".into(), incarnation: 1 };
    for number in 1..=4 {
        let offset = Offset { epoch: there.history.tell(there.now(), &mut there.random).0, number };
        third.history.heard(third.now(), &node, offset);
    }
    let both = broker.say(&mut third, "5");
    broker.messages.pop();
    assert!(!broker.read(&mut late, 0).is_empty(), "those who are here may have missed it");
    assert_eq!(late.recover("a", &positions[3]), None);
    assert_eq!(late.recover("a", &both), None, "nobody knows whether it has said more");
    assert!(!late.history.give_up(late.now + 100, 100).is_empty(), "who is here has not heard any of it");
    let now = late.say(&["a"], "6");
    assert_eq!(late.recover("a", &now).unwrap(), [""; 0], "what was told since then is whole");
    // Once it has noted how far it is, that is known.
    broker.notes.extend(third.history.falls_silent(third.now(), 0, &mut third.random));
    let mut later = Server::new(SMALL);
    assert!(broker.read(&mut later, 0).is_empty());
    assert_eq!(later.recover("a", &positions[3]), None, "it has missed 5");
    assert_eq!(later.recover("a", &both).unwrap(), [""; 0]);
}

#[test]
fn what_was_lost_on_the_way_is_read_and_what_comes_late_is_not_kept_twice() {
    let ((mut there, mut here), mut broker) = (two_servers(), Broker::default());
    let positions: Vec<String> = ["1", "2", "3", "4"].map(|text| broker.say(&mut there, text)).into();
    let node = Node { name: "there".into(), incarnation: 1 };
    let offset = |index: usize| broker.messages[index].0;
    let hear = |here: &mut Server, index: usize| {
        let heard = here.history.heard(here.now(), &node, offset(index));
        if let Heard::Next { is_known: false, .. } = heard {
            let text = broker.messages[index].1.as_str();
            here.history.keep(here.now(), offset(index), &["a".into()], &text.into());
        }
        heard
    };
    assert_eq!(hear(&mut here, 0), Heard::Next { lost: None, is_known: false });
    let lost = Some(offset(1));
    assert_eq!(hear(&mut here, 2), Heard::Next { lost, is_known: false });
    assert_eq!(here.recover("a", &positions[0]), None);
    broker.read(&mut here, 0);
    assert_eq!(here.recover("a", &positions[0]).unwrap(), ["2", "3", "4"]);
    // Who is here waits for the last one.
    assert_eq!(hear(&mut here, 3), Heard::Next { lost: None, is_known: true });
    assert_eq!(hear(&mut here, 1), Heard::Late);
    assert_eq!(here.recover("a", &positions[0]).unwrap(), ["2", "3", "4"]);
    assert!(here.history.give_up(here.now + 1_000, 100).is_empty(), "it has come");
}

#[test]
fn a_reading_that_is_too_much_counts_for_nothing() {
    let ((mut there, mut here), mut broker) = (two_servers(), Broker::default());
    let first = broker.say(&mut there, "1");
    assert!(!here.history.read_part(Vec::new()), "nobody has asked");
    assert!(here.history.begin_reading(here.now, 100) && !here.history.begin_reading(here.now, 100));
    let parts = (0..).take_while(|_| here.history.read_part(Vec::new())).take(1_000_000).count();
    assert!(parts < 1_000_000, "it never ends");
    assert!(!here.history.is_reading());
    assert!(here.history.read_all(here.now(), &[]).is_empty());
    assert_eq!(here.recover("a", &first), None);
    for note in ["", "[]", "[\"x\",true,\"\"]", "[\"1\",false,\"x\"]"] {
        here.history.linked();
        assert!(here.history.begin_reading(here.now, 0));
        assert!(here.history.read_all(here.now(), &[note.into()]).is_empty(), "{note}");
    }
}

/// A reading is ahead of what comes by itself, which may be still on its way, or lost.
#[test]
fn who_joins_after_a_reading_misses_nothing_that_was_said_before() {
    let ((mut there, mut here), mut broker) = (two_servers(), Broker::default());
    broker.say(&mut there, "before");
    broker.read(&mut here, 0);
    let id = here.ids.allocate();
    here.history.follow(id, "switchboard-history=");
    let joined = here.history.joined(here.now(), id, "a", true, &mut here.random).unwrap();
    assert!(joined.missed.is_empty() && here.history.is_ahead(id));
    let first = position(&joined.envelope);
    assert_eq!(here.recover("a", &first).unwrap(), [""; 0]);

    let rooms = [Arc::from("a")];
    let offset = here.history.next(here.now(), &mut here.random);
    here.history.keep(here.now(), offset, &rooms, &"new".into());
    let new = here.history.for_ahead(here.now(), id, offset, &rooms, &"new".into()).unwrap();
    assert_eq!(here.recover("a", &first).unwrap(), ["new"]);
    assert_eq!(here.recover("a", &position(&new)).unwrap(), [""; 0]);
    let sent = position(&here.history.told_sender(here.now(), id, &rooms));
    assert_eq!(here.recover("a", &sent).unwrap(), [""; 0]);
    let lost = position(&here.history.lost(here.now(), id, &rooms));
    assert_eq!(here.recover("a", &lost).unwrap(), [""; 0]);

    let node = Node { name: "there".into(), incarnation: 1 };
    let late = broker.messages[0].0;
    here.history.heard(here.now(), &node, late);
    assert_eq!(here.history.for_ahead(here.now(), id, late, &rooms, &"before".into()), None);
    assert!(!here.history.is_ahead(id), "all of it has come");
}

/// What a client has heard in one room says nothing about another one.
#[test]
fn in_several_rooms_a_client_is_as_far_as_in_all_of_them() {
    let ((mut there, mut here), mut broker) = (two_servers(), Broker::default());
    broker.say(&mut there, "before");
    broker.read(&mut here, 0);
    let id = here.ids.allocate();
    here.history.follow(id, "switchboard-history=");
    let far = here.history.joined(here.now(), id, "a", true, &mut here.random).unwrap();
    let told = |here: &Server, rooms: &[&str]| {
        let rooms: Vec<Arc<str>> = rooms.iter().map(|room| Arc::from(*room)).collect();
        position(&here.history.told_sender(here.now(), id, &rooms))
    };
    let near = told(&here, &["b"]);
    assert_eq!((told(&here, &["a"]), told(&here, &["a", "b"])), (position(&far.envelope), near.clone()));
    here.history.joined(here.now(), id, "b", true, &mut here.random).unwrap();
    assert_eq!(told(&here, &["a", "b"]), position(&far.envelope));
    assert_ne!(near, position(&far.envelope));
}
