//! What holds whatever happens, against a reference model that is too simple to be wrong.

#[path = "support/ledger.rs"]
mod ledger;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ledger::Ledger;
use proptest::prelude::*;
use support::{World, route};
use switchboard_core::{Answer, Command, ConnectionId, Deferred, Hook, Hooks, Message, RouteSettings, Stats};

/// One thing that happens to one of a few clients.
#[derive(Clone, Debug)]
enum Step {
    Open,
    Join(usize, u8),
    Leave(usize, u8),
    /// Broadcast to these rooms, or to all; with or without the sender.
    Broadcast(usize, Option<Vec<u8>>, bool),
    Close(usize),
    Cut(usize),
    Kick(usize),
    Terminate(usize),
    Violate(usize),
    Pong(usize),
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..8usize;
    let room = 0..3u8;
    let step = prop_oneof![
        4 => Just(Step::Open),
        4 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Join(who, room)),
        2 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Leave(who, room)),
        6 => (who.clone(), prop::option::of(prop::collection::vec(room, 0..3)), any::<bool>())
            .prop_map(|(who, rooms, me)| Step::Broadcast(who, rooms, me)),
        1 => who.clone().prop_map(Step::Close),
        1 => who.clone().prop_map(Step::Cut),
        1 => who.clone().prop_map(Step::Kick),
        1 => who.clone().prop_map(Step::Terminate),
        1 => who.clone().prop_map(Step::Violate),
        2 => who.prop_map(Step::Pong),
        3 => (0..1_500u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..80)
}

