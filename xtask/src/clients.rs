//! Other people's WebSocket clients against both hosts.
//!
//! Each client plays the same scene in the chat example: two connections meet in a room, a short and
//! a long message reach both, one of them leaves and hears nothing more, both close cleanly. The
//! scene's files are in `npm/test-clients`; tungstenite's part is here. The clients of some systems play
//! scenes of their own, in folders there.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::client::Client;
use crate::cluster::{Broker, Node, broker, configuration};
use crate::phoenix_channels::IntegrationTests;
use crate::process::Server;
use crate::project::Project;
use crate::steps::Outcome;
use crate::vite::Vite;
use crate::{examples, native, npm, python, replayed};

const CHAT: &str = "/api/ws/chat";

/// Longer than any compression threshold and than one socket read.
const LONG_TEXT: usize = 100_000;

/// Plays the scene on the native server and in Vite with each client.
pub(crate) fn run(project: &Project) -> Result<Outcome> {
    let python = python::interpreter(project)?;
    if python.is_none() && project.is_ci() {
        bail!("there is no Python 3 to run the Python client with");
    }
    examples::link_packages(project)?;
    let configuration = examples::native_configuration(project, "chat")?;
    for mut host in hosts(project, &configuration, &examples::find(project, "chat")?)? {
        let port = host.port;
        let url = format!("ws://127.0.0.1:{port}{CHAT}");
        let node = npm::program("node")?;
        let scenes = project.npm().join("test-clients");
        let shell = &project.shell;
        tungstenite(port)
            .and_then(|()| Ok(cmd!(shell, "{node} {scenes}/ws.mjs {url}").run()?))
            .and_then(|()| match &python {
                Some(python) => Ok(cmd!(shell, "{python} {scenes}/websockets_client.py {url}").run()?),
                None => Ok(()),
            })
            .with_context(|| format!("on {}, which printed:\n{}", host.name, host.server.printed()))?;
        println!("{}: all clients passed", host.name);
    }
    SCENES.iter().try_for_each(|scenes| scenes.play(project, python.as_deref()))?;
    phoenix_channels(project)?;
    phoenix_on_two_nodes(project)?;
    replayed::run(project, python.as_deref())?;
    Ok(match python {
        Some(_) => Outcome::Passed,
        None => Outcome::Skipped("tungstenite and ws passed, but there is no Python 3 for websockets".into()),
    })
}

/// Scenes of their own for a system's clients, in a folder of `npm/test-clients`.
struct Scenes {
    folder: &'static str,
    /// Scripts for Node, with further arguments.
    node: &'static [&'static [&'static str]],
    python: &'static [&'static str],
}

const SCENES: &[Scenes] = &[
    Scenes {
        folder: "phoenix",
        node: &[
            &["phoenix.mjs"],
            &["phoenix.mjs", "phoenix17"],
            &["history.mjs"],
            &["history.mjs", "phoenix17"],
            &["realtime.mjs"],
            &["wscat.mjs"],
        ],
        python: &["phxsocket_client.py", "killmails_client.py"],
    },
    Scenes { folder: "events", node: &[&["ws.mjs"]], python: &["websocket_client.py"] },
    Scenes { folder: "documented", node: &[&["evekill.mjs"], &["rakit.mjs"]], python: &["rakit_client.py"] },
];

impl Scenes {
    /// Plays them on both hosts.
    fn play(&self, project: &Project, python: Option<&Path>) -> Result<()> {
        let folder = project.npm().join("test-clients").join(self.folder);
        let node = npm::program("node")?;
        for mut host in hosts(project, &folder.join("switchboard.toml"), &folder)? {
            let port = host.port.to_string();
            let play = |program: &Path, scene: &str, more: &[&str]| -> Result<()> {
                let scene = folder.join(scene);
                Ok(cmd!(project.shell, "{program} {scene} {port} {more...}").run()?)
            };
            let in_node = self.node.iter().try_for_each(|scene| play(&node, scene[0], &scene[1..]));
            in_node
                .and_then(|()| match python {
                    Some(python) => self.python.iter().try_for_each(|scene| play(python, scene, &[])),
                    None => Ok(()),
                })
                .with_context(|| format!("on {}, which printed:\n{}", host.name, host.server.printed()))?;
            println!("{}: all clients of {} passed", host.name, self.folder);
        }
        Ok(())
    }
}

