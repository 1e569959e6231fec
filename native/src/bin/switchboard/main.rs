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
mod replay;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use switchboard::{Server, ServerError, Tls};
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
        Some(Command::Init(_)) => Err(StartError::NeedsNode("init")),
        Some(Command::Mcp(_)) => Err(StartError::NeedsNode("mcp")),
        Some(Command::Serve(_) | Command::Record(_) | Command::Replay(_)) | None => {
            match arguments.checks() {
                true => check(&arguments),
                false => serve(&arguments),
            }
        }
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
    let server = arguments
        .with_handler_files(builder, address.port())
        .listen(listener)
        .map_err(|error| of_server(arguments, error))?;
    server.switchboard().joined().await.map_err(|error| of_server(arguments, error))?;
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

/// Does everything that comes before listening, and says that nothing is wrong. On one thread nothing is served meanwhile.
#[tokio::main(flavor = "current_thread")]
async fn check(arguments: &Arguments) -> Result<(), StartError> {
    let environment = Environment::read().map_err(StartError::environment)?;
    let mut config = arguments.config(&environment)?;
    let port = config.listen.port;
    arguments.resolve(&mut config, &environment, port)?;
    if let Some(files) = &config.listen.tls {
        Tls::from_files(&files.cert, &files.key).map_err(|error| of_server(arguments, error.into()))?;
    }
    let switchboard = arguments
        .with_handler_files(Server::builder().config(config), port)
        .build()
        .map_err(|error| of_server(arguments, error))?;
    let endpoints = match switchboard.endpoints().len() {
        1 => "1 endpoint".to_owned(),
        count => format!("{count} endpoints"),
    };
    // Standard output may be closed.
    let _ = writeln!(io::stdout(), "{}: nothing is wrong; {endpoints}", arguments.config_name());
    Ok(())
}

fn of_server(arguments: &Arguments, error: ServerError) -> StartError {
    match error {
        ServerError::NoHandler(_) | ServerError::Config(_) | ServerError::Tls(_) => {
            StartError::config(arguments, &error)
        }
        #[cfg(feature = "javascript")]
        ServerError::Script(error) => StartError::Script { error },
        other => StartError::Server(other),
    }
}
