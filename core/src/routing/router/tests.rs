use proptest::prelude::*;

use super::*;

fn key(prefixes: &[&str], pattern: &str) -> RouteKey {
    let prefixes = prefixes.iter().map(|prefix| prefix.to_string()).collect();
    RouteKey { prefixes, ..RouteKey::new(Pattern::new(pattern).expect(pattern)) }
}

fn router(routes: &[(&[&str], &str)]) -> Router {
    Router::new(routes.iter().map(|(prefixes, pattern)| key(prefixes, pattern))).expect("a router")
}

fn index(found: Found<'_>) -> Option<usize> {
    match found {
        Found::Route { index, .. } => Some(index),
        _ => None,
    }
}

#[test]
fn the_first_match_in_order_wins() {
    let router = router(&[(&[], "/a/**"), (&[], "/a/b"), (&[], "/{x}"), (&[], "/c")]);
    for (path, expected) in
        [("/a/b", Some(0)), ("/a", Some(0)), ("/c", Some(2)), ("/d", Some(2)), ("/d/e", None)]
    {
        assert_eq!(index(router.find(path)), expected, "{path}");
    }
}

#[test]
fn a_pattern_that_an_earlier_route_serves_is_told_once() {
    let router = router(&[(&[], "/ws"), (&["/api", "/v2"], "/ws"), (&[], "/ws"), (&["/api"], "/ws")]);
    assert_eq!(router.patterns(), ["/ws", "/api/ws", "/v2/ws"]);
}

#[test]
fn patterns_that_serve_something_else_than_they_seem_to_are_warned_of() {
    let mut off = key(&[], "/ws");
    off.disabled = true;
    let routes = [
        key(&["/api", "/v2"], "/api/x"),
        key(&["/api"], "/api"),
        key(&["/api"], "/apis"),
        key(&[], "/api/y"),
        key(&[], "/ws"),
        off,
        key(&[], "/ws"),
        key(&["/api"], "/{room}/{user:a|room}.x"),
        key(&["/v2", "/api"], "/{hall}/{guest:a|room}.x"),
        key(&["/api"], "/{hall}/{guest:b}.x"),
    ];
    let router = Router::new(routes).expect("a router");
    assert_eq!(
        router.warnings(),
        [
            "the pattern /api/x counts below the prefix /api: it serves /api/api/x; write /x to serve /api/x",
            "the pattern /api counts below the prefix /api: it serves /api/api; write / to serve /api",
            "two routes have the pattern /ws: only the first one serves it",
            "/api/{room}/{user:a|room}.x and /api/{hall}/{guest:a|room}.x are the same paths: only the first route \
             serves them",
        ]
    );
}

#[test]
fn the_nearest_to_a_path_is_what_was_probably_meant() {
    let router = router(&[(&["/api"], "/ws/chat/{room}"), (&[], "/echo"), (&["/mock"], "/**")]);
    for (path, expected) in [
        ("/ws/chat/general", Some("/api/ws/chat/general")),
        ("/api/echo", Some("/echo")),
        ("/api/ws/caht/general", Some("/api/ws/chat/{room}")),
        ("/api/ws/chat", Some("/mock/api/ws/chat")),
        ("/ehco", Some("/echo")),
        ("/something/else", Some("/mock/something/else")),
    ] {
        assert_eq!(router.nearest(path).as_deref(), expected, "{path}");
    }
    let all = Router::new([key(&["/api"], "/x")]).expect("a router");
    assert_eq!(all.nearest(&"/é".repeat(10_000)), None);
}

