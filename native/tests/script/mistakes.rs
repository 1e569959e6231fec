//! What is wrong with files, and where.

use crate::Folder;

#[tokio::test]
async fn a_mistake_is_named_with_its_place() {
    for (files, expected) in [
        (
            &[("ws/a.ts", "\nimport { z } from 'zod'\nz()")][..],
            "ws/a.ts:2:19: cannot import zod: handler files on the native",
        ),
        (&[("ws/a.ts", "import './gone'")], "ws/a.ts:1:8: cannot import ./gone: there is no such file"),
        (
            &[("ws/a.ts", "import './_b'"), ("ws/_b.ts", "enum A {}")],
            "ws/_b.ts:1:1: an enum is more than a type",
        ),
        (&[("ws/a.js", "throw new Error('no')")], "ws/a.js: no"),
        (&[("ws/a.js", "throw 'text'")], "ws/a.js: text"),
        (
            &[
                ("ws/a.js", "import './_b.js'\nexport const a = 1"),
                ("ws/_b.js", "import { a } from './a.js'\na.b"),
            ],
            "ws/a.js: a is not initialized",
        ),
        (
            &[("ws/a.js", "import { attach } from 'vite-plugin-switchboard'\nattach()")],
            "ws/a.js: attach is not there",
        ),
        (&[("ws/a.js", "await import('./' + 'b.js')"), ("ws/b.js", "")], "ws/a.js: "),
        (&[("ws/a.js", "import { b } from './_b.js'\nb"), ("ws/_b.js", "")], "ws/a.js: "),
        (
            &[("ws/a.js", "export default [{ onPing() {} }, { onPong() {} }]")],
            "ws/a.js: default[0] and default[1] have",
        ),
    ] {
        let message = Folder::new(files).mistake();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_import_each_other() {
    let folder = Folder::new(&[
        (
            "ws/a.ts",
            "import data from './_data.json'\nimport { b } from './_lib'\nimport type { T } from './_types'\nimport { U } from './_types'\n\
                     export const one = { pattern: '/one', onConnect: async (conn: T) => conn.send([data.n, b(), (await import('./_late.mjs')).late]) }\n\
                     export default { onConnect: (conn: U) => conn.send('default') }",
        ),
        ("ws/_types.ts", "export type T = any\nexport interface U { send(x: unknown): void }"),
        ("ws/_lib/index.ts", "export * from './b.js'"),
        ("ws/_lib/b.ts", "export const b = (): string => 'b'"),
        ("ws/_late.mjs", "export const late = 'late'"),
        ("ws/_data.json", "{\"n\": 1}"),
    ]);
    let server = folder.serve("").await;
    assert_eq!(server.connect("/api/one").await.text().await, r#"[1,"b","late"]"#);
    assert_eq!(server.connect("/api/ws/a").await.text().await, "default");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_import_the_same_module_share_its_state() {
    let text = "import { count } from './_count.js'\nexport default { onConnect: (conn) => conn.send(String(++count.n)) }";
    let folder = Folder::new(&[
        ("ws/a.js", text),
        ("ws/b.js", text),
        ("ws/_count.js", "export const count = { n: 0 }"),
    ]);
    let server = folder.serve("").await;
    assert_eq!(server.connect("/api/ws/a").await.text().await, "1");
    assert_eq!(server.connect("/api/ws/b").await.text().await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_may_import_each_other_in_a_circle() {
    let folder = Folder::new(&[
        (
            "ws/a.js",
            "import { b } from './_b.js'\nexport const a = () => 'a'\nexport default { onConnect: (conn) => conn.send(b()) }",
        ),
        ("ws/_b.js", "import { a } from './a.js'\nexport const b = () => a() + 'b'"),
    ]);
    let server = folder.serve("").await;
    assert_eq!(server.connect("/api/ws/a").await.text().await, "ab");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_says_what_to_do_instead() {
    let text = "export default { async onMessage(conn, url) { await fetch(url) } }";
    let folder = Folder::new(&[("ws/a.js", text)]);
    let server = folder.serve("").await;
    let mut client = server.connect("/api/ws/a").await;
    client.send("http://127.0.0.1/").await;
    let message = client.json().await["message"].to_string();
    assert!(
        message.contains("fetch is not there on the native server") && message.contains("attach()"),
        "{message}"
    );
}
