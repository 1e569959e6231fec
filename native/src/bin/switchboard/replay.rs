//! `switchboard replay`: a server that says again what was recorded.

use std::fmt::Display;
use std::path::PathBuf;

use clap::Args;
use switchboard::Config;

use crate::cli::StartError;

/// Say again what a server said in a recording
///
/// Takes .jsonl files of `switchboard record`, and .har files. Clients connect with the paths of the recording, and hear what
/// was said there, at the pace of then. It is short for a configuration with a route of the dialect replay, which can say
/// more.
#[derive(Args, Clone, Debug)]
pub(crate) struct Replay {
    /// The recording: .jsonl, or .har
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The port that clients connect to; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4004)]
    listen: u16,
    /// How fast: 1 is the pace of the recording, 10 ten times as fast, instant without waiting
    #[arg(long, value_name = "SPEED", default_value = "1")]
    speed: String,
    /// How alike messages of clients and recorded ones have to be: exact, shape or any
    #[arg(long, value_name = "MATCH", default_value = "shape")]
    r#match: String,
    /// Begin again at the end of a recorded conversation, instead of closing
    #[arg(long)]
    r#loop: bool,
}

impl Replay {
    /// The configuration of the server.
    pub(crate) fn config(&self) -> Result<Config, StartError> {
        let wrong = |message: &dyn Display| StartError::file(&self.file, message);
        let file = self.file.to_str().ok_or_else(|| wrong(&"the name of the file has to be UTF-8"))?;
        if let Err(error) = std::fs::File::open(&self.file) {
            return Err(wrong(&format!("cannot be read: {error}")));
        }
        let config = Config::player(file, &self.speed, &self.r#match, self.r#loop, self.listen);
        config.map_err(|error| wrong(&error))
    }
}
