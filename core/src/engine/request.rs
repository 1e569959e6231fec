//! Plain HTTP requests: which handler or feed answers them, and which clients may ask.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue, ORIGIN, VARY,
};
use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::Engine;
use super::control::Asker;
use super::hosts::{self, admits_host};
use crate::interface::effect::{Effect, Level};
use crate::interface::http_endpoint::{HttpEndpoint, json_response};
use crate::routing::authentication::Admission;
use crate::routing::hosts::is_program;
use crate::routing::origin::is_of_another_site;
use crate::routing::route::RouteSettings;
use crate::state::Owner;
use crate::time::Now;

impl Engine {
    /// The plain HTTP paths that the engine answers; all others are the host's.
    pub fn endpoints(&self) -> impl Iterator<Item = &HttpEndpoint> {
        self.endpoints.iter().map(|(endpoint, _)| endpoint)
    }

    /// Answers a plain HTTP request; `None` when it is not for one of [`endpoints`](Self::endpoints).
    pub fn request(
        &mut self,
        now: Now,
        request: &Request<Bytes>,
        effects: &mut Vec<Effect>,
    ) -> Option<Response<Bytes>> {
        self.request_from(now, request, Asker::default(), effects)
    }

    /// The same with what the [control API](crate::control) wants to know of who asks.
    pub fn request_from(
        &mut self,
        now: Now,
        request: &Request<Bytes>,
        asker: Asker<'_>,
        effects: &mut Vec<Effect>,
    ) -> Option<Response<Bytes>> {
        let start = effects.len();
        let response = self.control_request(now, request, asker, effects);
        let response = response.or_else(|| self.plain_request(now, request, effects));
        self.observe_effects(now, None, start, effects);
        response
    }

    fn plain_request(
        &mut self,
        now: Now,
        request: &Request<Bytes>,
        effects: &mut Vec<Effect>,
    ) -> Option<Response<Bytes>> {
        let (method, path) = (request.method(), request.uri().path());
        let (endpoint, owner) = self.endpoints.iter().find(|(endpoint, _)| endpoint.matches(method, path))?;
        // Status pages are for programs too, which may know the server under any name.
        let is_read = *method == Method::GET || *method == Method::HEAD;
        let is_exempt = is_read && is_program(request.headers());
        if !is_exempt && !admits_host(&mut self.state, now, request, effects) {
            return Some(refuse(StatusCode::FORBIDDEN, hosts::REASON));
        }
        if !is_read && is_of_another_site(request.headers()) {
            return Some(refuse(StatusCode::FORBIDDEN, "a page of another site has to name its origin"));
        }
        if request.body().len() > endpoint.max_body {
            let text = format!("the body has {} bytes, at most {}", request.body().len(), endpoint.max_body);
            return Some(refuse(StatusCode::PAYLOAD_TOO_LARGE, &text));
        }
        let route = match *owner {
            Owner::Handler(route) => route,
            Owner::Source(place) => return self.source_request(now, place, request, effects),
        };
        if !endpoint.is_guarded {
            return Some(self.handler_request(now, route, request, effects));
        }
        let settings = &self.state.routes[route].settings;
        if !settings.origins.allows(request.headers()) {
            return Some(refuse(
                StatusCode::FORBIDDEN,
                "pages of this origin may not ask; `origins` can allow them",
            ));
        }
        let mut response = match method {
            &Method::OPTIONS => preflight(&endpoint.method, request),
            _ => match refused(settings, request) {
                Some(refusal) => refusal,
                None => self.handler_request(now, route, request, effects),
            },
        };
        if let Some(origin) = request.headers().get(ORIGIN) {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
        }
        Some(response)
    }

    /// Adds a path. If several answer the same method on it, the first one counts.
    pub(super) fn add_endpoint(&mut self, endpoint: HttpEndpoint, owner: Owner<usize>) {
        let HttpEndpoint { method, path, .. } = &endpoint;
        if !self.endpoints().any(|known| known.method == *method && known.path == *path) {
            self.endpoints.push((endpoint, owner));
        }
    }

    fn handler_request(
        &mut self,
        now: Now,
        route: usize,
        request: &Request<Bytes>,
        effects: &mut Vec<Effect>,
    ) -> Response<Bytes> {
        let response = self.run(now, route, None, effects, |handler, cx| handler.request(cx, request));
        self.go_on(now, effects);
        response.unwrap_or_else(|error| {
            let text = format!("{} {} failed: {error}", request.method(), request.uri().path());
            effects.push(Effect::Log { level: Level::Error, text });
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        })
    }
}

/// The answer to a client that the route would not admit.
fn refused(settings: &RouteSettings, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    match settings.authentication.decide(request) {
        Some(Admission::Accept { .. }) => None,
        Some(Admission::Refuse(refusal)) => {
            let mut response = refuse(refusal.status, "this route wants to know who asks");
            response.headers_mut().extend(refusal.headers);
            Some(response)
        }
        Some(Admission::Close(frame)) => Some(refuse(StatusCode::UNAUTHORIZED, frame.reason.as_str())),
        // Its answer may take time, and it expects an opening handshake.
        None => {
            let text = "a function lets the clients of this route in, and it is asked about WebSockets only";
            Some(refuse(StatusCode::FORBIDDEN, text))
        }
    }
}

/// Tells a browser what its page may send (CORS).
fn preflight(method: &Method, request: &Request<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if let Ok(method) = HeaderValue::from_str(method.as_str()) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method);
    }
    if let Some(wanted) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

pub(super) fn refuse(status: StatusCode, error: &str) -> Response<Bytes> {
    json_response(status, &json!({ "error": error }))
}
