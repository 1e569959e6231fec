//! Contracts of routes on real sockets, their schemas in files.

mod support;

use std::path::PathBuf;

use serde_json::json;
use support::{Client, start};
use switchboard::{Callbacks, Config, Incoming, Peer, Server};

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("switchboard-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a file");
    }

    fn config(&self) -> Config {
        let toml = "routes = [{ pattern = '/echo', dialect = 'echo', contract = { mode = 'refuse', receives = 'message.yaml' } }]";
        let mut config = Config::from_toml(toml).expect("a configuration");
        config.anchor(&self.0);
        config
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_schema_in_a_file_counts_from_the_start_and_when_it_is_read_again() {
    let folder = Folder::new("contract-files");
    folder.write("message.yaml", "properties:\n  n: { type: number }\n");
    let server = start(Server::builder().config(folder.config())).await;
    let mut client = Client::connect(server.url("/echo")).await;
    client.send(r#"{"n":"1"}"#).await;
    assert!(client.text().await.contains("the message breaks the contract: n: expected a number, got text"));
    folder.write("message.yaml", "properties:\n  n: { type: string }\n");
    let done = server.switchboard.reconfigure(folder.config()).expect("a configuration");
    assert_eq!((done.changed, done.kept), (1, 1));
    client.send(r#"{"n":"1"}"#).await;
    assert_eq!(client.text().await, r#"{"n":"1"}"#);

    folder.write("message.yaml", "items: [{}]\n");
    let error = server.switchboard.reconfigure(folder.config()).expect_err("a mistake").to_string();
    assert!(error.starts_with("routes[0].contract.receives: "), "{error}");
    assert!(
        error.contains("message.yaml: items: expected a schema: an object, true or false; a list of schemas"),
        "{error}"
    );
    client.send(r#"{"n":"2"}"#).await;
    assert_eq!(client.text().await, r#"{"n":"2"}"#, "nothing has changed");
    let counted = server.switchboard.stats().contract_violations;
    assert_eq!(counted.get("/echo"), Some(&1));
}

#[tokio::test]
async fn what_callbacks_send_is_held_to_the_contract_too() {
    let config = Config::from_value(json!({ "routes": [
        { "pattern": "/rules", "rules": [{ "do": [{ "reply": { "n": "x" } }, { "reply": { "n": 1 } }] }],
            "contract": { "mode": "refuse", "sends": { "properties": { "n": { "type": "number" } } } } },
    ] }));
    let callbacks = Callbacks::new().on_message(|peer: Peer, _: Incoming| async move {
        peer.send(r#"{"n":[]}"#);
        peer.send(r#"{"n":2}"#);
    });
    let server = Server::builder().config(config.expect("a configuration")).callbacks("/rules", callbacks);
    let server = start(server).await;
    let mut client = Client::connect(server.url("/rules")).await;
    client.send("go").await;
    assert_eq!(client.text().await, r#"{"n":1}"#);
    assert_eq!(client.text().await, r#"{"n":2}"#);
}

const DOCUMENT: &str = "
asyncapi: 3.0.0
channels:
  prices:
    address: /prices/{symbol}
    messages:
      ask: { payload: { const: ask } }
      price: { payload: { type: number }, examples: [{ payload: 1.5 }] }
operations:
  ask:
    action: receive
    channel: { $ref: '#/channels/prices' }
    messages: [{ $ref: '#/channels/prices/messages/ask' }]
    reply: { messages: [{ $ref: '#/channels/prices/messages/price' }] }
";

#[tokio::test]
async fn an_asyncapi_document_is_served_and_printed() {
    let folder = Folder::new("asyncapi");
    folder.write("prices.yaml", DOCUMENT);
    folder.write("switchboard.toml", "asyncapi = { file = 'prices.yaml', mode = 'refuse' }");
    let mut config =
        Config::from_toml("asyncapi = { file = 'prices.yaml', mode = 'refuse' }").expect("a configuration");
    config.anchor(&folder.0);
    let server = start(Server::builder().config(config)).await;
    let mut client = Client::connect(server.url("/prices/x")).await;
    client.send("ask").await;
    assert_eq!(client.text().await, "1.5");
    client.send("tell").await;
    assert!(client.text().await.contains("expected \\\"ask\\\", got \\\"tell\\\""));

    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_switchboard"));
    program.args(["asyncapi", "--title", "Prices", "--config"]).arg(folder.0.join("switchboard.toml"));
    let output = program.kill_on_drop(true).output().await.expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["info"]["title"], "Prices");
    assert_eq!(document["channels"]["prices.symbol"]["address"], "/prices/{symbol}");
    let received = &document["components"]["schemas"]["prices.symbol.received"];
    assert!(received.to_string().contains("ask"), "{received}");

    folder.write("prices.yaml", "asyncapi: 2.6.0");
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_switchboard"));
    program.args(["asyncapi", "--config"]).arg(folder.0.join("switchboard.toml"));
    let output = program.kill_on_drop(true).output().await.expect("the program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("prices.yaml: asyncapi: expected version 3, got \"2.6.0\""), "{said}");
}
