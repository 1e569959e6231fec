//! `switchboard record`: a proxy that writes what passes.

use std::path::{Path, PathBuf};

use clap::Args;
use http::Uri;
use serde_json::{Value, json};
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
    /// Two routes with the server's own path and all below it, so that recorded paths are the server's.
    pub(crate) fn config(&self) -> Result<Config, StartError> {
        let wrong = |message: &str| StartError::file(Path::new(&self.url), &message);
        let url: Uri =
            self.url.parse().map_err(|_| wrong("no URL; write one such as wss://example.com/feed"))?;
        let path = url.path().trim_end_matches('/');
        if path.contains(['{', '}', '*', '?']) {
            return Err(wrong("a path with one of {, }, * and ? cannot be recorded"));
        }
        let out = self.out.to_str().ok_or_else(|| wrong("the name of the file has to be UTF-8"))?;
        let route = |pattern: String| {
            json!({
                "pattern": pattern,
                "proxy": { "url": self.url, "forward": ["authorization", "cookie"] },
                // Some clients insist on it.
                "compression": true,
                "record": { "file": out, "mask": self.mask },
            })
        };
        let mut routes = vec![route(format!("{path}/**"))];
        if !path.is_empty() {
            routes.insert(0, route(path.to_owned()));
        }
        let config: Value = json!({ "prefix": "", "listen": { "port": self.listen }, "routes": routes });
        let config = Config::from_json(&config.to_string());
        config.map_err(|error| StartError::file(Path::new(&self.url), &error))
    }
}
