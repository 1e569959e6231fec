//! What a recording is to be.

/// Where a recording is written, and what it leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordSettings {
    /// The file, which is appended to. The host makes its folders.
    pub file: String,
    /// Regular expressions for secrets besides the usual ones: see [`Mask`](super::Mask). Default none.
    pub mask: Vec<String>,
    /// What is recorded, for the header: the URL of the server, or the pattern of the route. Default none.
    pub source: Option<String>,
}

impl RecordSettings {
    /// A recording in this file.
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }
}

impl From<&str> for RecordSettings {
    fn from(file: &str) -> Self {
        Self::new(file)
    }
}

impl From<String> for RecordSettings {
    fn from(file: String) -> Self {
        Self::new(file)
    }
}
