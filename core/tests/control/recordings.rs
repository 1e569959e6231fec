//! Recordings through the control API.

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use switchboard_core::control::{PATH, RecordingFile};

use super::Control;

const FILE: &str = "recordings/a.jsonl";

#[test]
fn a_recording_is_started_listed_and_stopped_by_its_name() {
    let mut control = Control::new();
    let echo = control.world.connect("/echo");
    assert_eq!(control.get("/recordings"), json!({"recordings": []}));
    let started = control.post("/recordings", json!({"name": "a.jsonl", "route": "/echo", "mask": ["card"]}));
    let header = control.world.file(FILE).len();
    let expected = json!({
        "name": "a.jsonl", "routes": [], "isStarted": true, "events": 0, "bytes": header, "missed": 0, "waiting": header, "hasFailed": false,
    });
    assert_eq!(started, expected);
    control.world.text(echo, "my card");
    let listed = control.get("/recordings");
    let bytes = control.world.file(FILE).len();
    assert_eq!(
        (
            &listed["recordings"][0]["events"],
            &listed["recordings"][0]["bytes"],
            &listed["recordings"][0]["waiting"]
        ),
        (&json!(3), &json!(bytes), &json!(0))
    );
    assert!(control.world.file(FILE).contains(r#""text":"my ***""#));
    assert_eq!(control.ask(Method::DELETE, "/recordings/a.jsonl", ""), (200, json!({"count": 1})));
    let (status, gone) = control.ask(Method::DELETE, "/recordings/a.jsonl", "");
    assert_eq!(status, 404, "{gone}");
    control.world.text(echo, "not recorded");
    assert_eq!(control.world.file(FILE).len(), bytes);
    assert_eq!(control.get("/recordings"), json!({"recordings": []}));
}

#[test]
fn only_names_in_the_folder_are_taken() {
    let mut control = Control::new();
    for name in [
        "",
        "a",
        ".jsonl",
        "../a.jsonl",
        "a/b.jsonl",
        "..jsonl",
        "a b.jsonl",
        "é.jsonl",
        "/etc/a.jsonl",
        "a\\b.jsonl",
    ] {
        let (status, body) = control.ask(Method::POST, "/recordings", &json!({"name": name}).to_string());
        assert_eq!(status, 400, "{name} {body}");
        assert!(body["error"].as_str().unwrap().starts_with("name: expected letters"), "{body}");
    }
    assert!(control.world.written.is_empty());
    let long = format!("{}.jsonl", "a".repeat(95));
    assert_eq!(control.ask(Method::POST, "/recordings", &json!({"name": long}).to_string()).0, 400);
    for (body, expected) in [
        (json!({"name": "a.jsonl", "mask": ["("]}), "mask[0]: not a regular expression: unclosed group"),
        (json!({"name": "a.jsonl", "rout": "/echo"}), "rout: unknown key; did you mean \"route\"?"),
        (json!({}), "the key \"name\" is missing"),
    ] {
        let (status, answer) = control.ask(Method::POST, "/recordings", &body.to_string());
        assert_eq!((status, &answer["error"]), (400, &json!(expected)));
    }
    control.post("/recordings", json!({"name": "a.jsonl"}));
    let (status, twice) = control.ask(Method::POST, "/recordings", r#"{"name":"a.jsonl"}"#);
    assert_eq!(
        (status, &twice["error"]),
        (400, &json!("name: a.jsonl is being recorded already; write another file"))
    );
}

#[test]
fn recordings_of_the_configuration_are_listed_and_stay() {
    let config = "recordings = 'r'\n[[routes]]\npattern = '/echo'\ndialect = 'echo'\nrecord = 'r/b.jsonl'";
    let mut control = Control::of(config);
    let listed = control.get("/recordings");
    assert_eq!(
        (
            &listed["recordings"][0]["name"],
            &listed["recordings"][0]["routes"],
            &listed["recordings"][0]["isStarted"]
        ),
        (&json!("b.jsonl"), &json!(["/echo"]), &Value::Bool(false))
    );
    assert_eq!(control.ask(Method::DELETE, "/recordings/b.jsonl", "").0, 404);
    // Those who are told live events are not recorded.
    control.post("/recordings", json!({"name": "c.jsonl"}));
    let subscriber = control.subscribe("");
    control.world.text(subscriber, "{}");
    assert_eq!(control.world.file("r/c.jsonl").lines().count(), 1);
}

#[test]
fn files_of_recordings_are_given_away_and_no_others() {
    let config =
        "recordings = 'r'\n[[routes]]\npattern = '/echo'\ndialect = 'echo'\nrecord = '/else/where/b.jsonl'";
    let mut control = Control::of(config);
    control.post("/recordings", json!({"name": "c.jsonl"}));
    for (name, path) in [
        ("b.jsonl", "/else/where/b.jsonl"),
        ("c.jsonl", "r/c.jsonl"),
        // It may have been left there earlier: the host knows.
        ("old.jsonl", "r/old.jsonl"),
    ] {
        let response = file(&mut control, name, "t0p");
        let given = response.extensions().get::<RecordingFile>().map(|file| &*file.path);
        assert_eq!((response.status().as_u16(), given), (200, Some(path)));
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        assert_eq!(
            response.headers()["content-disposition"],
            format!("attachment; filename=\"{name}\"").as_str()
        );
    }
    for name in [
        "..%2Fa.jsonl",
        "%2e%2e%2fa.jsonl",
        ".jsonl",
        "a.har",
        "a%00.jsonl",
        "%2Fetc%2Fpasswd",
        "C:%5Ca.jsonl",
    ] {
        let response = file(&mut control, name, "t0p");
        assert_eq!((response.status().as_u16(), response.extensions().len()), (400, 0), "{name}");
    }
    let response = file(&mut control, "b.jsonl", "wrong");
    assert_eq!((response.status().as_u16(), response.extensions().len()), (401, 0));
}

fn file(control: &mut Control, name: &str, token: &str) -> Response<Bytes> {
    let request = Request::get(format!("{PATH}/recordings/{name}")).header("host", "localhost");
    let request = request.header("authorization", format!("Bearer {token}")).body(Bytes::new()).unwrap();
    control.world.request(&request).unwrap()
}
