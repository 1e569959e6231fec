//! An opening handshake as `authenticate` sees it.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;

use switchboard_core::Params;

/// The opening handshake of a client. Dereferences to its request.
#[derive(Clone)]
pub struct Handshake {
    request: http::Request<()>,
    params: Params,
    address: Option<IpAddr>,
}

impl Handshake {
    pub(crate) fn new(request: http::Request<()>, params: Params, address: Option<IpAddr>) -> Self {
        Self { request, params, address }
    }

    /// The opening handshake's request.
    pub fn request(&self) -> &http::Request<()> {
        &self.request
    }

    /// What the pattern's `{name}` parts stand for, not percent-decoded.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The client's address, if the server knows it.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The first value of a query parameter, percent-decoded; browsers can send a token only there.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.request.uri().query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

impl Deref for Handshake {
    type Target = http::Request<()>;

    fn deref(&self) -> &Self::Target {
        &self.request
    }
}

impl fmt::Debug for Handshake {
    /// The path without the query, which may contain a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("path", &self.request.uri().path()).finish_non_exhaustive()
    }
}
