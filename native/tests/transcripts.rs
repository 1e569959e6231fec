//! The golden transcripts, held by real sockets.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;
#[path = "../../core/tests/support/transcript.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the engine's runner")]
mod transcript;

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::raw::{Frame, Raw, close_payload, upgrade_request};
use support::{BOUND, Running, start};
use switchboard::control::PATH;
use switchboard::{Builder, Config, ControlSettings, Server};
use transcript::{CONTROL_TOKEN, Expected, Line, Names, Transcript, all};

/// Nobody else pings with this. Its pong says that everything before it was handled.
const SYNC: &[u8] = b"everything before this";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_native_server_holds_every_conversation() {
    hold_all(|transcript, folder| {
        let mut config = Config::from_toml(&transcript.config).unwrap();
        config.anchor(&folder.0);
        Some(Server::builder().config(config))
    })
    .await;
}

/// What takes the place of the configuration's routes: handler files.
#[cfg(feature = "javascript")]
mod handler_files {
    use serde_json::{Value, json};
    use switchboard::HandlerFiles;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn functions_hold_the_conversations_of_what_they_stand_for() {
        let held = hold_all(|transcript, folder| {
            let (_, config) = routes_and_rest(transcript);
            Some(serve(folder, config, transcript.handlers.as_deref()?))
        })
        .await;
        assert!(held >= 6, "there are {held} transcripts with handlers");
    }

    /// Echoes are functions here. What other dialects do is theirs, and functions beside them change nothing of it.
    const WITH_FUNCTIONS: &str = "
        const beside = {
          onConnect: async () => {},
          onMessage: () => {},
          // Behind the functions of what came before, so that the runner's ping means that they are done.
          onPing: (conn, payload) => conn.pong(payload),
          onPong: () => {},
          onClose: async () => {},
        }
        const echo = { parse: 'text', onMessage: (conn, data) => conn.send(data) }
        export default routes.map(({ dialect, ...route }) =>
          dialect === 'echo' ? { ...route, ...beside, ...echo } : { ...route, dialect, ...beside },
        )";

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_handler_file_holds_every_conversation() {
        hold_all(|transcript, folder| {
            let (routes, config) = routes_and_rest(transcript);
            Some(serve(folder, config, &format!("const routes = {routes}\n{WITH_FUNCTIONS}")))
        })
        .await;
    }

    fn routes_and_rest(transcript: &Transcript) -> (Value, Value) {
        let mut config: Value = toml::from_str(&transcript.config).unwrap();
        let routes = config.as_object_mut().unwrap().remove("routes").unwrap_or_else(|| json!([]));
        (routes, config)
    }

    fn serve(folder: &Folder, config: Value, code: &str) -> Builder {
        std::fs::write(folder.0.join("handlers.js"), code).unwrap();
        let prefixes = match &config["prefix"] {
            Value::String(prefix) => vec![prefix.clone()],
            list => serde_json::from_value(list.clone()).unwrap_or_default(),
        };
        let mut config = Config::from_value(config).unwrap();
        config.anchor(&folder.0);
        let files = HandlerFiles::new(["handlers.js"]).root(&folder.0).prefixes(prefixes);
        Server::builder().config(config).handler_files(files)
    }
}

/// Holds the conversations for which there is a server; how many there are.
async fn hold_all(serve: impl Fn(&Transcript, &Folder) -> Option<Builder>) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/transcripts");
    let mut runs = Vec::new();
    for transcript in all(&root) {
        let folder = Folder::new(&transcript);
        if let Some(builder) = serve(&transcript, &folder) {
            runs.push(tokio::spawn(hold(transcript, folder, builder)));
        }
    }
    let held = runs.len();
    for run in runs {
        run.await.unwrap();
    }
    held
}

async fn hold(transcript: Transcript, _folder: Folder, builder: Builder) {
    let server = start(builder.control(ControlSettings::new(CONTROL_TOKEN))).await;
    let mut run = Run { server, names: Names::default(), clients: HashMap::new() };
    for (number, line) in &transcript.lines {
        if let Err(error) = run.step(line).await {
            panic!("{}:{number}: {error}", transcript.name);
        }
    }
}

