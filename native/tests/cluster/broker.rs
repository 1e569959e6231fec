//! A broker in a process of its own, with a folder of its own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::support::within;

/// A broker that runs until the test ends.
pub(crate) struct BrokerProcess {
    kind: Kind,
    access: Access,
    program: PathBuf,
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Redis,
    Nats,
    NatsWithoutJetStream,
}

/// Whom a broker lets in, and how.
#[derive(Clone, Default)]
pub(crate) struct Access {
    /// More arguments of the program.
    pub(crate) arguments: Vec<String>,
    /// The files of the certificate and of its key, where it speaks TLS alone.
    pub(crate) tls: Option<[PathBuf; 2]>,
    /// The network namespace where it listens on all addresses, without a password. Default: this one, on loopback alone.
    pub(crate) namespace: Option<String>,
}

impl BrokerProcess {
    pub(crate) async fn redis() -> Option<Self> {
        Self::redis_with(Access::default()).await
    }

    pub(crate) async fn nats() -> Option<Self> {
        Self::nats_with(Access::default()).await
    }

    pub(crate) async fn redis_with(access: Access) -> Option<Self> {
        Some(Self::start(Kind::Redis, found("redis-server", "REDIS_SERVER")?, access).await)
    }

    pub(crate) async fn nats_with(access: Access) -> Option<Self> {
        Some(Self::start(Kind::Nats, found("nats-server", "NATS_SERVER")?, access).await)
    }

    pub(crate) async fn nats_without_jetstream() -> Option<Self> {
        let program = found("nats-server", "NATS_SERVER")?;
        Some(Self::start(Kind::NatsWithoutJetStream, program, Access::default()).await)
    }

    async fn start(kind: Kind, program: PathBuf, access: Access) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let folder = std::env::temp_dir().join(format!("switchboard-broker-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut broker = Self { kind, access, program, port, folder, child: None };
        broker.run().await;
        broker
    }

    /// The URL of the configuration.
    pub(crate) fn url(&self) -> String {
        self.url_of("")
    }

    /// The same with a user before the host, as in `user:password@`.
    pub(crate) fn url_of(&self, user: &str) -> String {
        self.url_at(user, "127.0.0.1")
    }

    /// The same at this address of it.
    pub(crate) fn url_at(&self, user: &str, address: &str) -> String {
        let scheme = match (self.kind, &self.access.tls) {
            (Kind::Redis, None) => "redis",
            (Kind::Redis, Some(_)) => "rediss",
            (_, None) => "nats",
            (_, Some(_)) => "tls",
        };
        format!("{scheme}://{user}{address}:{}", self.port)
    }

    /// Kills it, with all that it knows.
    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            within("the broker's end", child.kill()).await.expect("a process");
        }
    }

    /// Starts it, empty, at the port that it had.
    pub(crate) async fn run(&mut self) {
        let mut command = match &self.access.namespace {
            None => Command::new(&self.program),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(&self.program);
                command
            }
        };
        let address = if self.access.namespace.is_some() { "0.0.0.0" } else { "127.0.0.1" };
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let port = self.port.to_string();
        let ready = match self.kind {
            Kind::Redis => {
                command.args(["--bind", address, "--save", "", "--appendonly", "no"]);
                if self.access.namespace.is_some() {
                    command.args(["--protected-mode", "no"]);
                }
                command.arg("--dir").arg(&self.folder);
                match &self.access.tls {
                    None => drop(command.args(["--port", &port])),
                    Some([cert, key]) => {
                        command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
                        command.arg("--tls-cert-file").arg(cert).arg("--tls-key-file").arg(key);
                    }
                }
                "Ready to accept connections"
            }
            Kind::Nats | Kind::NatsWithoutJetStream => {
                command.args(["--addr", address, "--port", &port]);
                if self.kind == Kind::Nats {
                    command.arg("--jetstream").arg("--store_dir").arg(&self.folder);
                }
                if let Some([cert, key]) = &self.access.tls {
                    command.arg("--tls").arg("--tlscert").arg(cert).arg("--tlskey").arg(key);
                }
                "Server is ready"
            }
        };
        command.args(&self.access.arguments);
        let mut child = command.spawn().expect("the broker");
        let (output, errors) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        let said = match self.kind {
            Kind::Redis => within("the broker's start", until(ready, output)).await,
            Kind::Nats | Kind::NatsWithoutJetStream => {
                within("the broker's start", until(ready, errors)).await
            }
        };
        said.unwrap_or_else(|said| panic!("the broker has ended: {said}"));
        self.child = Some(child);
    }
}

impl Drop for BrokerProcess {
    fn drop(&mut self) {
        // It writes there until it is dead.
        if let Some(child) = &mut self.child {
            let _ = child.start_kill();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Reads to a line that contains this, and goes on reading, so that the program never waits.
async fn until(ready: &str, output: impl AsyncRead + Unpin + Send + 'static) -> Result<(), String> {
    let mut lines = BufReader::new(output).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("UTF-8") {
        said += &format!("{line}\n");
        if line.contains(ready) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(());
        }
    }
    Err(said)
}

/// A program, by its variable of the environment or in the `PATH`.
fn found(program: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
    });
    if found.is_none() {
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_ci, "{program} is missing: install it, or set {variable}");
        eprintln!("skipped: {program} is missing");
    }
    found
}
