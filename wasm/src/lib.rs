//! Switchboard for JavaScript: the core on wasm32, one object per server.
//!
//! Batch in, batch out. JavaScript sets the [clock](Switchboard::set_now), puts bytes into
//! [scratch](Switchboard::scratch) memory, calls any inputs, and then takes one [turn](Switchboard::turn): a list of
//! everything to do, laid out as `batch.rs` describes. A message crosses without objects.
//!
//! Connections are named by two numbers (slot and generation), hooks by one. Nothing here calls JavaScript, so
//! callbacks may call anything here.

mod allocation;
mod answers;
mod batch;
mod call;
mod commands;
pub mod contract;
mod conversion;
mod faults;
#[cfg(not(target_arch = "wasm32"))]
pub mod golden;
mod hashing;
mod host;
mod panic;
mod peer;
mod program;
mod questions;
mod recordings;
mod request;
mod route;
mod schedule;
mod setup;
mod upstream;

use std::time::Duration;

use js_sys::Error;
use switchboard_core::control::{HostClock, RecordingFile};
use switchboard_core::time::{Instant, Now, WallTime};
use switchboard_core::{CloseFrame, ConnectionId, FilePart, Input, ReadId};
use wasm_bindgen::prelude::*;

use contract::HEADER_WORDS;
use host::Host;

/// One server: its routes, connections, rooms and timers.
#[wasm_bindgen]
pub struct Switchboard {
    host: Host,
    /// Where JavaScript puts bytes.
    scratch: Vec<u8>,
    /// The result of the latest turn: address and length of its words, then the next deadline in ms (two words,
    /// all ones: none). Then the two numbers of the latest connection, and whether sockets wait for the next round.
    header: Box<[u32; HEADER_WORDS]>,
}

#[wasm_bindgen]
impl Switchboard {
    /// A server as `setup`, an object like `setup::Setup`, describes it. `seed` is 32 random bytes. Throws an `Error`
    /// whose message names the wrong key.
    #[wasm_bindgen(constructor)]
    pub fn new(setup: JsValue, seed: &[u8]) -> Result<Switchboard, JsValue> {
        panic::remember();
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(seed) {
            *to = *from;
        }
        hashing::key(&bytes);
        let setup = serde_wasm_bindgen::from_value(setup)?;
        let server = setup::server(setup, bytes).map_err(|error| JsValue::from(Error::new(&error)))?;
        Ok(Self { host: Host::new(server), scratch: Vec::new(), header: Box::new([0; HEADER_WORDS]) })
    }

    /// The files that belong to a `setup`: JavaScript gives what is in them as its `files`, by these paths.
    pub fn files(setup: JsValue) -> Vec<String> {
        serde_wasm_bindgen::from_value(setup).map(|setup| setup::files(&setup)).unwrap_or_default()
    }

    /// Takes another `setup` while connections are open, as `Engine::reconfigure` of the core describes it. Gives JSON:
    /// `{"error":…}`, which says what is wrong and that nothing has changed, or what became of the routes and connections:
    /// `{"routes":[…],"unchanged":…,"changed":…,"added":…,"removed":…,"kept":…,"closed":…,"summary":…}`. `routes` are the
    /// numbers of the setup's routes from now on, in its order: a route that goes on keeps its own, and those of routes that
    /// are gone stay theirs until their last connection is gone.
    pub fn reconfigure(&mut self, setup: JsValue) -> String {
        let setup = serde_wasm_bindgen::from_value(setup).map_err(|error| error.to_string());
        let done = setup.and_then(setup::plan).and_then(|plan| self.host.reconfigure(plan));
        let result = match done {
            Err(error) => serde_json::json!({ "error": error }),
            Ok((done, routes)) => serde_json::json!({
                "routes": routes,
                "unchanged": done.unchanged,
                "changed": done.changed,
                "added": done.added,
                "removed": done.removed,
                "kept": done.kept,
                "closed": done.closed,
                "summary": done.to_string(),
            }),
        };
        result.to_string()
    }

    /// Address of the words that every turn and every upgrade leaves.
    pub fn header(&self) -> usize {
        self.header.as_ptr() as usize
    }

    /// Publishes a value, as JSON, on a feed. Returns what is wrong if the text is not JSON.
    pub fn publish(&mut self, feed: String, value: &str) -> Option<String> {
        match serde_json::from_str(value) {
            Ok(value) => self.host.input(Input::Publish { feed, value }),
            Err(error) => return Some(error.to_string()),
        }
        None
    }

