//! Tables of what a player does when.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::dialect::replay::ScenarioScript;
use crate::dialect::replay::mismatch::in_short;
use crate::message::CloseFrame;
use crate::template::scope::tests::Fixture;
use crate::time::WallTime;

/// A player with a clock.
struct Table {
    player: Player,
    ms: u64,
    fixture: Fixture,
}

impl Table {
    fn of_steps(matching: Matching, steps: Vec<Step>) -> Self {
        let mut player =
            Player::of_recording("x.jsonl".into(), matching, Arc::new([]), Instant::from_ms(100));
        player.add(steps, true);
        Self { player, ms: 100, fixture: Fixture::without_message() }
    }

    fn of_scenario(script: Value) -> Self {
        let script: ScenarioScript = serde_json::from_value(script).expect("a scenario");
        script.check().expect("a good scenario");
        let program = Arc::new(script.compile("scenario").expect("a program"));
        let player = Player::of_scenario(program, Instant::from_ms(100));
        Self { player, ms: 100, fixture: Fixture::without_message() }
    }

    /// What is done now, after this message came.
    fn hears(&mut self, message: &str) -> String {
        let mut orders = Vec::new();
        self.player.hear(message.into(), &mut orders);
        self.goes_on(orders)
    }

    fn at(&mut self, ms: u64) -> String {
        self.ms = ms;
        self.goes_on(Vec::new())
    }

    fn goes_on(&mut self, mut orders: Vec<Order>) -> String {
        let now = Now { instant: Instant::from_ms(self.ms), wall: WallTime::default() };
        let scope = self.fixture.scope();
        let mut random = |bytes: &mut [u8]| bytes.fill(0);
        let mut stage = Stage { connection: scope.connection, now, random: &mut random };
        self.player.go_on(&mut stage, &mut orders);
        let told = orders.iter().map(|order| match order {
            Order::Do(Command::Send(message)) => in_short(message),
            Order::Do(Command::Close { code, reason }) => format!("close {code:?} {reason}"),
            Order::Do(other) => format!("{other:?}"),
            Order::Drop => "drop".to_owned(),
            Order::Fault(_) => "fault".to_owned(),
            Order::Wake(at) => format!("wake {}", at.as_ms()),
            Order::Read => "read".to_owned(),
            Order::Restart => "restart".to_owned(),
            Order::Mismatch(mismatch) => format!("mismatch {mismatch}"),
        });
        told.collect::<Vec<_>>().join(" | ")
    }
}

fn expect(text: &str, line: u64) -> Step {
    Step::Expect { message: text.into(), line }
}

fn ms(ms: u64) -> Step {
    Step::Wait(Duration::from_millis(ms))
}

