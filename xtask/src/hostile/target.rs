//! A server under attack, and the questions whether it is still well.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::wire::{Frame, Head, Peer};
use crate::process::Server;
use crate::targets::Targets;

/// How long a newcomer waits for its echo: the server may still be at what came before.
const HEALTH_PATIENCE: Duration = Duration::from_secs(30);

/// Which host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostKind {
    /// The program `switchboard`.
    Native,
    /// The plugin in Vite's development server.
    Plugin,
}

/// A running server with the routes of [`super::config`].
pub(super) struct Target {
    pub(super) kind: HostKind,
    pub(super) port: u16,
    pub(super) server: std::cell::RefCell<Server>,
    /// What its proxies connect to.
    pub(super) targets: Targets,
}

impl Target {
    pub(super) fn new(kind: HostKind, port: u16, server: Server, targets: Targets) -> Self {
        Self { kind, port, server: server.into(), targets }
    }

    /// Opens a WebSocket.
    pub(super) fn open(&self, path: &str) -> Result<Peer> {
        Peer::open(self.port, path)
    }

    /// The response to these bytes.
    pub(super) fn ask(&self, bytes: &[u8]) -> Result<Option<Head>> {
        let mut peer = Peer::connect(self.port)?;
        peer.write(bytes)?;
        peer.head()
    }

    /// Whether a newcomer is served: an echo, and in Vite a page and its hot updates too. The process must be the
    /// same and must not have had an uncaught error.
    pub(super) fn check_health(&self) -> Result<()> {
        self.check_process()?;
        self.check_echo().context("a fresh echo")?;
        if self.kind == HostKind::Plugin {
            self.check_page().context("a plain request")?;
            self.check_hmr().context("hot updates")?;
        }
        self.check_process()
    }

    /// The server's memory in bytes; `None` where the system does not tell.
    pub(super) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.borrow().id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    }

    /// In bytes; more for the plugin, as JavaScript's heap grows before it is collected.
    pub(super) fn allowed_growth(&self, bytes: u64) -> u64 {
        const JAVASCRIPT_SLACK: u64 = 192 << 20;
        match self.kind {
            HostKind::Native => bytes,
            HostKind::Plugin => bytes + JAVASCRIPT_SLACK,
        }
    }

    /// Does something that must not make the server grow by more than [so many bytes](Self::allowed_growth), also
    /// meanwhile.
    pub(super) fn bounded<T>(&self, bytes: u64, act: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(before) = self.memory() else { return act() };
        let allowed = self.allowed_growth(bytes);
        self.forget_peak();
        let result = act()?;
        let grown = self.peak().or_else(|| self.memory()).unwrap_or(before).saturating_sub(before);
        if grown > allowed {
            bail!("the server grew by {} MiB, more than {} MiB", grown >> 20, allowed >> 20);
        }
        Ok(result)
    }

    /// How many lines it has printed that hold this text, of which there must be one at least.
    pub(super) fn count_lines(&self, text: &str) -> Result<usize> {
        let mut server = self.server.borrow_mut();
        let count = |printed: &str| printed.lines().filter(|line| line.contains(text)).count();
        match count(&server.printed()) {
            0 => server.wait_for_line(text).map(|()| 1),
            many => Ok(many),
        }
    }

    /// Waits until a printed line holds this text.
    pub(super) fn wait_for_line(&self, text: &str) -> Result<()> {
        self.server.borrow_mut().wait_for_line(text)
    }

    fn check_process(&self) -> Result<()> {
        let mut server = self.server.borrow_mut();
        if let Some(status) = server.exit_status()? {
            bail!("the server ended with {status}; it printed:\n{}", server.printed());
        }
        let printed = server.printed();
        for sign in ["UNCAUGHT", "MaxListenersExceededWarning", "panicked at", "the engine failed"] {
            if let Some(line) = printed.lines().find(|line| line.contains(sign)) {
                bail!("it printed: {line}");
            }
        }
        Ok(())
    }

    fn check_echo(&self) -> Result<()> {
        let mut peer = Peer::connect(self.port)?;
        peer.patience(HEALTH_PATIENCE).shake("/api/ws/echo", &[])?;
        peer.echo("well?")
    }

    fn check_page(&self) -> Result<()> {
        let request = "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n";
        match self.ask(request.as_bytes())? {
            Some(head) if head.status == 200 => Ok(()),
            other => bail!("answered {other:?}"),
        }
    }

    /// Connects as the page does: Vite demands its token from clients that send an `Origin`.
    fn check_hmr(&self) -> Result<()> {
        let token = self.hmr_token()?;
        let origin = format!("Origin: http://localhost:{}", self.port);
        let lines = ["Sec-WebSocket-Protocol: vite-hmr", &origin];
        let (mut peer, _) = Peer::open_with(self.port, &format!("/?token={token}"), &lines)?;
        let Frame { payload, .. } = peer.message()?;
        if payload != br#"{"type":"connected"}"# {
            bail!("it said {:.80}", String::from_utf8_lossy(&payload));
        }
        Ok(())
    }

    /// What opens Vite's own WebSocket from a page; another one after each restart.
    fn hmr_token(&self) -> Result<String> {
        let mut peer = Peer::connect(self.port)?;
        peer.patience(Duration::from_secs(60));
        peer.write(b"GET /@vite/client HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let client = String::from_utf8_lossy(&peer.rest()?).into_owned();
        let token = client.split("wsToken = \"").nth(1).and_then(|rest| rest.split('"').next());
        token.map(str::to_owned).context("Vite's client holds no token")
    }

    /// Linux keeps the highest memory use since it was last told to forget it.
    fn forget_peak(&self) {
        // Where this does not work, the peak since the start of the process counts, or what is used at the end.
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.server.borrow().id()), "5");
    }

    fn peak(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.borrow().id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    }
}
