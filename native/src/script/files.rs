//! Handler files: which they are, and what is served of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_core::javascript::HookSet;
use switchboard_core::{Config, Limits, RouteConfig};

use super::context::TIME;
use super::error::ScriptError;
use super::group::groups;
use super::interpreter::{Interpreter, Job, Load};
use super::module::{self, Modules};
use super::route::Functions;
use super::{find, library, thrown};
use crate::callbacks::{Callbacks, Foreign};
use crate::plan::GivenCallbacks;

/// Files of handlers in JavaScript or TypeScript, the same that the Vite plugin serves, for
/// [`Builder::handler_files`](crate::Builder::handler_files).
///
/// A file's default export is a handler or a list of them, and other exports may be handlers too. A handler without a pattern
/// gets it from the file's path: `ws/chat/[room].ts` is served at `/api/ws/chat/{room}`. Their routes come before those of the
/// configuration, and [`Switchboard::reconfigure`](crate::Switchboard::reconfigure) reads the files again.
///
/// Types are erased, which leaves lines and columns as they are; what is more than a type, such as an `enum`, is an error.
/// Files import each other by relative paths, and of packages `vite-plugin-switchboard` alone. Those that share a module share an
/// interpreter, as the module's state is one; others have one of their own, with a thread, 64 MiB of memory, 1 MiB of stack
/// and 1 s for each stretch of code without an await (or half of `limits.handlerTimeout`, if that is less). What takes more fails, for
/// its own connection.
///
/// ```no_run
/// # async fn run() -> Result<(), switchboard::ServerError> {
/// use switchboard::{HandlerFiles, Server};
///
/// let files = HandlerFiles::new(["ws/**/*.ts"]);
/// let server = Server::builder().handler_files(files).bind("127.0.0.1:4000").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HandlerFiles {
    patterns: Vec<String>,
    root: PathBuf,
    prefixes: Vec<String>,
    variables: Variables,
}

/// The next version of modules that are loaded again.
static VERSION: AtomicU32 = AtomicU32::new(1);

type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl HandlerFiles {
    /// Files, folders with all that is below them, and globs such as `ws/**/*.ts`; one that begins with `!` takes files out.
    /// In folders and globs tests, declarations and files whose name begins with `_` are left out.
    pub fn new<P: Into<String>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self {
            patterns: patterns.into_iter().map(Into::into).collect(),
            root: PathBuf::from("."),
            prefixes: vec!["/api".to_owned()],
            variables: Arc::new(|name| std::env::var(name).ok()),
        }
    }

    /// The folder that patterns, and the paths that become patterns of routes, begin in. Default: the working directory.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// The prefixes of the routes; with none, patterns match whole paths. Default `/api`.
    #[must_use]
    pub fn prefixes<P: Into<String>>(mut self, prefixes: impl IntoIterator<Item = P>) -> Self {
        let prefixes = prefixes.into_iter().map(Into::into);
        self.prefixes = prefixes.filter(|prefix: &String| !prefix.trim_matches('/').is_empty()).collect();
        self
    }

    /// What `${NAME}` stands for in the options of handlers. Default: the environment's variables.
    #[must_use]
    pub fn variables(mut self, variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.variables = Arc::new(variables);
        self
    }
}

impl fmt::Debug for HandlerFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerFiles")
            .field("patterns", &self.patterns)
            .field("root", &self.root)
            .field("prefixes", &self.prefixes)
            .finish_non_exhaustive()
    }
}

/// Handler files that were loaded.
#[derive(Clone)]
pub(crate) struct Loaded {
    given: HandlerFiles,
    modules: Modules,
    /// The version of each module: 0 is the first.
    versions: HashMap<String, u32>,
    /// The interpreter of each file, by its number.
    groups: HashMap<String, usize>,
    interpreters: HashMap<usize, Arc<Interpreter>>,
    next_group: usize,
    /// By file.
    handlers: BTreeMap<String, Vec<Written>>,
    routes: Vec<RouteConfig>,
}

/// A handler, and where it was written: `ws/chat.ts: default`.
#[derive(Clone)]
struct Written {
    label: String,
    config: Value,
    callbacks: Arc<Callbacks>,
}

/// A handler as `runtime/host.js` gives it.
#[derive(Deserialize)]
struct Taken {
    label: String,
    config: Value,
    hooks: HookSet,
    number: u32,
}