    /// The two clocks: ms that never go back, and ms since 1970. They apply to all inputs until they are set again.
    pub fn set_now(&mut self, monotonic: f64, wall: f64) {
        let (monotonic, wall) = (monotonic.max(0.0) as u64, (wall.max(0.0) * 1000.0) as u64);
        self.host.now = Now { instant: Instant::from_ms(monotonic), wall: WallTime::from_us(wall) };
    }

    /// Address of at least `length` bytes for JavaScript to fill; it stays until more is asked for, or less after more
    /// than the usual. 0: there is no memory for so many.
    pub fn scratch(&mut self, length: usize) -> usize {
        const USUAL_SCRATCH: usize = 1 << 20;
        if self.scratch.len() > USUAL_SCRATCH && length <= USUAL_SCRATCH {
            self.scratch.truncate(USUAL_SCRATCH);
            self.scratch.shrink_to_fit();
        }
        if self.scratch.len() < length {
            let length = length.next_multiple_of(1 << 16);
            if self.scratch.try_reserve_exact(length - self.scratch.len()).is_err() {
                return 0;
            }
            self.scratch.resize(length, 0);
        }
        self.scratch.as_ptr() as usize
    }

    /// Packs what is to be done since the last turn; false when there is nothing. The turn before becomes invalid.
    ///
    /// What sockets are to write waits for a turn with `flush` that brings no hooks: as long as hooks run they may
    /// have more to send. Only so many sockets write in one round of JavaScript's loop as are written at a stretch: the
    /// first turn of the next says that it `begins_round`. When the round before had no time for all hooks, sockets write
    /// `before_calls`.
    pub fn turn(&mut self, flush: bool, begins_round: bool, before_calls: bool) -> bool {
        if begins_round {
            self.host.begin_round();
        }
        let words = self.host.turn(flush, before_calls);
        let deadline = self.host.engine().poll_timeout().map_or(u64::MAX, Instant::as_ms);
        let packed = self.host.batch.packed().as_ptr() as usize;
        self.set_word(contract::BATCH_ADDRESS, packed as u32);
        self.set_word(contract::BATCH_LENGTH, words as u32);
        self.set_word(contract::DEADLINE_LOW, deadline as u32);
        self.set_word(contract::DEADLINE_HIGH, (deadline >> 32) as u32);
        self.set_word(contract::IS_MORE, u32::from(self.host.is_waiting()));
        words > 0
    }

    /// A client asks for a WebSocket; the first `length` bytes of scratch are its request, as `request.rs` describes it.
    /// Malformed: it cannot be understood; ours: it is answered with the next turn; foreign: it is not for this server.
    pub fn upgrade(&mut self, length: usize) -> u32 {
        let Ok(head) = request::parse(self.scratched(length)) else { return contract::MALFORMED };
        let Some(id) = self.host.upgrade(head) else { return contract::FOREIGN };
        let bits = id.to_bits();
        self.set_word(contract::LATEST_SLOT, bits as u32);
        self.set_word(contract::LATEST_GENERATION, (bits >> 32) as u32);
        contract::OURS
    }

    /// At which port the server is found.
    pub fn set_port(&mut self, port: u16) {
        self.host.set_port(port);
    }

    /// The first `length` bytes of scratch came from this socket.
    pub fn receive(&mut self, slot: u32, generation: u32, length: usize) {
        if let Some(bytes) = self.scratch.get_mut(..length) {
            self.host.receive(id(slot, generation), bytes);
        }
    }

    /// The socket is closed. Exactly once per accepted connection, or while its authentication is under way.
    pub fn disconnected(&mut self, slot: u32, generation: u32) {
        self.host.disconnected(id(slot, generation));
    }

    /// The socket took what it was given last, but has no room for more.
    pub fn blocked(&mut self, slot: u32, generation: u32) {
        self.host.set_blocked(id(slot, generation), true);
    }

    /// The socket has room again.
    pub fn drained(&mut self, slot: u32, generation: u32) {
        self.host.set_blocked(id(slot, generation), false);
    }

    /// So many bytes that the socket was given were not taken by its client yet.
    pub fn unsent(&mut self, slot: u32, generation: u32, bytes: usize) {
        self.host.unsent(id(slot, generation), bytes);
    }

    /// The first `length` bytes of scratch are this file, which was to be read for this feed.
    pub fn file_read(&mut self, feed: String, file: String, length: usize) {
        let content = self.scratch.get(..length).unwrap_or_default();
        let content = Ok(bytes::Bytes::copy_from_slice(content));
        self.host.input(Input::File { feed, file, content });
    }