/// The client of Phoenix Channels in Rust, which brings its own scenes.
fn phoenix_channels(project: &Project) -> Result<()> {
    let tests = IntegrationTests::fetch(project)?;
    let folder = project.npm().join("test-clients/phoenix");
    for mut host in hosts(project, &folder.join("switchboard.toml"), &folder)? {
        tests
            .run(project, host.port)
            .with_context(|| format!("on {}, which printed:\n{}", host.name, host.server.printed()))?;
        println!("{}: phoenix_channels_client passed", host.name);
    }
    Ok(())
}

/// The npm package phoenix at two servers that share a Redis.
fn phoenix_on_two_nodes(project: &Project) -> Result<()> {
    if !broker::is_there() {
        if project.is_ci() {
            bail!(broker::HOW_TO_GET_ONE);
        }
        println!("skipped on two nodes: {}", broker::HOW_TO_GET_ONE);
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let broker = Broker::redis(folder.path())?;
    let file = folder.path().join("switchboard.toml");
    std::fs::write(&file, configuration(&broker.url()))?;
    let program = native::build(project)?;
    let (a, b) = (Node::start(&program, &file, "a")?, Node::start(&program, &file, "b")?);
    let (node, scene) = (npm::program("node")?, project.npm().join("test-clients/cluster/phoenix.mjs"));
    let ports = [a.port().to_string(), b.port().to_string()];
    let played = cmd!(project.shell, "{node} {scene} {ports...}").run();
    played.with_context(|| format!("on two nodes, which printed:\n{}\n{}", a.printed(), b.printed()))?;
    println!("two nodes: phoenix passed");
    Ok(())
}

/// A running server.
struct Host {
    name: &'static str,
    server: Server,
    port: u16,
}

/// The native server with a configuration, and Vite in a folder that has the same.
fn hosts(project: &Project, configuration: &Path, folder: &Path) -> Result<[Host; 2]> {
    let (native, native_port) = native::start(&native::build(project)?, configuration)?;
    let vite = Vite::start(&project.npm().join("node_modules"), folder)?;
    Ok([
        Host { name: "the native server", server: native, port: native_port },
        Host { name: "the plugin in Vite", server: vite.server, port: vite.port },
    ])
}

fn tungstenite(port: u16) -> Result<()> {
    let mut ada = Client::connect(port, CHAT)?;
    ada.send(r#"{"type":"join-room","room":"tungstenite","username":"Ada"}"#)?;
    say(&mut ada, "first")?;
    expect(&mut ada, "first")?;

    let mut bob = Client::connect(port, CHAT)?;
    bob.send(r#"{"type":"join-room","room":"tungstenite","username":"Bob"}"#)?;
    expect_type(&mut ada, "user-joined")?;
    for text in ["short".to_owned(), "long ".repeat(LONG_TEXT / 5)] {
        say(&mut ada, &text)?;
        expect(&mut ada, &text)?;
        expect(&mut bob, &text)?;
    }

    bob.send(r#"{"type":"leave-room","room":"tungstenite"}"#)?;
    // Bob's own message goes to the room that he has left: when Ada receives it, he has left.
    say(&mut bob, "from outside")?;
    expect(&mut ada, "from outside")?;
    say(&mut ada, "alone")?;
    expect(&mut ada, "alone")?;
    bob.send(r#"{"type":"join-room","room":"elsewhere","username":"Bob"}"#)?;
    say_in(&mut bob, "elsewhere", "afterwards")?;
    expect(&mut bob, "afterwards")?;

    ada.close()?;
    bob.close()?;
    println!("tungstenite: passed");
    Ok(())
}

fn say(client: &mut Client, text: &str) -> Result<()> {
    say_in(client, "tungstenite", text)
}

fn say_in(client: &mut Client, room: &str, text: &str) -> Result<()> {
    let message = serde_json::json!({ "type": "message", "room": room, "username": "Ada", "text": text });
    client.send(&message.to_string())
}

/// The next chat message must be this one; other events (a welcome, a farewell) may come before it.
fn expect(client: &mut Client, text: &str) -> Result<()> {
    let message = expect_type(client, "chat-message")?;
    if message["text"] != text {
        bail!("expected the chat message {text:.80}, got {:.200}", message.to_string());
    }
    Ok(())
}

fn expect_type(client: &mut Client, kind: &str) -> Result<serde_json::Value> {
    loop {
        let message: serde_json::Value = serde_json::from_str(&client.receive()?)?;
        if message["type"] == kind {
            return Ok(message);
        }
    }
}
