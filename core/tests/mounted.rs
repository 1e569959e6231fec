//! Routes whose paths the host's own application serves.

mod support;

use serde_json::json;
use support::{World, route};
use switchboard_core::{
    Authentication, Context, Handler, HandlerResult, Limits, Message, Mounted, Origins, Route, RouteKey,
    RouteSettings,
};

#[derive(Clone)]
struct Greeting(&'static str);

/// Tells what it knows of the connection.
struct Mirror;

impl Handler for Mirror {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let Some(connection) = cx.connection() else { return Ok(()) };
        let greeting = connection.metadata().get::<Greeting>().map_or("", |greeting| greeting.0);
        let room = connection.params().get("room").unwrap_or_default().to_owned();
        let told = format!("{greeting} {} {room} {}", connection.auth_data(), connection.path());
        cx.send(told);
        Ok(cx.join(&room)?)
    }

    fn message(&mut self, _: &mut Context<'_>, _: Message) -> HandlerResult {
        Ok(())
    }
}

/// A route at `/a`, and one that only the host's application serves.
fn world(settings: RouteSettings) -> World {
    let at_a = route("/a", RouteSettings::default(), Mirror);
    let (key, mounted): (RouteKey, Route) = route("/mounted", settings, Mirror);
    World::with_limits(vec![at_a, (RouteKey { disabled: true, ..key }, mounted)], Limits::default())
}

fn mount(world: &mut World, headers: &[(&str, &str)]) -> switchboard_core::ConnectionId {
    let mut extensions = http::Extensions::new();
    extensions.insert(Greeting("hello"));
    let mounted = Mounted {
        route: 1,
        params: [("room", "x y")].into_iter().collect(),
        auth_data: json!({ "user": "ada" }),
        extensions,
    };
    world.mount("/anywhere?else", headers, mounted)
}

#[test]
fn what_the_host_knows_is_known_to_the_handler() {
    let mut world = world(RouteSettings::default());
    let id = mount(&mut world, &[]);
    world.open(id);
    assert_eq!(world.received(id), [r#"hello {"user":"ada"} x y /anywhere"#]);
    assert_eq!(world.engine.audience(1, Some("x y")), [id]);
    assert_eq!(world.engine.audience_len(0, None), 0);
    let elsewhere = world.upgrade("/mounted");
    assert!(world.client(elsewhere).ignored, "its pattern serves nothing");
}

#[test]
fn the_rules_of_the_route_hold_as_well() {
    let settings = RouteSettings {
        authentication: Authentication::authorization_header(),
        origins: Origins::Local,
        ..RouteSettings::default()
    };
    let mut world = world(settings);
    for (headers, status) in [
        (&[][..], Some(401)),
        (&[("authorization", "x"), ("origin", "https://elsewhere.example")], Some(403)),
        (&[("authorization", "x"), ("sec-websocket-version", "8")], Some(400)),
        (&[("authorization", "x")], None),
    ] {
        let id = mount(&mut world, headers);
        assert_eq!(world.client(id).rejected, status, "{headers:?}");
    }
}

#[test]
fn a_route_that_is_not_there_is_answered_404() {
    let mut world = world(RouteSettings::default());
    let mounted = Mounted { route: 7, ..Mounted::default() };
    let id = world.mount("/", &[], mounted);
    assert_eq!(world.client(id).rejected, Some(404));
}