impl HandlerFiles {
    /// Loads the files, for a server of this configuration and these limits.
    pub(crate) fn load(self, config: &Config, limits: &Limits) -> Result<Loaded, ScriptError> {
        let nothing = Loaded {
            given: self,
            modules: Modules::new(),
            versions: HashMap::new(),
            groups: HashMap::new(),
            interpreters: HashMap::new(),
            next_group: 0,
            handlers: BTreeMap::new(),
            routes: Vec::new(),
        };
        nothing.reload(config, limits)
    }
}

impl Loaded {
    /// Reads the files again, and loads what has changed since; if something is wrong with that, this one serves on. `config`
    /// is the server's own, and these are its limits.
    pub(crate) fn reload(&self, config: &Config, limits: &Limits) -> Result<Self, ScriptError> {
        // The engine's own timeout does not know where the code is.
        let time = limits.handler_timeout.map_or(TIME, |timeout| TIME.min(timeout / 2));
        let HandlerFiles { patterns, root, .. } = &self.given;
        let root = std::path::absolute(root)
            .map_err(|error| ScriptError::new(root.to_string_lossy(), error.to_string()))?;
        let files = find::find(&root, patterns)?;
        let modules = module::read(&root, &files, &self.modules)?;
        let entries: Vec<String> = files.iter().map(|file| module::name(&root, file)).collect();
        let closures: BTreeMap<String, HashSet<&str>> =
            entries.iter().map(|entry| (entry.clone(), module::closure(&modules, entry))).collect();
        let changed = self.changed(&modules);
        let mut next = Self { modules: modules.clone(), ..self.clone() };
        // An interpreter keeps also what failed: each time it is another version.
        let version = if self.handlers.is_empty() { 0 } else { VERSION.fetch_add(1, Ordering::Relaxed) };
        next.versions.extend(changed.iter().map(|name| ((*name).to_owned(), version)));
        next.groups = groups(&closures, &self.groups, self.next_group).into_iter().collect();
        next.next_group = next.groups.values().map(|group| group + 1).fold(self.next_group, usize::max);
        next.handlers.retain(|file, _| closures.contains_key(file));
        self.warn_of_apart(&closures, &next.groups);
        let used: HashSet<usize> = next.groups.values().copied().collect();
        next.interpreters.retain(|group, _| used.contains(group));
        for group in used {
            let own: Vec<&String> = entries.iter().filter(|entry| next.groups[*entry] == group).collect();
            let wanted: Vec<&String> = own
                .into_iter()
                .filter(|entry| changed.contains(entry.as_str()) || !self.handlers.contains_key(*entry))
                .collect();
            if wanted.is_empty() {
                continue;
            }
            let interpreter = match next.interpreters.get(&group) {
                Some(interpreter) => interpreter.clone(),
                None => {
                    let started = Interpreter::start()
                        .map_err(|error| ScriptError::new("a thread", error.to_string()))?;
                    next.interpreters.insert(group, started.clone());
                    started
                }
            };
            next.take(&interpreter, &wanted, &closures, time)?;
        }
        next.routes = next.configured(config, &root)?;
        Ok(next)
    }

