//! Switchboard on wasm32.
