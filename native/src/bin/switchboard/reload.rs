//! A running server takes its configuration file anew: on SIGHUP, and when the file or the environment's files change.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
#[cfg(feature = "javascript")]
use switchboard::ServerError;
use switchboard::{Config, Switchboard};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::cli::{Arguments, StartError};
use crate::environment::Environment;

/// A save is complete when nothing more has changed for this long: editors write in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// A folder in which something changes all the time is looked at this often.
const LONGEST: Duration = Duration::from_secs(1);

/// What is needed to read the configuration again.
pub(crate) struct Reload {
    arguments: Arguments,
    switchboard: Switchboard,
    /// Where the server listens.
    port: u16,
    /// The configuration that is served, before its variables are filled in.
    config: Config,
    /// What the files contained when they were read last.
    contents: Contents,
}

/// What the files contain.
#[derive(PartialEq)]
struct Contents {
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    /// The names of what is in the folders of handler files.
    folders: Vec<Vec<PathBuf>>,
}

impl Reload {
    /// `config` is what [`Arguments::config`] has given.
    pub(crate) fn new(arguments: Arguments, switchboard: Switchboard, port: u16, config: Config) -> Self {
        let contents = Contents::read(&arguments, &config, &switchboard);
        Self { arguments, switchboard, port, config, contents }
    }

    /// Reloads on SIGHUP, and if the arguments say so whenever a file changes.
    pub(crate) fn watch(mut self) -> io::Result<JoinHandle<()>> {
        let mut hangup = Hangup::listen()?;
        let (sender, mut changes) = mpsc::channel(1);
        let watcher = self.arguments.watches().then(|| watcher(sender)).transpose();
        let mut watcher = watcher.map_err(io::Error::other)?;
        if let Some(watcher) = &mut watcher {
            self.watch_more(watcher);
        }
        Ok(tokio::spawn(async move {
            // It is dropped with the task; without one nothing is ever received.
            let mut watcher = watcher;
            loop {
                tokio::select! {
                    () = hangup.next() => {
                        self.reload();
                        self.contents = self.read();
                    }
                    Some(()) = changes.recv(), if watcher.is_some() => {
                        settle(&mut changes).await;
                        let contents = self.read();
                        if contents != self.contents {
                            self.contents = contents;
                            self.reload();
                            // A handler file may import others now. What changed meanwhile is seen with the next event.
                            let now = self.read();
                            if !now.has_files_of(&self.contents) {
                                self.contents = now;
                            }
                            if let Some(watcher) = &mut watcher {
                                self.watch_more(watcher);
                            }
                        }
                    }
                }
            }
        }))
    }

    fn read(&self) -> Contents {
        Contents::read(&self.arguments, &self.config, &self.switchboard)
    }

    /// Watches the folders of files that were not there before, too.
    fn watch_more(&self, watcher: &mut RecommendedWatcher) {
        for folder in folders(&self.arguments, &self.config, &self.switchboard) {
            // A folder that is not there yet is not worth a failure: the file in it is named when it is read.
            if folder.is_dir()
                && let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive)
            {
                tracing::warn!("changes in {} are not seen: {error}", folder.display());
            }
        }
    }

    fn reload(&mut self) {
        let name = self.arguments.config_name();
        match self.take() {
            Ok(done) => tracing::info!("reloaded {name}: {done}"),
            Err(error) => log_mistake(&error),
        }
    }

    fn take(&mut self) -> Result<String, StartError> {
        let environment = Environment::read().map_err(StartError::environment)?;
        let config = self.arguments.config(&environment)?;
        let mut resolved = config.clone();
        self.arguments.resolve(&mut resolved, &environment, self.port)?;
        let done = self.switchboard.reconfigure(resolved);
        let done = done.map_err(|error| match error {
            #[cfg(feature = "javascript")]
            ServerError::Script(error) => StartError::Script { error },
            error => StartError::config(&self.arguments, &error),
        })?;
        let left = bound_at_start(&self.config, &config);
        if !left.is_empty() {
            tracing::warn!("{} takes effect when the server is started again", left.join(", "));
        }
        Ok(done.to_string())
    }
}

