//! Which clients may connect.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, StatusCode};
use indexmap::IndexMap;
use serde_json::Value;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::message::{CloseCode, CloseFrame};
use crate::protocol::Refusal;
use crate::schema::secret::is_same;

/// How a route decides whether a client may connect. The default admits everyone.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Authentication {
    /// Everyone may connect.
    #[default]
    Open,
    /// Clients that send this header with a value that is not blank; others are answered HTTP 401.
    Header(HeaderName),
    /// Clients that show one of these tokens.
    Token(TokenRule),
    /// The user's code decides, whatever the route's handler is:
    /// [`Hook::Authenticate`](crate::Hook::Authenticate).
    Hook,
    /// The route's handler decides ([`Handler::authenticate`](crate::Handler::authenticate)).
    Handler,
}

impl Authentication {
    /// The rule behind `authenticate: true`: an `Authorization` header that is not blank.
    pub fn authorization_header() -> Self {
        Authentication::Header(AUTHORIZATION)
    }

    /// The admission on a request, or `None` when the handler has to be asked.
    pub(crate) fn decide<T>(&self, request: &http::Request<T>) -> Option<Admission> {
        match self {
            Authentication::Open => Some(Admission::accept()),
            Authentication::Header(name) if is_filled(request.headers(), name) => Some(Admission::accept()),
            Authentication::Header(_) => Some(Admission::refuse_with(StatusCode::UNAUTHORIZED)),
            Authentication::Token(rule) => Some(rule.decide(request)),
            Authentication::Hook | Authentication::Handler => None,
        }
    }
}

/// Admits clients by a token in the query or in a header.
#[derive(Clone, PartialEq)]
pub struct TokenRule {
    /// Where the token is found.
    pub place: TokenPlace,
    /// Each valid token, with the `authData` of clients that show it.
    pub values: IndexMap<String, Value>,
    /// The refusal of a client without a token.
    pub missing: TokenRefusal,
    /// The refusal of a client with another token.
    pub invalid: TokenRefusal,
}

/// Overwrites the tokens.
impl Drop for TokenRule {
    fn drop(&mut self) {
        for (mut token, _) in self.values.drain(..) {
            token.zeroize();
        }
    }
}

impl ZeroizeOnDrop for TokenRule {}

/// Without the tokens.
impl fmt::Debug for TokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, values, missing, invalid } = self;
        let mut rule = f.debug_struct("TokenRule");
        rule.field("place", place).field("values", &format_args!("<{} secrets>", values.len()));
        rule.field("missing", missing).field("invalid", invalid).finish()
    }
}

impl TokenRule {
    fn decide<T>(&self, request: &http::Request<T>) -> Admission {
        let Some(token) = self.place.find(request) else {
            return self.missing.admission();
        };
        // All tokens are compared, so that the time taken does not tell how much of one was right.
        let data = self.values.iter().fold(None, |found, (good, data)| match is_same(good, &token) {
            true => Some(data),
            false => found,
        });
        match data {
            Some(data) => Admission::Accept { data: data.clone() },
            None => self.invalid.admission(),
        }
    }
}

/// Where a token is found in the opening handshake.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TokenPlace {
    /// In this query parameter, percent-decoded. Browsers can send it only there.
    Query(String),
    /// In this header. A leading `Bearer ` is not part of the token.
    Header(HeaderName),
    /// In this parameter, or else in this header.
    QueryOrHeader(String, HeaderName),
}

impl TokenPlace {
    /// The query's parameter, if that can be the place.
    pub fn query(&self) -> Option<&str> {
        match self {
            TokenPlace::Query(name) | TokenPlace::QueryOrHeader(name, _) => Some(name),
            TokenPlace::Header(_) => None,
        }
    }

    /// The header, if that can be the place.
    pub fn header(&self) -> Option<&HeaderName> {
        match self {
            TokenPlace::Header(name) | TokenPlace::QueryOrHeader(_, name) => Some(name),
            TokenPlace::Query(_) => None,
        }
    }

    fn find<T>(&self, request: &http::Request<T>) -> Option<String> {
        let filled = |token: &String| !token.is_empty();
        let query = request.uri().query().unwrap_or_default();
        let in_query = self.query().and_then(|name| query_value(query, name)).filter(filled);
        in_query.or_else(|| {
            let value = request.headers().get(self.header()?)?.to_str().ok()?.trim();
            Some(value.strip_prefix("Bearer ").unwrap_or(value).to_owned()).filter(filled)
        })
    }
}

