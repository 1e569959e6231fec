//! The command line, and the configuration it names.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{Args, Parser, Subcommand};
use switchboard::{Builder, Config, ControlSettings, ServerError};
#[cfg(feature = "javascript")]
use switchboard::{HandlerFiles, ScriptError};

use crate::asyncapi::AsyncApi;
use crate::convert::Convert;
use crate::environment::Environment;
use crate::record::Record;
use crate::replay::Replay;

/// The configuration that is served without `--config`.
const DEFAULT_CONFIG: &str = include_str!("../../../switchboard.toml");

/// The variable that may hold the token of the control API.
const CONTROL_TOKEN: &str = "SWITCHBOARD_CONTROL_TOKEN";

/// The port of the Mock API Server, whose variables the environment may have.
const ENVIRONMENT_PORT: u16 = 3000;

/// A WebSocket backend without backend code.
///
/// Without a command it serves, as `serve` does.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "switchboard",
    version,
    // The same lines everywhere, also where the program runs on Node.
    term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = WITH_NODE
)]
pub(crate) struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

/// The commands that need Node, which a program without it can only name.
const WITH_NODE: &str = "With Node.js there are two more:
  npx vite-plugin-switchboard init  Add Switchboard to a Vite project, or start one without Vite
  npx vite-plugin-switchboard mcp   Serve the control API to coding agents";

/// What is served, and where.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Serve {
    /// The configuration: TOML, or JSON if the name ends in .json
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen on this name or address instead of the configured one
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Listen on this port instead of the configured one; 0 takes a free one
    #[arg(short, long, value_name = "PORT")]
    port: Option<u16>,
    /// Take the configuration anew whenever its file or a .env file changes; the default when standard output is a
    /// terminal. SIGHUP does so in any case
    #[arg(long, requires = "config", overrides_with = "no_watch")]
    watch: bool,
    /// Do not
    #[arg(long)]
    no_watch: bool,
    /// Switch the control API on, by which programs look at the server and act on it, and print its token: a random one, or
    /// the variable SWITCHBOARD_CONTROL_TOKEN
    #[arg(long)]
    control: bool,
    /// Show authData and query strings of connections in the control API, which may hold secrets
    #[arg(long, requires = "control")]
    control_reveal: bool,
    /// Check the configuration and what belongs to it, and serve nothing
    #[arg(long)]
    check: bool,
}

/// Serve WebSockets
///
/// Serves the handlers of files, and the routes of a configuration file; without either, all five systems side by side, to try
/// things out. WEBSOCKET_* variables, also in .env files of the working directory, add mock events and proxies.
/// RUST_LOG sets what is logged (default: info); DEBUG=switchboard shows connections and messages.
#[derive(Args, Clone, Debug)]
// Handler files can be watched without a configuration.
#[command(mut_arg("watch", |arg| arg.requires(Resettable::Reset)))]
pub(crate) struct NamedServe {
    /// Handler files in JavaScript or TypeScript, as the Vite plugin's option `files` takes them: names or globs
    #[arg(value_name = "FILES")]
    pub(crate) files: Vec<String>,
    /// The prefix of the paths of handler files
    #[arg(long, value_name = "PREFIX", default_value = "/api")]
    pub(crate) prefix: String,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

/// What the program does.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    Serve(NamedServe),
    Record(Record),
    Replay(Replay),
    Convert(Convert),
    Asyncapi(AsyncApi),
    /// Needs Node.js: npx vite-plugin-switchboard init
    #[command(hide = true)]
    Init(OfNode),
    /// Needs Node.js: npx vite-plugin-switchboard mcp
    #[command(hide = true)]
    Mcp(OfNode),
}

/// What was given to a command that needs Node.
#[derive(Args, Clone, Debug)]
pub(crate) struct OfNode {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<String>,
}

