//! The native server.

// Standard output and standard error may be closed, and these would panic.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod asyncapi;
mod cli;
mod convert;
mod environment;
mod listing;
mod log;
mod memory;
mod record;
mod reload;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use switchboard::{Server, ServerError};
use tokio::net::TcpListener;

use cli::{Arguments, Command, StartError};
use environment::Environment;
use reload::Reload;

fn main() -> ExitCode {
    memory::keep_freed();
    let arguments = Arguments::parse();
    log::start();
    let result = match &arguments.command {
        Some(Command::Asyncapi(asyncapi)) => asyncapi.run(),
        Some(Command::Convert(convert)) => convert.run(),
        Some(Command::Record(_)) | None => serve(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

#[tokio::main]
async fn serve(arguments: &Arguments) -> Result<(), StartError> {
    let environment = Environment::read().map_err(StartError::environment)?;
    let mut config = arguments.config(&environment)?;
    let (host, port) = (config.listen.host.clone(), config.listen.port);
    // The port has to be known before the configuration is complete.
    let bound = TcpListener::bind((host.as_str(), port)).await;
    let (listener, address) = bound
        .and_then(|listener| listener.local_addr().map(|address| (listener, address)))
        .map_err(|source| StartError::Listen { host, port, source })?;
    let unresolved = config.clone();
    arguments.resolve(&mut config, &environment, address.port())?;
    let control = arguments.control(&environment)?;
    let mut builder = Server::builder().config(config).page(true);
    if let Some(settings) = &control {
        builder = builder.control(settings.clone());
    }
    let server = builder.listen(listener);
    let server = server.map_err(|error| match error {
        ServerError::NoHandler(_) | ServerError::Config(_) | ServerError::Tls(_) => {
            StartError::config(arguments, &error)
        }
        other => StartError::Server(other),
    })?;
    let signals = signals::watch(server.shutdown_handle()).map_err(StartError::Serve)?;
    let reload = Reload::new(arguments.clone(), server.switchboard().clone(), address.port(), unresolved);
    let reloads = reload.watch().map_err(StartError::Serve)?;
    // Standard output may be closed.
    let _ = listing::print(&server, control.as_ref());
    let served = server.serve().await;
    signals.abort();
    reloads.abort();
    served.map_err(StartError::Serve)?;
    tracing::info!("stopped");
    Ok(())
}
