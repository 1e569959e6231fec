//! Under which `Host` pages may reach the server (DNS rebinding).
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use support::World;
use switchboard_core::Config;

fn world(config: &str) -> World {
    World::with_engine(Config::from_toml(config).unwrap().engine([1; 32]).unwrap())
}

/// The status of an opening handshake; 101 when it is accepted.
fn open(world: &mut World, path: &str, host: &str, origin: Option<&str>) -> u16 {
    let mut headers = vec![("host", host)];
    headers.extend(origin.map(|origin| ("origin", origin)));
    let id = world.upgrade_with(path, &headers);
    world.client(id).rejected.unwrap_or(101)
}

fn ask(world: &mut World, method: Method, path: &str, host: &str, origin: Option<&str>) -> StatusCode {
    let body = if method == Method::POST { Bytes::from_static(b"[1]") } else { Bytes::new() };
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    world.request(&request.body(body).unwrap()).unwrap().status()
}

#[test]
fn a_page_that_points_its_name_here_is_refused_with_403_and_one_line() {
    let mut world = world(
        "listen.host = 'box.lan'
         allowedHosts = ['.corp.example']
         routes = [{ pattern = '/echo', dialect = 'echo' }]",
    );
    for _ in 0..100 {
        let evil = Some("http://evil.com:5173");
        assert_eq!(open(&mut world, "/echo", "evil.com:5173", evil), 403);
        assert_eq!(open(&mut world, "/nowhere", "evil.com:5173", evil), 403);
    }
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    assert!(world.log[0].1.contains("allowedHosts = [\"evil.com\"]"), "{:?}", world.log);
    for host in [
        "127.0.0.1:5173",
        "[::1]:1",
        "localhost",
        "a.localhost:1",
        "box.lan:4004",
        "BOX.lan",
        "a.corp.example",
    ] {
        let origin = format!("http://{}", host.to_ascii_lowercase());
        assert_eq!(open(&mut world, "/echo", host, Some(&origin)), 101, "{host}");
    }
    assert_eq!(
        open(&mut world, "/echo", "any.name", None),
        101,
        "programs may know the server under any name"
    );
}

#[test]
fn allowed_hosts_let_no_other_pages_in() {
    for allowed in ["true", "['.evil.example', 'phone.test']"] {
        let mut world = world(&format!(
            "allowedHosts = {allowed}
             routes = [
                {{ pattern = '/echo', dialect = 'echo' }},
                {{ pattern = '/any', dialect = 'echo', origins = '*' }},
             ]"
        ));
        assert_eq!(open(&mut world, "/echo", "localhost", Some("https://evil.example")), 403, "{allowed}");
        assert_eq!(open(&mut world, "/echo", "phone.test", Some("https://a.evil.example")), 403, "{allowed}");
        assert_eq!(
            open(&mut world, "/echo", "phone.test:81", Some("http://phone.test:82")),
            101,
            "{allowed}"
        );
        assert_eq!(open(&mut world, "/any", "phone.test", Some("https://evil.example")), 101, "{allowed}");
    }
}

#[test]
fn plain_requests_need_a_host_that_is_allowed_unless_a_program_only_reads() {
    let mut world = world(
        "routes = [{ pattern = '/ws', dialect = 'topics', topics.feed = 'kills', topics.healthPath = '/status' }]
         feeds = [{ name = 'kills', post.path = '/kills' }]",
    );
    let evil = Some("http://evil.com");
    assert_eq!(ask(&mut world, Method::GET, "/status", "evil.com", evil), 403);
    assert_eq!(ask(&mut world, Method::GET, "/status", "evil.com", None), 200);
    assert_eq!(ask(&mut world, Method::POST, "/kills", "evil.com", None), 403);
    assert_eq!(ask(&mut world, Method::POST, "/kills", "evil.com", evil), 403);
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    assert_eq!(ask(&mut world, Method::POST, "/kills", "127.0.0.1:4004", None), 202);
}

#[test]
fn another_sites_page_that_hides_its_origin_changes_nothing() {
    let mut world = world(
        "routes = [{ pattern = '/ws', dialect = 'topics', topics.feed = 'kills', topics.healthPath = '/status' }]
         feeds = [{ name = 'kills', post.path = '/kills' }]",
    );
    for (method, path, site, status) in [
        // What browsers say of the page that asks, and where nobody else says it.
        (Method::POST, "/kills", "cross-site", 403),
        (Method::POST, "/kills", "same-site", 202),
        (Method::POST, "/kills", "same-origin", 202),
        (Method::POST, "/kills", "none", 202),
        (Method::POST, "/kills", "Cross-Site ", 403),
        // A link to a status page may stand anywhere.
        (Method::GET, "/status", "cross-site", 200),
    ] {
        let body = if method == Method::POST { Bytes::from_static(b"[1]") } else { Bytes::new() };
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("sec-fetch-site", site).body(body).unwrap();
        assert_eq!(world.request(&request).unwrap().status(), status, "{site}");
    }
}
