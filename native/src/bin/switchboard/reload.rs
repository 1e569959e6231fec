//! A running server takes its configuration file anew: on SIGHUP, and when the file or the environment's files change.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
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
    contents: Vec<Option<Vec<u8>>>,
}

impl Reload {
    /// `config` is what [`Arguments::config`] has given.
    pub(crate) fn new(arguments: Arguments, switchboard: Switchboard, port: u16, config: Config) -> Self {
        let contents = contents(&arguments, &config);
        Self { arguments, switchboard, port, config, contents }
    }

    /// Reloads on SIGHUP, and if the arguments say so whenever a file changes.
    pub(crate) fn watch(mut self) -> io::Result<JoinHandle<()>> {
        let mut hangup = Hangup::listen()?;
        let (sender, mut changes) = mpsc::channel(1);
        let watcher =
            self.arguments.watches().then(|| watcher(&self.arguments, &self.config, sender)).transpose();
        let watcher = watcher.map_err(io::Error::other)?;
        Ok(tokio::spawn(async move {
            // It is dropped with the task; without one nothing is ever received.
            let watcher = watcher;
            loop {
                tokio::select! {
                    () = hangup.next() => {
                        self.contents = contents(&self.arguments, &self.config);
                        self.reload();
                    }
                    Some(()) = changes.recv(), if watcher.is_some() => {
                        settle(&mut changes).await;
                        let contents = contents(&self.arguments, &self.config);
                        if contents != self.contents {
                            self.contents = contents;
                            self.reload();
                        }
                    }
                }
            }
        }))
    }

    fn reload(&mut self) {
        let name = self.arguments.config_name();
        match self.take() {
            Ok(done) => tracing::info!("reloaded {name}: {done}"),
            Err(error) => tracing::error!("{error}; the configuration before serves on"),
        }
    }

    fn take(&mut self) -> Result<String, StartError> {
        let environment = Environment::read().map_err(StartError::environment)?;
        let config = self.arguments.config(&environment)?;
        let mut resolved = config.clone();
        self.arguments.resolve(&mut resolved, &environment, self.port)?;
        let done = self.switchboard.reconfigure(resolved);
        let done = done.map_err(|error| StartError::config(&self.arguments, &error))?;
        let left = bound_at_start(&self.config, &config);
        if !left.is_empty() {
            tracing::warn!("{} takes effect when the server is started again", left.join(", "));
        }
        Ok(done.to_string())
    }
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

/// Tells `changes` when something changes in the folders of the files. The folders are watched and not the files, as many
/// editors replace a file by another one of its name.
fn watcher(
    arguments: &Arguments,
    config: &Config,
    changes: mpsc::Sender<()>,
) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading is no change; that events were lost may hide one.
        if event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            return;
        }
        // One that waits already is enough.
        let _ = changes.try_send(());
    })?;
    let mut folders: Vec<PathBuf> = files(arguments, config)
        .into_iter()
        .map(|file| match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        })
        .collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        // A folder that is not there yet is not worth a failure: the file in it is named when it is read.
        if folder.is_dir() {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        }
    }
    Ok(watcher)
}

/// The files of which the configuration is made. Those that a later configuration adds in other folders are not watched.
fn files(arguments: &Arguments, config: &Config) -> Vec<PathBuf> {
    let environment = Environment::files().into_iter().map(PathBuf::from);
    let of_config = config.files().into_iter().map(PathBuf::from);
    arguments.config_file().map(ToOwned::to_owned).into_iter().chain(environment).chain(of_config).collect()
}

fn contents(arguments: &Arguments, config: &Config) -> Vec<Option<Vec<u8>>> {
    files(arguments, config).iter().map(|file| std::fs::read(file).ok()).collect()
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