/// The files of a transcript, until it was held.
struct Folder(PathBuf);

impl Folder {
    fn new(transcript: &Transcript) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (id, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("switchboard-transcript-{id}-{next}"));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &transcript.files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Run {
    server: Running,
    names: Names,
    clients: HashMap<String, Client>,
}

struct Client {
    raw: Raw,
    heard: VecDeque<Heard>,
}

#[derive(Debug, PartialEq)]
enum Heard {
    Frame(Frame),
    End,
}

impl Run {
    async fn step(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Connects { who, path, headers } => {
                let (raw, head) = self.upgrade(path, headers).await;
                if !head.starts_with("HTTP/1.1 101 ") {
                    return Err(format!("not accepted: {head}"));
                }
                self.clients.insert(who.clone(), Client { raw, heard: VecDeque::new() });
                self.client(who).sync().await;
            }
            Line::Gets { status, path, headers, .. } => {
                let (_, head) = self.upgrade(path, headers).await;
                if !head.starts_with(&format!("HTTP/1.1 {status} ")) {
                    return Err(format!("expected {status}, got {head}"));
                }
            }
            Line::IsDropped { path, headers } => {
                let got = self.ask(path, headers).await.rest().await;
                if !got.is_empty() {
                    return Err(format!("expected no answer, got {}", String::from_utf8_lossy(&got)));
                }
            }
            Line::Says { who, text } => {
                let text = self.names.fill(text);
                self.client(who).send(0x81, text.as_bytes()).await;
            }
            Line::SaysBinary { who, bytes } => self.client(who).send(0x82, bytes).await,
            Line::Pings { who, text } => self.client(who).send(0x89, text.as_bytes()).await,
            Line::Pongs { who, text } => self.client(who).send(0x8a, text.as_bytes()).await,
            Line::Closes { who, frame } => self.closes(who, frame.as_ref()).await,
            Line::Vanishes { who } => {
                let before = self.server.switchboard.connections();
                drop(self.clients.remove(who));
                self.fewer_than(before).await;
            }
            Line::Hears { who, expected } => return self.hears(who, expected).await,
            Line::HearsNothing { who } => {
                let client = self.clients.get_mut(who).unwrap();
                client.sync().await;
                if !client.heard.is_empty() {
                    return Err(format!("expected nothing, got {:?}", client.heard));
                }
            }
            Line::Wait { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Line::Http { method, path, body, status, expected } => {
                let (path, body) = (self.names.fill(path), self.names.fill(body));
                let (got, text) = self.http(method, &path, &body).await;
                if got != *status {
                    return Err(format!("expected {status}, got {got}: {text}"));
                }
                if let Some(expected) = expected {
                    return self.names.matches(expected, &text);
                }
            }
        }
        Ok(())
    }

    fn client(&mut self, who: &str) -> &mut Client {
        self.clients.get_mut(who).unwrap_or_else(|| panic!("{who} has not connected"))
    }

    async fn upgrade(&self, path: &str, headers: &[(String, String)]) -> (Raw, String) {
        let mut raw = self.ask(path, headers).await;
        let head = raw.head().await;
        (raw, head)
    }

    async fn ask(&self, path: &str, headers: &[(String, String)]) -> Raw {
        let mut raw = Raw::connect(self.server.address).await;
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        raw.write(upgrade_request(&self.names.fill(path), &lines).as_bytes()).await;
        raw
    }

    async fn closes(&mut self, who: &str, frame: Option<&(u16, String)>) {
        let payload = match frame {
            Some((code, reason)) => [&code.to_be_bytes(), reason.as_bytes()].concat(),
            None => Vec::new(),
        };
        let before = self.server.switchboard.connections();
        let client = self.client(who);
        client.raw.send(0x88, &payload).await;
        client.read_all().await;
        self.fewer_than(before).await;
    }

