//! A proxy's settings.

mod target;
mod written;

use std::time::Duration;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::schema::ConfigError;
use target::check_header;

pub use target::{ProxyAuth, TargetOptions};

/// Where a proxy's connections go, and how: a URL, or an object with more.
#[derive(Clone, Debug)]
pub struct ProxyOptions {
    /// The one target, `ws://` or `wss://`. Either this or `targets`.
    pub target: Option<TargetOptions>,
    /// Targets by the name with which the part of the path that `**` stands for begins.
    pub targets: IndexMap<String, TargetOptions>,
    /// Whether clients are told about the proxy itself: `proxy_connected` when the target has answered, and why it
    /// failed. Default true with `targets`, otherwise false.
    pub announce: Option<bool>,
    /// Headers of the client's opening handshake to pass on, such as `cookie`. Default none.
    pub forward: Vec<String>,
    /// Who answers a client's opening handshake. Default: the proxy where clients are told about it (`announce`),
    /// otherwise the target.
    pub handshake: Option<ProxyHandshake>,
    /// How long a target may take to answer. Default 10 s.
    pub timeout: Duration,
    /// How long a target may take none of the messages that wait for it; then the client is closed with 1011. Default
    /// 30 s.
    pub send_timeout: Duration,
    /// How many bytes may wait for the target before nothing more is taken from the client. Default 1 MiB.
    pub max_waiting: usize,
}

/// Who answers a client's opening handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProxyHandshake {
    /// The target: the client waits for its answer and gets its subprotocol, or its HTTP status; 502 if it cannot
    /// be reached, 504 if it does not answer in time. When one side ends without a close frame, so does the other.
    Target,
    /// The proxy, at once: the client's messages wait for the target. A failure closes the client with 1011.
    Proxy,
}

impl ProxyOptions {
    /// A proxy to this URL.
    pub fn to(url: impl Into<String>) -> Self {
        Self::new(Some(TargetOptions::new(url)), IndexMap::new())
    }

    /// A proxy to one of these targets, which the path names.
    pub fn to_targets(targets: IndexMap<String, TargetOptions>) -> Self {
        Self::new(None, targets)
    }

    fn new(target: Option<TargetOptions>, targets: IndexMap<String, TargetOptions>) -> Self {
        Self {
            target,
            targets,
            announce: None,
            forward: Vec::new(),
            handshake: None,
            timeout: Duration::from_secs(10),
            send_timeout: Duration::from_secs(30),
            max_waiting: 1 << 20,
        }
    }

    /// Whether clients are told about the proxy.
    pub fn announces(&self) -> bool {
        self.announce.unwrap_or(!self.targets.is_empty())
    }

    /// Who answers a client's opening handshake.
    pub fn handshake(&self) -> ProxyHandshake {
        self.handshake.unwrap_or(match self.announces() {
            true => ProxyHandshake::Proxy,
            false => ProxyHandshake::Target,
        })
    }

    /// Replaces each `${NAME}` by its value; fails where `variable` has none.
    pub(crate) fn resolve(
        &mut self,
        variable: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        if let Some(target) = &mut self.target {
            target.resolve(variable)?;
        }
        for (name, target) in &mut self.targets {
            target.resolve(variable).map_err(|error| error.under(&format!("targets.{name}")))?;
        }
        Ok(())
    }

    /// Checks what depends on more than one key. `takes_rest`: the route's pattern ends with `**`.
    pub(crate) fn check(&self, takes_rest: bool) -> Result<(), ConfigError> {
        match (&self.target, self.targets.is_empty()) {
            (None, true) => return Err(ConfigError::at("", "write where to: url, or targets by name")),
            (Some(_), false) => return Err(ConfigError::at("", "write either url or targets")),
            (None, false) if !takes_rest => {
                let message = "the target's name comes from the path; end the pattern with /**";
                return Err(ConfigError::at("targets", message));
            }
            _ => {}
        }
        if self.timeout.is_zero() {
            return Err(ConfigError::at("timeout", "no target could ever answer; write at least 1"));
        }
        if self.send_timeout.is_zero() {
            return Err(ConfigError::at(
                "sendTimeout",
                "no target could ever take anything; write at least 1",
            ));
        }
        if self.max_waiting == 0 {
            return Err(ConfigError::at("maxWaiting", "no message could ever pass; write at least 1"));
        }
        for (index, name) in self.forward.iter().enumerate() {
            check_header(name).map_err(|error| error.under(&format!("forward[{index}]")))?;
        }
        if let Some(target) = &self.target {
            target.check()?;
        }
        for (name, target) in &self.targets {
            let under = |error: ConfigError| error.under(&format!("targets.{name}"));
            if name.is_empty() || name.contains('/') {
                return Err(under(ConfigError::at(
                    "",
                    "a name is one segment of a path, so it has no slash",
                )));
            }
            target.check().map_err(under)?;
        }
        Ok(())
    }
}
