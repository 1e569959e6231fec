//! The operations of the control API: which request asks for which.

use http::{Method, StatusCode};
use indexmap::IndexSet;
use percent_encoding::percent_decode_str;

use crate::control::PATH;
use crate::schema::nearest;

/// What can be asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Server,
    Routes,
    Connections,
    Connection,
    Messages,
    Rooms,
    Presence,
    Stats,
    Feeds,
    Feed,
    Publish,
    Send,
    Broadcast,
    Close,
    Terminate,
    Faults,
    AddFaults,
    RemoveFaults,
    ClearFaults,
    Breakpoints,
    AddBreakpoint,
    RemoveBreakpoint,
    ClearBreakpoints,
    Held,
    DecideHeld,
    DecideAllHeld,
    Pause,
    Resume,
    Recordings,
    Recording,
    StartRecording,
    StopRecording,
    Clock,
    MoveClock,
    Reset,
    /// The WebSocket of live events.
    Events,
}

/// How an operation is asked for, and what it is for.
pub(crate) struct Described {
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    /// Below [`PATH`]; `{name}` is one part of it, percent-encoded.
    pub(crate) path: &'static str,
    /// One sentence.
    #[cfg_attr(not(feature = "json-schema"), expect(dead_code, reason = "for the OpenAPI document"))]
    pub(crate) summary: &'static str,
    pub(crate) parameters: &'static [Parameter],
}

/// A parameter of the query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    #[cfg_attr(not(feature = "json-schema"), expect(dead_code, reason = "for the OpenAPI document"))]
    pub(crate) description: &'static str,
    /// Whether it is a whole number; otherwise text.
    #[cfg_attr(not(feature = "json-schema"), expect(dead_code, reason = "for the OpenAPI document"))]
    pub(crate) is_number: bool,
}

const fn text(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, description, is_number: false }
}

const LIMIT: Parameter =
    Parameter { name: "limit", description: "How many at most, 1 to 1000. Default 100.", is_number: true };
const AFTER: Parameter =
    text("after", "Go on behind an earlier answer: its `next`. Default: from the beginning.");
const ROUTE: Parameter = text(
    "route",
    "Only of the route with this pattern, as it was written or with its prefix. Default: of all.",
);

