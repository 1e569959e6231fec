//! The log, on standard error.

use std::env;
use std::fmt::{self, Debug};
use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{self, Writer};
use tracing_subscriber::util::SubscriberInitExt;

/// Starts it. `RUST_LOG` sets what is logged, by default everything from `info` on; `DEBUG=switchboard` is short for
/// `RUST_LOG=switchboard=debug`, where that is not set.
///
/// The reader of the log may go away, and a disk may be full. A line that cannot be written is dropped: reporting that on
/// standard error, as the subscriber does by default, would panic in the code that logs.
pub(crate) fn start() {
    let (levels, debug) = (env::var("RUST_LOG").unwrap_or_default(), env::var("DEBUG").unwrap_or_default());
    let (filter, mistake) = match filter(directives(&levels, &debug)) {
        Ok(filter) => (filter, None),
        Err(mistake) => (EnvFilter::default().add_directive(LevelFilter::INFO.into()), Some(mistake)),
    };
    subscriber(filter, io::stderr, io::stderr().is_terminal()).init();
    if let Some(mistake) = mistake {
        tracing::warn!("RUST_LOG is ignored: {mistake}; write a level such as debug, or switchboard=debug");
    }
}

fn subscriber<W>(filter: EnvFilter, writer: W, is_terminal: bool) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(is_terminal)
        .with_target(false)
        .fmt_fields(format::debug_fn(field).delimited(" "))
        .log_internal_errors(false)
        .finish()
}

/// The filter that the environment asks for. `DEBUG` is a list of names, as npm's `debug` reads it.
fn directives<'e>(levels: &'e str, debug: &str) -> &'e str {
    let mut names = debug.split([',', ' ']);
    match levels.is_empty() && names.any(|name| matches!(name, "switchboard" | "switchboard:*" | "*")) {
        true => "switchboard=debug",
        false => levels,
    }
}

fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(directives)
}

/// Writes one field of a line. Much of it comes from clients: they must not be able to command a terminal, or to forge a
/// line.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    if field.name() == "stack" {
        return stack(writer, &format!("{value:?}"));
    }
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    harmless(writer, &format!("{value:?}"))
}

/// The calls that led to an error, each on a line of its own.
fn stack(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    text.split('\n').try_for_each(|line| {
        writer.write_char('\n')?;
        harmless(writer, line)
    })
}

fn harmless(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|character| match is_harmless(character) {
        true => writer.write_char(character),
        false => write!(writer, "{}", character.escape_debug()),
    })
}

/// Neither C0, DEL or C1, nor another line break of Unicode's.
fn is_harmless(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn debug_asks_for_debug_lines_unless_rust_log_says_otherwise() {
        for (levels, debug, expected) in [
            ("", "", ""),
            ("", "switchboard", "switchboard=debug"),
            ("", "vite:*, switchboard:*", "switchboard=debug"),
            ("", "*", "switchboard=debug"),
            ("", "switchboards", ""),
            ("warn", "switchboard", "warn"),
        ] {
            assert_eq!(directives(levels, debug), expected, "{levels:?} {debug:?}");
        }
    }

    #[test]
    fn a_client_commands_no_terminal_and_forges_no_line() {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter = filter("info").expect("a level");
        tracing::subscriber::with_default(subscriber(filter, move || writer.clone(), false), || {
            let room = "a\u{1b}]0;owned\u{7}\u{9b}2J\u{7f}\t\r\nERROR forged\u{2028}é";
            tracing::warn!(room, "the room {room} is full");
            tracing::warn!(number = 5, "second");
        });
        let log = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("UTF-8");
        let lines: Vec<&str> = log.lines().collect();
        let room = r"a\u{1b}]0;owned\u{7}\u{9b}2J\u{7f}\t\r\nERROR forged\u{2028}é";
        assert!(lines[0].contains(&format!("the room {room} is full room=")), "{log:?}");
        assert!(lines.len() == 2 && lines[1].ends_with("second number=5"), "{log:?}");
        assert!(!log.replace('\n', "").contains(char::is_control), "{log:?}");
    }
}
