//! `switchboard asyncapi`: an AsyncAPI document of a configuration.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::cli::{Arguments, StartError};
use crate::environment::Environment;

/// Print an AsyncAPI 3 document of a configuration
///
/// It is JSON, and says what the configuration says: the paths with their parameters, subprotocols, where a token stands, and
/// the contracts of messages.
#[derive(Args, Clone, Debug)]
pub(crate) struct AsyncApi {
    /// The configuration: TOML, or JSON if the name ends in .json. Without one: what is served by default
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The title of the document
    #[arg(long, default_value = "Switchboard")]
    title: String,
}

impl AsyncApi {
    /// Prints it.
    pub(crate) fn run(&self) -> Result<(), StartError> {
        let arguments = Arguments::of_file(self.config.clone());
        let environment = Environment::read().map_err(StartError::environment)?;
        let mut config = arguments.config(&environment)?;
        switchboard::load(&mut config).map_err(|error| StartError::config(&arguments, &error))?;
        let document = config.asyncapi_document(&self.title);
        writeln!(io::stdout(), "{document:#}").map_err(StartError::Serve)
    }
}
