//! From the options of a JavaScript host to an engine.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use switchboard_core::config::{Assembly, Config, ConfigError, EndpointInfo};
use switchboard_core::control::ControlSettings;
use switchboard_core::javascript::HookSet;
use switchboard_core::{Configuration, Engine, Hosts, Limits, Router, Secret};

/// The options from JavaScript: one or more configurations, in order, and which callbacks their routes have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Setup {
    /// The top-level keys that the user wrote.
    given: Vec<String>,
    /// The top-level keys that exist.
    known: Vec<String>,
    parts: Vec<Part>,
    /// Hosts under which the server around may be reached too.
    #[serde(default)]
    allowed_hosts: ServedHosts,
    /// The files that belong to the configurations, by their paths.
    #[serde(default)]
    files: HashMap<String, FileContent>,
    /// The environment's variables.
    #[serde(default)]
    environment: HashMap<String, String>,
    /// Whether lines of the level `debug` are wanted.
    #[serde(default)]
    trace: bool,
    /// The control API, if it is on.
    control: Option<ControlSetup>,
    /// Whether nothing else answers on the port: paths that no route has are refused.
    #[serde(default)]
    claims_all: bool,
    /// Whether the table of endpoints is wanted.
    #[serde(default)]
    describe: bool,
}

/// What the host has read of a file.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FileContent {
    /// What is in it, as JSON.
    Document(Value),
    /// Why it cannot be read.
    Error(String),
}

/// Who may use the control API, and what it shows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ControlSetup {
    token: Secret,
    loopback_only: bool,
    reveal: bool,
}

/// What the server around allows by itself: names, or all.
#[derive(Deserialize)]
#[serde(untagged)]
enum ServedHosts {
    Any(bool),
    Listed(Vec<String>),
}

/// One configuration with its own prefixes, origins and feeds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    #[serde(flatten)]
    source: Source,
    /// The file it was read from, to name it in errors.
    file: Option<String>,
    /// The folder of that file, in which the files that it names begin.
    folder: Option<String>,
    /// What the user calls the routes, to name them in errors: `wsHandlers[0]`.
    #[serde(default)]
    labels: Vec<String>,
    /// Whether its limits and its `shutdownGrace` apply to the whole server; otherwise another part's do.
    #[serde(default)]
    rules: bool,
    /// By route; missing ones have no callbacks.
    #[serde(default)]
    hooks: Vec<HookSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Source {
    /// JavaScript options without their callbacks.
    Config(Value),
    /// The text of a TOML file.
    Toml(String),
    /// The text of a JSON file.
    Json(String),
    /// `Config::recorder`.
    Recorder { url: String, out: String, mask: Vec<String>, port: u16 },
    /// `Config::player`.
    Player { file: String, speed: String, matching: String, repeats: bool, port: u16 },
}

/// The result of a setup.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) facts: Facts,
    /// How many routes there are.
    pub(crate) count: usize,
    /// How many of the first routes come from the environment. JavaScript does not know them, and counts from the next one.
    pub(crate) from_environment: usize,
}

/// What JavaScript asks about a configuration.
#[derive(Default)]
pub(crate) struct Facts {
    /// All patterns that are served, with their prefixes.
    pub(crate) patterns: Vec<String>,
    /// The table of endpoints, if it is wanted. A pattern is listed for the first route that serves it.
    pub(crate) endpoints: Vec<EndpointInfo>,
    /// How long in ms clients may take to close when the server stops.
    pub(crate) shutdown_grace: u64,
    /// How long in ms the body of a plain request may take.
    pub(crate) request_timeout: u64,
    /// Whether there is a limit for the connections from one address.
    pub(crate) counts_addresses: bool,
    /// Whether it matters at which port the server is found.
    pub(crate) needs_port: bool,
    /// Whether a configuration asks for a cluster, in which this host takes no part.
    pub(crate) ignores_cluster: bool,
    /// Whether lines of the level `debug` are wanted.
    pub(crate) trace: bool,
    /// The control API, if it is on.
    pub(crate) control: Option<ControlSettings>,
}

/// What an engine is made of, or reconfigured to.
pub(crate) struct Plan {
    assembly: Assembly,
    router: Router,
    limits: Limits,
    facts: Facts,
    count: usize,
    /// See [`Server::from_environment`].
    pub(crate) from_environment: usize,
}

/// Builds the engine, or returns what is wrong with the options.
pub(crate) fn server(setup: Setup, seed: [u8; 32]) -> Result<Server, String> {
    let Plan { assembly, router, limits, facts, count, from_environment } = plan(setup)?;
    let mut engine = assembly.engine(router, limits, seed);
    facts.apply(&mut engine);
    Ok(Server { engine, facts, count, from_environment })
}

