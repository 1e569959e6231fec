//! The program: `switchboard serve FILES`.

use std::path::Path;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::ChildStderr;

use crate::Folder;
use crate::support::program::{listening, switchboard};
use crate::support::{Client, within};

type Log = Lines<BufReader<ChildStderr>>;

/// The next line of the log with this text.
async fn says(log: &mut Log, text: &str) -> String {
    within(text, async {
        loop {
            let line = log.next_line().await.expect("UTF-8").expect("the program runs");
            if line.contains(text) {
                return line;
            }
        }
    })
    .await
}

async fn serve(folder: &Folder, arguments: &[&str]) -> (tokio::process::Child, String, Log) {
    let mut command = switchboard();
    command.arg("serve").current_dir(&folder.0);
    let (mut child, address, _) = listening(command, arguments).await;
    let log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    (child, address, log)
}

#[tokio::test]
async fn the_chat_is_edited_while_two_clients_talk() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/chat/ws/chat.ts");
    let text = std::fs::read_to_string(example).expect("the example");
    let folder = Folder::new(&[("ws/chat.ts", &text)]);
    let (_child, address, mut log) = serve(&folder, &["ws/chat.ts", "--watch"]).await;
    let url = format!("ws://{address}/api/ws/chat");
    let (mut ada, mut bob) = (Client::connect(&url).await, Client::connect(&url).await);
    let welcome = json!({ "type": "welcome", "message": "Welcome!" });
    assert_eq!((ada.json().await, bob.json().await), (welcome.clone(), welcome));
    ada.send_json(json!({ "type": "join-room", "room": "r", "username": "Ada" })).await;
    let message = |text: &str| json!({ "type": "message", "room": "r", "username": "Ada", "text": text });
    ada.send_json(message("alone")).await;
    assert_eq!(ada.json().await["text"], "alone");
    bob.send_json(json!({ "type": "join-room", "room": "r", "username": "Bob" })).await;
    assert_eq!(ada.json().await["username"], "Bob");

    folder.write("ws/chat.ts", &text.replace("from: username, text }", "from: username, text: `${text}!` }"));
    says(&mut log, "reloaded").await;
    bob.send_json(message("edited")).await;
    for client in [&mut ada, &mut bob] {
        assert_eq!(client.json().await, json!({ "type": "chat-message", "from": "Ada", "text": "edited!" }));
    }

    folder.write("ws/chat.ts", &text.replace("switch (type) {", "switch type {"));
    let mistake = says(&mut log, "serves on").await;
    assert!(
        mistake.contains("ws/chat.ts:") && mistake.contains("the configuration before serves on"),
        "{mistake}"
    );
    ada.send_json(message("still")).await;
    assert_eq!(bob.json().await["text"], "still!");

    folder.write("ws/chat.ts", &text);
    says(&mut log, "reloaded").await;
    ada.send_json(message("as before")).await;
    assert_eq!(bob.json().await["text"], "as before");
}

#[tokio::test]
async fn errors_are_shown_where_they_were_thrown() {
    let text = "interface Message { deep: { x: number } }\n\nexport default {\n  onMessage(conn: unknown, message: Message) {\n    \
                console.log('got', message, new Set([1]))\n    return message.deep.x.toFixed()\n  },\n}\n";
    let folder = Folder::new(&[("ws/a.ts", text)]);
    let (_child, address, mut log) = serve(&folder, &["ws/*.ts", "--prefix", "/"]).await;
    let mut client = Client::connect(format!("ws://{address}/ws/a")).await;
    client.send("{\"a\":[\"b\"]}").await;
    let line = says(&mut log, "got").await;
    assert!(line.ends_with("got { a: [ 'b' ] } Set(1) { 1 }"), "{line}");
    let line = says(&mut log, "onMessage for /ws/a").await;
    assert!(line.contains("cannot read property 'x' of undefined"), "{line}");
    assert_eq!(says(&mut log, "at ").await.trim(), "at onMessage (ws/a.ts:6:12)");
}

#[tokio::test]
async fn a_mistake_ends_the_program() {
    let folder = Folder::new(&[("ws/a.ts", "export default {\n  onMessage: undefined_,\n}")]);
    let mut command = switchboard();
    let output = command
        .args(["serve", "ws", "--port", "0"])
        .current_dir(&folder.0)
        .output()
        .await
        .expect("the program");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.starts_with("error: ws/a.ts: undefined_ is not defined\n    at <anonymous> (ws/a.ts:2:"),
        "{text}"
    );
}
