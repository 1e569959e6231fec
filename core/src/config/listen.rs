//! Where the native server listens, and how it writes.

use serde::Deserialize;

/// An address of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ListenConfig {
    /// A name or an IP address. Default `127.0.0.1`: this machine only. `0.0.0.0` is every IPv4 network.
    pub host: String,
    /// Default 4004. 0 takes any free port.
    pub port: u16,
    /// Whether broadcasts to many clients are written in the cheapest way that Linux has and allows: small messages
    /// through io_uring, large ones as pages that all receivers share. False: one copy and one system call for each
    /// receiver. Nothing else differs. Default true.
    pub io_uring: bool,
    /// Serves `wss://` and `https://` with this certificate. Default none: `ws://` and `http://`. In Vite the plugin serves
    /// on Vite's port, whose certificate is Vite's own, `server.https`.
    pub tls: Option<TlsConfig>,
}

/// The certificate that the server shows. The files are read once, at the start; a path that is not absolute begins in
/// the configuration file's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsConfig {
    /// A PEM file with the certificate, followed by those of its chain: `fullchain.pem`.
    pub cert: String,
    /// A PEM file with its private key, without a password: `privkey.pem`.
    pub key: String,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: 4004, io_uring: true, tls: None }
    }
}
