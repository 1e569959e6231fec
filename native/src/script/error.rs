//! Why handler files cannot be served.

/// Why handler files cannot be served: a file cannot be read or parsed, throws while it is loaded, or exports what is no
/// handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ScriptError {
    place: String,
    message: String,
    stack: Option<String>,
}

impl ScriptError {
    /// `place` is a file, with line and column where they are known.
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), stack: None }
    }

    /// What is wrong with a file's exports, whose messages begin with its path already.
    pub(super) fn of_exports(file: &str, message: String) -> Self {
        let own = message.strip_prefix(file).and_then(|rest| rest.strip_prefix(": ")).map(str::to_owned);
        Self::new(file, own.unwrap_or(message))
    }

    pub(super) fn with_stack(self, stack: Option<String>) -> Self {
        Self { stack, ..self }
    }

    /// The calls that led there, one a line with its file, line and column; `None` where no code ran.
    pub fn stack(&self) -> Option<&str> {
        self.stack.as_deref()
    }
}
