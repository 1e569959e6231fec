//! Where clients go.

use chacha20::ChaCha8Rng;

use super::Host;
use super::behavior::below;

/// A server's port, and its paths. Those of one kind behave alike, however they are made.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) port: u16,
    echoes: &'static [&'static str],
    rooms: &'static [&'static str],
}

impl Target {
    /// The routes of `xtask/soak/switchboard.toml`; in the plugin also those of `npm/conformance/soak.config.js`,
    /// which are made of functions.
    pub(super) fn new(host: Host, port: u16) -> Self {
        let (echoes, rooms): (&[&str], &[&str]) = match host {
            Host::Native => (&["/echo", "/up/echo"], &["/rooms"]),
            Host::Plugin => (&["/echo", "/up/echo", "/callback/echo"], &["/rooms", "/callback/rooms"]),
        };
        Self { port, echoes, rooms }
    }

    /// A path where one hears what one said.
    pub(super) fn echo(&self, chance: &mut ChaCha8Rng) -> &'static str {
        any(self.echoes, chance)
    }

    /// A path with rooms.
    pub(super) fn room(&self, chance: &mut ChaCha8Rng) -> &'static str {
        any(self.rooms, chance)
    }

    /// All paths with rooms.
    pub(super) fn rooms(&self) -> &'static [&'static str] {
        self.rooms
    }
}

fn any(paths: &[&'static str], chance: &mut ChaCha8Rng) -> &'static str {
    paths[below(chance, paths.len() as u64) as usize]
}
