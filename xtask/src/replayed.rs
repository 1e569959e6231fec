//! Recordings of real clients, replayed to those same clients.
//!
//! Each client talks to a server through `switchboard record`. What was recorded is then all that a server of the dialect
//! `replay` knows, and the client, unchanged, has to find nothing missing: at the original pace and at once, on both hosts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use xshell::cmd;

use crate::process::Server;
use crate::project::Project;
use crate::vite::Vite;
use crate::{examples, native, npm};

/// How long the recorder may take to write what it still has.
const PATIENCE: Duration = Duration::from_secs(20);

const VITE_CONFIG: &str = "
import { defineConfig } from 'vite'
import switchboard from 'vite-plugin-switchboard'

export default defineConfig({ plugins: [switchboard({ config: 'switchboard.toml' })] })
";

/// A client with one of the five systems.
struct Conversation {
    /// The folder of the scene, below `npm/test-clients`, and the configuration of the server there; none: the chat example.
    folder: Option<&'static str>,
    script: &'static str,
    /// Whether it takes what a server says at once. Not if it begins to listen only after it was answered.
    takes_at_once: bool,
}

const CONVERSATIONS: &[Conversation] = &[
    Conversation { folder: None, script: "ws.mjs", takes_at_once: true },
    Conversation { folder: None, script: "websockets_client.py", takes_at_once: true },
    Conversation { folder: Some("phoenix"), script: "killmails_client.py", takes_at_once: true },
    Conversation { folder: Some("phoenix"), script: "wscat.mjs", takes_at_once: true },
    Conversation { folder: Some("phoenix"), script: "phxsocket_client.py", takes_at_once: true },
    Conversation { folder: Some("documented"), script: "evekill.mjs", takes_at_once: true },
    Conversation { folder: Some("documented"), script: "rakit.mjs", takes_at_once: true },
    Conversation { folder: Some("documented"), script: "rakit_client.py", takes_at_once: true },
    Conversation { folder: Some("events"), script: "websocket_client.py", takes_at_once: true },
];

/// Records and replays every conversation; those of Python only where there is one.
pub(crate) fn run(project: &Project, python: Option<&Path>) -> Result<()> {
    let program = native::build(project)?;
    let node = npm::program("node")?;
    for conversation in CONVERSATIONS {
        let interpreter = match (conversation.script.ends_with(".py"), python) {
            (true, None) => continue,
            (true, Some(python)) => python,
            (false, _) => &node,
        };
        let played = play(project, &program, interpreter, conversation);
        played.with_context(|| format!("{}, recorded and replayed", conversation.script))?;
        println!("{}: recorded, and replayed on both hosts", conversation.script);
    }
    Ok(())
}

fn play(project: &Project, program: &Path, interpreter: &Path, conversation: &Conversation) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("switchboard-replay-").tempdir()?;
    let (mut original, port) = native::start(program, &conversation.configuration(project)?)?;
    let talk = |to: u16| {
        let arguments = conversation.arguments(project, to, port);
        Ok(cmd!(project.shell, "{interpreter} {arguments...}").run()?)
    };
    record(program, port, &folder.path().join("session.jsonl"), talk)
        .with_context(|| format!("the original server printed:\n{}", original.printed()))?;

    std::fs::write(folder.path().join("vite.config.js"), VITE_CONFIG)?;
    examples::link_packages_into(project, &folder.path().join("node_modules"))?;
    let configuration = folder.path().join("switchboard.toml");
    let paces: &[&str] = if conversation.takes_at_once { &["1", "'instant'"] } else { &["1"] };
    for pace in paces {
        std::fs::write(&configuration, replay(pace))?;
        let (server, port) = native::start(program, &configuration)?;
        listen(server, port, talk).with_context(|| format!("on the native server, at pace {pace}"))?;
        let vite = Vite::start(&project.npm().join("node_modules"), folder.path())?;
        listen(vite.server, vite.port, talk).with_context(|| format!("in Vite, at pace {pace}"))?;
    }
    Ok(())
}

/// Lets a client talk to a server through a proxy that writes what passes.
fn record(program: &Path, port: u16, file: &Path, talk: impl Fn(u16) -> Result<()>) -> Result<()> {
    let mut command = Command::new(program);
    command
        .arg("record")
        .arg(format!("ws://127.0.0.1:{port}"))
        .arg("--out")
        .arg(file)
        .args(["--listen", "0"]);
    let mut recorder = Server::start(&mut command)?;
    let to = recorder.wait_for_port("127.0.0.1").context("the recorder does not start")?;
    talk(to).with_context(|| format!("the recorder printed:\n{}", recorder.printed()))?;
    recorder.terminate()?;
    recorder.wait(PATIENCE)?;
    ensure!(file.is_file(), "nothing was recorded:\n{}", recorder.printed());
    Ok(())
}

fn replay(pace: &str) -> String {
    format!(
        "[[routes]]\npattern = '/**'\nprefix = []\ndialect = 'replay'\ncompression = true\n\
         replay = {{ file = 'session.jsonl', speed = {pace} }}\n"
    )
}

/// Lets the client talk to a server, which has to find all that it says in the recording.
fn listen(mut server: Server, port: u16, talk: impl Fn(u16) -> Result<()>) -> Result<()> {
    talk(port).with_context(|| format!("it printed:\n{}", server.printed()))?;
    let printed = server.printed();
    match printed.lines().find(|line| line.contains("came from the client, where")) {
        Some(line) => bail!("it expected something else: {line}"),
        None => Ok(()),
    }
}

impl Conversation {
    fn configuration(&self, project: &Project) -> Result<PathBuf> {
        match self.folder {
            Some(folder) => Ok(project.npm().join("test-clients").join(folder).join("switchboard.toml")),
            None => examples::native_configuration(project, "chat"),
        }
    }

    /// The script, where it connects to, and where the original server is, which some of them have publish something.
    fn arguments(&self, project: &Project, to: u16, original: u16) -> Vec<String> {
        let scenes = project.npm().join("test-clients");
        let script = scenes.join(self.folder.unwrap_or_default()).join(self.script).display().to_string();
        match self.folder {
            Some(_) => vec![script, to.to_string(), original.to_string()],
            None => vec![script, format!("ws://127.0.0.1:{to}/api/ws/chat")],
        }
    }
}
