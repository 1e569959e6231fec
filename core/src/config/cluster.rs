//! How a server finds the other nodes of its cluster.

use serde::Deserialize;

use super::ConfigError;
use crate::cluster::ClusterSettings;
use crate::schema::{Secret, replace_variables};

/// One node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterConfig {
    /// The broker through which the nodes reach each other: `redis://` or, with TLS, `rediss://` (Redis 6 or newer, Valkey),
    /// `nats://` or, with TLS, `tls://` (NATS). User, password and, for Redis, the number of a database stand in it as usual:
    /// `redis://user:password@127.0.0.1:6379/0`. `${NAME}` takes a part of it from the environment.
    pub url: Secret,
    /// The path of a file with the certificates (PEM) of the authorities that are trusted to vouch for the broker, in place of
    /// the system's. For `rediss://`, `tls://`, and `nats://` where the server wants TLS. Relative paths start at the
    /// configuration file. Default: the system's, or those of the file in the environment's `SSL_CERT_FILE`.
    #[serde(default)]
    pub ca: Option<String>,
    /// The path of a file of credentials for NATS (`.creds`, as `nsc generate creds` writes it), in place of user and password
    /// in the URL. It is read again for each connection. Relative paths start at the configuration file. Default: none.
    #[serde(default)]
    pub credentials: Option<String>,
    /// The node's name, which no other node has; at most 255 bytes. `${NAME}` takes a part of it from the environment. Default:
    /// made of the host's name and the process's id.
    #[serde(default)]
    pub name: Option<String>,
    /// With what the names of its channels and keys at the broker begin: clusters that share a broker need different ones. All
    /// nodes need the same. Default `switchboard`.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// How long in ms the others keep what they know of a node that gives no sign of life, and how long it takes until another
    /// node does what only one does. At least 300; all nodes need the same. Default 6000.
    #[serde(default = "default_lease")]
    pub lease: u64,
    /// Whether a server whose broker cannot be reached stops at the start. False: it serves its own clients, says so in
    /// the log and in `/health`, and goes on trying. Default false.
    #[serde(default)]
    pub required: bool,
}

/// What the nodes of a cluster reach each other through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broker {
    /// Redis, or what speaks its protocol.
    Redis,
    /// NATS.
    Nats,
}

impl ClusterConfig {
    /// The usual settings with this URL.
    pub fn new(url: impl Into<Secret>) -> Self {
        let (prefix, lease) = (default_prefix(), default_lease());
        Self { url: url.into(), ca: None, credentials: None, name: None, prefix, lease, required: false }
    }

    /// Which broker it is, by the URL.
    ///
    /// # Errors
    ///
    /// The URL begins with something else.
    pub fn broker(&self) -> Result<Broker, ConfigError> {
        let (scheme, rest) = self.url.0.split_once("://").unwrap_or_default();
        let broker = match scheme {
            "redis" | "rediss" => Broker::Redis,
            "nats" | "tls" => Broker::Nats,
            _ => {
                let message = "expected a URL that begins with redis://, rediss://, nats:// or tls://, such as \
                               \"redis://127.0.0.1:6379\"";
                return Err(ConfigError::at("url", message));
            }
        };
        match host(rest) {
            "" => Err(ConfigError::at(
                "url",
                "the host is missing; write, for example, \"redis://127.0.0.1:6379\"",
            )),
            _ => Ok(broker),
        }
    }

    /// The URL without user, password and query, to be shown.
    pub fn address(&self) -> String {
        let (scheme, rest) = self.url.0.split_once("://").unwrap_or_default();
        format!("{scheme}://{}", host(rest))
    }

    /// The settings of the node. `usual_name` is its name unless the configuration has one.
    pub fn settings(&self, usual_name: &str) -> ClusterSettings {
        let name = self.name.as_deref().unwrap_or(usual_name);
        ClusterSettings::new(name).prefix(&self.prefix).lease(self.lease)
    }

