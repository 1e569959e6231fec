//! Somebody who looks at a server with the inspector while it is measured.

use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail};

use crate::client::Client;

/// The token of the measured server's control API.
pub(super) const TOKEN: &str = "bench";

/// What `native/inspector/live.js` asks for.
const PAYLOAD: usize = 16_384;
const RECENT: usize = 1_000;

/// A subscriber of live events that asks for what the inspector's page asks for, and reads them as they come.
pub(super) struct Watcher {
    reading: JoinHandle<usize>,
}

impl Watcher {
    /// Subscribes at the server on this port.
    pub(super) fn start(port: u16) -> Result<Self> {
        let path =
            format!("/__switchboard/api/v1/events?token={TOKEN}&payloadBytes={PAYLOAD}&recent={RECENT}");
        let mut client = Client::connect(port, &path).context("no live events")?;
        client.receive().context("no answer to the subscription")?;
        // It ends with the server.
        let reading = thread::spawn(move || {
            let mut events = 0;
            while client.receive().is_ok() {
                events += 1;
            }
            events
        });
        Ok(Self { reading })
    }

    /// Fails unless it has read events. Called once the server has ended.
    pub(super) fn check(self) -> Result<()> {
        match self.reading.join() {
            Ok(0) | Err(_) => bail!("nothing was told to the watcher"),
            Ok(_) => Ok(()),
        }
    }
}