fn watched() -> RouteSettings {
    RouteSettings {
        heartbeat: Some(Duration::from_millis(400)),
        inactivity_timeout: Some(Duration::from_millis(2_500)),
        ..RouteSettings::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn audiences_are_those_of_the_model(steps in steps()) {
        let mut world = World::new(vec![route("/", watched(), Ledger)]);
        let mut clients: Vec<ConnectionId> = Vec::new();
        let mut model: BTreeMap<ConnectionId, BTreeSet<u8>> = BTreeMap::new();
        let mut opened = 0;
        for (number, step) in steps.into_iter().enumerate() {
            let pick = |who: usize| clients.get(who % clients.len().max(1)).copied();
            match step {
                Step::Open => {
                    let id = world.connect("/");
                    clients.push(id);
                    model.insert(id, BTreeSet::new());
                    opened += 1;
                }
                Step::Join(who, room) => if let Some(id) = pick(who) {
                    world.command(id, Command::Join(room.to_string())).unwrap();
                    model.entry(id).and_modify(|rooms| { rooms.insert(room); });
                },
                Step::Leave(who, room) => if let Some(id) = pick(who) {
                    world.command(id, Command::Leave(room.to_string())).unwrap();
                    model.entry(id).and_modify(|rooms| { rooms.remove(&room); });
                },
                Step::Broadcast(who, rooms, me) => if let Some(id) = pick(who).filter(|id| model.contains_key(id)) {
                    let text = format!("#{number}");
                    let names = rooms.clone().map(|rooms| rooms.iter().map(u8::to_string).collect());
                    let command = Command::Broadcast { message: text.as_str().into(), rooms: names, include_self: me };
                    world.command(id, command).unwrap();
                    for (other, joined) in &model {
                        let inside = rooms.as_ref().is_none_or(|rooms| rooms.iter().any(|room| joined.contains(room)));
                        let expected = usize::from(inside && (me || *other != id));
                        let heard = world.client(*other).received.iter().filter(|heard| **heard == text).count();
                        prop_assert_eq!(heard, expected);
                    }
                },
                Step::Close(who) => if let Some(id) = pick(who) {
                    world.close(id, 1000, "");
                },
                Step::Cut(who) => if let Some(id) = pick(who) {
                    world.cut(id);
                },
                Step::Kick(who) => if let Some(id) = pick(who) {
                    world.command(id, Command::Close { code: Some(4000), reason: String::new() }).unwrap();
                },
                Step::Terminate(who) => if let Some(id) = pick(who) {
                    world.command(id, Command::Terminate).unwrap();
                },
                Step::Violate(who) => if let Some(id) = pick(who) {
                    world.violate(id, switchboard_core::CloseCode::PROTOCOL_ERROR, "no");
                },
                Step::Pong(who) => if let Some(id) = pick(who) {
                    world.pong(id, b"");
                },
                Step::Advance(ms) => world.advance(ms),
            }
            // Whoever the engine closed, by a watch or a step, is out of the model and out of every room.
            model.retain(|id, _| world.engine.connection(*id).is_some_and(|connection| connection.is_open()));
            let everyone: BTreeSet<_> = world.engine.audience(0, None).into_iter().collect();
            prop_assert_eq!(&everyone, &model.keys().copied().collect::<BTreeSet<_>>());
            let rooms: Vec<String> = world.engine.rooms(0).map(str::to_owned).collect();
            for room in rooms {
                prop_assert!(world.engine.audience(0, Some(&room)).iter().all(|id| everyone.contains(id)));
            }
        }
        for id in clients {
            world.cut(id);
        }
        prop_assert_eq!(world.removed.values().copied().collect::<Vec<_>>(), vec![1; opened]);
        let mut stats = world.engine.stats();
        (stats.client_bytes.received, stats.client_bytes.sent) = (0, 0);
        prop_assert_eq!(stats, Stats::default());
        // A failed assertion in a handler is an error like any other, and ends up here.
        prop_assert!(world.log.is_empty(), "{:?}", world.log);
    }

    /// A host that wakes exactly when asked sees what a host sees that wakes every millisecond.
    #[test]
    fn sleeping_to_the_deadline_misses_nothing(pauses in prop::collection::vec(0..900u64, 1..12)) {
        let hooks = Hooks { message: true, ..Hooks::default() };
        let settings = RouteSettings { delay: Duration::from_millis(70), ..watched() };
        let run = |exact: bool| {
            let mut world = World::new(vec![route("/", settings.clone(), Deferred::new(hooks.clone()))]);
            let id = world.connect("/");
            for (number, pause) in pauses.iter().enumerate() {
                if number % 3 == 0 { world.pong(id, b""); }
                world.text(id, "x");
                if exact {
                    world.advance(*pause);
                } else {
                    for _ in 0..*pause { world.advance(1); world.timeout(); }
                }
                while !world.calls.is_empty() { world.answer_next(Answer::Done); }
            }
            world.received(id)
        };
        prop_assert_eq!(run(true), run(false));
    }

    /// Whatever the answers are and whenever they come, hooks run one at a time, in order, close last and once.
    #[test]
    fn hooks_of_one_connection_never_overlap(
        plan in prop::collection::vec((any::<bool>(), any::<bool>(), 0..20_000u64), 1..30),
        end in 0..3u8,
    ) {
        let hooks = Hooks { connect: true, message: true, close: true, error: true, ..Hooks::default() };
        let mut world = World::new(vec![route("/", RouteSettings::default(), Deferred::new(hooks))]);
        let id = world.connect("/");
        let (mut sent, mut seen, mut closes) = (0, 0, 0);
        let mut settle = |world: &mut World, fail: bool| -> Result<(), TestCaseError> {
            prop_assert!(world.calls.len() <= 1, "two hooks at once: {:?}", world.calls);
            if let Some((call, _, hook)) = world.calls.pop_front() {
                match &hook {
                    Hook::Message { message: Some(message) } => {
                        let expected = Message::from(seen.to_string());
                        prop_assert_eq!(message, &expected);
                        seen += 1;
                    }
                    Hook::Close { .. } => closes += 1,
                    _ => {}
                }
                let failing = fail && !matches!(hook, Hook::Connect);
                let answer = if failing { Answer::Failed { error: "x".into() } } else { Answer::Done };
                world.answer(call, answer);
            }
            Ok(())
        };
        for (answer, fail, pause) in plan {
            world.text(id, &sent.to_string());
            sent += 1;
            if answer { settle(&mut world, fail)?; }
            if !world.calls.is_empty() { world.advance(pause % 100); }
        }
        match end {
            0 => world.close(id, 1000, ""),
            1 => world.cut(id),
            _ => { settle(&mut world, false)?; world.cut(id); }
        }
        while !world.calls.is_empty() { settle(&mut world, false)?; }
        prop_assert_eq!((seen, closes), (sent, 1));
        prop_assert_eq!(world.removed.get(&id), Some(&1));
    }
}