    /// Replaces each `${NAME}` by its value; fails where `variable` has none.
    pub(super) fn resolve(
        &mut self,
        variable: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        let texts =
            [("url", &mut self.url.0)].into_iter().chain(self.name.as_mut().map(|name| ("name", name)));
        for (key, text) in texts {
            *text = replace_variables(text, variable).map_err(|message| ConfigError::at(key, message))?;
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // The values of the environment are not known yet.
        let is_open = |text: &str| text.contains("${");
        if !is_open(&self.url.0) {
            let broker = self.broker()?;
            if self.credentials.is_some() {
                self.check_credentials(broker)?;
            }
            if self.ca.is_some() && self.url.0.starts_with("redis://") {
                let message = "is for connections with TLS; write rediss:// in cluster.url, or take it away";
                return Err(ConfigError::at("ca", message));
            }
        }
        let name = self.name.as_deref().filter(|name| !is_open(name));
        if name.is_some_and(|name| name.is_empty() || name.len() > MAX_NAME) {
            let message = format!("expected a name of 1 to {MAX_NAME} bytes, such as \"node-1\"");
            return Err(ConfigError::at("name", message));
        }
        if self.prefix.is_empty() || self.prefix.len() > MAX_NAME {
            let message = format!("expected a text of 1 to {MAX_NAME} bytes, such as \"switchboard\"");
            return Err(ConfigError::at("prefix", message));
        }
        if self.lease < ClusterSettings::SHORTEST_LEASE {
            let message =
                format!("expected at least {} ms, got {}", ClusterSettings::SHORTEST_LEASE, self.lease);
            return Err(ConfigError::at("lease", message));
        }
        Ok(())
    }

    /// Whether there can be a file of credentials, and nothing else says who comes.
    fn check_credentials(&self, broker: Broker) -> Result<(), ConfigError> {
        let message = match broker {
            Broker::Redis => "is for NATS; write redis://user:password@host in cluster.url instead",
            Broker::Nats if self.url.0.contains('@') => {
                "says who comes, and so does what stands before the @ of cluster.url: take one of them away"
            }
            Broker::Nats => return Ok(()),
        };
        Err(ConfigError::at("credentials", message))
    }
}

/// The longest name of a node and the longest prefix, in bytes.
const MAX_NAME: usize = 255;

/// Host and port of what stands behind `://`.
fn host(rest: &str) -> &str {
    // A password may have these characters, unescaped, too: only what comes behind the last @ is shown.
    let behind_user = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    behind_user.split(['/', '?', '#']).next().unwrap_or_default()
}

fn default_prefix() -> String {
    "switchboard".to_owned()
}

fn default_lease() -> u64 {
    ClusterSettings::LEASE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn config(cluster: &str) -> Result<ClusterConfig, String> {
        let config =
            Config::from_toml(&format!("[cluster]\n{cluster}")).map_err(|error| error.to_string())?;
        Ok(config.cluster.expect("a cluster"))
    }

    #[test]
    fn the_url_says_which_broker_it_is() {
        for (url, broker, address) in [
            ("redis://127.0.0.1:6379", Broker::Redis, "redis://127.0.0.1:6379"),
            ("rediss://user:p@ss/word@example.com/3?x=y", Broker::Redis, "rediss://example.com"),
            ("nats://token@[::1]:4222", Broker::Nats, "nats://[::1]:4222"),
            ("tls://:secret@nats.example.com", Broker::Nats, "tls://nats.example.com"),
        ] {
            let cluster = config(&format!("url = {url:?}")).expect(url);
            assert_eq!((cluster.broker(), cluster.address()), (Ok(broker), address.to_owned()));
            let shown = format!("{cluster:?}");
            assert!(
                !shown.contains("p@ss") && !shown.contains("secret@") && !shown.contains("token@"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_is_left_out_is_usual() {
        let cluster = config("url = 'redis://127.0.0.1'").expect("a configuration");
        let settings = cluster.settings("host-1");
        assert_eq!(settings, ClusterSettings::new("host-1"));
        assert!(!cluster.required && cluster.ca.is_none());
        let cluster = config(
            "url = 'rediss://127.0.0.1'\nca = 'a.pem'\nname = 'a'\nprefix = 'x'\nlease = 900\nrequired = true",
        );
        let cluster = cluster.expect("a configuration");
        assert_eq!(cluster.settings("host-1"), ClusterSettings::new("a").prefix("x").lease(900));
        assert!(cluster.required && cluster.ca.as_deref() == Some("a.pem"));
        let cluster =
            config("url = 'nats://127.0.0.1'\ncredentials = 'node.creds'").expect("a configuration");
        assert_eq!(cluster.credentials.as_deref(), Some("node.creds"));
    }

    #[test]
    fn mistakes_name_the_key_and_never_the_password() {
        let url = "cluster.url: expected a URL that begins with redis://, rediss://, nats:// or tls://, such as \
                   \"redis://127.0.0.1:6379\"";
        let no_host = "cluster.url: the host is missing; write, for example, \"redis://127.0.0.1:6379\"";
        let good = "url = 'redis://h'";
        let name = "cluster.name: expected a name of 1 to 255 bytes, such as \"node-1\"";
        let prefix = "cluster.prefix: expected a text of 1 to 255 bytes, such as \"switchboard\"";
        let long = "x".repeat(256);
        for (cluster, expected) in [
            ("name = 'a'".to_owned(), "cluster: the key \"url\" is missing"),
            ("url = 'http://u:s3cret@h'".to_owned(), url),
            ("url = 's3cret'".to_owned(), url),
            ("url = 'redis://u:s3cret@'".to_owned(), no_host),
            ("url = 'nats:///s3cret'".to_owned(), no_host),
            (
                format!("{good}\nca = 'ca.pem'"),
                "cluster.ca: is for connections with TLS; write rediss:// in cluster.url, or take it away",
            ),
            (
                format!("{good}\ncredentials = 'node.creds'"),
                "cluster.credentials: is for NATS; write redis://user:password@host in cluster.url instead",
            ),
            (
                "url = 'nats://s3cret@h'\ncredentials = 'node.creds'".to_owned(),
                "cluster.credentials: says who comes, and so does what stands before the @ of cluster.url: take one of \
                 them away",
            ),
            (format!("{good}\nname = ''"), name),
            (format!("{good}\nname = '{long}'"), name),
            (format!("{good}\nprefix = ''"), prefix),
            (format!("{good}\nprefix = '{long}'"), prefix),
            (format!("{good}\nlease = 299"), "cluster.lease: expected at least 300 ms, got 299"),
            (format!("{good}\nrequire = true"), "cluster.require: unknown key; did you mean \"required\"?"),
        ] {
            let error = config(&cluster).expect_err(&cluster);
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn the_url_can_come_from_the_environment() {
        let toml = "[cluster]\nurl = '${SCHEME}://u:${PASSWORD}@h'\nname = 'node-${INDEX}'";
        let mut config = Config::from_toml(toml).expect("a configuration");
        let variable = |name: &str| match name {
            "SCHEME" => Some("nats".to_owned()),
            "PASSWORD" => Some("s3cret".to_owned()),
            "INDEX" => Some("3".to_owned()),
            _ => None,
        };
        let mut missing = config.clone();
        let error = missing.resolve(|name| (name != "PASSWORD").then(|| "redis".to_owned()));
        let expected = "cluster.url: there is no variable PASSWORD in the environment";
        assert_eq!(error.expect_err("a missing variable").to_string(), expected);
        let mut wrong = config.clone();
        let error = wrong.resolve(|_| Some("s3cret".to_owned())).expect_err("not a scheme").to_string();
        assert!(
            error.starts_with("cluster.url: expected a URL that begins") && !error.contains("s3cret"),
            "{error}"
        );
        config.resolve(variable).expect("all variables");
        let cluster = config.cluster.expect("a cluster");
        assert_eq!((&*cluster.url.0, cluster.name.as_deref()), ("nats://u:s3cret@h", Some("node-3")));
    }

    /// A host without clusters needs none of their variables.
    #[test]
    fn the_variables_of_a_cluster_are_for_hosts_with_clusters() {
        let mut config = Config::from_toml("[cluster]\nurl = '${REDIS_URL}'").expect("a configuration");
        assert_eq!(config.resolve_but_port(|_| None), Ok(false));
    }
}
