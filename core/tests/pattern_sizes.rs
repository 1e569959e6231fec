//! Regular expressions and globs of a configuration that would take too much are errors, and what clients send to the
//! others takes time in proportion to its length.
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod support;

use support::World;
use switchboard_core::Config;

#[test]
fn expressions_that_are_too_large_are_errors() {
    for (toml, place) in [
        (r"routes = [{ pattern = '/{a:\w{5000}}', dialect = 'echo' }]", "routes[0].pattern"),
        (r"routes = [{ pattern = '/{a:((\w{99}){99}){99}}', dialect = 'echo' }]", "routes[0].pattern"),
        (
            r"routes = [{ pattern = '/', rules = [{ match = { a = { regex = '(\w{100}){100}' } }, do = [] }] }]",
            "routes[0]",
        ),
    ] {
        let error = Config::from_toml(toml).unwrap_err().to_string();
        assert!(error.starts_with(place) && error.contains("size limit"), "{error}");
    }
    let long = format!("routes = [{{ pattern = '/{}', dialect = 'echo' }}]", "*a".repeat(600));
    assert!(Config::from_toml(&long).unwrap_err().to_string().contains("at most 1024 bytes"));
}

#[test]
fn many_wildcards_do_not_backtrack() {
    let origin = format!("https://{}.example", "*a".repeat(400));
    let config = format!(
        "routes = [
            {{ pattern = '/{}', dialect = 'echo', origins = ['{origin}'] }},
            {{ pattern = '/rules', rules = [{{ match = {{ a = {{ regex = '^(a|aa|a*)*$' }} }}, do = [{{ reply = 'yes' }}] }}] }},
         ]",
        "*a".repeat(30)
    );
    let mut world = World::with_engine(Config::from_toml(&config).unwrap().engine([7; 32]).unwrap());
    // With backtracking each of these would take longer than anybody waits.
    let path = format!("/{}b", "a".repeat(4_000));
    let origin = format!("https://{}b.example", "a".repeat(4_000));
    world.upgrade_with(&path, &[("origin", &origin)]);
    let path = format!("/{}", "a".repeat(4_000));
    world.upgrade_with(&path, &[("origin", &origin)]);
    let id = world.connect("/rules");
    world.text(id, &format!(r#"{{"a":"{}b"}}"#, "a".repeat(100_000)));
    world.text(id, r#"{"a":"aaa"}"#);
    assert_eq!(world.received(id), ["yes"]);
}
