//! The files that belong to a configuration: a host reads them before it starts, and again when it takes the configuration
//! anew.

use std::sync::Arc;

use serde_json::Value;

use super::{Config, ConfigError};
use crate::contract::SchemaSource;

impl Config {
    /// The files that [`load`](Self::load) asks for: schemas of contracts. A host that watches its configuration watches these
    /// too.
    pub fn files(&self) -> Vec<&str> {
        let contracts = self.routes.iter().filter_map(|route| route.contract.as_ref());
        let mut files: Vec<&str> = contracts.flat_map(|contract| contract.files()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Takes in the files that belong to the configuration. `read` gives what is in a JSON or YAML file, or says why it cannot.
    /// Hosts do this once before they start, after [`anchor`](Self::anchor).
    ///
    /// # Errors
    ///
    /// A file cannot be read, or what is in it is wrong.
    pub fn load(&mut self, mut read: impl FnMut(&str) -> Result<Value, String>) -> Result<(), ConfigError> {
        for (index, route) in self.routes.iter_mut().enumerate() {
            for (key, source) in route.contract.iter_mut().flat_map(|contract| contract.sources_mut()) {
                if let Some(file) = source.file().map(str::to_owned) {
                    let schema = read(&file).map(Arc::new).map_err(|message| {
                        ConfigError::at(
                            format!("routes[{index}].contract.{key}"),
                            format!("{file}: {message}"),
                        )
                    })?;
                    *source = SchemaSource::Read { file, schema };
                }
            }
        }
        self.check()
    }
}
