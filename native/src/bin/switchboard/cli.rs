//! The command line, and the configuration it names.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use switchboard::{Config, ControlSettings, ServerError};

use crate::asyncapi::AsyncApi;
use crate::convert::Convert;
use crate::environment::Environment;
use crate::record::Record;

/// The configuration that is served without `--config`.
const DEFAULT_CONFIG: &str = include_str!("../../../switchboard.toml");

/// The variable that may hold the token of the control API.
const CONTROL_TOKEN: &str = "SWITCHBOARD_CONTROL_TOKEN";

/// The port of the Mock API Server, whose variables the environment may have.
const ENVIRONMENT_PORT: u16 = 3000;

/// A WebSocket backend without backend code.
///
/// Serves the routes of a configuration file; without one, all five systems side by side, to try things out.
/// WEBSOCKET_* variables, also in .env files of the working directory, add mock events and proxies.
/// RUST_LOG sets what is logged (default: info); DEBUG=switchboard shows connections and messages.
#[derive(Clone, Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// What to do instead of serving
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
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
}

/// What the program does besides serving.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    Asyncapi(AsyncApi),
    Convert(Convert),
    Record(Record),
}

impl Arguments {
    /// The configuration, with what the environment adds and the command line changes.
    pub(crate) fn config(&self, environment: &Environment) -> Result<Config, StartError> {
        if let Some(Command::Record(record)) = &self.command {
            return record.config();
        }
        let mut config = self.read()?;
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

    /// The settings of the control API, if it is to be on. Who listens elsewhere than on this machine means others to ask too.
    pub(crate) fn control(&self, environment: &Environment) -> Result<Option<ControlSettings>, StartError> {
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
        self.config.is_some() && (self.watch || (!self.no_watch && io::stdout().is_terminal()))
    }

    /// The configuration's file.
    pub(crate) fn config_file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The configuration's name for messages.
    pub(crate) fn config_name(&self) -> String {
        let file = self.config.as_ref().map(|path| path.display().to_string());
        file.unwrap_or_else(|| "the built-in configuration".to_owned())
    }

    fn read(&self) -> Result<Config, StartError> {
        let Some(path) = &self.config else {
            return Config::from_toml(DEFAULT_CONFIG).map_err(|error| StartError::config(self, &error));
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| StartError::config(self, &format!("cannot be read: {source}")))?;
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let config = if is_json { Config::from_json(&text) } else { Config::from_toml(&text) };
        let mut config = config.map_err(|error| StartError::config(self, &error))?;
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
            StartError::Config { .. } => 2,
            _ => 1,
        }
    }
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