#[test]
fn the_servers_messages_wait_for_those_of_the_client() {
    let steps = vec![
        Step::Send("hello".into()),
        expect(r#"{"type":"a","id":1}"#, 3),
        expect(r#"{"type":"b","id":2}"#, 4),
        ms(10),
        Step::Send(r#"{"id":1}"#.into()),
        Step::Wait(Duration::from_micros(400)),
        Step::Send(r#"{"id":2}"#.into()),
        Step::Close(Some(CloseFrame::new(crate::CloseCode(4000), "bye"))),
    ];
    let mut table = Table::of_steps(Matching::Shape, steps);
    assert_eq!(table.at(100), "hello");
    assert_eq!(table.at(150), "");
    assert_eq!(table.hears(r#"{"type":"b","id":8}"#), "", "in any order");
    assert_eq!(
        table.hears(r#"{"type":"c","id":8}"#),
        r#"mismatch {"type":"c","id":8} came from the client, where x.jsonl line 3 expects {"type":"a","id":1}: type: recorded "a", got "c""#
    );
    assert_eq!(table.hears(r#"{"type":"a","id":7}"#), "wake 160");
    assert_eq!(table.at(160), r#"{"id":7} | wake 161"#);
    assert_eq!(table.at(161), r#"{"id":8} | close Some(4000) bye"#);
    assert_eq!(table.at(162), "");
}

#[test]
fn what_comes_early_waits_and_too_much_is_told() {
    let steps = vec![ms(50), Step::Send("s".into()), expect("q", 3)];
    let mut table = Table::of_steps(Matching::Exact, steps);
    assert_eq!(table.hears("q"), "wake 150");
    assert_eq!(table.at(150), "s");
    assert_eq!(table.hears("q"), "mismatch q came from the client, where x.jsonl expects nothing more");
    let mut table = Table::of_steps(Matching::Any, vec![ms(50)]);
    for _ in 0..MAX_EARLY {
        assert_eq!(table.hears("q"), "wake 150");
    }
    assert!(
        table.hears("q").starts_with("mismatch q came from the client, where x.jsonl, which is not that far")
    );
}

#[test]
fn heartbeats_of_phoenix_are_answered_at_once() {
    let mut table = Table::of_steps(Matching::Exact, vec![expect("q", 3)]);
    assert_eq!(
        table.hears(r#"[null,"9","phoenix","heartbeat",{}]"#),
        r#"[null,"9","phoenix","phx_reply",{"status":"ok","response":{}}]"#
    );
}

#[test]
fn a_long_turn_lets_others_go_first() {
    let steps = (0..SLICE_STEPS + 5).map(|_| Step::Send("s".into())).collect();
    let mut table = Table::of_steps(Matching::Exact, steps);
    assert!(table.at(100).ends_with("s | wake 101"));
    assert_eq!(table.at(101), "s | s | s | s | s");
}

#[test]
fn a_scenario_expects_sets_loops_and_chooses() {
    let mut table = Table::of_scenario(json!({
        "variables": { "name": "nobody" },
        "steps": [
            { "expect": { "type": "hello" } },
            { "set": { "name": "{message.name}" } },
            { "send": { "type": "welcome", "name": "{let.name}" } },
            { "loop": { "times": 2, "steps": [
                { "choose": [
                    { "expect": { "type": "ping" }, "steps": [{ "send": "pong" }] },
                    { "expectBinary": true, "steps": [{ "sendBinary": "AQI=" }] },
                ] },
                { "wait": 5 },
            ] } },
            { "close": { "code": 4001, "reason": "bye {let.name}" } },
        ],
    }));
    assert_eq!(table.at(100), "");
    assert_eq!(
        table.hears(r#"{"type":"hallo"}"#),
        r#"mismatch {"type":"hallo"} came from the client, where scenario[0] expects {"type":"hello"}: type: recorded "hello", got "hallo""#
    );
    assert_eq!(table.hears(r#"{"type":"hello","name":"Ada"}"#), r#"{"type":"welcome","name":"Ada"}"#);
    assert_eq!(
        table.hears("x"),
        r#"mismatch x came from the client, where scenario[3].loop.steps[0] expects {"type":"ping"} or a binary message"#
    );
    assert_eq!(table.hears(r#"{"type":"ping"}"#), "pong | wake 105");
    assert_eq!(table.hears(r#"{"type":"ping"}"#), "wake 105");
    assert_eq!(table.at(105), "pong | wake 110");
    assert_eq!(table.at(110), "close Some(4001) bye Ada");
}

#[test]
fn a_scenario_goes_elsewhere_when_nothing_comes_in_time() {
    let mut table = Table::of_scenario(json!({ "steps": [
        { "label": "again" },
        { "expect": { "a": 1 }, "within": 20, "otherwise": "late" },
        { "send": "thanks" },
        { "goto": "again" },
        { "label": "late" },
        { "send": "too late" },
        { "terminate": true },
    ] }));
    assert_eq!(table.at(100), "wake 120");
    assert_eq!(table.at(119), "wake 120");
    assert_eq!(table.hears(r#"{"a":1}"#), "thanks | wake 139");
    assert_eq!(table.at(140), "too late | drop");
}

#[test]
fn a_loop_without_a_wait_does_not_take_all_the_time() {
    let mut table = Table::of_scenario(json!({ "steps": [
        { "fault": { "on": "send", "loss": 1 } },
        { "loop": { "steps": [{ "set": { "x": 1 } }] } },
    ] }));
    assert_eq!(table.at(100), "fault | wake 101");
    assert_eq!(table.at(101), "wake 102");
    assert_eq!(table.at(102), "wake 103");
}
