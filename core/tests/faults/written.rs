//! How faults are written, and the conditions that have names.

use super::*;

#[test]
fn conditions_do_what_their_names_say() {
    let route = |condition: &str| {
        world(json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "condition": condition }] }))
    };
    let mut offline = route("offline");
    let id = offline.upgrade("/echo");
    assert!(offline.client(id).gone && offline.client(id).rejected.is_none());

    let mut slow = route("slow-3g");
    let id = slow.upgrade("/echo");
    slow.advance(2000);
    slow.open(id);
    slow.text(id, "hi");
    // 8 and 4 bytes at 50 a ms, and twice 400 ms.
    assert_eq!(timeline(&mut slow, id, 900), at(&[(802, "hi")]));

    let mut far = route("high-latency");
    let id = far.upgrade("/echo");
    far.advance(700);
    far.open(id);
    far.text(id, "hi");
    let heard = timeline(&mut far, id, 800);
    assert!((600..=700).contains(&heard[0].0), "{heard:?}");

    let mut quiet = route("half-open");
    let id = quiet.connect("/echo");
    quiet.text(id, "hi");
    assert_eq!(timeline(&mut quiet, id, 1000), []);

    let mut restarting = route("restarting");
    let refused = (0..40).filter(|_| status(&mut restarting, "/echo") == Some(503)).count();
    assert!((10..30).contains(&refused), "{refused}");
    let id = (0..100).find_map(|_| {
        let id = restarting.upgrade("/echo");
        restarting.client(id).accepted.is_some().then_some(id)
    });
    let id = id.unwrap();
    restarting.open(id);
    assert_eq!(timeline(&mut restarting, id, 10_000), at(&[(10_000, "<close 1012 Service restart>")]));

    let mut flaky = route("flaky");
    flaky.add_faults(
        FaultScope::Everything,
        Fault { latency: Some(Delay::exactly(1)), ..on(FaultStage::Send) },
    );
    let (mut refused, mut open) = (0, Vec::new());
    for _ in 0..200 {
        let id = flaky.upgrade("/echo");
        match flaky.client(id).rejected {
            Some(503) => refused += 1,
            _ => {
                flaky.open(id);
                open.push(id);
            }
        }
    }
    assert!((5..40).contains(&refused), "{refused}");
    for &id in &open {
        flaky.text(id, "hi");
    }
    flaky.advance(601);
    let heard = open.iter().filter(|id| flaky.received(**id) == ["hi"]).count();
    assert!(heard < open.len() && heard > open.len() * 9 / 10, "{heard} of {}", open.len());
    flaky.advance(30_000);
    assert_eq!(flaky.engine.connections(), 0);
}

#[test]
fn clients_may_choose_a_condition_where_the_route_lets_them() {
    let route = |chosen: Value| {
        world(json!({ "routes": [{ "pattern": "/echo", "dialect": "echo", "clientConditions": chosen }] }))
    };
    let mut closed = route(json!(false));
    let id = closed.connect("/echo?switchboard-fault=half-open");
    closed.text(id, "hi");
    assert_eq!(closed.received(id), ["hi"], "it is off");

    let mut some = route(json!(["half-open", "offline"]));
    let chosen = some.connect("/echo?a=b&switchboard-fault=half-open");
    let by_header = some.upgrade_with("/echo", &[("switchboard-fault", "half-open")]);
    some.open(by_header);
    let other = some.connect("/echo");
    for id in [chosen, by_header, other] {
        some.text(id, "hi");
    }
    assert_eq!([chosen, by_header, other].map(|id| some.received(id).len()), [0, 0, 1]);
    assert_eq!(status(&mut some, "/echo?switchboard-fault=flaky"), Some(400), "it is not among them");
    assert_eq!(status(&mut some, "/echo?switchboard-fault=nonsense"), Some(400));
    let dropped = some.upgrade("/echo?switchboard-fault=offline");
    assert!(some.client(dropped).gone);
    for id in [chosen, by_header, other] {
        some.cut(id);
    }
    assert_eq!((some.engine.connections(), some.engine.stats().timers), (0, 0));
}

