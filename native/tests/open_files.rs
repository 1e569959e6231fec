//! The program without enough open files.
#![cfg(target_os = "linux")]

mod support;

use std::process::Stdio;

use support::program::listening;
use support::{Client, within};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// More connections than the process may have open files: one line says so, and what to do.
#[tokio::test]
async fn too_many_open_files_are_said_once_and_end_nothing() {
    let mut shell = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_switchboard");
    shell.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\"", program]).kill_on_drop(true);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    let (mut child, address, _) = listening(shell, &[]).await;
    let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut clients = Vec::new();
    for _ in 0..60 {
        clients.push(tokio::net::TcpStream::connect(&address).await.expect("the backlog has room"));
    }
    let mut said = Vec::new();
    let mut next = async |text: &str| loop {
        let line = within(text, log.next_line()).await.expect("UTF-8").expect("a line");
        said.push(line.clone());
        if line.contains(text) {
            break line;
        }
    };
    let line = next("no connection can be accepted").await;
    assert!(line.contains("its limit of open files at 40: raise it with `ulimit -n`"), "{line}");
    drop(clients);
    next("connections are accepted again").await;
    let mut client = Client::connect(format!("ws://{address}/echo")).await;
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
    assert_eq!(
        said.iter().filter(|line| line.contains("no connection can be accepted")).count(),
        1,
        "{said:?}"
    );
}
