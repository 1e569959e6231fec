//! What holds of faults on purpose, whatever they are and whenever they come and go.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod support;

use bytes::Bytes;
use http::{Method, Request};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::World;
use switchboard_core::control::{ControlSettings, PATH};
use switchboard_core::{Config, ConnectionId, FaultId, FaultList, FaultScope};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Open,
    Say(usize, usize),
    Ping(usize),
    Close(usize),
    Cut(usize),
    Advance(u64),
    /// A fault is added, for one connection or for all.
    Add(Option<usize>, Value),
    Remove(usize),
    Clear,
    /// The route has these faults from now on.
    Reconfigure(Vec<Value>),
    /// Somebody asks the control API: about breakpoints, what they hold, and who is not read.
    Ask(Method, String, Value),
}

/// A request about breakpoints. The numbers that it names may be there or not.
fn request() -> impl Strategy<Value = Step> {
    let direction = prop_oneof![Just("in"), Just("out"), Just("both")];
    let contains = prop::option::of((0..10u8).prop_map(|digit| digit.to_string()));
    let (limit, timeout) = (prop::option::of(1..5u64), prop::option::of(1..3_000u64));
    let add = (direction, contains, limit, timeout.clone(), any::<bool>()).prop_map(
        |(direction, contains, limit, timeout, persist)| {
            let body = json!({
                "everyone": true, "direction": direction, "contains": contains, "limit": limit, "timeout": timeout,
                "persist": persist,
            });
            Step::Ask(Method::POST, "/breakpoints".to_owned(), body)
        },
    );
    let action = prop_oneof![
        3 => Just(json!({ "action": "pass" })),
        1 => Just(json!({ "action": "drop" })),
        1 => Just(json!({ "action": "pass", "text": "edited" })),
    ];
    let decide =
        (0..40u64, action).prop_map(|(id, body)| Step::Ask(Method::POST, format!("/held/{id}"), body));
    let pause = timeout.prop_map(|timeout| {
        Step::Ask(Method::POST, "/pause".to_owned(), json!({ "everyone": true, "timeout": timeout }))
    });
    let fixed = prop_oneof![
        Just(Step::Ask(Method::POST, "/held".to_owned(), json!({ "action": "pass" }))),
        Just(Step::Ask(Method::DELETE, "/breakpoints".to_owned(), Value::Null)),
        Just(Step::Ask(Method::POST, "/resume".to_owned(), json!({ "everyone": true }))),
        Just(Step::Ask(Method::POST, "/terminate".to_owned(), json!({ "everyone": true }))),
    ];
    prop_oneof![4 => add, 6 => decide, 1 => pause, 2 => fixed]
}