    /// That file cannot be read.
    pub fn file_failed(&mut self, feed: String, file: String, error: String) {
        self.host.input(Input::File { feed, file, content: Err(error) });
    }

    /// The first `length` bytes of scratch are the part of a file that was to be read; `is_last`: the file ends behind it.
    pub fn file_part(&mut self, read: f64, length: usize, is_last: bool) {
        let bytes = bytes::Bytes::copy_from_slice(self.scratch.get(..length).unwrap_or_default());
        self.host.input(Input::FilePart {
            read: ReadId::from_bits(read as u64),
            content: Ok(FilePart { bytes, is_last }),
        });
    }

    /// That part cannot be read.
    pub fn file_part_failed(&mut self, read: f64, error: String) {
        self.host.input(Input::FilePart { read: ReadId::from_bits(read as u64), content: Err(error) });
    }

    /// So many bytes were appended to this file, or could not be: then with what went wrong.
    pub fn appended(&mut self, file: String, bytes: usize, error: Option<String>) {
        let result = error.map_or(Ok(()), Err);
        self.host.input(Input::Appended { file: file.into(), bytes, result });
    }

    /// Whether a plain HTTP request is answered here: the largest body in bytes that it may have, or nothing.
    pub fn endpoint(&self, method: &str, url: &str) -> Option<usize> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let method = method.parse().ok()?;
        let endpoint = self.host.engine().endpoints().find(|endpoint| endpoint.matches(&method, path));
        endpoint.map(|endpoint| endpoint.max_body)
    }

    /// Answers a plain HTTP request: the first `head` bytes of scratch are what `request.rs` describes, the `body` bytes
    /// behind them its body; `is_manual` tells whether time stands still. Gives the status, then names and values of the
    /// headers in turn, then the body; for a file that is the body, `file` instead of the status, and last its path. For what has
    /// to be done with the clock, gives instead its name, and for `advance` the ms. Nothing when the request is not answered
    /// here.
    pub fn request(&mut self, head: usize, body: usize, is_manual: bool) -> Option<Vec<String>> {
        let (head, body) = self.scratched(head + body).split_at_checked(head)?;
        let request::Head { request, address } = request::parse(head).ok()?;
        let request = request.map(|()| bytes::Bytes::copy_from_slice(body));
        let clock = if is_manual { HostClock::Manual } else { HostClock::Running };
        let response = self.host.request(&request, address, clock)?;
        if let Some(step) = response.extensions().get() {
            return Some(request::clock_step(*step));
        }
        let mut parts = request::answer(&response);
        if let (Some(file), [status, .., body]) =
            (response.extensions().get::<RecordingFile>(), parts.as_mut_slice())
        {
            request::FILE.clone_into(status);
            file.path.clone_into(body);
        }
        Some(parts)
    }

    /// Does what is due. Early calls do nothing.
    pub fn timeout(&mut self) {
        self.host.timeout();
    }

    /// Stops the server: no new connections, a close frame to all, and those that remain after `grace` ms are dropped.
    /// Returns what is wrong with a code that must not be sent.
    pub fn shutdown(&mut self, code: f64, reason: &str, grace: f64) -> Option<String> {
        match switchboard_core::javascript::sendable(code) {
            Ok(code) => {
                let frame = CloseFrame::new(code, reason);
                self.host
                    .input(Input::Shutdown { frame, grace: Duration::from_millis(grace.max(0.0) as u64) });
                None
            }
            Err(error) => Some(error),
        }
    }

    /// An upgrade request for this path was left to other listeners, and none of them took it.
    pub fn unclaimed(&mut self, path: &str) {
        self.host.unclaimed(path);
    }
}

impl Switchboard {
    /// Writes a word for JavaScript.
    fn set_word(&mut self, place: u32, word: u32) {
        self.header[place as usize] = word;
    }

    fn scratched(&self, length: usize) -> &[u8] {
        self.scratch.get(..length).unwrap_or_default()
    }
}

/// The message of the engine's last panic. After one, no method of any [`Switchboard`] works any more.
#[wasm_bindgen]
pub fn last_panic() -> Option<String> {
    panic::last()
}

/// How many bytes of the module's memory are in use, for those who look for leaks.
#[wasm_bindgen]
pub fn allocated_bytes() -> usize {
    allocation::bytes()
}

fn id(slot: u32, generation: u32) -> ConnectionId {
    ConnectionId::from_bits(u64::from(generation) << 32 | u64::from(slot))
}
