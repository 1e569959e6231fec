//! A running server takes another configuration: the program on a signal or a change of its file, and Rust code.

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use support::{Client, refused, start, within};
use switchboard::{Callbacks, Config, Incoming, Peer, Server, ServerError};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("switchboard-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).expect("a file");
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program with this file, in its folder.
struct Program {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    address: String,
}

impl Program {
    async fn start(file: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("RUST_LOG").current_dir(file.parent().expect("a folder"));
        command.args(["--port", "0", "--config"]).arg(file).args(arguments);
        let mut child = command.spawn().expect("the program");
        let mut table = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = within("the first line", table.next_line()).await.expect("UTF-8").expect("a line");
        let (_, address) = first.split_once("http://").expect("an address");
        let address = address.to_owned();
        // What it prints later has to go somewhere.
        tokio::spawn(async move { while let Ok(Some(_)) = table.next_line().await {} });
        let log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Self { child, log, address }
    }

    fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    async fn hang_up(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args(["-s", "HUP", &id]).status().await.expect("kill");
        assert!(status.success());
    }

    /// The next line of the log with this text.
    async fn says(&mut self, text: &str) -> String {
        within(text, async {
            loop {
                let line = self.log.next_line().await.expect("UTF-8").expect("the program runs");
                if line.contains(text) {
                    return line;
                }
            }
        })
        .await
    }
}

const FIRST: &str = "
[[routes]]
pattern = '/chat'
rules = [{ do = [{ reply = 'old' }] }]
[[routes]]
pattern = '/gone'
dialect = 'echo'
";

const SECOND: &str = "
listen.port = 4999
[[routes]]
pattern = '/chat'
rules = [{ do = [{ reply = 'new' }] }]
[[routes]]
pattern = '/more'
dialect = 'echo'
";

async fn answers(client: &mut Client, expected: &str) {
    client.send("hi").await;
    assert_eq!(client.text().await, expected);
}

#[tokio::test]
async fn a_signal_reloads_and_a_mistake_changes_nothing() {
    let folder = Folder::new("hangup");
    let file = folder.write("switchboard.toml", FIRST);
    let mut program = Program::start(&file, &[]).await;
    let mut chat = Client::connect(program.url("/chat")).await;
    let mut gone = Client::connect(program.url("/gone")).await;
    answers(&mut chat, "old").await;
    folder.write("switchboard.toml", SECOND);
    program.hang_up().await;
    let said = program.says("reloaded").await;
    let summary = "switchboard.toml: 1 route changed, 1 added, 1 removed; 1 connection kept, 1 closed";
    assert!(said.ends_with(summary), "{said}");
    assert_eq!(gone.closed().await, (1012, "The route was removed".to_owned()));
    answers(&mut chat, "new").await;
    answers(&mut Client::connect(program.url("/more")).await, "hi").await;
    assert_eq!(refused(program.url("/gone")).await, 404);

    folder.write("switchboard.toml", "[[routes]]\npattern = '/chat'\nheartbaet = 1");
    program.hang_up().await;
    let said = program.says("serves on").await;
    assert!(said.contains("routes[0].heartbaet: unknown key; did you mean \"heartbeat\"?"), "{said}");
    answers(&mut chat, "new").await;
}

#[tokio::test]
async fn a_file_that_is_written_or_replaced_counts_and_so_does_the_environment() {
    let folder = Folder::new("watch");
    let file = folder.write("switchboard.toml", FIRST);
    let mut program = Program::start(&file, &["--watch"]).await;
    let mut chat = Client::connect(program.url("/chat")).await;
    answers(&mut chat, "old").await;
    folder.write("switchboard.toml", &FIRST.replace("'old'", "'written'"));
    program.says("1 route changed; 1 connection kept").await;
    answers(&mut chat, "written").await;

    let other = folder.write("switchboard.toml~", &FIRST.replace("'old'", "'replaced'"));
    std::fs::rename(other, &file).expect("a rename");
    program.says("1 route changed; 1 connection kept").await;
    answers(&mut chat, "replaced").await;

    folder.write(".env", "WEBSOCKET_ENABLED=true\nWEBSOCKET_PATH=/events");
    program.says("1 route added; 1 connection kept").await;
    assert!(Client::connect(program.url("/events")).await.text().await.contains("connected"));

    folder.write("switchboard.toml", &format!("listen.ioUring = false\n{FIRST}"));
    program.says("listen.ioUring takes effect when the server is started again").await;
    program.says("1 route changed; 1 connection kept").await;
    answers(&mut chat, "old").await;
}

fn says(text: &'static str) -> Callbacks {
    Callbacks::new().on_message(move |peer: Peer, _: Incoming| async move {
        peer.send(text);
    })
}

#[tokio::test]
async fn what_was_given_in_rust_stays() {
    let config = |routes: &str| Config::from_toml(routes).expect("a configuration");
    let first = "[[routes]]\npattern = '/watched'\ndialect = 'echo'\n[[routes]]\npattern = '/rust'";
    let builder = Server::builder()
        .config(config(first))
        .route("/own", says("own"))
        .route("/rust", says("rust"))
        .callbacks("/watched", says("seen"));
    let server = start(builder).await;
    let mut own = server.connect("/own").await;
    let mut rust = server.connect("/rust").await;
    let mut watched = server.connect("/watched").await;
    let handle = server.switchboard.route("/own").expect("a route");
    let next = format!("{first}\n[[routes]]\npattern = '/more'\ndialect = 'echo'");
    let done = server.switchboard.reconfigure(config(&next)).expect("another configuration");
    assert_eq!(done.to_string(), "1 route added; 3 connections kept");
    answers(&mut own, "own").await;
    answers(&mut rust, "rust").await;
    watched.send("hi").await;
    assert_eq!((watched.text().await.as_str(), watched.text().await.as_str()), ("hi", "seen"));
    assert_eq!((handle.count(), server.switchboard.endpoints().len()), (1, 4));
    answers(&mut server.connect("/more").await, "hi").await;

    let error =
        server.switchboard.reconfigure(config("[[routes]]\npattern = '/rust'")).expect_err("an error");
    assert!(matches!(error, ServerError::NoRoute(_)), "the callbacks have no route: {error}");
    let without = "[[routes]]\npattern = '/watched'\ndialect = 'echo'";
    let done = server.switchboard.reconfigure(config(without)).expect("another configuration");
    assert_eq!((done.removed, done.closed), (2, 2));
    assert_eq!(rust.closed().await.0, 1012);
    let error = server.switchboard.reconfigure(config(first)).expect_err("an error");
    assert!(matches!(error, ServerError::NoHandler(_)), "its handler is gone: {error}");
    answers(&mut own, "own").await;
}
