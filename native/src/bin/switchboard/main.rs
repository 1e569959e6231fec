//! The native server.

mod cli;
mod environment;
mod listing;
mod memory;
mod signals;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use switchboard::{Server, ServerError};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use cli::{Arguments, StartError};
use environment::Environment;

fn main() -> ExitCode {
    memory::keep_freed();
    let arguments = Arguments::parse();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

#[tokio::main]
async fn run(arguments: &Arguments) -> Result<(), StartError> {
    let environment = Environment::read().map_err(|(file, source)| StartError::Config {
        file,
        message: format!("cannot be read: {source}"),
    })?;
    let mut config = arguments.config(&environment)?;
    let (host, port) = (config.listen.host.clone(), config.listen.port);
    // The port has to be known before the configuration is complete.
    let bound = TcpListener::bind((host.as_str(), port)).await;
    let (listener, address) = bound
        .and_then(|listener| listener.local_addr().map(|address| (listener, address)))
        .map_err(|source| StartError::Listen { host, port, source })?;
    arguments.resolve(&mut config, &environment, address.port())?;
    let server = Server::builder().config(config).page(true).listen(listener);
    let server = server.map_err(|error| match error {
        ServerError::NoHandler(_) => StartError::config(arguments, &error),
        other => StartError::Server(other),
    })?;
    let signals = signals::watch(server.shutdown_handle()).map_err(StartError::Serve)?;
    // A closed pipe is no reason to stop serving.
    let _ = listing::print(&server);
    let served = server.serve().await;
    signals.abort();
    served.map_err(StartError::Serve)?;
    tracing::info!("stopped");
    Ok(())
}
