//! The environment: variables of the process, and those in `.env` files of the working directory.

use std::collections::HashMap;
use std::env::VarError;
use std::io::ErrorKind;

use switchboard_core::config::{environment_files, parse_dotenv};

/// The values of the variables.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    from_files: HashMap<String, String>,
}

impl Environment {
    /// Reads the files of the mode that `NODE_ENV` names, by default `development`. Fails with the name of a file
    /// that is there but cannot be read.
    pub(crate) fn read() -> Result<Self, (String, std::io::Error)> {
        let mut from_files = HashMap::new();
        for file in Self::files() {
            match std::fs::read_to_string(&file) {
                Ok(text) => from_files.extend(parse_dotenv(&text)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err((file, error)),
            }
        }
        Ok(Self { from_files })
    }

    /// The names of the files that may be there.
    pub(crate) fn files() -> Vec<String> {
        let mode = std::env::var("NODE_ENV").ok().filter(|mode| !mode.is_empty());
        environment_files(mode.as_deref().unwrap_or("development")).into_iter().collect()
    }

    /// A variable's value: from the process, or else from the last file that has it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        match std::env::var(name) {
            Ok(value) => Some(value),
            Err(VarError::NotPresent | VarError::NotUnicode(_)) => self.from_files.get(name).cloned(),
        }
    }
}
