//! `switchboard record`: a proxy that writes what passes.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Args;
use switchboard::Config;

use crate::cli::StartError;

/// Record what a server says, as a proxy in front of it
///
/// Clients connect to this program instead of the server, with the same path or one below it. What passes is appended to the
/// file as it happens, without credentials.
#[derive(Args, Clone, Debug)]
pub(crate) struct Record {
    /// The server: ws:// or wss://
    #[arg(value_name = "URL")]
    url: String,
    /// The file, which is made or appended to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The port that clients connect to; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4004)]
    listen: u16,
    /// Mask what this regular expression matches, too; can be given more than once
    #[arg(long, value_name = "PATTERN")]
    mask: Vec<String>,
}

impl Record {
    /// The configuration of the proxy.
    pub(crate) fn config(&self) -> Result<Config, StartError> {
        let wrong = |message: &dyn Display| StartError::file(Path::new(&self.url), message);
        let out = self.out.to_str().ok_or_else(|| wrong(&"the name of the file has to be UTF-8"))?;
        Config::recorder(&self.url, out, &self.mask, self.listen).map_err(|error| wrong(&error))
    }
}