fn fault() -> impl Strategy<Value = Value> {
    let chance = prop_oneof![Just(0.0), Just(0.3), Just(1.0)];
    let stage = prop_oneof![Just("send"), Just("receive")];
    let effect = prop_oneof![
        chance.clone().prop_map(|loss| json!({ "loss": loss })),
        chance.clone().prop_map(|duplicate| json!({ "duplicate": duplicate })),
        chance.clone().prop_map(|reorder| json!({ "reorder": reorder })),
        (0..50u64, 50..900u64).prop_map(|(min, max)| json!({ "latency": { "min": min, "max": max } })),
        (1..5_000u64).prop_map(|throttle| json!({ "throttle": throttle })),
        (0..20usize).prop_map(|truncate| json!({ "truncate": truncate })),
    ];
    let of_frames = (stage, effect).prop_map(|(stage, mut fault)| {
        fault["on"] = json!(stage);
        fault
    });
    let damage = prop_oneof![Just("length"), Just("mask"), Just("utf8"), Just("opcode"), Just("deflate")]
        .prop_map(|damage| json!({ "on": "send", "damage": damage }));
    let end = prop_oneof![
        Just(json!({ "close": 1012 })),
        Just(json!({ "terminate": true })),
        Just(json!({ "halfOpen": true })),
    ];
    let after = prop_oneof![
        (1..6u64).prop_map(|messages| json!({ "messages": messages })),
        (1..300u64).prop_map(|bytes| json!({ "bytes": bytes })),
        (0..900u64).prop_map(|ms| json!({ "ms": ms })),
    ];
    let end = (end, after).prop_map(|(mut fault, after)| {
        fault["after"] = after;
        fault
    });
    let open = prop_oneof![
        Just(json!({ "on": "open", "refuse": 503 })),
        Just(json!({ "on": "open", "terminate": true })),
        Just(json!({ "on": "open", "hang": true })),
        Just(json!({ "on": "open", "silent": true })),
        (0..900u64).prop_map(|latency| json!({ "on": "open", "latency": latency })),
    ];
    let any = prop_oneof![5 => of_frames, 1 => damage, 2 => end, 1 => open];
    (any, prop::option::of(chance), prop::option::of(0..3u64), prop::option::of(0..9u64)).prop_map(
        |(mut fault, probability, times, seed)| {
            for (key, value) in
                [("probability", json!(probability)), ("times", json!(times)), ("seed", json!(seed))]
            {
                if !value.is_null() {
                    fault[key] = value;
                }
            }
            fault
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..6usize;
    let step = prop_oneof![
        4 => Just(Step::Open),
        12 => (who.clone(), 0..200usize).prop_map(|(who, length)| Step::Say(who, length)),
        2 => who.clone().prop_map(Step::Ping),
        1 => who.clone().prop_map(Step::Close),
        1 => who.clone().prop_map(Step::Cut),
        6 => (0..1_500u64).prop_map(Step::Advance),
        3 => (prop::option::of(who.clone()), fault()).prop_map(|(who, fault)| Step::Add(who, fault)),
        2 => who.prop_map(Step::Remove),
        1 => Just(Step::Clear),
        1 => prop::collection::vec(fault(), 0..3).prop_map(Step::Reconfigure),
        5 => request(),
    ];
    prop::collection::vec(step, 1..60)
}

fn config(faults: &[Value], overflow: &str) -> Config {
    Config::from_value(json!({ "routes": [{
        "pattern": "/", "dialect": "relay", "heartbeat": 400, "faults": faults,
        "outbound": { "maxBytes": 500, "overflow": overflow },
    }] }))
    .unwrap()
}

/// What the control API answers.
fn ask(world: &mut World, method: &Method, path: &str, body: &Value) -> Value {
    let request = Request::builder().method(method).uri(format!("{PATH}{path}"));
    let request = request.header("host", "localhost").header("authorization", "Bearer t0p");
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    let response = world.request(&request.body(body).unwrap()).unwrap();
    assert!([200, 400, 404].contains(&response.status().as_u16()), "{path}: {response:?}");
    serde_json::from_slice(response.body()).unwrap()
}

/// Everything that clients hear, in the order and at the time they do.
fn run(faults: &[Value], overflow: &str, steps: &[Step]) -> Vec<(u64, usize, Vec<String>)> {
    let mut world = World::with_engine(config(faults, overflow).engine([7; 32]).unwrap());
    world.engine.set_control(ControlSettings::new("t0p"));
    world.address = Some([127, 0, 0, 1].into());
    let mut clients: Vec<ConnectionId> = Vec::new();
    let mut added: Vec<FaultId> = Vec::new();
    let mut told = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let pick = |who: usize| clients.get(who % clients.len().max(1)).copied();
        let open = |world: &World, who| {
            pick(who).filter(|id| !world.client(*id).gone && world.client(*id).accepted.is_some())
        };
        match step {
            Step::Open => clients.push(world.upgrade("/")),
            Step::Say(who, length) => {
                if let Some(id) = open(&world, *who) {
                    world.text(id, &format!("{number} {}", "x".repeat(*length)));
                }
            }
            Step::Ping(who) => {
                if let Some(id) = open(&world, *who) {
                    world.ping(id, b"ping");
                }
            }
            Step::Close(who) => {
                if let Some(id) = open(&world, *who) {
                    world.close(id, 1000, "");
                }
            }
            Step::Cut(who) => {
                if let Some(id) = pick(*who).filter(|id| world.client(*id).rejected.is_none()) {
                    world.cut(id);
                }
            }
            Step::Advance(ms) => world.advance(*ms),
            Step::Add(who, fault) => {
                let scope = match who.and_then(|who| open(&world, who)) {
                    Some(id) if world.engine.connection(id).is_some() => FaultScope::Connection(id),
                    _ => FaultScope::Everything,
                };
                added.push(world.add_faults(scope, FaultList::from_value(fault.clone()).unwrap()));
            }
            Step::Remove(which) => {
                if !added.is_empty() {
                    world.remove_faults(added.remove(which % added.len()));
                }
            }
            Step::Clear => world.clear_faults(),
            Step::Reconfigure(faults) => {
                world.reconfigure(config(faults, overflow).configuration());
            }
            Step::Ask(method, path, body) => {
                ask(&mut world, method, path, body);
            }
        }
        // As hosts do when they were told to accept.
        for &id in &clients {
            let is_new = world.engine.connection(id).is_some_and(|connection| {
                world.client(id).accepted.is_some() && !connection.is_open() && !world.client(id).gone
            });
            if is_new && !world.client(id).is_told_closed {
                world.open(id);
            }
        }
        for (index, id) in clients.iter().enumerate() {
            let heard = world.received(*id);
            if !heard.is_empty() {
                told.push((world.now().instant.as_ms(), index, heard));
            }
        }
    }
    world.clear_faults();
    let held = ask(&mut world, &Method::GET, "/breakpoints", &Value::Null);
    let (all, bound) = (held["held"].as_array().unwrap(), held["breakpoints"].as_array().unwrap().len());
    assert!(all.len() <= 1_000 && bound <= 64, "{held}");
    ask(&mut world, &Method::DELETE, "/breakpoints", &Value::Null);
    for &id in &clients {
        if world.client(id).rejected.is_none() {
            world.cut(id);
        }
    }
    world.advance(3_600_000);
    for id in &clients {
        let count = world.removed.get(id).copied().unwrap_or_default();
        assert_eq!(count, usize::from(world.client(*id).rejected.is_none()), "{:?}", world.client(*id));
    }
    let stats = world.engine.stats();
    assert_eq!((stats.connections, stats.timers, stats.rooms), (0, 0, 0));
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The engine keeps its word to its host, nothing is left behind, and the same inputs have the same outcome.
    #[test]
    fn the_same_inputs_have_the_same_outcome_and_leave_nothing(
        faults in prop::collection::vec(fault(), 0..4),
        overflow in prop_oneof![Just("close"), Just("drop-oldest"), Just("pause")],
        steps in steps(),
    ) {
        prop_assert_eq!(run(&faults, overflow, &steps), run(&faults, overflow, &steps));
    }

    /// Late messages are neither lost nor doubled, nor do they change places.
    #[test]
    fn latency_and_throttling_keep_everything_in_order(
        delays in prop::collection::vec((0..500u64, 0..500u64, any::<bool>()), 1..4),
        throttle in prop::option::of(50..2_000u64),
        pauses in prop::collection::vec(0..200u64, 1..40),
    ) {
        let mut faults: Vec<_> = delays
            .into_iter()
            .map(|(min, more, sends)| {
                let on = if sends { "send" } else { "receive" };
                json!({ "on": on, "latency": { "min": min, "max": min + more } })
            })
            .collect();
        faults.extend(throttle.map(|rate| json!({ "on": "send", "throttle": rate })));
        let config = Config::from_value(json!({ "routes": [{ "pattern": "/", "dialect": "echo", "faults": faults }] }));
        let mut world = World::with_engine(config.unwrap().engine([7; 32]).unwrap());
        let id = world.connect("/");
        for (number, pause) in pauses.iter().enumerate() {
            world.text(id, &number.to_string());
            world.advance(*pause);
        }
        world.advance(600_000);
        let sent: Vec<_> = (0..pauses.len()).map(|number| number.to_string()).collect();
        prop_assert_eq!(world.received(id), sent);
    }

    /// Held messages are neither lost nor doubled, nor do they change places, whenever they are decided.
    #[test]
    fn breakpoints_keep_everything_in_order(
        steps in prop::collection::vec((0..3_000u64, request()), 1..40),
        latency in 0..300u64,
    ) {
        let config = Config::from_value(json!({ "routes": [{ "pattern": "/", "dialect": "relay" }] })).unwrap();
        let mut world = World::with_engine(config.engine([7; 32]).unwrap());
        world.engine.set_control(ControlSettings::new("t0p"));
        world.address = Some([127, 0, 0, 1].into());
        let latency = json!([{ "on": "send", "latency": latency }, { "on": "receive", "latency": latency }]);
        world.add_faults(FaultScope::Everything, FaultList::from_value(latency).unwrap());
        let [talker, listener] = ["/"; 2].map(|path| world.connect(path));
        let mut sent = Vec::new();
        for (number, (pause, step)) in steps.into_iter().enumerate() {
            if let Step::Ask(method, path, body) = &step
                && path != "/terminate"
                && body["action"] != "drop"
                && body.get("text").is_none()
            {
                ask(&mut world, method, path, body);
            }
            sent.push(number.to_string());
            world.text(talker, &number.to_string());
            world.advance(pause);
        }
        ask(&mut world, &Method::DELETE, "/breakpoints", &Value::Null);
        world.advance(1_000);
        prop_assert_eq!(world.received(listener), sent);
    }
}
