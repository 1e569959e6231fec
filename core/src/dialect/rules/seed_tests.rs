//! vite-plugin-universal-api's documented chat and game, as rules: what its callbacks do, without code.

use serde_json::{Value, json};

use super::{On, Rule, Rules};
use crate::template::scope::tests::Fixture;
use crate::{Command, Message};

fn rules(rules: Value) -> Rules {
    Rules::new(serde_json::from_value::<Vec<Rule>>(rules).expect("rules"))
}

fn on_message(rules: &Rules, message: Value) -> Vec<Command> {
    rules.evaluate(On::Message, &mut Fixture::new(message).scope())
}

fn reply(value: Value) -> Command {
    Command::Send(Message::from(&value))
}

fn broadcast(value: Value, rooms: &[&str], include_self: bool) -> Command {
    let rooms = Some(rooms.iter().map(|room| (*room).to_owned()).collect());
    Command::Broadcast { message: Message::from(&value), rooms, include_self }
}

#[test]
fn chat_with_rooms() {
    let chat = rules(json!([
        {
            "match": { "type": "join-room" },
            "do": [
                { "join": "{message.room}" },
                {
                    "broadcast": { "type": "user-joined", "username": "{message.username}", "room": "{message.room}" },
                    "rooms": ["{message.room}"], "includeSelf": false,
                },
            ],
        },
        { "match": { "type": "leave-room" }, "do": [{ "leave": "{message.room}" }] },
        {
            "match": { "type": "message" },
            "do": [{
                "broadcast": { "type": "chat-message", "from": "{message.username}", "text": "{message.text}" },
                "rooms": ["{message.room}"], "includeSelf": true,
            }],
        },
    ]));
    assert_eq!(
        on_message(&chat, json!({"type": "join-room", "room": "general", "username": "Alice"})),
        [
            Command::Join("general".into()),
            broadcast(
                json!({"type": "user-joined", "username": "Alice", "room": "general"}),
                &["general"],
                false
            ),
        ]
    );
    assert_eq!(
        on_message(&chat, json!({"type": "leave-room", "room": "general"})),
        [Command::Leave("general".into())]
    );
    assert_eq!(
        on_message(
            &chat,
            json!({"type": "message", "room": "general", "username": "Alice", "text": "Hello everyone!"})
        ),
        [broadcast(
            json!({"type": "chat-message", "from": "Alice", "text": "Hello everyone!"}),
            &["general"],
            true
        )]
    );
    assert_eq!(on_message(&chat, json!({"type": "else"})), []);
    assert_eq!(on_message(&chat, json!([1])), []);
}

#[test]
fn chat_application() {
    let chat = rules(json!([
        { "on": "connect", "do": [{ "reply": { "type": "connected", "id": "{connection.id}" } }] },
        {
            "match": { "type": "join" },
            "do": [
                { "join": "chat" },
                { "broadcast": { "type": "user-joined", "username": "{message.username}" }, "rooms": ["chat"] },
            ],
        },
        {
            "match": { "type": "message" },
            "do": [{
                "broadcast": {
                    "type": "chat-message", "username": "{message.username}", "message": "{message.message}",
                    "timestamp": "{now}",
                },
                "rooms": ["chat"], "includeSelf": true,
            }],
        },
        { "on": "close", "do": [{ "broadcast": { "type": "user-left", "userId": "{connection.id}" } }] },
    ]));
    let connected = chat.evaluate(On::Connect, &mut Fixture::without_message().scope());
    assert_eq!(connected, [reply(json!({"type": "connected", "id": "c-1"}))]);
    assert_eq!(
        on_message(&chat, json!({"type": "join", "username": "Alice"})),
        [
            Command::Join("chat".into()),
            broadcast(json!({"type": "user-joined", "username": "Alice"}), &["chat"], false),
        ]
    );
    let message = json!({"type": "chat-message", "username": "Alice", "message": "Hi", "timestamp": 1_795_170_489_747_u64});
    assert_eq!(
        on_message(&chat, json!({"type": "message", "username": "Alice", "message": "Hi"})),
        [broadcast(message, &["chat"], true)]
    );
    let left = Message::from(&json!({"type": "user-left", "userId": "c-1"}));
    assert_eq!(
        chat.evaluate(On::Close, &mut Fixture::without_message().scope()),
        [Command::Broadcast { message: left, rooms: None, include_self: false }]
    );
}

#[test]
fn game_server() {
    let game = rules(json!([
        { "on": "connect", "do": [{ "join": "lobby" }, { "reply": { "type": "joined-lobby" } }] },
        {
            "match": { "type": "create-game" },
            "let": { "gameId": "{random.id}" },
            "do": [{ "join": "{let.gameId}" }, { "reply": { "type": "game-created", "gameId": "{let.gameId}" } }],
        },
        {
            "match": { "type": "join-game" },
            "do": [
                { "join": "{message.gameId}" },
                { "broadcast": { "type": "player-joined", "playerId": "{connection.id}" }, "rooms": ["{message.gameId}"] },
            ],
        },
        {
            "match": { "type": "game-action" },
            "do": [{
                "broadcast": { "type": "game-update", "action": "{message.action}", "playerId": "{connection.id}" },
                "rooms": ["{message.gameId}"], "includeSelf": true,
            }],
        },
    ]));
    assert_eq!(
        game.evaluate(On::Connect, &mut Fixture::without_message().scope()),
        [Command::Join("lobby".into()), reply(json!({"type": "joined-lobby"}))]
    );
    assert_eq!(
        on_message(&game, json!({"type": "create-game"})),
        [Command::Join("01234567".into()), reply(json!({"type": "game-created", "gameId": "01234567"}))]
    );
    assert_eq!(
        on_message(&game, json!({"type": "join-game", "gameId": "g1"})),
        [
            Command::Join("g1".into()),
            broadcast(json!({"type": "player-joined", "playerId": "c-1"}), &["g1"], false),
        ]
    );
    let action = json!({"move": [1, 2.5], "jump": true});
    assert_eq!(
        on_message(&game, json!({"type": "game-action", "gameId": "g1", "action": action.clone()})),
        [broadcast(json!({"type": "game-update", "action": action, "playerId": "c-1"}), &["g1"], true)]
    );
}
