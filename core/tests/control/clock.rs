//! The server's clock.

use switchboard_core::control::{ClockStep, HostClock};

use super::*;

/// The response to a POST, with the step that the host has to do.
fn step(control: &mut Control, clock: HostClock, body: &str) -> (u16, Option<ClockStep>) {
    control.world.clock = clock;
    let request = Request::post(format!("{PATH}/clock"))
        .header("host", "localhost")
        .header("authorization", "Bearer t0p")
        .body(Bytes::copy_from_slice(body.as_bytes()));
    let response = control.world.request(&request.unwrap()).unwrap();
    (response.status().as_u16(), response.extensions().get().copied())
}

#[test]
fn it_shows_when_the_next_timer_is_due() {
    let mut control = Control::of("routes = [{ pattern = '/', dialect = 'echo', heartbeat = 30000 }]");
    let shown = |control: &mut Control| {
        let clock = control.get("/clock");
        (clock["isMovable"].as_bool().unwrap(), clock["isManual"].as_bool().unwrap(), clock["next"].as_u64())
    };
    assert_eq!(shown(&mut control), (false, false, None));
    control.world.connect("/");
    control.world.advance(10_000);
    control.world.clock = HostClock::Manual;
    assert_eq!(shown(&mut control), (true, true, Some(20_000)));
    control.world.clock = HostClock::Running;
    assert_eq!(shown(&mut control), (true, false, Some(20_000)));
    let now = control.get("/clock")["now"].as_u64();
    assert_eq!(now, control.get("/")["now"].as_u64());
}

#[test]
fn hosts_are_told_what_to_do_once_the_client_is_admitted() {
    let mut control = Control::new();
    for (clock, body, expected) in [
        (HostClock::Manual, r#"{"advance":30000}"#, (202, Some(ClockStep::Advance(30_000)))),
        (HostClock::Manual, r#"{"runNext":true}"#, (202, Some(ClockStep::RunNext))),
        (HostClock::Running, r#"{"pause":true}"#, (202, Some(ClockStep::Pause))),
        (HostClock::Running, r#"{"advance":1}"#, (409, None)),
        (HostClock::Real, r#"{"pause":true}"#, (409, None)),
        (HostClock::Manual, r#"{"advance":"1"}"#, (400, None)),
        (HostClock::Manual, "{}", (400, None)),
    ] {
        assert_eq!(step(&mut control, clock, body), expected, "{clock:?} {body}");
    }
    let (status, body) =
        control.ask_with(Method::POST, "/clock", r#"{"pause":true}"#, &[("host", "localhost")]);
    assert_eq!(status, 401, "{body}");
}