/// What is wrong, and where in a handler file.
fn log_mistake(error: &StartError) {
    #[cfg(feature = "javascript")]
    if let StartError::Script { error } = error
        && let Some(stack) = error.stack()
    {
        return tracing::error!(%stack, "{error}; the configuration before serves on");
    }
    tracing::error!("{error}; the configuration before serves on");
}

/// The keys with another value than at the start that a running server does not take over.
fn bound_at_start(start: &Config, now: &Config) -> Vec<&'static str> {
    let (listen, other) = (&start.listen, &now.listen);
    let (limits, others) = (&start.limits, &now.limits);
    let keys = [
        ("listen.host", listen.host != other.host),
        ("listen.port", listen.port != other.port),
        ("listen.tls", listen.tls != other.tls),
        ("listen.ioUring", listen.io_uring != other.io_uring),
        ("shutdownGrace", start.shutdown_grace != now.shutdown_grace),
        ("more limits.maxConnections", limits.max_connections < others.max_connections),
        (
            "limits.maxConnectionsPerAddress before the opening handshake",
            limits.max_connections_per_address.is_none() && others.max_connections_per_address.is_some(),
        ),
        ("limits.handshakeTimeout", limits.handshake_timeout != others.handshake_timeout),
        ("a longer limits.handshakeBytes", limits.handshake_bytes < others.handshake_bytes),
    ];
    keys.into_iter().filter(|(_, is_other)| *is_other).map(|(key, _)| key).collect()
}

/// Waits until nothing changes any more.
async fn settle(changes: &mut mpsc::Receiver<()>) {
    let last = Instant::now() + LONGEST;
    while let Ok(Some(())) = timeout_at(last.min(Instant::now() + QUIET), changes.recv()).await {}
}

/// Tells `changes` when something changes in the folders that it watches.
fn watcher(changes: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading is no change; that events were lost may hide one.
        if event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            return;
        }
        // One that waits already is enough.
        let _ = changes.try_send(());
    })
}

/// The folders to watch. It is folders and not files, as many editors replace a file by another one of its name.
fn folders(arguments: &Arguments, config: &Config, switchboard: &Switchboard) -> Vec<PathBuf> {
    let (handlers, below) = handler_files(switchboard);
    let files = files(arguments, config).into_iter().chain(handlers);
    let of_files = files.map(|file| match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    });
    let mut folders: Vec<PathBuf> = of_files.chain(below).collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}

#[cfg(feature = "javascript")]
fn handler_files(switchboard: &Switchboard) -> (Vec<PathBuf>, Vec<PathBuf>) {
    switchboard.handler_files()
}

#[cfg(not(feature = "javascript"))]
fn handler_files(_: &Switchboard) -> (Vec<PathBuf>, Vec<PathBuf>) {
    Default::default()
}

/// The files of which the configuration is made. Those that a later configuration adds in other folders are not watched.
fn files(arguments: &Arguments, config: &Config) -> Vec<PathBuf> {
    let environment = Environment::files().into_iter().map(PathBuf::from);
    let of_config = config.files().into_iter().map(PathBuf::from);
    arguments.config_file().map(ToOwned::to_owned).into_iter().chain(environment).chain(of_config).collect()
}

impl Contents {
    /// Whether they are the same files, whatever they contain.
    fn has_files_of(&self, other: &Self) -> bool {
        let names = |contents: &Self| contents.files.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>();
        names(self) == names(other) && self.folders.len() == other.folders.len()
    }

    fn read(arguments: &Arguments, config: &Config, switchboard: &Switchboard) -> Self {
        let (handlers, folders) = handler_files(switchboard);
        let files = files(arguments, config).into_iter().chain(handlers);
        let names = |folder: PathBuf| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut names: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            names.sort_unstable();
            names
        };
        Self {
            files: files.map(|file| (file.clone(), std::fs::read(file).ok())).collect(),
            folders: folders.into_iter().map(names).collect(),
        }
    }
}

/// SIGHUP, where there is one.
#[cfg(unix)]
struct Hangup(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangup {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self)
    }

    async fn next(&mut self) {
        // Signals never end.
        let _ = self.0.recv().await;
    }
}

#[cfg(not(unix))]
struct Hangup;

#[cfg(not(unix))]
impl Hangup {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        std::future::pending().await
    }
}
