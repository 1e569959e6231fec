//! Recordings from and to HAR, for the command `switchboard convert` on Node.

use bytes::Bytes;
use js_sys::{Error, Function, Uint8Array};
use serde_json::json;
use switchboard_core::recording::conversion::Conversion as Core;
use switchboard_core::recording::har;
use wasm_bindgen::prelude::*;

/// A conversion under way.
#[wasm_bindgen]
pub struct Conversion {
    core: Core,
}

#[wasm_bindgen]
impl Conversion {
    /// One that writes HAR, or JSON Lines. `mask` are regular expressions of what is left out besides credentials; none is left
    /// out with `reveal`. Throws what is wrong with one of them.
    #[wasm_bindgen(constructor)]
    pub fn new(mask: Vec<String>, reveal: bool, to_har: bool) -> Result<Conversion, JsValue> {
        let core = Core::new(&mask, reveal, to_har).map_err(thrown)?;
        Ok(Self { core })
    }

    /// The largest HAR file in bytes.
    pub fn max_file() -> f64 {
        har::MAX_FILE as f64
    }

    /// Takes the next part of JSON Lines, none at their end; gives what is to be written. Throws what is wrong with a line.
    pub fn lines(&mut self, part: &[u8]) -> Result<Vec<u8>, JsValue> {
        self.core.lines(part).map_err(thrown)?;
        Ok(self.core.take())
    }

    /// Takes a whole HAR file; `attached` gives the bytes of another file that belongs to it, or as a text why it cannot. Gives
    /// what is to be written. Throws what is wrong with the file.
    pub fn har(&mut self, text: &[u8], attached: &Function) -> Result<Vec<u8>, JsValue> {
        let attached = |name: &str| match attached.call1(&JsValue::NULL, &JsValue::from_str(name)) {
            Ok(given) => match given.as_string() {
                Some(error) => Err(error),
                None => Ok(Bytes::from(Uint8Array::new(&given).to_vec())),
            },
            Err(_) => Err(format!("{name} cannot be read")),
        };
        self.core.har(text, attached).map_err(thrown)?;
        Ok(self.core.take())
    }

    /// What is left to write.
    pub fn finish(&mut self) -> Vec<u8> {
        self.core.finish();
        self.core.take()
    }

    /// What to tell of it: the notes of the core, as a list in JSON.
    pub fn notes(&self, input: &str) -> String {
        json!(self.core.notes(input)).to_string()
    }
}

fn thrown(error: impl std::fmt::Display) -> JsValue {
    Error::new(&error.to_string()).into()
}
