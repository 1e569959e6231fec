//! Faults that come and go while the server runs.

use super::*;

#[test]
fn faults_of_a_room_are_for_its_members() {
    let mut world = world(json!({ "routes": [{
        "pattern": "/chat",
        "rules": [{ "match": "join", "do": [{ "join": "a" }] }, { "do": [{ "reply": "hi" }] }],
        "faults": [{ "on": "send", "loss": 1, "room": "a" }],
    }] }));
    let (member, other) = (world.connect("/chat"), world.connect("/chat"));
    world.text(member, "join");
    for id in [member, other] {
        world.text(id, "hi");
    }
    assert_eq!((world.received(member), world.received(other)), (vec![], vec!["hi".into()]));
}

#[test]
fn faults_come_and_go_while_the_server_runs() {
    let mut world = world(json!({ "routes": [
        { "pattern": "/a", "prefix": "/api", "dialect": "echo" }, { "pattern": "/b/*", "dialect": "echo" },
    ] }));
    let says = |world: &mut World, id| {
        world.text(id, "hi");
        world.received(id).len()
    };
    let [a, b, c] = ["/api/a", "/b/1", "/b/2"].map(|path| world.connect(path));
    let lose = || Fault { loss: Some(1.0), ..on(FaultStage::Send) };
    for (scope, heard) in [
        (FaultScope::Everything, [0, 0, 0]),
        (FaultScope::Pattern("/a".into()), [0, 1, 1]),
        (FaultScope::Pattern("/api/a".into()), [0, 1, 1]),
        (FaultScope::Pattern("/b/*".into()), [1, 0, 0]),
        (FaultScope::Pattern("/b/2".into()), [1, 1, 0]),
        (FaultScope::Pattern("/**/1".into()), [1, 0, 1]),
        (FaultScope::Connection(b), [1, 0, 1]),
        (FaultScope::Room { pattern: "/a".into(), room: "nobody's".into() }, [1, 1, 1]),
    ] {
        let id = world.add_faults(scope.clone(), lose());
        assert_eq!([a, b, c].map(|id| says(&mut world, id)), heard, "{scope:?}");
        assert!(world.remove_faults(id));
        assert!(!world.remove_faults(id), "it is gone");
        assert_eq!([a, b, c].map(|id| says(&mut world, id)), [1, 1, 1], "{scope:?}");
    }
    let gone = world.add_faults(FaultScope::Everything, lose());
    world.clear_faults();
    world.add_faults(FaultScope::Everything, Condition::HighLatency);
    assert!(!world.remove_faults(gone), "its id names no others");
    world.add_faults(FaultScope::Everything, lose());
    assert_eq!(world.engine.added_faults(), 4);
    world.clear_faults();
    assert_eq!((says(&mut world, a), world.engine.added_faults(), world.engine.stats().timers), (1, 0, 0));
}

#[test]
fn faults_of_the_next_openings() {
    let mut world = echo(json!([]));
    world.add_faults(
        FaultScope::Everything,
        Fault { refuse: Some(429), times: Some(2), ..on(FaultStage::Open) },
    );
    assert_eq!([(); 3].map(|()| status(&mut world, "/echo")), [Some(429), Some(429), None]);
}

#[test]
fn an_opening_that_is_refused_meets_no_other_fault() {
    let lost = |faults: Value, refused: usize| {
        let mut world = echo(faults);
        (0..refused).for_each(|_| assert_eq!(status(&mut world, "/echo"), Some(503)));
        let id = world.connect("/echo");
        (0..20).for_each(|number| world.text(id, &number.to_string()));
        world.received(id)
    };
    let loss = json!({ "on": "send", "loss": 0.5, "seed": 1 });
    let refuse = json!({ "on": "open", "refuse": 503, "times": 2 });
    assert_eq!(lost(json!([refuse, loss]), 2), lost(json!([loss]), 0));
}

/// The engine has stopped reading before the fault came, and has to be believed when it goes on.
#[test]
fn a_client_that_is_not_read_when_a_fault_comes_is_read_again() {
    let mut world = world(json!({ "routes": [{
        "pattern": "/echo", "dialect": "echo", "outbound": { "maxBytes": 1000, "overflow": "pause" },
    }] }));
    let id = world.connect("/echo");
    world.input(Input::Full { id });
    assert!(world.client(id).paused);
    world.add_faults(
        FaultScope::Everything,
        Fault { latency: Some(Delay::exactly(10)), ..on(FaultStage::Send) },
    );
    world.text(id, "hi");
    world.input(Input::Drained { id });
    assert!(!world.client(id).paused);
    world.advance(10);
    assert_eq!(world.received(id), ["hi"]);
}

#[test]
fn what_is_no_fault_is_not_added() {
    let mut world = echo(json!([]));
    let id = world.connect("/echo");
    let add = |world: &mut World, scope: FaultScope, faults: FaultList| {
        let now = world.now();
        world.engine.add_faults(now, scope, faults, &mut Vec::new()).unwrap_err().to_string()
    };
    let empty: FaultList = Fault::default().into();
    assert!(
        add(&mut world, FaultScope::Everything, empty)
            .starts_with("faults[0]: nothing would happen; write one of refuse")
    );
    let lose: FaultList = Fault { loss: Some(1.0), ..on(FaultStage::Send) }.into();
    assert!(add(&mut world, FaultScope::Pattern("x".into()), lose.clone()).starts_with("pattern: "));
    world.cut(id);
    assert_eq!(
        add(&mut world, FaultScope::Connection(id), lose.clone()),
        "connection: it is closed, or was never there"
    );
    for _ in 0..1000 {
        world.add_faults(FaultScope::Everything, lose.clone());
    }
    assert!(add(&mut world, FaultScope::Everything, lose).contains("at most 1000"));
}

#[test]
fn a_configuration_that_changes_faults_keeps_connections() {
    let options = |faults: Value| {
        json!({ "routes": [
            { "pattern": "/echo", "dialect": "echo", "faults": faults },
            { "pattern": "/other", "dialect": "echo", "faults": [{ "on": "send", "loss": 1, "times": 1 }] },
        ] })
    };
    let mut world = world(options(json!([{ "on": "send", "latency": 100 }])));
    let (id, other) = (world.connect("/echo"), world.connect("/other"));
    world.text(id, "slow");
    let config = Config::from_value(options(json!([{ "on": "send", "loss": 1 }]))).unwrap();
    assert_eq!(world.reconfigure(config.configuration()).kept, 2);
    world.text(id, "lost");
    world.advance(100);
    assert_eq!(world.received(id), ["slow"], "what is on its way stays on its way");
    // What has not changed goes on where it was.
    let says = |world: &mut World, text| {
        world.text(other, text);
        world.received(other).len()
    };
    assert_eq!((says(&mut world, "lost"), says(&mut world, "heard")), (0, 1));
    world.reconfigure(config.configuration());
    assert_eq!(says(&mut world, "heard"), 1);
    let config = Config::from_value(options(json!([]))).unwrap();
    world.reconfigure(config.configuration());
    world.text(id, "heard");
    assert_eq!(world.received(id), ["heard"]);
}
