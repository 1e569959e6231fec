//! Broadcasts over HTTP: who may, and what pages are told. What they carry is in `transcripts/phoenix`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod support;

use bytes::Bytes;
use http::{Request, Response};
use support::World;
use switchboard_core::dialect::phoenix::{Phoenix, Realtime, TopicPattern};
use switchboard_core::{Authentication, Config, Pattern, Route, RouteKey, RouteSettings};

const PATH: &str = "/api/broadcast";
const MESSAGE: &str = r#"{"messages":[{"topic":"room","event":"hi","payload":{}}]}"#;

fn world(route: &str) -> World {
    let toml = format!(
        "[[routes]]\npattern = '/socket/websocket'\ndialect = 'phoenix'\nphoenix = {{ realtime = true }}\n{route}"
    );
    World::with_engine(Config::from_toml(&toml).unwrap().engine([7; 32]).unwrap())
}

fn ask(world: &mut World, method: &str, path: &str, headers: &[(&str, &str)]) -> Option<Response<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:4004");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.request(&request.body(Bytes::from(MESSAGE)).unwrap())
}

fn status(world: &mut World, path: &str, headers: &[(&str, &str)]) -> u16 {
    ask(world, "POST", path, headers).map_or(404, |response| response.status().as_u16())
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn who_may_connect_may_broadcast() {
    let token =
        "authenticate = { token = { query = 'apikey', header = 'authorization', values = { key = {} } } }";
    for (route, path, headers, expected) in [
        ("", PATH, &[][..], 202),
        ("disabled = true", PATH, &[], 404),
        (token, PATH, &[], 401),
        (token, "/api/broadcast?apikey=key", &[], 202),
        (token, "/api/broadcast?apikey=kez", &[], 401),
        (token, PATH, &[("authorization", "Bearer key")], 202),
        ("authenticate = true", PATH, &[], 401),
        ("authenticate = true", PATH, &[("authorization", "anything")], 202),
        ("authenticate = 'x-user'", PATH, &[("x-user", "ann")], 202),
        ("origins = ['https://app.example']", PATH, &[("origin", "http://localhost:5173")], 403),
        ("origins = ['https://app.example']", PATH, &[("origin", "https://app.example")], 202),
        ("", PATH, &[("origin", "https://evil.example")], 403),
        ("prefix = ['/a', '/b']", "/b/api/broadcast", &[], 202),
        ("prefix = ['/a', '/b']", PATH, &[], 404),
    ] {
        assert_eq!(status(&mut world(route), path, headers), expected, "{route} {path} {headers:?}");
    }
}

/// The function would have to be waited for, so it is not asked, and nobody gets in.
#[test]
fn where_a_function_decides_nobody_may() {
    for authentication in [Authentication::Hook, Authentication::Handler] {
        let topics = TopicPattern::below("realtime:");
        let realtime = Realtime::new().with_http(topics.clone(), ["/socket/websocket"]);
        let settings = RouteSettings { authentication, ..RouteSettings::default() };
        let handler = Phoenix::new().with_channel(topics, realtime);
        let key = RouteKey::new(Pattern::new("/socket/websocket").unwrap());
        let mut world = World::new(vec![(key, Route { settings, handler: Box::new(handler) })]);
        let response = ask(&mut world, "POST", PATH, &[]).unwrap();
        assert_eq!(response.status(), 403);
        assert!(
            String::from_utf8_lossy(response.body()).contains("a function lets the clients of this route in")
        );
    }
}

/// A page on another port asks before it sends JSON or an API key, without showing the key.
#[test]
fn pages_are_told_that_they_may() {
    let page = ("origin", "http://localhost:5173");
    let asks = [
        page,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "apikey,content-type"),
    ];
    let mut world = world("authenticate = { token = { query = 'apikey', values = { key = {} } } }");
    let response = ask(&mut world, "OPTIONS", PATH, &asks).unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("http://localhost:5173"));
    assert_eq!(header(&response, "access-control-allow-methods"), Some("POST"));
    assert_eq!(header(&response, "access-control-allow-headers"), Some("apikey,content-type"));
    assert_eq!(header(&response, "vary"), Some("Origin"));
    for (path, expected) in [("/api/broadcast?apikey=key", 202), (PATH, 401)] {
        let response = ask(&mut world, "POST", path, &[page]).unwrap();
        assert_eq!(response.status(), expected);
        let allowed = header(&response, "access-control-allow-origin");
        assert_eq!(allowed, Some("http://localhost:5173"), "it may read why not");
    }
    let foreign = ask(&mut world, "OPTIONS", PATH, &[("origin", "https://evil.example")]).unwrap();
    assert_eq!((foreign.status().as_u16(), header(&foreign, "access-control-allow-origin")), (403, None));
    let program = ask(&mut world, "POST", "/api/broadcast?apikey=key", &[]).unwrap();
    assert_eq!((program.status().as_u16(), header(&program, "access-control-allow-origin")), (202, None));
}

#[test]
fn bytes_reach_those_who_can_take_them() {
    let mut world = world("");
    let new = world.connect("/socket/websocket?vsn=2.0.0");
    let old = world.connect("/socket/websocket");
    world.text(new, r#"["1","1","realtime:a b","phx_join",{"config":{"presence":{"enabled":false}}}]"#);
    world.text(
        old,
        r#"{"topic":"realtime:a b","event":"phx_join","ref":"1","payload":{"config":{"presence":{"enabled":false}}}}"#,
    );
    world.received(new);
    world.received(old);
    let binary = [("content-type", "application/octet-stream; x=y")];
    assert_eq!(status(&mut world, "/api/broadcast/a%20b/events/e", &binary), 202);
    let frames = world.received(new);
    assert!(frames.len() == 1 && frames[0].starts_with("<binary "), "{frames:?}");
    assert!(world.received(old).is_empty());
}