    /// Waits until the engine has taken note of an end.
    async fn fewer_than(&self, connections: usize) {
        support::within("an end", async {
            while self.server.switchboard.connections() >= connections {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    async fn http(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut raw = Raw::connect(self.server.address).await;
        let length = body.len();
        let shown = if path.starts_with(PATH) {
            format!("Authorization: Bearer {CONTROL_TOKEN}\r\n")
        } else {
            String::new()
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{shown}Content-Length: {length}\r\n\r\n\
             {body}"
        );
        raw.write(request.as_bytes()).await;
        let head = raw.head().await;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, String::from_utf8(raw.rest().await).unwrap())
    }

    async fn hears(&mut self, who: &str, expected: &Expected) -> Result<(), String> {
        let client = self.clients.get_mut(who).unwrap();
        let heard = client.next().await;
        let text = |frame: &Frame| String::from_utf8_lossy(&frame.payload).into_owned();
        let is_it = match (expected, &heard) {
            (Expected::Json(json), Heard::Frame(frame)) if frame.head == 0x81 => {
                return self.names.matches(json, &text(frame));
            }
            (Expected::Text(wanted), Heard::Frame(frame)) => {
                frame.head == 0x81 && text(frame) == self.names.fill(wanted)
            }
            (Expected::Binary(bytes), Heard::Frame(frame)) => frame.head == 0x82 && frame.payload == *bytes,
            (Expected::Ping(wanted), Heard::Frame(frame)) => frame.head == 0x89 && text(frame) == *wanted,
            (Expected::Pong(wanted), Heard::Frame(frame)) => frame.head == 0x8a && text(frame) == *wanted,
            (Expected::Broken(damage), Heard::Frame(frame)) => match &**damage {
                "utf8" => frame.head == 0x81 && frame.payload.ends_with(&[0xff]),
                "opcode" => frame.head == 0x83,
                "deflate" => frame.head == 0xc1 && frame.payload == [7],
                _ => false,
            },
            (Expected::Close(1006, _), heard) => *heard == Heard::End,
            (Expected::Close(1005, _), Heard::Frame(frame)) => frame.head == 0x88 && frame.payload.is_empty(),
            (Expected::Close(code, reason), Heard::Frame(frame)) if frame.head == 0x88 => {
                let (got, got_reason) = close_payload(frame);
                got == *code && reason.as_ref().is_none_or(|reason| *reason == got_reason)
            }
            _ => false,
        };
        if is_it { Ok(()) } else { Err(format!("expected {expected:?}, got {heard:?}")) }
    }
}

impl Client {
    /// Sends, and waits until the server has handled it.
    async fn send(&mut self, head: u8, payload: &[u8]) {
        self.raw.send(head, payload).await;
        self.sync().await;
    }

    /// Reads to the answer of a ping; afterwards whatever was on its way has come.
    async fn sync(&mut self) {
        if !self.heard.iter().any(Heard::is_last) {
            self.raw.send(0x89, SYNC).await;
        }
        while !self.heard.iter().any(Heard::is_last) {
            match self.read().await {
                Heard::Frame(frame) if frame.head == 0x8a && frame.payload == SYNC => return,
                heard => self.heard.push_back(heard),
            }
        }
    }

    /// Reads to the end of the stream.
    async fn read_all(&mut self) {
        while self.heard.back() != Some(&Heard::End) {
            let heard = self.read().await;
            self.heard.push_back(heard);
        }
    }

    async fn next(&mut self) -> Heard {
        match self.heard.pop_front() {
            Some(heard) => heard,
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Heard {
        match tokio::time::timeout(BOUND, self.raw.try_frame()).await {
            Ok(Ok(frame)) => Heard::Frame(frame),
            _ => Heard::End,
        }
    }
}

impl Heard {
    fn is_last(&self) -> bool {
        match self {
            Heard::Frame(frame) => frame.head == 0x88,
            Heard::End => true,
        }
    }
}
