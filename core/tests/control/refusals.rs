//! That those who watch learn why a client was not let in, and what to change.

use super::*;

const CONFIG: &str = "
    limits = { maxConnections = 3, handshakeBytes = 8192 }
    [[routes]]
    pattern = '/api/ws/chat/{room}'
    dialect = 'relay'
    [[routes]]
    pattern = '/guarded'
    dialect = 'echo'
    authenticate = { token = { query = 'token', values = { s3cret = {} } } }
    [[routes]]
    pattern = '/header'
    dialect = 'echo'
    authenticate = true
    [[routes]]
    pattern = '/commands'
    dialect = 'commands'
    commands = { protocolRequired = true }
    subprotocols = ['rakit']
";

impl Control {
    /// What is told of an opening handshake with these headers.
    fn refused(&mut self, path: &str, headers: &[(&str, &str)]) -> Value {
        let subscriber = self.subscribe("&kinds=refused,unclaimed");
        self.world.upgrade_with(path, headers);
        let mut told = self.told(subscriber);
        self.world.cut(subscriber);
        assert_eq!(told.len(), 1, "{path}: {told:?}");
        told.remove(0)
    }
}

#[test]
fn every_refusal_says_what_to_change() {
    let mut control = Control::of(CONFIG);
    let long = "x".repeat(9_000);
    for (path, headers, status, expected) in [
        ("/guarded", vec![], 401, "send one of authenticate.token.values as ?token=…"),
        ("/guarded?token=s3cre", vec![], 401, "the token is missing or wrong"),
        ("/header", vec![], 401, "the route wants the header authorization"),
        (
            "/guarded",
            vec![("origin", "https://evil.example")],
            403,
            "write origins = [\"https://evil.example\"]",
        ),
        ("/guarded", vec![("origin", "null")], 403, "origins = [\"null\""),
        (
            "/guarded",
            vec![("host", "evil.example"), ("origin", "http://evil.example")],
            403,
            "write allowedHosts = [\"evil.example\"]",
        ),
        ("/guarded", vec![("cookie", &long)], 431, "limits.handshakeBytes is 8192"),
        ("/commands", vec![], 400, "a subprotocol of this endpoint is required"),
    ] {
        let told = control.refused(path, &headers);
        let reason = told["reason"].as_str().unwrap();
        assert_eq!((&told["type"], &told["status"]), (&json!("refused"), &json!(status)), "{told}");
        assert!(reason.contains(expected), "{path}: {reason}");
        assert!(!reason.contains("s3cre"), "{reason}");
    }
    control.post("/faults", json!({"everyone": true, "faults": {"on": "open", "refuse": 503}}));
    assert!(
        control.refused("/guarded?token=s3cret", &[])["reason"].as_str().unwrap().contains("take it back")
    );
    control.ask(Method::DELETE, "/faults", "");
    for _ in 0..2 {
        control.world.connect("/guarded?token=s3cret");
    }
    let told = control.refused("/guarded?token=s3cret", &[]);
    assert!(told["reason"].as_str().unwrap().contains("limits.maxConnections"), "{told}");
}

#[test]
fn an_upgrade_that_no_route_takes_is_told_with_what_is_nearest() {
    let mut control = Control::of(CONFIG);
    for (path, nearest, reason) in [
        (
            "/api/ws/caht/x",
            Some("/api/ws/chat/{room}"),
            "no route serves /api/ws/caht/x; did you mean /api/ws/chat/{room}?",
        ),
        (
            "/api/ws/chat",
            Some("/api/ws/chat/{room}"),
            "no route serves /api/ws/chat; {room} is missing at its end: the nearest is /api/ws/chat/{room}",
        ),
        (
            "/guarded/x",
            Some("/guarded"),
            "no route serves /guarded/x; x at its end is too much: the nearest is /guarded",
        ),
        (
            "/zzzzzzzzz",
            None,
            "no route serves /zzzzzzzzz; there are /api/ws/chat/{room}, /guarded, /header, /commands",
        ),
    ] {
        let told = control.refused(path, &[]);
        assert_eq!(told.get("nearest").and_then(Value::as_str), nearest, "{path}");
        let expected = (&json!("unclaimed"), &json!(404), &json!(reason));
        assert_eq!((&told["type"], &told["status"], &told["reason"]), expected);
    }
    let subscriber = control.subscribe("&kinds=unclaimed");
    control.world.unclaimed("/elsewhere");
    let told = control.told(subscriber);
    assert_eq!((&told[0]["path"], told[0].get("status")), (&json!("/elsewhere"), None), "nobody answered");
}