/// All operations, each once.
pub(crate) const ALL: &[Described] = &[
    get(Operation::Server, "/", "What serves here.", &[]),
    get(Operation::Routes, "/routes", "The routes, in the order in which they are tried.", &[]),
    get(
        Operation::Connections,
        "/connections",
        "The connections, a page at a time; with `room`, the members of that room.",
        &[
            text(
                "state",
                "`open`: those that are there. `closed`: the latest 200 that have ended, the latest first. Default `open`.",
            ),
            ROUTE,
            text("room", "Only the members of this room. Default: everyone."),
            LIMIT,
            AFTER,
        ],
    ),
    get(
        Operation::Connection,
        "/connections/{id}",
        "One connection, also one of the latest that have ended.",
        &[],
    ),
    get(
        Operation::Messages,
        "/connections/{id}/messages",
        "The latest messages of one connection, also of one that has ended: at most 100 of its own in 64 KiB, and those \
         that it was sent together with others.",
        &[LIMIT],
    ),
    get(
        Operation::Rooms,
        "/rooms",
        "The rooms that have members, a page at a time, by route and name.",
        &[ROUTE, LIMIT, AFTER],
    ),
    get(
        Operation::Presence,
        "/presence",
        "Who is present, on routes whose dialect keeps that: by topic for `phoenix`, the clients of `commands`.",
        &[ROUTE, LIMIT],
    ),
    get(Operation::Stats, "/stats", "How much the server holds, as `stats()` tells it.", &[]),
    get(Operation::Feeds, "/feeds", "The feeds.", &[]),
    get(
        Operation::Feed,
        "/feeds/{name}",
        "A feed with the values that it keeps, the latest first.",
        &[LIMIT],
    ),
    post(Operation::Publish, "/feeds/{name}", "Publishes a value on a feed."),
    post(Operation::Send, "/send", "Sends a message to one connection, as the server."),
    post(
        Operation::Broadcast,
        "/broadcast",
        "Sends a message to everyone on a route, or in one of its rooms.",
    ),
    post(
        Operation::Close,
        "/close",
        "Starts the closing handshake with one connection, a room, a route or everyone.",
    ),
    post(
        Operation::Terminate,
        "/terminate",
        "Drops connections without a close frame: one, those of a room, of a route or all. Their clients see 1006.",
    ),
    get(Operation::Faults, "/faults", "The faults that this API has added and not taken back.", &[]),
    post(
        Operation::AddFaults,
        "/faults",
        "Adds faults for one connection, a room, a route or everyone; those of open connections count from now on.",
    ),
    delete(Operation::RemoveFaults, "/faults/{id}", "Takes back faults that were added together."),
    delete(
        Operation::ClearFaults,
        "/faults",
        "Takes back all faults that were added, also by the server's own code. Those of the configuration stay.",
    ),
    get(Operation::Breakpoints, "/breakpoints", "The breakpoints, and the messages that they hold.", &[]),
    post(
        Operation::AddBreakpoint,
        "/breakpoints",
        "Adds a breakpoint: messages that match are held, and with them what comes behind them in the same direction, until \
         somebody decides about them, or for 60 s.",
    ),
    delete(
        Operation::RemoveBreakpoint,
        "/breakpoints/{id}",
        "Takes back a breakpoint. What it holds goes on.",
    ),
    delete(
        Operation::ClearBreakpoints,
        "/breakpoints",
        "Takes back all breakpoints. What they hold goes on.",
    ),
    get(Operation::Held, "/held/{id}", "A message that is held, with all of its payload.", &[]),
    post(
        Operation::DecideHeld,
        "/held/{id}",
        "Passes a message that is held, as it is or another one in its place, or drops it.",
    ),
    post(
        Operation::DecideAllHeld,
        "/held",
        "Passes or drops all messages that are held, or those of one connection.",
    ),
    post(
        Operation::Pause,
        "/pause",
        "Stops reading clients: one, those in a room, on a route or all that are connected, for 60 s if not told otherwise. \
         What they send waits on their side.",
    ),
    post(Operation::Resume, "/resume", "Reads clients again that were paused."),
    get(Operation::Recordings, "/recordings", "What is recorded now, and how much of it.", &[]),
    get(
        Operation::Recording,
        "/recordings/{name}",
        "The file of a recording, also of one that was stopped: JSON Lines, as far as it is written.",
        &[],
    ),
    post(
        Operation::StartRecording,
        "/recordings",
        "Starts a recording of a route, or of everyone, in the folder `recordings` of the configuration. Credentials are left out.",
    ),
    delete(
        Operation::StopRecording,
        "/recordings/{name}",
        "Stops a recording that was started. The file is complete some ms later.",
    ),
    get(Operation::Clock, "/clock", "The time of the server, and whether it can be moved.", &[]),
    post(
        Operation::MoveClock,
        "/clock",
        "Stops the server's time, moves it on, or lets it run again. A server that cannot do so answers 409.",
    ),
    post(
        Operation::Reset,
        "/reset",
        "Makes the server like a fresh one: closes all connections, which empties rooms, takes back faults that were added, \
         forgets what feeds keep and what was counted, and has its clock run or stand as it did at the start. Routes and \
         their options stay.",
    ),
    get(
        Operation::Events,
        "/events",
        "Opens a WebSocket that tells live events.",
        &[
            text("token", "The token, where no header can be sent."),
            ROUTE,
            text("connection", "Only of the connection with this id. Default: of all."),
            text("kinds", "Only these kinds of events, separated by commas. Default: all but `control`."),
            Parameter {
                name: "payloadBytes",
                description: "How much of a message is shown, 0 to 65536 bytes. Default 4096.",
                is_number: true,
            },
            Parameter {
                name: "recent",
                description: "How many of the latest events that are kept are told first, 0 to 1000. Default 0.",
                is_number: true,
            },
        ],
    ),
];

const fn get(
    operation: Operation,
    path: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
) -> Described {
    Described { operation, method: Method::GET, path, summary, parameters }
}

const fn post(operation: Operation, path: &'static str, summary: &'static str) -> Described {
    Described { operation, method: Method::POST, path, summary, parameters: &[] }
}

