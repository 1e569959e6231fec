//! Requests under a `Host` that is not this server's: 403.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::Engine;
use super::request::refuse;
use crate::interface::effect::{Effect, Level};
use crate::routing::hosts::Hosts;
use crate::state::State;
use crate::time::Now;

/// What a client is told.
pub(super) const REASON: &str = "this Host is not allowed";

impl Engine {
    /// Sets the hosts under which pages may reach the server, besides IP addresses and `localhost`. Default: no others.
    pub fn set_hosts(&mut self, hosts: Hosts) {
        self.state.hosts = hosts;
    }

    /// The answer to a plain request that came under a host which is not allowed, and a line in the log. For hosts that
    /// answer paths of their own; [`request`](Self::request) checks what it answers by itself.
    pub fn refuse_host<T>(
        &mut self,
        now: Now,
        request: &Request<T>,
        effects: &mut Vec<Effect>,
    ) -> Option<Response<Bytes>> {
        let is_admitted = admits_host(&mut self.state, now, request, effects);
        (!is_admitted).then(|| refuse(StatusCode::FORBIDDEN, REASON))
    }
}

/// Whether a request comes under a host that is allowed; otherwise the log is told.
pub(super) fn admits_host<T>(
    state: &mut State,
    now: Now,
    request: &Request<T>,
    effects: &mut Vec<Effect>,
) -> bool {
    let is_allowed = state.hosts.allow(request);
    if !is_allowed {
        let text = || Hosts::refusal(request);
        state.log_throttle.note(now.instant, (usize::MAX, "host"), Level::Warn, text, effects);
    }
    is_allowed
}
