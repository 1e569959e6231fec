//! Values that the program around the server publishes.

mod support;

use serde_json::json;
use support::start;
use switchboard::{Config, Server};

#[tokio::test]
async fn a_published_value_reaches_its_subscribers() {
    let config = Config::from_toml(
        r#"
        [[feeds]]
        name = "killmails"

        [[routes]]
        pattern = "/ws"
        dialect = "actions"
        "#,
    );
    let server = start(Server::builder().config(config.expect("a configuration"))).await;
    let (mut subscriber, mut other) = (server.connect("/ws").await, server.connect("/ws").await);
    for (client, action) in [(&mut subscriber, "sub"), (&mut other, "unsub")] {
        client.send_json(json!({ "action": action, "channel": "kills" })).await;
        client.send(tokio_tungstenite::tungstenite::Message::Ping("handled".into())).await;
        assert!(client.next().await.is_pong());
    }
    server.switchboard.publish("killmails", json!({ "killmail_id": 1 }));
    server.switchboard.publish("nothing", json!(1));
    let received = subscriber.json().await;
    assert_eq!((&received["action"], &received["data"]["killmail_id"]), (&json!("kill"), &json!(1)));
    other.send(tokio_tungstenite::tungstenite::Message::Ping("nothing before".into())).await;
    assert!(other.next().await.is_pong());
}
