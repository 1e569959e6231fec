//! Files that change while the server runs.

use serde_json::json;
use switchboard::Config;

use crate::Folder;
use crate::support::Running;

fn edited(server: &Running) -> String {
    server.switchboard.reconfigure(Config::default()).expect("no mistake").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_and_what_is_kept_of_them_stay() {
    let text = |word: &str| {
        format!(
            "import {{ total }} from './_state.ts'
            export default {{
              onConnect(conn: any) {{ conn.metadata.visits = new Map([['a', 1]]); conn.joinRoom('r') }},
              onMessage(conn: any) {{ const n = conn.metadata.visits.get('a'); conn.metadata.visits.set('a', n + 1); conn.send([{word:?}, n, ++total.n, conn.getRooms()]) }},
            }}"
        )
    };
    let folder = Folder::new(&[("ws/a.ts", &text("old")), ("ws/_state.ts", "export const total = { n: 0 }")]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/a").await;
    client.send("x").await;
    assert_eq!(client.json().await, json!(["old", 1, 1, ["r"]]));
    folder.write("ws/a.ts", &text("new"));
    edited(&server);
    // A module that was not edited keeps its state, as in Vite.
    client.send("x").await;
    assert_eq!(client.json().await, json!(["new", 2, 2, ["r"]]));
    folder.write("ws/_state.ts", "export const total = { n: 10 }");
    edited(&server);
    client.send("x").await;
    assert_eq!(client.json().await, json!(["new", 3, 11, ["r"]]));
    client.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_knows_where_it_is() {
    let text = "import { data } from '../data.ts'
        export default { onMessage(conn) { conn.send([new URL('./b c.json', import.meta.url).pathname, import.meta.filename, import.meta.dirname, data]) } }";
    let data = "export const data = new URL('data.json', import.meta.url).href";
    let folder = Folder::new(&[("ws/a.js", text), ("data.ts", data)]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/a").await;
    let at = folder.0.display();
    let expected = json!([
        format!("{at}/ws/b%20c.json"),
        format!("{at}/ws/a.js"),
        format!("{at}/ws"),
        format!("file://{at}/data.json"),
    ]);
    client.send("x").await;
    assert_eq!(client.json().await, expected);
    // An edited module is another one under the same name.
    folder.write("ws/a.js", &format!("{text}\n"));
    edited(&server);
    client.send("x").await;
    assert_eq!(client.json().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_are_those_of_the_configuration() {
    let topics = "export default { dialect: 'topics', topics: { feed: 'news' }, onClose() {} }";
    let folder = Folder::new(&[("ws/a.js", topics)]);
    let server = folder.serve("feeds = [{ name = 'news' }]").await;
    let mut client = server.connect("/api/ws/a").await;
    assert_eq!(client.json().await["type"], "info");
    let mistake =
        server.switchboard.reconfigure(Config::default()).expect_err("a feed that is gone").to_string();
    assert!(mistake.contains("ws/a.js: default.topics.feed: there is no feed \"news\""), "{mistake}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_ends_with_the_code_that_it_began_with() {
    let text = |word: &str| {
        format!(
            "let go\nexport default {{ async onMessage(conn, text) {{
              conn.send('began')
              if (text === 'wait') await new Promise((resolve) => setTimeout(resolve, 300))
              conn.send({word:?})
            }} }}"
        )
    };
    let folder = Folder::new(&[("ws/a.js", &text("old"))]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/a").await;
    client.send("wait").await;
    client.send("then").await;
    assert_eq!(client.text().await, "began");
    folder.write("ws/a.js", &text("new"));
    edited(&server);
    for expected in ["old", "began", "new"] {
        assert_eq!(client.text().await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_changes_nothing() {
    let folder = Folder::new(&[("ws/a.ts", "export default { onMessage: (conn) => conn.send('good') }")]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/a").await;
    for (text, expected) in [
        ("export default { onMessage(conn) { conn.send( } }", "ws/a.ts:1:"),
        (
            "const a = undefined\nexport default { onMessage: a.b }",
            "ws/a.ts: cannot read property 'b' of undefined",
        ),
        ("export default { onMesage() {} }", "ws/a.ts: default.onMesage: unknown key; did you mean"),
        ("export default { heartbeat: 'no', onMessage() {} }", "ws/a.ts: default.heartbeat: "),
        ("export default 5", "ws/a.ts: default: expected a handler or a list of handlers, got 5"),
        ("for (;;) {}\nexport default {}", "ws/a.ts: it ran for 1000 ms without an await"),
        ("await new Promise(() => {})", "ws/a.ts: its top level awaits something that does not come"),
    ] {
        folder.write("ws/a.ts", text);
        let error = server.switchboard.reconfigure(Config::default()).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
        client.send("x").await;
        assert_eq!(client.text().await, "good", "{text}");
    }
    folder.write("ws/a.ts", "export default { onMessage: (conn) => conn.send('better') }");
    edited(&server);
    client.send("x").await;
    assert_eq!(client.text().await, "better");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_and_go() {
    let folder = Folder::new(&[("ws/a.ts", "export default { onConnect: (conn) => conn.send('a') }")]);
    let server = folder.serve("").await;
    let mut a = server.connect("/api/ws/a").await;
    assert_eq!(a.text().await, "a");
    folder.write("ws/b/[name].ts", "export default { onConnect: (conn, req) => conn.send(req.params.name) }");
    edited(&server);
    assert_eq!(server.connect("/api/ws/b/x").await.text().await, "x");
    std::fs::remove_file(folder.0.join("ws/a.ts")).expect("a file");
    edited(&server);
    assert_eq!(a.closed().await.0, 1012);
}
