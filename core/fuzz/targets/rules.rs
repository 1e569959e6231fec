//! Rules and templates: any text is a template or explained; rules evaluate to commands that can be carried out, the
//! same ones each time.
//!
//! Input: the rules as JSON in the first line, a message in each further one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use switchboard_core::dialect::rules::{On, Rule, Rules};
use switchboard_core::time::WallTime;
use switchboard_core::{CloseCode, CloseFrame, Command, ConnectionScope, Message, Params, Scope, Template};

fuzz_target!(|text: &str| {
    let (rules, messages) = text.split_once('\n').unwrap_or((text, ""));
    match Template::new(rules) {
        Ok(template) => assert!(template.constant().is_none_or(|constant| constant.len() <= rules.len())),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let rules = match serde_json::from_str::<Vec<Rule>>(rules) {
        Ok(rules) => Rules::new(rules),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    evaluate(&rules, On::Connect, None);
    for message in messages.lines().take(8) {
        evaluate(&rules, On::Message, Some(message));
    }
    evaluate(&rules, On::Close, None);
});

fn evaluate(rules: &Rules, on: On, message: Option<&str>) {
    let commands = once(rules, on, message);
    assert_eq!(once(rules, on, message), commands, "the same event, another outcome");
    for command in commands {
        match command {
            Command::Join(room) | Command::Leave(room) => assert!(!room.is_empty()),
            Command::Broadcast { rooms: Some(rooms), .. } => {
                assert!(rooms.iter().all(|room| !room.is_empty()))
            }
            Command::Close { code, .. } => assert!(code.is_none_or(|code| CloseCode(code).is_sendable())),
            _ => {}
        }
    }
}

fn once(rules: &Rules, on: On, message: Option<&str>) -> Vec<Command> {
    let json: Option<Value> = message.and_then(|message| serde_json::from_str(message).ok());
    let message = message.map(Message::from);
    let close = CloseFrame::new(CloseCode(4001), "bye");
    let params: Params = [("room", "lobby")].into_iter().collect();
    let auth_data = json!({"user": "ada", "tags": [1, null]});
    let rooms = || vec!["lobby".to_owned(), "dev".to_owned()];
    let connection = ConnectionScope {
        id: "c-1",
        path: "/api/ws/lobby",
        subprotocol: None,
        params: &params,
        query: "q=a+b&x=1&x=%ff",
        auth_data: &auth_data,
        rooms: &rooms,
    };
    let mut counter = 0;
    let mut random = |bytes: &mut [u8]| {
        for byte in bytes {
            counter += 1;
            *byte = counter;
        }
    };
    let mut scope = Scope::new(connection, WallTime::from_us(1_795_170_489_747_484), &mut random);
    scope.message = message.as_ref();
    scope.json = json.as_ref();
    scope.close = (on == On::Close).then_some(&close);
    rules.evaluate(on, &mut scope)
}
