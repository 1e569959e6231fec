//! From a path to its route, among few and among many.

use std::hint::black_box;

use switchboard_core::{Found, Pattern, RouteKey, Router};

use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("routing.pattern_with_parameters", pattern),
    ("routing.last_of_1", || last_of(1)),
    ("routing.last_of_50", || last_of(50)),
    ("routing.last_of_1000", || last_of(1000)),
    ("routing.none_of_1000", none_of_1000),
];

fn router(routes: usize) -> Router {
    let key = |index| RouteKey {
        prefixes: vec!["/api".to_owned()],
        ..RouteKey::new(Pattern::new(&format!("/ws/service-{index}/{{room}}")).unwrap())
    };
    Router::new((0..routes).map(key)).unwrap()
}

fn pattern() -> Operation {
    let pattern = Pattern::new("/ws/**/{room}/{file}.{extension}").unwrap();
    Box::new(move || {
        let params = pattern.matches(black_box("/ws/some/where/lobby/picture.png")).unwrap();
        assert_eq!(params.len(), 3);
    })
}

fn last_of(routes: usize) -> Operation {
    let router = router(routes);
    let (last, path) = (routes - 1, format!("/api/ws/service-{}/lobby", routes - 1));
    Box::new(move || match router.find(black_box(&path)) {
        Found::Route { index, params } => assert_eq!((index, params.len()), (last, 1)),
        other => panic!("{other:?}"),
    })
}

fn none_of_1000() -> Operation {
    let router = router(1000);
    Box::new(move || {
        let found = router.find(black_box("/api/ws/service-x/lobby"));
        assert!(matches!(found, Found::Unmatched { known } if known.len() == 1000));
    })
}
