//! What is wrong with a recording, and where.

use std::fmt;

use crate::schema::ConfigError;

/// A recording that cannot be read. Displays as one line: `line 3: headers[0]: expected …`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordingError {
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: u64,
    /// The path of the field, such as `headers[0][1]`. Empty for the line as a whole.
    pub field: String,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// Whether the line is no JSON, as one is that a crash has torn.
    pub(super) is_torn: bool,
}

impl RecordingError {
    /// An error at a field of a line; an empty field is the line as a whole.
    pub fn new(line: u64, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line, field: field.into(), message: message.into(), is_torn: false }
    }

    pub(super) fn from_serde(line: u64, error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        if !error.inner().is_data() {
            return Self::not_json(line, error.inner());
        }
        let path = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        let text = without_place(error.inner());
        if let Some(length) = text.strip_prefix("invalid length ")
            && let Some((length, _)) = length.split_once(", expected a tuple")
        {
            let text = format!("expected a list of a header's name and value, got a list of {length}");
            return Self::new(line, path, text);
        }
        let ConfigError { path, message, suggestion } = ConfigError::explain(path, &text);
        let message = match suggestion {
            Some(suggestion) => format!("{message}; did you mean {suggestion:?}?"),
            None => message,
        };
        Self::new(line, path, message)
    }

    /// An error in a document of many lines. Serde tells the path of the object at most, where the object as a whole is wrong;
    /// such messages begin with the name of the field.
    pub(super) fn in_document(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let line = error.inner().line() as u64;
        let mut error = Self::from_serde(line, error);
        if let Some((field, message)) = error.message.split_once(": ")
            && field.chars().all(|character| character.is_ascii_alphanumeric() || "._".contains(character))
        {
            error.field = match error.field.as_str() {
                "" => field.to_owned(),
                path => format!("{path}.{field}"),
            };
            error.message = message.to_owned();
        }
        error
    }

    pub(super) fn not_json(line: u64, error: &serde_json::Error) -> Self {
        let text = without_place(error);
        let error = Self::new(line, "", format!("not JSON: {text} at column {}", error.column()));
        Self { is_torn: true, ..error }
    }
}

/// What serde_json says without the place, which is one in the line and not in the file.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for RecordingError {}
