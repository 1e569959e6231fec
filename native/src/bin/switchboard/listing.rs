//! What the server prints when it starts.

use std::io::{self, Write};
use std::net::SocketAddr;

use switchboard::{ControlSettings, Listing, Server};

/// Prints the endpoints to standard output, each as a command that talks to it.
pub(crate) fn print(server: &Server, control: Option<&ControlSettings>) -> io::Result<()> {
    let switchboard = server.switchboard();
    let listing = Listing {
        address: &readable(server.local_addr()),
        is_encrypted: server.is_encrypted(),
        endpoints: &server.endpoints(),
        http: &switchboard.http_endpoints(),
        token: control.map(|settings| settings.token.0.as_str()),
        has_page: switchboard.has_page(),
    };
    let mut out = io::stdout().lock();
    write!(out, "{listing}")?;
    out.flush()
}

/// An address that can be pasted into a browser: `0.0.0.0` is a place to listen, not one to connect to.
fn readable(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}