#[test]
fn a_prefix_ends_at_a_slash() {
    let router = router(&[(&["/api"], "/ws/chat"), (&["/api"], "/"), (&["/mock", "/api/v2/"], "/ws/{x}")]);
    let table = [
        ("/api/ws/chat", Some(0)),
        ("//api//ws//chat", Some(0)),
        ("/api", Some(1)),
        ("/api/", Some(1)),
        ("/mock/ws/a", Some(2)),
        ("/api/v2/ws/a", Some(2)),
        ("/api/ws/chat/", None),
    ];
    for (path, expected) in table {
        assert_eq!(index(router.find(path)), expected, "{path}");
    }
    for path in ["/api/nothing", "/mock", "/mock/", "//api//x"] {
        assert!(matches!(router.find(path), Found::Unmatched { .. }), "{path}");
    }
    for path in ["/apix/ws/chat", "/", "", "/ws/chat", "api/ws/chat", "/ap"] {
        assert_eq!(router.find(path), Found::Foreign, "{path}");
    }
}

#[test]
fn an_unmatched_path_is_told_what_there_is() {
    let mut disabled = key(&["/off"], "/ws");
    disabled.disabled = true;
    let keys = [key(&["/api", "/mock"], "/ws/chat"), key(&[], "/echo"), disabled];
    let router = Router::new(keys).expect("a router");
    let known: &[_] = &["/api/ws/chat".to_owned(), "/mock/ws/chat".to_owned(), "/echo".to_owned()];
    assert_eq!(router.find("/api/x"), Found::Unmatched { known });
    assert_eq!(router.find("/off/ws"), Found::Unmatched { known });
    assert_eq!(router.find("/elsewhere"), Found::Foreign);
    assert_eq!(router.claim_all().find("/elsewhere"), Found::Unmatched { known });
}

#[test]
fn a_disabled_route_lets_the_next_one_match() {
    let disabled = RouteKey { disabled: true, ..key(&[], "/ws") };
    let router = Router::new([disabled, key(&[], "/*")]).expect("a router");
    assert_eq!(index(router.find("/ws")), Some(1));
}

#[test]
fn parameters_are_found() {
    let router = router(&[(&["/api"], "/relay/{room}")]);
    let params = [("room", "lobby")].into_iter().collect();
    assert_eq!(router.find("/api/relay/lobby"), Found::Route { index: 0, params });
}

#[test]
fn paths_beyond_the_bounds_match_nothing() {
    let router = router(&[(&["/api"], "/**")]);
    assert!(matches!(router.find(&format!("/api{}", "/a".repeat(5000))), Found::Unmatched { .. }));
    assert_eq!(router.find(&"/a".repeat(5000)), Found::Foreign);
}

proptest! {
    /// The candidates are never fewer than the matches.
    #[test]
    fn the_table_finds_what_the_pattern_matches(
        pattern in "(/(a|b|\\.|a\\.|\\*|\\*\\*|a\\*|\\?|\\{x\\}|\\[a\\]|!){1,2}){1,4}/?",
        prefix in "(/[ab.])?",
        path in "(/[ab.é]{0,2}){0,5}/?",
    ) {
        // A repeated parameter is no valid pattern.
        if let Ok(pattern) = Pattern::new(&pattern) {
            let key = RouteKey { prefixes: vec![prefix], ..RouteKey::new(pattern) };
            let router = Router::new([key]).expect("a router");
            let expected = pattern::split(&path).and_then(|path| router.routes[0].matches(&path));
            let found = match router.find(&path) {
                Found::Route { params, .. } => Some(params),
                _ => None,
            };
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_slash_at_the_end_can_be_allowed() {
    let slash = RouteKey { trailing_slash: true, ..key(&["/a"], "/ws") };
    let router = Router::new([slash, key(&[], "/{x}"), key(&[], "/start")]).expect("routes");
    let index = |path| match router.find(path) {
        Found::Route { index, .. } => Some(index),
        _ => None,
    };
    assert_eq!((index("/a/ws"), index("/a/ws/"), index("/start/")), (Some(0), Some(0), None));
    let root = RouteKey { trailing_slash: true, ..key(&[], "/") };
    assert!(matches!(Router::new([root]).expect("route").find("/"), Found::Route { .. }));
}
