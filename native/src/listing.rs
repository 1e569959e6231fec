//! What the server says about itself when it starts.

use std::io::{self, Write};
use std::net::SocketAddr;

use switchboard::Server;

/// Prints the endpoints with their URLs to standard output.
pub(crate) fn print(server: &Server) -> io::Result<()> {
    let address = readable(server.local_addr());
    let rows: Vec<[String; 3]> = server
        .endpoints()
        .iter()
        .map(|endpoint| {
            [format!("ws://{address}{}", endpoint.pattern), endpoint.kind.to_owned(), endpoint.rules()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (urls, kinds) = (width(0), width(1));
    let mut out = io::stdout().lock();
    writeln!(out, "Switchboard {} listens on http://{address}\n", env!("CARGO_PKG_VERSION"))?;
    for [url, kind, rules] in &rows {
        writeln!(out, "{}", format!("  {url:urls$}  {kind:kinds$}  {rules}").trim_end())?;
    }
    if rows.is_empty() {
        writeln!(out, "  no endpoints: the configuration has no routes")?;
    }
    if server.switchboard().has_page() {
        writeln!(out, "\n  A chat for two browser tabs: http://{address}/")?;
    }
    out.flush()
}

/// An address that can be pasted into a browser: `0.0.0.0` is a place to listen, not one to connect to.
fn readable(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}