const fn delete(operation: Operation, path: &'static str, summary: &'static str) -> Described {
    Described { operation, method: Method::DELETE, path, summary, parameters: &[] }
}

/// An operation that a request asks for, with the part of the path that it names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    pub(crate) name: String,
}

/// What a request asks for; otherwise the status of the answer, what to say and which methods there are.
pub(crate) fn find(method: &Method, path: &str) -> Result<Asked, (StatusCode, String, Vec<Method>)> {
    let path = path.strip_prefix(PATH).unwrap_or(path);
    let at_path: Vec<_> = ALL.iter().filter_map(|known| Some((known, part_of(known.path, path)?))).collect();
    let method = if method == Method::HEAD { &Method::GET } else { method };
    if let Some((known, name)) = at_path.iter().find(|(known, _)| known.method == *method) {
        return Ok(Asked { operation: known.operation, name: name.clone() });
    }
    if at_path.is_empty() {
        let near = nearest(path, ALL.iter().map(|known| known.path));
        let hint = match near {
            Some(near) => format!("did you mean {PATH}{near}?"),
            None => {
                let paths: IndexSet<_> = ALL.iter().map(|known| known.path).collect();
                let paths: Vec<_> = paths.into_iter().collect();
                format!("below {PATH} there are {}", paths.join(", "))
            }
        };
        return Err((StatusCode::NOT_FOUND, format!("there is nothing at this path; {hint}"), Vec::new()));
    }
    let methods: Vec<Method> = at_path.iter().map(|(known, _)| known.method.clone()).collect();
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let text = format!("{PATH}{path} is asked with {}, not {method}", names.join(" or "));
    Err((StatusCode::METHOD_NOT_ALLOWED, text, methods))
}

/// What stands for the `{name}` of a template, decoded; empty where it has none. `None`: the path is another one.
fn part_of(template: &str, path: &str) -> Option<String> {
    let bare = path.strip_suffix('/').unwrap_or(path);
    if template == if bare.is_empty() { "/" } else { bare } {
        return Some(String::new());
    }
    let (start, rest) = template.split_once('{')?;
    let (_, end) = rest.split_once('}')?;
    let name =
        bare.strip_prefix(start)?.strip_suffix(end).filter(|name| !name.is_empty() && !name.contains('/'))?;
    Some(percent_decode_str(name).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_and_a_path_ask_for_an_operation() {
        for (method, path, expected) in [
            (Method::GET, "", Ok((Operation::Server, ""))),
            (Method::GET, "/", Ok((Operation::Server, ""))),
            (Method::HEAD, "/routes", Ok((Operation::Routes, ""))),
            (Method::GET, "/routes/", Ok((Operation::Routes, ""))),
            (Method::GET, "/connections/a%20b", Ok((Operation::Connection, "a b"))),
            (Method::GET, "/connections/a%20b/messages", Ok((Operation::Messages, "a b"))),
            (Method::GET, "/feeds/x", Ok((Operation::Feed, "x"))),
            (Method::POST, "/feeds/x", Ok((Operation::Publish, "x"))),
            (Method::POST, "/feeds", Err(405)),
            (Method::DELETE, "/connections/a", Err(405)),
            (Method::GET, "/connections/a/b", Err(404)),
            (Method::GET, "/route", Err(404)),
        ] {
            let found = find(&method, &format!("{PATH}{path}"));
            let found =
                found.map(|asked| (asked.operation, asked.name)).map_err(|(status, ..)| status.as_u16());
            assert_eq!(
                found,
                expected.map(|(operation, name)| (operation, name.to_owned())),
                "{method} {path}"
            );
        }
        let (_, text, methods) = find(&Method::PUT, &format!("{PATH}/send")).expect_err("another method");
        assert_eq!(
            (text.as_str(), methods),
            (&*format!("{PATH}/send is asked with POST, not PUT"), vec![Method::POST])
        );
        let (_, text, _) = find(&Method::GET, &format!("{PATH}/conections")).expect_err("another path");
        assert!(text.ends_with(&format!("did you mean {PATH}/connections?")), "{text}");
    }
}
