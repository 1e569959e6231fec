//! The server's clock over the control API.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::{Failure, bad_request, view};
use crate::control::body;
use crate::control::clock::{HostClock, MoveClock};
use crate::control::view::ClockView;
use crate::engine::Engine;
use crate::interface::http_endpoint::json_response;
use crate::time::Now;

type Answer = Result<Response<Bytes>, Failure>;

impl Engine {
    pub(super) fn view_clock(&self, now: Now, clock: HostClock) -> Answer {
        view(&ClockView {
            now: now.wall.as_ms(),
            next: self.poll_timeout().map(|next| next.ms_since(now.instant)),
            is_manual: clock == HostClock::Manual,
            is_movable: clock != HostClock::Real,
        })
    }
}

/// What the host has to do, among the extensions of the response.
pub(super) fn move_clock(clock: HostClock, body: &[u8]) -> Answer {
    let step = body::read::<MoveClock>(body).and_then(MoveClock::step).map_err(bad_request)?;
    if let Some(why) = step.refusal(clock) {
        return Err((StatusCode::CONFLICT, why.to_owned()));
    }
    let mut response = json_response(StatusCode::ACCEPTED, &json!({}));
    response.extensions_mut().insert(step);
    Ok(response)
}