impl Arguments {
    /// To serve a configuration's file, or the built-in one, and nothing else.
    pub(crate) fn of_file(config: Option<PathBuf>) -> Self {
        let serve = Serve { config, ..Serve::default() };
        Self { command: None, serve }
    }

    /// The configuration, with what the environment adds and the command line changes.
    pub(crate) fn config(&self, environment: &Environment) -> Result<Config, StartError> {
        match &self.command {
            Some(Command::Record(record)) => return record.config(),
            Some(Command::Replay(replay)) => return replay.config(),
            _ => {}
        }
        if !cfg!(feature = "javascript") && !self.handler_files().is_empty() {
            return Err(StartError::NeedsNode("serve FILES"));
        }
        self.serve().config(self, environment)
    }

    /// The handler files that are named.
    fn handler_files(&self) -> &[String] {
        match &self.command {
            Some(Command::Serve(named)) => &named.files,
            _ => &[],
        }
    }

    /// Has a server serve the handler files that are named.
    #[cfg(feature = "javascript")]
    pub(crate) fn with_handler_files(&self, builder: Builder, port: u16) -> Builder {
        let Some(Command::Serve(NamedServe { files, prefix, .. })) = &self.command else { return builder };
        if files.is_empty() {
            return builder;
        }
        let variables = move |name: &str| match name {
            "PORT" => Some(port.to_string()),
            _ => Environment::read().ok()?.get(name),
        };
        let files = HandlerFiles::new(files.clone()).prefixes([prefix.clone()]).variables(variables);
        builder.handler_files(files)
    }

    /// A program without the feature says earlier that it serves none.
    #[cfg(not(feature = "javascript"))]
    pub(crate) fn with_handler_files(&self, builder: Builder, _: u16) -> Builder {
        builder
    }

    /// What was said about serving, with or without the command's name.
    fn serve(&self) -> &Serve {
        match &self.command {
            Some(Command::Serve(named)) => &named.serve,
            _ => &self.serve,
        }
    }

    /// Whether nothing is to be served.
    pub(crate) fn checks(&self) -> bool {
        self.serve().check
    }

    /// The settings of the control API, if it is to be on. Who listens elsewhere than on this machine means others to ask too.
    pub(crate) fn control(&self, environment: &Environment) -> Result<Option<ControlSettings>, StartError> {
        self.serve().control(environment)
    }

    /// Fills in the variables that the configuration leaves to the environment. `${PORT}` is where the server itself
    /// can be found.
    pub(crate) fn resolve(
        &self,
        config: &mut Config,
        environment: &Environment,
        port: u16,
    ) -> Result<(), StartError> {
        let variable = |name: &str| match name {
            "PORT" => Some(port.to_string()),
            _ => environment.get(name),
        };
        config.resolve(variable).map_err(|error| StartError::config(self, &error))
    }

    /// Whether the files are watched.
    pub(crate) fn watches(&self) -> bool {
        let Serve { config, watch, no_watch, .. } = self.serve();
        let is_any = config.is_some() || !self.handler_files().is_empty();
        is_any && (*watch || (!no_watch && io::stdout().is_terminal()))
    }

    /// The configuration's file.
    pub(crate) fn config_file(&self) -> Option<&Path> {
        self.serve().config.as_deref()
    }

    /// The configuration's name for messages.
    pub(crate) fn config_name(&self) -> String {
        match (self.config_file(), self.handler_files()) {
            (Some(path), _) => path.display().to_string(),
            (None, []) => "the built-in configuration".to_owned(),
            (None, files) => files.join(", "),
        }
    }
}

impl Serve {
    fn config(&self, arguments: &Arguments, environment: &Environment) -> Result<Config, StartError> {
        let mut config = self.read(arguments)?;
        let added = config.add_environment(|name| environment.get(name));
        let added = added.map_err(|error| StartError::Config {
            file: "the environment".to_owned(),
            message: error.to_string(),
        })?;
        if added && self.config.is_none() && environment.get("PORT").is_none() {
            config.listen.port = ENVIRONMENT_PORT;
        }
        if let Some(host) = &self.host {
            config.listen.host.clone_from(host);
        }
        if let Some(port) = self.port {
            config.listen.port = port;
        }
        Ok(config)
    }