    /// The modules that are other ones than before: edited, or importing such a one.
    fn changed<'m>(&self, modules: &'m Modules) -> HashSet<&'m str> {
        let is_other = |name: &str| modules.get(name) != self.modules.get(name);
        let all = modules.keys().map(String::as_str);
        all.filter(|name| module::closure(modules, name).into_iter().any(is_other)).collect()
    }

    /// After an edit two files may import the same module from two interpreters.
    fn warn_of_apart(&self, closures: &BTreeMap<String, HashSet<&str>>, groups: &HashMap<String, usize>) {
        for (file, modules) in closures {
            for (other, theirs) in closures.range(file.clone()..).skip(1) {
                if groups[file] != groups[other]
                    && let Some(shared) = modules.intersection(theirs).next()
                {
                    tracing::warn!(
                        "{file} and {other} import {shared}, but each has its own; they share it when the server is started again"
                    );
                }
            }
        }
    }

    fn versioned(&self, name: &str) -> String {
        match self.versions.get(name) {
            None | Some(0) => name.to_owned(),
            Some(version) => format!("{name}?v={version}"),
        }
    }

    /// Has an interpreter load files.
    fn take(
        &mut self,
        interpreter: &Arc<Interpreter>,
        wanted: &[&String],
        closures: &BTreeMap<String, HashSet<&str>>,
        time: Duration,
    ) -> Result<(), ScriptError> {
        let mut load = (HashMap::new(), HashMap::new());
        for name in wanted.iter().flat_map(|entry| &closures[*entry]) {
            let Some(module) = self.modules.get(*name) else { continue };
            let own = self.versioned(name);
            for (specifier, imported) in &module.imports {
                load.1.insert((own.clone(), specifier.clone()), self.versioned(imported));
            }
            let file = module::plain(&module.file);
            load.0.insert(own, library::Written { code: module.source.code.clone(), file });
        }
        let entries = wanted.iter().map(|entry| ((*entry).clone(), self.versioned(entry))).collect();
        let (loaded, answer) = mpsc::channel();
        let (modules, imports) = load;
        interpreter.give(Job::Load(Box::new(Load { modules, imports, entries, time, loaded })));
        let gone = || ScriptError::new(wanted[0].as_str(), "the interpreter ended");
        let handlers = answer.recv().map_err(|_| gone())?.map_err(|(path, thrown)| {
            ScriptError::of_exports(&path, thrown::with_advice(thrown.message)).with_stack(thrown.stack)
        })?;
        for (entry, json) in wanted.iter().zip(handlers) {
            let taken: Vec<Taken> = serde_json::from_str(&json)
                .map_err(|error| ScriptError::new(entry.as_str(), error.to_string()))?;
            if taken.is_empty() {
                tracing::warn!(
                    "{entry} exports no handler; write export default {{ onMessage(conn, data) {{ … }} }}, or begin its name with _"
                );
            }
            let written = taken.into_iter().map(|Taken { label, config, hooks, number }| {
                let functions: Arc<dyn Foreign> =
                    Arc::new(Functions { interpreter: interpreter.clone(), number, set: hooks });
                Written { label, config, callbacks: Arc::new(Callbacks::foreign(functions)) }
            });
            self.handlers.insert((*entry).clone(), written.collect());
        }
        Ok(())
    }

    /// The routes, as the configuration's own parser reads them.
    fn configured(&self, around: &Config, root: &Path) -> Result<Vec<RouteConfig>, ScriptError> {
        let written: Vec<&Written> = self.handlers.values().flatten().collect();
        let routes: Vec<&Value> = written.iter().map(|written| &written.config).collect();
        let relabelled = |error: switchboard_core::ConfigError| relabelled(&error.to_string(), &written);
        let given = json!({ "prefix": self.given.prefixes, "routes": routes });
        let mut config = around.beside(given).map_err(relabelled)?;
        config.anchor(root);
        let prefixes = config.prefix.clone();
        config.resolve(|name| (self.given.variables)(name)).map_err(relabelled)?;
        for (index, written) in written.iter().enumerate() {
            config.check_callbacks(index, |needed| written.callbacks.has(needed)).map_err(relabelled)?;
        }
        for route in &mut config.routes {
            route.prefix.get_or_insert_with(|| prefixes.clone());
        }
        Ok(config.routes)
    }

    /// Puts the routes before those of a configuration, and gives their functions.
    pub(crate) fn apply(&self, config: &mut Config) -> GivenCallbacks {
        config.routes.splice(..0, self.routes.iter().cloned());
        let written = self.handlers.values().flatten();
        let given = written.zip(&self.routes);
        given.map(|(written, route)| (route.pattern.to_string(), written.callbacks.clone())).collect()
    }

    /// The files that were read, and the folders in which others may appear.
    pub(crate) fn watched(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let HandlerFiles { patterns, root, .. } = &self.given;
        let root = std::path::absolute(root).unwrap_or_else(|_| root.clone());
        (self.modules.values().map(|module| module.file.clone()).collect(), find::folders(&root, patterns))
    }
}

/// `routes[1].x` under the name that the user knows: `ws/chat.ts: default.x`.
fn relabelled(error: &str, written: &[&Written]) -> ScriptError {
    let named = error.strip_prefix("routes[").and_then(|rest| {
        let (index, rest) = rest.split_once(']')?;
        let (file, label) = written.get(index.parse::<usize>().ok()?)?.label.split_once(": ")?;
        Some(ScriptError::new(file, format!("{label}{rest}")))
    });
    named.unwrap_or_else(|| ScriptError::new("handler files", error))
}
