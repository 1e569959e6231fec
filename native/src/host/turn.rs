//! What can be done while the engine is held.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use switchboard_core::recording::RecordSettings;
use switchboard_core::time::Now;
use switchboard_core::{
    Command, CommandError, ConfigError, Configuration, ConnectionId, FaultId, FaultList, FaultScope, Input,
    Reconfiguration, ReconfigureError, RecordingId,
};

use super::state::HostState;
use crate::flush::sending_half::SendingHalf;

/// The host while its lock is held.
pub(crate) struct Turn<'a> {
    pub(super) state: &'a mut HostState,
    pub(super) now: Now,
}

impl Turn<'_> {
    /// Carries out a command of user code for a connection.
    pub(crate) fn command(&mut self, id: ConnectionId, command: Command) -> Result<(), CommandError> {
        self.state.command(self.now, id, command)
    }

    /// Tells the engine that something happened.
    pub(crate) fn input(&mut self, input: Input) {
        self.state.handle_input(self.now, input);
    }

    /// The engine takes another configuration.
    pub(crate) fn reconfigure(
        &mut self,
        configuration: Configuration,
    ) -> Result<Reconfiguration, ReconfigureError> {
        self.state.reconfigure(self.now, configuration)
    }

    /// A connection's opening handshake is done. False: the engine has removed it meanwhile.
    pub(crate) fn opened(&mut self, socket: Arc<SendingHalf>) -> bool {
        let id = socket.id();
        let is_known = self.state.add(socket);
        self.input(Input::Opened { id });
        is_known
    }

    /// Adds faults while the server runs.
    pub(crate) fn add_faults(
        &mut self,
        scope: FaultScope,
        faults: FaultList,
    ) -> Result<FaultId, ConfigError> {
        self.state.add_faults(self.now, scope, faults)
    }

    /// Takes faults back that were added; whether they were there.
    pub(crate) fn remove_faults(&mut self, id: FaultId) -> bool {
        self.state.remove_faults(self.now, id)
    }

    /// Takes back all faults that were added.
    pub(crate) fn clear_faults(&mut self) {
        self.state.clear_faults(self.now);
    }

    /// Records what passes from now on.
    pub(crate) fn start_recording(
        &mut self,
        settings: &RecordSettings,
        pattern: Option<&str>,
    ) -> Result<RecordingId, ConfigError> {
        self.state.start_recording(self.now, settings, pattern)
    }

    /// Stops a recording that was started, and gives its file.
    pub(crate) fn stop_recording(&mut self, id: RecordingId) -> Option<Arc<str>> {
        self.state.stop_recording(self.now, id)
    }

    /// Whether an address may have one more connection beside so many that are not WebSockets.
    pub(crate) fn admits_address(&mut self, address: IpAddr, others: usize) -> bool {
        self.state.admits_address(self.now, address, others)
    }

    /// The answer to a plain HTTP request under a `Host` that is not allowed.
    pub(crate) fn refuse_host<T>(&mut self, request: &http::Request<T>) -> Option<http::Response<Bytes>> {
        self.state.refuse_host(self.now, request)
    }

    /// A plain HTTP request, for the handler that answers it.
    pub(crate) fn request(
        &mut self,
        request: &http::Request<Bytes>,
        address: Option<IpAddr>,
    ) -> Option<http::Response<Bytes>> {
        self.state.request(self.now, request, address)
    }
}
