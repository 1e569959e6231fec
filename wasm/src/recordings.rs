//! Recordings that are started and stopped while the server runs.

use serde_json::json;
use switchboard_core::RecordingId;
use switchboard_core::recording::RecordSettings;
use wasm_bindgen::prelude::*;

use crate::Switchboard;

#[wasm_bindgen]
impl Switchboard {
    /// Records the connections of a route, or all, in a file. Gives JSON: `{"id":…}`, or `{"error":…}` when nothing was started.
    pub fn start_recording(&mut self, file: &str, route: Option<String>, mask: Vec<String>) -> String {
        let mut settings = RecordSettings::new(file);
        settings.mask = mask;
        match self.host.start_recording(&settings, route.as_deref()) {
            Ok(id) => json!({ "id": id.to_bits() }).to_string(),
            Err(error) => json!({ "error": error.to_string() }).to_string(),
        }
    }

    /// Stops the recording with this id; whether it was there.
    pub fn stop_recording(&mut self, id: f64) -> bool {
        self.host.stop_recording(RecordingId::from_bits(id as u64))
    }
}
