//! Who may ask.

use super::*;

#[test]
fn it_is_off_by_default() {
    let mut world = World::with_engine(Config::from_toml(CONFIG).unwrap().engine([1; 32]).unwrap());
    assert_eq!(world.http("GET", PATH, ""), (404, String::new()));
    let id = world.upgrade(EVENTS_PATH);
    assert_eq!(world.client(id).rejected, Some(404));
    assert!(!world.engine.serves(EVENTS_PATH));
}

#[test]
fn only_who_knows_the_token_may_ask_and_pages_of_the_own_origin_alone() {
    let mut control = Control::new();
    let token = ("authorization", "Bearer t0p");
    for (headers, expected) in [
        (&[("host", "localhost"), token][..], 200),
        (&[("host", "localhost")], 401),
        (&[("host", "localhost"), ("authorization", "Bearer no")], 401),
        (&[("host", "localhost"), token, ("origin", "http://localhost")], 200),
        (&[("host", "localhost"), token, ("origin", "http://localhost:1")], 403),
        (&[("host", "evil.example"), token], 403),
        (&[("host", "evil.example"), token, ("origin", "http://evil.example")], 403),
    ] {
        let (status, body) = control.ask_with(Method::GET, "/routes", "", headers);
        assert_eq!((status, body.get("error").is_some()), (expected, expected != 200), "{headers:?}: {body}");
        let id = control.world.upgrade_with(EVENTS_PATH, headers);
        let opened = control.world.client(id).rejected.unwrap_or(200);
        assert_eq!(opened, expected, "{headers:?}");
    }
    let id = control.world.upgrade(&format!("{EVENTS_PATH}?token=no"));
    assert_eq!(control.world.client(id).rejected, Some(401));
    control.world.address = Some([192, 168, 0, 7].into());
    let id = control.world.upgrade(&format!("{EVENTS_PATH}?token=t0p"));
    assert_eq!(control.world.client(id).rejected, Some(403));
    let request = Request::get(PATH).header("host", "localhost").header(token.0, token.1);
    let asker = Asker { address: control.world.address, ..Asker::default() };
    let now = control.world.now();
    let request = request.body(Bytes::new()).unwrap();
    let response = control.world.engine.request_from(now, &request, asker, &mut Vec::new()).unwrap();
    assert_eq!(response.status(), 403);
}

#[test]
fn a_mistake_is_answered_with_what_to_write() {
    let mut control = Control::new();
    let large = "x".repeat(MAX_BODY + 1);
    for (method, path, body, status, part) in [
        (Method::GET, "/conections", "", 404, "did you mean /__switchboard/api/v1/connections?"),
        (Method::DELETE, "/connections", "", 405, "is asked with GET, not DELETE"),
        (Method::GET, "/connections/x", "", 404, "there is no connection \"x\""),
        (Method::GET, "/connections?route=/ecoh", "", 404, "did you mean \"/echo\"?"),
        (Method::GET, "/connections?room=x", "", 400, "write route too"),
        (Method::GET, "/connections?after=x", "", 400, "`next`"),
        (Method::GET, "/connections?limit=1001", "", 400, "from 1 to 1000"),
        (Method::GET, "/feeds/new", "", 404, "there is no feed \"new\"; there are news"),
        (Method::GET, "/events", "", 426, "ws://"),
        (Method::POST, "/send", "{", 400, "not JSON"),
        (Method::POST, "/send", "{}", 400, "\"connection\" is missing"),
        (Method::POST, "/broadcast", "{\"route\":\"/echo\"}", 400, "write text, json or binary"),
        (Method::POST, "/close", "{}", 400, "who is meant?"),
        (Method::POST, "/feeds/news", "{}", 400, "\"value\" is missing"),
        (Method::POST, "/reset", "{\"code\":1006}", 400, "1006 cannot be sent"),
        (Method::POST, "/send", &large, 413, "at most 1048576"),
    ] {
        let (got, text) = control.error(method.clone(), path, body);
        assert_eq!(got, status, "{method} {path}: {text}");
        assert!(text.contains(part), "{method} {path}: {text}");
    }
}
