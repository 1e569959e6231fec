//! The files that belong to a configuration: a host reads them before it starts, and again when it takes the configuration
//! anew.

use std::sync::Arc;

use serde_json::Value;

use super::{Config, ConfigError, RouteConfig};
use crate::contract::SchemaSource;

impl Config {
    /// The files that [`load`](Self::load) asks for: schemas of contracts, and an AsyncAPI
    /// document. A host that watches its configuration watches these
    /// too.
    pub fn files(&self) -> Vec<&str> {
        let contracts = self.routes.iter().filter_map(|route| route.contract.as_ref());
        let mut files: Vec<&str> = contracts.flat_map(|contract| contract.files()).collect();
        files.extend(self.asyncapi.as_ref().map(|asyncapi| asyncapi.file.as_str()));
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
        if let Some(mut options) = self.asyncapi.clone().filter(|options| !options.is_read) {
            let at = |message: String| ConfigError::at("asyncapi", format!("{}: {message}", options.file));
            let document = read(&options.file).map_err(at)?;
            self.add_asyncapi(&document, &options).map_err(|error| at(error.to_string()))?;
            options.is_read = true;
            self.asyncapi = Some(options);
        }
        self.check()
    }

    /// A contract without a schema is one that says what becomes of messages that an AsyncAPI document does not allow.
    pub(super) fn check_contract(&self, route: &RouteConfig) -> Result<(), ConfigError> {
        match (&route.contract, &self.asyncapi) {
            (Some(contract), None) if contract.is_empty() && !contract.is_described => {
                Err(ConfigError::at("", "there is no schema; write receives, sends or both"))
            }
            (Some(contract), Some(asyncapi))
                if contract.is_empty() && asyncapi.is_read && !contract.is_described =>
            {
                let message = format!(
                    "there is no schema: {} has no channel with the address {}; write receives, sends or both",
                    asyncapi.file, route.pattern
                );
                Err(ConfigError::at("", message))
            }
            _ => Ok(()),
        }
    }
}
