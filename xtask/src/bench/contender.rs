//! The contenders, and how each is built and started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use xshell::cmd;

use super::watcher::TOKEN;
use super::work::Work;
use crate::process::Server;
use crate::project::Project;
use crate::vite::{self, Vite};
use crate::{native, npm};

/// A WebSocket server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    /// The limit: encoded once, one write for each receiver, no rules.
    RawEpoll,
    /// The same with one submission to io_uring for all receivers of a turn.
    RawUring,
    /// Bun's own server, which is uWebSockets.
    Bun,
    /// Our native server with its dialects.
    Switchboard,
    /// The same with functions in JavaScript instead of dialects.
    SwitchboardScript,
    /// axum's `ws` with broadcast channels.
    Axum,
    /// fastwebsockets with broadcast channels.
    FastWebSockets,
    /// npm's `ws`, as documented.
    Ws,
    /// npm's `ws`, frames encoded once.
    WsOnce,
    /// crossws on Node.
    Crossws,
    /// Our plugin in Vite, with functions in JavaScript.
    SwitchboardVite,
    /// Our native server while the inspector is open.
    SwitchboardInspected,
    /// Our plugin in Vite while the inspector is open.
    SwitchboardViteInspected,
}

/// A server that runs, and where its routes are.
pub(super) struct Running {
    pub(super) server: Server,
    pub(super) port: u16,
    pub(super) prefix: &'static str,
}

impl Contender {
    /// How it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Contender::RawEpoll => "raw-epoll",
            Contender::RawUring => "raw-uring",
            Contender::Bun => "bun",
            Contender::Switchboard => "switchboard",
            Contender::SwitchboardScript => "switchboard-script",
            Contender::Axum => "axum",
            Contender::FastWebSockets => "fastwebsockets",
            Contender::Ws => "ws",
            Contender::WsOnce => "ws-once",
            Contender::Crossws => "crossws",
            Contender::SwitchboardVite => "switchboard-vite",
            Contender::SwitchboardInspected => "switchboard-inspected",
            Contender::SwitchboardViteInspected => "switchboard-vite-inspected",
        }
    }

    /// Whether somebody looks at it with the inspector.
    pub(super) fn is_inspected(self) -> bool {
        matches!(self, Contender::SwitchboardInspected | Contender::SwitchboardViteInspected)
    }

    /// Whether it takes part in a work.
    pub(super) fn can(self, work: &Work) -> bool {
        // Functions are compared with dialects, not with other servers.
        let is_asked = match work.contenders {
            [] => !self.is_inspected() && self != Contender::SwitchboardScript,
            some => some.contains(&self),
        };
        let has_deflate = !matches!(
            self,
            Contender::RawEpoll
                | Contender::RawUring
                | Contender::Axum
                | Contender::FastWebSockets
                | Contender::WsOnce
        );
        // It differs from `ws` in broadcasts only.
        let differs = self != Contender::WsOnce || work.is_fan_out();
        is_asked && differs && (has_deflate || !work.is_deflated())
    }

    /// Installs or builds what it needs.
    pub(super) fn prepare(self, project: &Project) -> Result<()> {
        match self {
            Contender::Switchboard | Contender::SwitchboardInspected | Contender::SwitchboardScript => {
                native::build_release(project).map(drop)
            }
            Contender::SwitchboardVite | Contender::SwitchboardViteInspected => {
                npm::run(project, &npm::Options { release: true })
            }
            Contender::Bun | Contender::Ws | Contender::WsOnce | Contender::Crossws => install(project),
            Contender::RawEpoll | Contender::RawUring | Contender::Axum | Contender::FastWebSockets => {
                build(project, self.program())
            }
        }
    }

    /// Starts it on a port of the system's choice.
    pub(super) fn start(self, project: &Project, routes: usize) -> Result<Running> {
        let mut prefix = "";
        let (server, port) = match self {
            Contender::Switchboard => {
                native::start(&native::release(project), &configuration(project, routes)?)?
            }
            Contender::SwitchboardInspected => {
                native::start_controlled(&native::release(project), &configuration(project, routes)?, TOKEN)?
            }
            Contender::SwitchboardScript => {
                prefix = "/api";
                let configuration = configuration(project, routes)?;
                native::serve_files(&native::release(project), &configuration, &script_routes(project))?
            }
            Contender::SwitchboardVite | Contender::SwitchboardViteInspected => {
                prefix = "/api";
                let folder = project.path("xtask/bench/peers/vite");
                let mode = ["--mode", &format!("more-{routes}")];
                let token = [("SWITCHBOARD_CONTROL_TOKEN", TOKEN.to_owned())];
                let modules = project.npm().join("node_modules");
                let vite = Vite::start_with(&modules, &folder, &[], &mode, &token)?;
                (vite.server, vite.port)
            }
            Contender::Bun => listen(script(&bun(project)?, project, "bun.js"))?,
            Contender::Ws => listen(script(&npm::program("node")?, project, "ws.js"))?,
            Contender::WsOnce => listen(script(&npm::program("node")?, project, "ws-once.js"))?,
            Contender::Crossws => listen(script(&npm::program("node")?, project, "crossws.js"))?,
            Contender::RawEpoll | Contender::RawUring | Contender::Axum | Contender::FastWebSockets => {
                listen(Command::new(rust_target(project).join("release").join(self.program())))?
            }
        };
        Ok(Running { server, port, prefix })
    }

    /// Which version of it is measured.
    pub(super) fn version(self, project: &Project) -> Result<String> {
        let node = || Ok::<_, anyhow::Error>(cmd!(project.shell, "node --version").quiet().read()?);
        let package = |name: &str| {
            let file = installed(project).join("node_modules").join(name).join("package.json");
            let package: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
            Ok::<_, anyhow::Error>(
                package["version"].as_str().context("a package has no version")?.to_owned(),
            )
        };
        let ours = env!("CARGO_PKG_VERSION");
        Ok(match self {
            Contender::Switchboard | Contender::SwitchboardInspected | Contender::SwitchboardScript => {
                ours.to_owned()
            }
            Contender::SwitchboardVite | Contender::SwitchboardViteInspected => {
                format!("{ours}, Vite {}, Node {}", vite::version(project)?, node()?)
            }
            Contender::Bun => package("bun")?,
            Contender::Ws | Contender::WsOnce => format!("{}, Node {}", package("ws")?, node()?),
            Contender::Crossws => format!("{}, Node {}", package("crossws")?, node()?),
            Contender::Axum => locked(project, "axum")?,
            Contender::FastWebSockets => locked(project, "fastwebsockets")?,
            Contender::RawEpoll | Contender::RawUring => "our own".to_owned(),
        })
    }

    fn program(self) -> &'static str {
        match self {
            Contender::RawEpoll => "raw_epoll",
            Contender::RawUring => "raw_uring",
            other => other.name(),
        }
    }
}

