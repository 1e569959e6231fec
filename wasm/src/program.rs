//! What the command `switchboard` on Node asks, beside what every host asks: where to listen, what to print, and what to
//! answer where nobody else answers.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_core::config::{Config, Dialect, Listing, inventory, parse_dotenv};
use switchboard_core::protocol;
use wasm_bindgen::prelude::*;

use crate::Switchboard;
use crate::request;
use crate::setup::{FileContent, Part, load};

/// A configuration, and the environment that it is read in.
#[derive(Deserialize)]
struct Question {
    part: Part,
    #[serde(default)]
    environment: HashMap<String, String>,
    #[serde(default)]
    files: HashMap<String, FileContent>,
}

impl Question {
    /// The configuration as it is written, with what the environment adds, and whether it adds something.
    fn config(&self) -> Result<(Config, bool), String> {
        let mut config = self.part.written().map_err(|error| self.part.named(&error))?;
        let added = config.add_environment(|name| self.environment.get(name).cloned());
        let added = added.map_err(|error| format!("the environment: {error}"))?;
        Ok((config, added))
    }
}

#[wasm_bindgen]
impl Switchboard {
    /// What a server of its own prints when it starts, for a setup with `describe`.
    pub fn listing(&self, address: &str, is_encrypted: bool, token: Option<String>) -> String {
        let http: Vec<_> = self.host.engine().endpoints().cloned().collect();
        let (endpoints, token) = (self.host.endpoints(), token.as_deref());
        Listing { address, is_encrypted, endpoints, http: &http, token, has_page: true }.to_string()
    }

    /// What is served where, as JSON, for a setup with `describe`: `start.json` of the inspector.
    pub fn inventory(&self) -> String {
        let http: Vec<_> = self.host.engine().endpoints().cloned().collect();
        inventory(self.host.endpoints(), &http).to_string()
    }

    /// How many endpoints there are, for a setup with `describe`.
    pub fn endpoint_count(&self) -> usize {
        self.host.endpoints().len()
    }

    /// Why a plain request, as [`request`](Self::request) takes one, is refused by a server of its own: under a host that is
    /// not allowed, unless `is_exempt`; or, with `is_last`, because nothing else answers it. In the form of `request`.
    pub fn refuse_plain(&mut self, head: usize, is_exempt: bool, is_last: bool) -> Option<Vec<String>> {
        let request = request::parse(self.scratch.get(..head).unwrap_or_default()).ok()?.request;
        if is_last {
            let refusal = match self.serves(request.uri().path()) {
                true => protocol::check(&request).err(),
                false => None,
            };
            let nothing = || protocol::Refusal::new(http::StatusCode::NOT_FOUND, "there is nothing here");
            return Some(request::answer(&refusal.unwrap_or_else(nothing).response()));
        }
        if is_exempt {
            return None;
        }
        self.host.refuse_host(&request).map(|response| request::answer(&response))
    }

    /// Where a server of its own listens. `question` is an object like `Question`; gives JSON: what is wrong as `{"error":…}`, or the
    /// values of `listen`, some that are bound at the start, the files that belong to the configuration, and whether the environment
    /// adds routes.
    pub fn listen(question: JsValue) -> String {
        let answer = || -> Result<Value, String> {
            let question: Question =
                serde_wasm_bindgen::from_value(question).map_err(|error| error.to_string())?;
            let (config, added) = question.config()?;
            let lacking = config.routes.iter().find(|route| route.dialect() == Dialect::Handlers);
            let tls = config.listen.tls.as_ref().map(|tls| json!({ "cert": tls.cert, "key": tls.key }));
            Ok(json!({
                "host": config.listen.host,
                "port": config.listen.port,
                "tls": tls,
                "handshakeTimeout": config.engine_limits().handshake_timeout.as_millis() as u64,
                "maxConnections": config.engine_limits().connections,
                "files": config.files(),
                "addsEnvironment": added,
                "lacksHandler": lacking.map(|route| route.pattern.as_str()),
            }))
        };
        answer().unwrap_or_else(|error| json!({ "error": error })).to_string()
    }

    /// An AsyncAPI document of a configuration, as JSON: `{"error":…}` or `{"document":…}`. `question` is an object like `Question`
    /// with the `files` that [`listen`](Self::listen) has named.
    pub fn asyncapi(question: JsValue, title: &str) -> String {
        let answer = || -> Result<Value, String> {
            let question: Question =
                serde_wasm_bindgen::from_value(question).map_err(|error| error.to_string())?;
            let (mut config, _) = question.config()?;
            load(&mut config, &question.files).map_err(|error| question.part.named(&error))?;
            Ok(json!({ "document": format!("{:#}", config.asyncapi_document(title)) }))
        };
        answer().unwrap_or_else(|error| json!({ "error": error })).to_string()
    }

    /// The variables of a `.env` file: names and values in turn.
    pub fn dotenv(text: &str) -> Vec<String> {
        parse_dotenv(text).into_iter().flat_map(|(name, value)| [name, value]).collect()
    }
}