impl Facts {
    /// Switches on in an engine what is not of its configuration.
    pub(crate) fn apply(&self, engine: &mut Engine) {
        engine.set_trace(self.trace);
        if let Some(settings) = &self.control {
            engine.set_control(settings.clone());
        }
    }
}

impl Plan {
    /// For an engine that runs already.
    pub(crate) fn configuration(self) -> (Configuration, Facts) {
        (self.assembly.configuration(self.limits), self.facts)
    }
}

/// Checks the options; gives what is wrong with them.
pub(crate) fn plan(setup: Setup) -> Result<Plan, String> {
    let known: Vec<&str> = setup.known.iter().map(String::as_str).collect();
    if let Some(key) = setup.given.iter().find(|key| !known.contains(&key.as_str())) {
        return Err(ConfigError::unknown_key(key.clone(), key, &known).to_string());
    }
    let (mut limits, mut shutdown_grace) = (Limits::default(), Config::default().shutdown_grace);
    let mut assembly = Assembly::default();
    let mut configs = Vec::new();
    let mut needs_port = false;
    for part in setup.parts {
        let (config, is_open) = part.config(&setup.environment, Some(&setup.files))?;
        needs_port |= is_open;
        if part.rules {
            (limits, shutdown_grace) = (config.engine_limits(), config.shutdown_grace);
            assembly.recordings(&config);
        }
        configs.push((config, part.hooks));
    }
    let mut config = Config::default();
    let variable = |name: &str| setup.environment.get(name).cloned();
    let mut from_environment = 0;
    if config.add_environment(variable).map_err(|error| error.to_string())? {
        from_environment = config.routes.len();
        configs.insert(0, (config, Vec::new()));
    }
    assembly.hosts(setup.allowed_hosts.into());
    for (config, hooks) in &configs {
        assembly.configured(config, |index, _| hooks.get(index).map(HookSet::callbacks).unwrap_or_default());
    }
    let mut endpoints: Vec<EndpointInfo> = Vec::new();
    if setup.describe {
        let described = configs.iter().flat_map(|(config, hooks)| described(config, hooks));
        for info in described {
            if !endpoints.iter().any(|known| known.pattern == info.pattern) {
                endpoints.push(info);
            }
        }
    }
    let mut router = assembly.router().map_err(|error| error.to_string())?;
    if setup.claims_all {
        router = router.claim_all();
    }
    let patterns = router.patterns().to_vec();
    let count = configs.iter().map(|(config, _)| config.routes.len()).sum();
    let control = setup.control.map(|ControlSetup { token, loopback_only, reveal }| ControlSettings {
        loopback_only,
        reveal,
        ..ControlSettings::new(token)
    });
    // A debug log names them, and so does the control API.
    let counts_addresses = limits.connections_per_address.is_some() || setup.trace || control.is_some();
    let request_timeout = limits.handshake_timeout.as_millis() as u64;
    let trace = setup.trace;
    let ignores_cluster = configs.iter().any(|(config, _)| config.cluster.is_some());
    let facts = Facts {
        patterns,
        endpoints,
        shutdown_grace,
        request_timeout,
        counts_addresses,
        needs_port,
        ignores_cluster,
        trace,
        control,
    };
    Ok(Plan { assembly, router, limits, facts, count, from_environment })
}

/// The table of endpoints of a configuration.
fn described(config: &Config, hooks: &[HookSet]) -> Vec<EndpointInfo> {
    let routes = config.routes.iter().enumerate().filter(|(_, route)| !route.disabled);
    let infos = routes.map(|(index, route)| {
        let authenticates = hooks.get(index).is_some_and(HookSet::authenticates);
        EndpointInfo::configured(config, route, authenticates)
    });
    infos.flatten().collect()
}

/// Takes what is in the files that belong to a configuration into it.
pub(crate) fn load(config: &mut Config, files: &HashMap<String, FileContent>) -> Result<(), ConfigError> {
    config.load(|file| match files.get(file) {
        Some(FileContent::Document(document)) => Ok(document.clone()),
        Some(FileContent::Error(error)) => Err(error.clone()),
        None => Err("was not read".to_owned()),
    })
}