    fn control(&self, environment: &Environment) -> Result<Option<ControlSettings>, StartError> {
        if !self.control {
            return Ok(None);
        }
        let given = environment.get(CONTROL_TOKEN).filter(|token| !token.is_empty());
        let token = given.map_or_else(random_token, Ok).map_err(|error| StartError::Config {
            file: "--control".to_owned(),
            message: format!("there are no random numbers for a token: {error}; set {CONTROL_TOKEN}"),
        })?;
        let settings = ControlSettings::new(token);
        Ok(Some(ControlSettings { loopback_only: false, reveal: self.control_reveal, ..settings }))
    }

    fn read(&self, arguments: &Arguments) -> Result<Config, StartError> {
        let Some(path) = &self.config else {
            let text = if arguments.handler_files().is_empty() { DEFAULT_CONFIG } else { "" };
            return Config::from_toml(text).map_err(|error| StartError::config(arguments, &error));
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| StartError::config(arguments, &format!("cannot be read: {source}")))?;
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let config = if is_json { Config::from_json(&text) } else { Config::from_toml(&text) };
        let mut config = config.map_err(|error| StartError::config(arguments, &error))?;
        if let Some(folder) = path.parent() {
            config.anchor(folder);
        }
        Ok(config)
    }
}

/// 128 bits as text, which need no quotes in a URL or a shell.
fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Why the program ends with an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The configuration is wrong.
    #[error("{file}: {message}")]
    Config {
        /// Which.
        file: String,
        /// The key's path, and what to write instead.
        message: String,
    },
    /// A handler file cannot be served.
    #[cfg(feature = "javascript")]
    #[error("{error}{}", below(.error.stack()))]
    Script {
        /// What is wrong, and where.
        error: ScriptError,
    },
    /// The port is taken, or not allowed.
    #[error("cannot listen on {host}:{port}: {source}{}", hint(.source, *.port))]
    Listen {
        /// A name or an address.
        host: String,
        /// Which port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The server does not start.
    #[error(transparent)]
    Server(ServerError),
    /// The server broke.
    #[error(transparent)]
    Serve(io::Error),
    /// The command is only in the npm package.
    #[error("{0} needs Node.js: npx vite-plugin-switchboard {0}")]
    NeedsNode(&'static str),
}

impl StartError {
    pub(crate) fn config(arguments: &Arguments, message: &dyn Display) -> Self {
        StartError::Config { file: arguments.config_name(), message: message.to_string() }
    }

    /// A file of the environment cannot be read.
    pub(crate) fn environment((file, source): (String, io::Error)) -> Self {
        StartError::Config { file, message: format!("cannot be read: {source}") }
    }

    /// Something is wrong with a file.
    pub(crate) fn file(file: &Path, message: &dyn Display) -> Self {
        StartError::Config { file: file.display().to_string(), message: message.to_string() }
    }

    /// 2 for what the user wrote wrong, as clap does; 1 for the rest.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            StartError::Config { .. } | StartError::NeedsNode(_) => 2,
            #[cfg(feature = "javascript")]
            StartError::Script { .. } => 2,
            _ => 1,
        }
    }
}

#[cfg(feature = "javascript")]
fn below(stack: Option<&str>) -> String {
    stack.map(|stack| format!("\n{stack}")).unwrap_or_default()
}

fn hint(error: &io::Error, port: u16) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "\nAnother program listens there. Stop it, or choose with --port (0 takes a free one).".to_owned()
        }
        io::ErrorKind::PermissionDenied => format!("\nPort {port} needs more rights; choose with --port."),
        _ => String::new(),
    }
}
