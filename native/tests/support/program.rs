//! The program as a process.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::within;

/// The program.
pub fn switchboard() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("RUST_LOG");
    command
}

/// The program on a free port: it, its address, and its table of endpoints.
pub async fn started(arguments: &[&str]) -> (Child, String, String) {
    listening(switchboard(), arguments).await
}

/// The same, started by another command.
pub async fn listening(mut command: Command, arguments: &[&str]) -> (Child, String, String) {
    let mut child = command.args(["--port", "0"]).args(arguments).spawn().expect("the program");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut table = String::new();
    let address = loop {
        let line = within("a line", lines.next_line()).await.expect("UTF-8").expect("a table");
        table += &format!("{line}\n");
        let page = ["for each: http://", "every connection: http://"]
            .iter()
            .find_map(|before| line.split_once(before));
        if let Some((_, page)) = page {
            break page.split('/').next().expect("an address").to_owned();
        }
    };
    (child, address, table)
}