/// The first value of `name` in a query string, decoded as an HTML form is.
pub(crate) fn query_value(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// How a client is refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TokenRefusal {
    /// Before the upgrade, with an HTTP response. A browser sees close code 1006.
    Respond(Box<Refusal>),
    /// After the upgrade, with a close frame that the browser can read.
    Close(CloseFrame),
}

impl TokenRefusal {
    /// With this status, before the upgrade.
    pub fn status(status: StatusCode) -> Self {
        TokenRefusal::Respond(Box::new(Refusal::of_status(status)))
    }

    /// The admission of a client that is refused in this way.
    pub fn admission(&self) -> Admission {
        match self {
            TokenRefusal::Respond(refusal) => Admission::Refuse(refusal.clone()),
            TokenRefusal::Close(frame) => Admission::Close(frame.clone()),
        }
    }
}

/// What authentication decided.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Admission {
    /// The client may connect.
    Accept {
        /// Kept as the connection's `authData`.
        data: Value,
    },
    /// It is answered with this HTTP response. A status below 300 or above 599 becomes 500, with a line in the log.
    Refuse(Box<Refusal>),
    /// The upgrade is completed, and this close frame sent, so that the client can read the reason. No hook runs.
    Close(CloseFrame),
}

impl Admission {
    /// Admits the client, without `authData`.
    pub fn accept() -> Self {
        Admission::Accept { data: Value::Null }
    }

    /// Refuses the client with this HTTP status.
    pub fn refuse_with(status: StatusCode) -> Self {
        TokenRefusal::status(status).admission()
    }

    /// A refusal as callbacks give it: with a code that may be sent, a close frame; otherwise HTTP 401.
    pub fn refuse(code: Option<u16>, reason: &str) -> Self {
        match code.map(CloseCode) {
            Some(code) if code.is_sendable() => Admission::Close(CloseFrame::new(code, reason)),
            _ => Admission::refuse_with(StatusCode::UNAUTHORIZED),
        }
    }
}

fn is_filled(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().any(|value| !value.as_bytes().trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> http::Request<()> {
        let mut builder = http::Request::get(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn a_header_admits_when_it_is_not_blank() {
        let rule = Authentication::authorization_header();
        let admission = |headers| rule.decide(&request("/", headers)).unwrap();
        assert_eq!(admission(&[]), Admission::refuse_with(StatusCode::UNAUTHORIZED));
        assert_eq!(admission(&[("authorization", "  ")]), Admission::refuse_with(StatusCode::UNAUTHORIZED));
        assert_eq!(admission(&[("authorization", "Bearer x")]), Admission::accept());
    }

    #[test]
    fn a_token_brings_its_data_or_a_close_code() {
        let rule = TokenRule {
            place: TokenPlace::Query("token".into()),
            values: [("a b".to_owned(), json!({"user": "alice"}))].into_iter().collect(),
            missing: TokenRefusal::Close(CloseFrame::new(CloseCode(4001), "No token provided")),
            invalid: TokenRefusal::status(StatusCode::FORBIDDEN),
        };
        let admission = |uri| rule.decide(&request(uri, &[]));
        assert_eq!(admission("/?x=1&token=a%20b"), Admission::Accept { data: json!({"user": "alice"}) });
        assert_eq!(admission("/?token=zzz"), Admission::refuse_with(StatusCode::FORBIDDEN));
        assert_eq!(
            admission("/?token="),
            Admission::Close(CloseFrame::new(CloseCode(4001), "No token provided"))
        );
        let header = TokenPlace::Header(AUTHORIZATION);
        let headers = &[("authorization", "Bearer t")];
        assert_eq!(header.find(&request("/", headers)).as_deref(), Some("t"));
        let both = TokenPlace::QueryOrHeader("token".into(), AUTHORIZATION);
        for (uri, headers, token) in [
            ("/?token=q", &headers[..], Some("q")),
            ("/?token=", headers, Some("t")),
            ("/", headers, Some("t")),
            ("/", &[], None),
        ] {
            assert_eq!(both.find(&request(uri, headers)).as_deref(), token, "{uri}");
        }
    }

    #[test]
    fn refusals_need_a_code_that_can_be_sent() {
        assert!(matches!(Admission::refuse(Some(4001), "x"), Admission::Close(_)));
        assert!(matches!(Admission::refuse(Some(1008), "x"), Admission::Close(_)));
        for code in [None, Some(1006), Some(401), Some(5000)] {
            assert_eq!(Admission::refuse(code, "x"), Admission::refuse_with(StatusCode::UNAUTHORIZED));
        }
    }
}