/// The files that belong to the configurations, to be given as `files`. None where a configuration is wrong: that is said when
/// it is used.
pub(crate) fn files(setup: &Setup) -> Vec<String> {
    let configs = setup.parts.iter().filter_map(|part| part.config(&setup.environment, None).ok());
    configs
        .flat_map(|(config, _)| config.files().into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

impl Default for ServedHosts {
    fn default() -> Self {
        Self::Any(false)
    }
}

impl From<ServedHosts> for Hosts {
    fn from(hosts: ServedHosts) -> Self {
        match hosts {
            ServedHosts::Any(true) => Hosts::Any,
            ServedHosts::Any(false) => Hosts::default(),
            ServedHosts::Listed(names) => Hosts::listed(names),
        }
    }
}

impl Part {
    /// The configuration, and whether it has to be told where the server is found. Without `files` those that belong to it are
    /// not taken in.
    fn config(
        &self,
        environment: &HashMap<String, String>,
        files: Option<&HashMap<String, FileContent>>,
    ) -> Result<(Config, bool), String> {
        let config = self.written().and_then(|mut config| {
            config.switch_off_statistics(|name| environment.get(name).cloned());
            let is_open = config.resolve_but_port(|name| environment.get(name).cloned())?;
            if let Some(files) = files {
                load(&mut config, files)?;
            }
            for index in 0..config.routes.len() {
                let hooks = self.hooks.get(index);
                config.check_callbacks(index, |needed| hooks.is_some_and(|hooks| hooks.has(needed)))?;
            }
            Ok((config, is_open))
        });
        config.map_err(|error| self.named(&error))
    }

    /// The configuration as it is written, with files that begin in its folder.
    pub(crate) fn written(&self) -> Result<Config, ConfigError> {
        let mut config = match &self.source {
            Source::Config(value) => Config::from_value(value.clone()),
            Source::Toml(text) => Config::from_toml(text),
            Source::Json(text) => Config::from_json(text),
            Source::Recorder { url, out, mask, port } => Config::recorder(url, out, mask, *port),
            Source::Player { file, speed, matching, repeats, port } => {
                Config::player(file, speed, matching, *repeats, *port)
            }
        }?;
        if let Some(folder) = &self.folder {
            config.anchor(Path::new(folder));
        }
        Ok(config)
    }

    /// What is wrong, and in which file or with which key of the options.
    pub(crate) fn named(&self, error: &ConfigError) -> String {
        match &self.file {
            Some(file) => format!("{file}: {error}"),
            None => self.relabel(&error.to_string()),
        }
    }

    /// `routes[1].x` under the name that the user wrote: `wsHandlers[1].x`.
    fn relabel(&self, error: &str) -> String {
        let named = error.strip_prefix("routes[").and_then(|rest| {
            let (index, rest) = rest.split_once(']')?;
            Some(format!("{}{rest}", self.labels.get(index.parse::<usize>().ok()?)?))
        });
        named.unwrap_or_else(|| error.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(setup: &str) -> Setup {
        serde_json::from_str(setup).unwrap()
    }

    fn error(setup: &str) -> String {
        server(parse(setup), [0; 32]).map(drop).unwrap_err()
    }

    #[test]
    fn errors_are_in_the_users_words() {
        let part = r#"{"config":{"routes":[{"pattern":"/a"},{"pattern":"/b","heartbaet":1}]},"labels":["x[0]","x[1]"]}"#;
        let setup = format!(r#"{{"given":[],"known":[],"parts":[{part}]}}"#);
        assert_eq!(error(&setup), "x[1].heartbaet: unknown key; did you mean \"heartbeat\"?");
        let toml = r#"{"given":[],"known":[],"parts":[{"toml":"dealy = 1","file":"a.toml"}]}"#;
        assert_eq!(error(toml), "a.toml: dealy: unknown key; did you mean \"delay\"?");
        let events = r#"{"given":[],"known":[],"parts":[{"file":"a.toml","toml":
            "[[routes]]\npattern = '/'\ndialect = 'commands'\ncommands.events = ['receive']"}]}"#;
        assert!(error(events).starts_with("a.toml: routes[0].commands.events[0]: there is no callback for"));
        let keys = r#"{"given":["wsHandler"],"known":["wsHandlers","routes"],"parts":[]}"#;
        assert_eq!(error(keys), "wsHandler: unknown key; did you mean \"wsHandlers\"?");
    }

    #[test]
    fn parts_keep_their_prefixes_and_their_order() {
        let setup = r#"{"given":[],"known":[],"parts":[
            {"config":{"prefix":["/api"],"routes":[{"pattern":"/a"}]},"hooks":[{"message":true}]},
            {"config":{"routes":[{"pattern":"/b/{c}"}]}}]}"#;
        let server = server(parse(setup), [0; 32]).map_err(drop).unwrap();
        assert_eq!(server.facts.patterns, ["/api/a", "/b/{c}"]);
    }

    #[test]
    fn the_environment_comes_first_and_is_not_counted() {
        let setup = r#"{"given":[],"known":[],"parts":[{"config":{"routes":[{"pattern":"/ws"}]}}],
            "environment":{"WEBSOCKET_ENABLED":"true","WEBSOCKET_PATH":"/ws"}}"#;
        let server = server(parse(setup), [0; 32]).map_err(drop).unwrap();
        // Both serve the same path, which is listed once.
        assert_eq!((server.facts.patterns.len(), server.from_environment), (1, 1));
        let host = crate::host::Host::new(server);
        assert_eq!((host.route("/ws"), host.numbered(1), host.numbered(0)), (Some(1), 0, 1));
    }
}
