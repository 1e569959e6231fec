//! The log, on standard error.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};

/// Starts it. `RUST_LOG` sets what is logged, by default everything from `info` on.
///
/// Who reads it may go away, and its disk may be full. A line that cannot be written is dropped: telling so on standard
/// error, as the subscriber does by default, would panic in whatever wanted to log.
pub(crate) fn start() {
    let (filter, mistake) = match filter(&env::var("RUST_LOG").unwrap_or_default()) {
        Ok(filter) => (filter, None),
        Err(mistake) => (EnvFilter::default().add_directive(LevelFilter::INFO.into()), Some(mistake)),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .log_internal_errors(false)
        .init();
    if let Some(mistake) = mistake {
        tracing::warn!("RUST_LOG is ignored: {mistake}; write a level such as debug, or switchboard=debug");
    }
}

fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(directives)
}
