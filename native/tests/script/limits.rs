//! What a function may cost, and whom.

use serde_json::json;

use crate::Folder;

const LIMIT: &str = "limits.handlerTimeout = 2000";

const GREEDY: &str = "let fired = 0
export default {
  async onMessage(conn, { run, ms }) {
    if (run === 'spin') for (;;) {}
    if (run === 'later') await new Promise((resolve) => setTimeout(resolve, ms))
    if (run === 'eat') { const all = []; for (;;) all.push(new Array(100000).fill(1)) }
    if (run === 'deep') { const deep = () => deep() + 1; deep() }
    if (run === 'never') await new Promise(() => {})
    if (run === 'regexp') /^(a+)+$/.test('a'.repeat(50) + '!')
    if (run === 'text') conn.send('x'.repeat(1 << 28) + 'x'.repeat(1 << 28))
    if (run === 'timers') for (let count = 0; count < 2_000; count++) setTimeout(() => ++fired === 10_000 && conn.send('last'), 1_000)
    if (run === 'alone') void Promise.reject(new Error('nobody awaits this'))
    if (run === 'microtasks') { const again = () => Promise.resolve().then(again); again() }
    conn.send(run)
  },
}";

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_takes_too_much_fails_for_its_own_connection() {
    let folder = Folder::new(&[("ws/greedy.js", GREEDY)]);
    let server = folder.serve(LIMIT).await;
    let mut greedy = server.connect("/api/ws/greedy").await;
    let mut other = server.connect("/api/ws/greedy").await;
    for (run, expected) in [
        ("spin", "it ran for 1000 ms without an await"),
        ("eat", "out of memory"),
        ("deep", "Maximum call stack size exceeded"),
        ("regexp", "it ran for 1000 ms without an await"),
        ("text", "out of memory"),
        ("never", "2000 ms"),
    ] {
        greedy.send_json(json!({ "run": run })).await;
        greedy.send_json(json!({ "run": "after" })).await;
        let failed = greedy.json().await;
        let message = failed["message"].as_str().unwrap_or_default();
        assert!(message.contains(expected), "{run}: {failed}");
        assert_eq!(greedy.text().await, "after", "{run}");
        other.send_json(json!({ "run": "other" })).await;
        assert_eq!(other.text().await, "other", "{run}");
    }
    // Promises that never come to an end leave time for others.
    greedy.send_json(json!({ "run": "microtasks" })).await;
    assert_eq!(greedy.text().await, "microtasks");
    other.send_json(json!({ "run": "other" })).await;
    assert_eq!(other.text().await, "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_timers_and_promises_that_nobody_awaits_cost_no_one_anything() {
    let folder = Folder::new(&[("ws/greedy.js", GREEDY)]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/greedy").await;
    for run in ["timers", "timers", "timers", "timers", "timers", "alone", "after"] {
        client.send_json(json!({ "run": run })).await;
    }
    let mut heard = Vec::new();
    while heard.len() < 8 {
        heard.push(client.text().await);
    }
    // All of them, whether the first ones fire before the last ones are set or not.
    let (timers, others): (Vec<_>, Vec<_>) = heard.into_iter().partition(|text| text == "timers");
    assert_eq!((timers.len(), others.contains(&"last".to_owned())), (5, true), "{others:?}");
    assert!(others.iter().position(|text| text == "alone") < others.iter().position(|text| text == "after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_pass_both_ways() {
    let folder = Folder::new(&[(
        "ws/same.js",
        "export default { parse: 'text', onMessage: (conn, text) => conn.send(text) }",
    )]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/same").await;
    let large = "aé€😀".repeat(200_000);
    client.send(large.as_str()).await;
    assert!(client.text().await == large, "it came back as something else");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_of_one_connection_are_awaited_in_order() {
    let folder = Folder::new(&[("ws/greedy.js", GREEDY)]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/greedy").await;
    for ms in [100, 1, 50] {
        client.send_json(json!({ "run": "later", "ms": ms })).await;
        client.send_json(json!({ "run": format!("after {ms}") })).await;
    }
    for expected in ["later", "after 100", "later", "after 1", "later", "after 50"] {
        assert_eq!(client.text().await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_files_do_not_wait_for_one_that_runs_on() {
    let quick = "export default { onMessage: (conn) => conn.send('quick') }";
    let folder = Folder::new(&[("ws/greedy.js", GREEDY), ("ws/quick.js", quick)]);
    let server = folder.serve("").await;
    let (mut greedy, mut other) =
        (server.connect("/api/ws/greedy").await, server.connect("/api/ws/quick").await);
    greedy.send_json(json!({ "run": "spin" })).await;
    other.send("now").await;
    // The other one has not come to its end, which is in a second.
    assert_eq!(other.text().await, "quick");
    let failed = greedy.json().await;
    assert_eq!(failed["message"], "it ran for 1000 ms without an await");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_may_load_for_longer_than_a_call_may_take() {
    let text = "for (const end = performance.now() + 100; performance.now() < end;);
      export default { onMessage: (conn, text) => { if (text === 'spin') for (;;) {}; conn.send(text) } }";
    let folder = Folder::new(&[("ws/slow.js", text)]);
    let server = folder.serve("limits.handlerTimeout = 100").await;
    let mut client = server.connect("/api/ws/slow").await;
    client.send("spin").await;
    assert_eq!(client.json().await["message"], "it ran for 50 ms without an await");
    client.send("quick").await;
    assert_eq!(client.text().await, "quick");
}