impl ValueEnum for Contender {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Contender::RawEpoll,
            Contender::RawUring,
            Contender::Bun,
            Contender::Switchboard,
            Contender::SwitchboardScript,
            Contender::Axum,
            Contender::FastWebSockets,
            Contender::Ws,
            Contender::WsOnce,
            Contender::Crossws,
            Contender::SwitchboardVite,
            Contender::SwitchboardInspected,
            Contender::SwitchboardViteInspected,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

fn listen(mut command: Command) -> Result<(Server, u16)> {
    let mut server = Server::start(&mut command)?;
    let port = server.wait_for_port("127.0.0.1")?;
    Ok((server, port))
}

fn script(runtime: &Path, project: &Project, name: &str) -> Command {
    let mut command = Command::new(runtime);
    command.arg(name).current_dir(installed(project)).env("NODE_ENV", "production");
    command
}

/// Where the peers of npm's registry are.
fn installed(project: &Project) -> PathBuf {
    project.target().join("bench/js")
}

/// Copies the peers' programs to the packages they need, which are installed if the lock file has changed.
fn install(project: &Project) -> Result<()> {
    let (from, to) = (project.path("xtask/bench/peers/js"), installed(project));
    std::fs::create_dir_all(&to)?;
    let wanted = std::fs::read(from.join("package-lock.json"))?;
    let done = to.join("node_modules/.installed-lock.json");
    let is_installed = std::fs::read(&done).is_ok_and(|installed| installed == wanted);
    for file in std::fs::read_dir(&from)?.flatten().filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), to.join(file.file_name()))?;
    }
    if is_installed {
        return Ok(());
    }
    let _here = project.shell.push_dir(&to);
    let npm = npm::program("npm")?;
    // Bun's own script would only copy the program that its platform's package brings.
    cmd!(project.shell, "{npm} ci --ignore-scripts --no-audit --no-fund").run()?;
    Ok(std::fs::write(done, wanted)?)
}

/// The program in whichever of Bun's packages runs on this machine.
fn bun(project: &Project) -> Result<PathBuf> {
    let packages = installed(project).join("node_modules/@oven");
    let packages = std::fs::read_dir(&packages).context("no package of Bun is for this platform")?;
    let mut programs: Vec<PathBuf> =
        packages.flatten().map(|package| package.path().join("bin/bun")).collect();
    programs.sort();
    let runs = |program: &PathBuf| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    match programs.into_iter().find(runs) {
        Some(program) => Ok(program),
        None => bail!("Bun does not run on this machine"),
    }
}

/// The handlers in JavaScript that the native server runs.
fn script_routes(project: &Project) -> PathBuf {
    project.path("xtask/bench/peers/script/routes.js")
}

fn rust_target(project: &Project) -> PathBuf {
    project.target().join("bench/rust")
}

fn build(project: &Project, program: &str) -> Result<()> {
    let manifest = project.path("xtask/bench/peers/rust/Cargo.toml");
    let build = project.cargo().args(["build", "--locked", "--release", "--bin", program, "--manifest-path"]);
    Ok(build.arg(manifest).env("CARGO_TARGET_DIR", rust_target(project)).run()?)
}

/// A package's version in the Rust peers' lock file.
fn locked(project: &Project, package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(project.path("xtask/bench/peers/rust/Cargo.lock"))?;
    let after =
        lock.split_once(&format!("name = \"{package}\"\nversion = \"")).context("it is not locked")?.1;
    Ok(after.split('"').next().unwrap_or_default().to_owned())
}

/// The native server's configuration, with more routes in front if asked for.
fn configuration(project: &Project, routes: usize) -> Result<PathBuf> {
    let file = project.path("xtask/bench/peers/switchboard.toml");
    if routes == 0 {
        return Ok(file);
    }
    let (limits, used) = std::fs::read_to_string(file)?
        .split_once("\n# Every message")
        .map(|(limits, used)| (limits.to_owned(), used.to_owned()))
        .context("the configuration has another form")?;
    let more: String = (0..routes)
        .map(|number| format!("[[routes]]\npattern = \"/more/{number}/{{name}}/*\"\ndialect = \"echo\"\n"))
        .collect();
    let file = project.target().join(format!("bench/switchboard-{routes}.toml"));
    std::fs::write(&file, format!("{limits}\n{more}\n# Every message{used}"))?;
    Ok(file)
}