#[test]
fn mistakes_are_named_with_their_key() {
    for (route, expected) in [
        (
            json!({ "faults": [{ "on": "send", "latancy": 1 }] }),
            "routes[0].faults[0].latancy: unknown key; did you mean \"latency\"?",
        ),
        (
            json!({ "faults": [{ "on": "sent", "latency": 1 }] }),
            "routes[0].faults[0].on: expected \"open\" or \"send\" or \"receive\", got \"sent\"; did you mean \"send\"?",
        ),
        (
            json!({ "faults": [{ "on": "send", "loss": 2 }] }),
            "routes[0].faults[0].loss: expected a chance from 0 to 1, got 2",
        ),
        (
            json!({ "faults": [{ "on": "open", "loss": 1 }] }),
            "routes[0].faults[0].loss: happens to messages, not to on = \"open\"; write on = \"send\" or on = \"receive\"",
        ),
        (
            json!({ "faults": [{ "loss": 1 }] }),
            "routes[0].faults[0].loss: write on = \"send\" or on = \"receive\" as well",
        ),
        (
            json!({ "faults": [{ "on": "receive", "damage": "mask" }] }),
            "routes[0].faults[0].damage: does not go with on = \"receive\"; write on = \"send\"",
        ),
        (
            json!({ "faults": [{ "on": "send", "damage": "utf-8" }] }),
            "routes[0].faults[0].damage: expected \"length\" or \"mask\" or \"utf8\" or \"opcode\" or \"deflate\" or \"oversized\", got \"utf-8\"; did you mean \"utf8\"?",
        ),
        (
            json!({ "faults": [{ "on": "open", "refuse": 200 }] }),
            "routes[0].faults[0].refuse: expected an HTTP status from 400 to 599, got 200",
        ),
        (
            json!({ "faults": [{ "close": 1006 }] }),
            "routes[0].faults[0].close: 1006 must not be sent; write 1000, 1012 or one from 3000 to 4999",
        ),
        (
            json!({ "faults": [{ "close": 1012, "terminate": true }] }),
            "routes[0].faults[0]: a connection ends in one way: write close, terminate or halfOpen",
        ),
        (
            json!({ "faults": [{ "on": "send", "latency": { "min": 5, "max": 1 } }] }),
            "routes[0].faults[0].latency: min is more than max",
        ),
        (
            json!({ "faults": [{ "on": "send", "latency": "5s" }] }),
            "routes[0].faults[0].latency: expected a whole number of ms, or an object such as { min = 50, max = 400 }, got text \"5s\"",
        ),
        (
            json!({ "faults": [{ "on": "send", "throttle": 0 }] }),
            "routes[0].faults[0].throttle: nothing would ever pass; write at least 1, or halfOpen = true",
        ),
        (
            json!({ "faults": [{ "after": {}, "terminate": true }] }),
            "routes[0].faults[0].after: write messages, bytes or ms, such as { messages = 10 }",
        ),
        (
            json!({ "condition": "slow-4g" }),
            "routes[0].condition: expected \"offline\" or \"flaky\" or \"slow-3g\" or \"high-latency\" or \"half-open\" or \"restarting\", got \"slow-4g\"; did you mean \"slow-3g\"?",
        ),
        (
            json!({ "clientConditions": ["halfopen"] }),
            "routes[0].clientConditions: there is no condition \"halfopen\"; did you mean \"half-open\"?",
        ),
    ] {
        let mut route = route;
        route["pattern"] = json!("/");
        let error = Config::from_value(json!({ "routes": [route] })).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn they_are_written_in_toml_too() {
    let config = Config::from_toml(
        r#"
        [[routes]]
        pattern = "/echo"
        dialect = "echo"
        faults = [
          { on = "open", probability = 0.3, refuse = 503, seed = 1 },
          { on = "send", latency = { min = 50, max = 400 }, loss = 0.01 },
          { after = { messages = 10 }, terminate = true },
        ]
        "#,
    );
    let mut world = World::with_engine(config.unwrap().engine([7; 32]).unwrap());
    let mut open = (0..10).filter_map(|_| {
        let id = world.upgrade("/echo");
        world.client(id).accepted.is_some().then_some(id)
    });
    let id = open.next().unwrap();
    drop(open);
    world.open(id);
    for _ in 0..10 {
        world.text(id, "hi");
        world.advance(400);
    }
    let heard = world.received(id);
    assert_eq!(heard.last().unwrap(), "<eof>");
    assert!((4..=6).contains(&heard.len()), "{heard:?}");
}
