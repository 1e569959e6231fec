//! Who may use the control API.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, StatusCode};

use crate::protocol::Refusal;
use crate::routing::authentication::query_value;
use crate::routing::origin::is_of_own_origin;
use crate::schema::Secret;

/// Who may use the control API, and what it shows.
#[derive(Clone, Debug)]
pub struct ControlSettings {
    /// What every request has to show: `Authorization: Bearer <token>`, or for the WebSocket of events, as browsers send no
    /// such header there, `?token=<token>`. An empty one is never right.
    pub token: Secret,
    /// Whether only clients of this machine may ask; others, and those whose address the host does not know, are answered 403.
    /// Default true.
    pub loopback_only: bool,
    /// Whether `authData` and query strings of connections are shown, which may hold secrets. Default false.
    pub reveal: bool,
}

impl ControlSettings {
    /// For clients of this machine that know the token.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self { token: token.into(), loopback_only: true, reveal: false }
    }

    /// Decides about a request whose `Host` is allowed. `query` tells whether the token may stand in the query.
    pub(crate) fn admit<T>(
        &self,
        request: &Request<T>,
        address: Option<IpAddr>,
        query: bool,
    ) -> Result<(), Refusal> {
        let is_of_this_machine = address.is_some_and(|address| address.to_canonical().is_loopback());
        if self.loopback_only && !is_of_this_machine {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "the control API is for this machine only"));
        }
        if !is_of_own_origin(request.headers()) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "pages of other origins may not use the control API; ask from a program, or from a page of this server",
            ));
        }
        let in_query = request.uri().query().filter(|_| query).and_then(|query| query_value(query, "token"));
        match bearer(request.headers()).map(str::to_owned).or(in_query) {
            Some(token) if !token.is_empty() && self.token.is(&token) => Ok(()),
            Some(_) => Err(unauthorized("the token is wrong; the server prints it when it starts")),
            None if query => Err(unauthorized(
                "send the token as Authorization: Bearer <token>, or as ?token=<token> to open the WebSocket",
            )),
            None => Err(unauthorized("send the token as Authorization: Bearer <token>")),
        }
    }
}

/// Whether the files of the inspector may be given to who sends these headers: a program, the address bar, or a page of the
/// very origin. Not to other pages, by a link or otherwise.
pub fn admits_page(headers: &HeaderMap) -> bool {
    // Every one of them, should there be several.
    let mut sites = headers.get_all("sec-fetch-site").iter();
    is_of_own_origin(headers) && sites.all(|site| site == "none" || site == "same-origin")
}

fn unauthorized(reason: &'static str) -> Refusal {
    let mut refusal = Refusal::new(StatusCode::UNAUTHORIZED, reason);
    refusal.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refusal
}

/// The token of the header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(settings: &ControlSettings, uri: &str, headers: &[(&str, &str)], address: [u8; 4]) -> u16 {
        let mut request = Request::get(uri).header("host", "localhost:5173");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let admitted = settings.admit(&request, Some(address.into()), uri.contains("events"));
        admitted.err().map_or(200, |refusal| refusal.status.as_u16())
    }

    #[test]
    fn the_inspector_is_for_its_own_origin() {
        let site = |site: &'static str| ("sec-fetch-site", site);
        let origin = |origin: &'static str| ("origin", origin);
        for (headers, expected) in [
            (&[][..], true),
            (&[site("none")], true),
            (&[site("same-origin")], true),
            (&[site("same-origin"), origin("http://localhost:5173")], true),
            (&[origin("http://localhost:5173")], true),
            (&[site("same-site")], false),
            (&[site("cross-site")], false),
            (&[site("none, none")], false),
            (&[site("none"), site("cross-site")], false),
            (&[site("none"), origin("http://localhost:1")], false),
            (&[origin("http://localhost:3000")], false),
            (&[origin("null")], false),
        ] {
            let mut request = Request::get("/__switchboard/").header("host", "localhost:5173");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(()).expect("a request");
            assert_eq!(admits_page(request.headers()), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_token_is_asked_of_everybody_and_foreign_pages_are_refused_with_it_too() {
        let settings = ControlSettings::new("t0p");
        let (local, token) = ([127, 0, 0, 1], ("authorization", "Bearer t0p"));
        for (uri, headers, address, expected) in [
            ("/", &[token][..], local, 200),
            ("/", &[("authorization", "bearer  t0p ")], local, 200),
            ("/", &[("authorization", "Bearer t0")], local, 401),
            ("/", &[("authorization", "Bearer ")], local, 401),
            ("/", &[("authorization", "Basic t0p")], local, 401),
            ("/", &[], local, 401),
            ("/?token=t0p", &[], local, 401),
            ("/events?token=t0p", &[], local, 200),
            ("/events?token=", &[], local, 401),
            ("/events?token=t0p", &[("authorization", "Bearer no")], local, 401),
            ("/", &[token], [192, 168, 0, 7], 403),
            ("/", &[token, ("origin", "http://localhost:5173")], local, 200),
            ("/", &[token, ("origin", "https://localhost:5173")], local, 200),
            ("/", &[token, ("origin", "http://localhost:3000")], local, 403),
            ("/", &[token, ("origin", "http://127.0.0.1:5173")], local, 403),
            ("/", &[token, ("origin", "https://evil.example")], local, 403),
            ("/", &[token, ("origin", "null")], local, 403),
            ("/", &[token, ("sec-fetch-site", "cross-site")], local, 403),
        ] {
            assert_eq!(status(&settings, uri, headers, address), expected, "{uri} {headers:?} {address:?}");
        }
        let anywhere = ControlSettings { loopback_only: false, ..settings };
        assert_eq!(status(&anywhere, "/", &[token], [192, 168, 0, 7]), 200);
        let empty = ControlSettings::new("");
        assert_eq!(status(&empty, "/events?token=", &[("authorization", "Bearer ")], local), 401);
    }
}
