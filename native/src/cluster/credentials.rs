//! A file of credentials for NATS: who comes, signed by an account, and the key that proves it.

use std::path::PathBuf;

use async_nats::ConnectOptions;

/// A file that can be used, or could when the server started.
pub(super) struct CredentialsFile(PathBuf);

impl CredentialsFile {
    /// Reads the file once, so that a mistake is told at the start.
    pub(super) fn open(file: &str) -> Result<Self, String> {
        let credentials = Self(file.into());
        let checked = credentials.add_to(ConnectOptions::new());
        checked.map(|_| credentials).map_err(|error| format!("{file} {error}"))
    }

    /// Reads the file again, which may have been renewed. The error has neither its path nor what is in it.
    pub(super) fn add_to(&self, options: ConnectOptions) -> Result<ConnectOptions, String> {
        let text = std::fs::read_to_string(&self.0).map_err(|error| format!("cannot be read: {error}"))?;
        options.credentials(&text).map_err(|error| {
            format!(
                "has no credentials that can be read: it needs a JWT below -----BEGIN NATS USER JWT----- and a seed below \
                 -----BEGIN USER NKEY SEED-----, as `nsc generate creds` writes them ({error})"
            )
        })
    }
}
