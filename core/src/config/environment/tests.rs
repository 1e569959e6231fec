use super::*;
use crate::config::parse_dotenv;

fn add(text: &str) -> Result<(Config, bool), ConfigError> {
    let variables = parse_dotenv(text);
    let mut config = Config::default();
    let variable =
        |name: &str| variables.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.clone());
    let added = config.add_environment(variable)?;
    config.check()?;
    Ok((config, added))
}

#[test]
fn the_file_of_the_mock_api_server_is_a_configuration() {
    let text = "# Enable WebSocket server\nWEBSOCKET_ENABLED=true\n\n# WebSocket server path (default: /ws)\nWEBSOCKET_PATH=/ws\n\
        WEBSOCKET_MOCK_EVENTS=[{\"name\":\"ticker\",\"interval\":2000,\"data\":{\"price\":100}},{\"name\":\"now\",\"interval\":0,\"data\":null}]\n\
        WEBSOCKET_PROXY_ENABLED=true\nWEBSOCKET_PROXY_ROUTES=echo:wss://echo.websocket.org, binance:wss://stream.binance.com:9443\n\
        WEBSOCKET_PROXY_AUTH_BINANCE=bearer:s3:cret\nWEBSOCKET_HEARTBEAT_INTERVAL=30000\nWEBSOCKET_MAX_PAYLOAD=1024\nPORT=3000\nHOST=localhost\n";
    let (config, added) = add(text).unwrap();
    assert!(added);
    assert_eq!((config.listen.host.as_str(), config.listen.port), ("localhost", 3000));
    let [events, proxy] = &config.routes[..] else { panic!("{:?}", config.routes) };
    assert_eq!((events.pattern.as_str(), proxy.pattern.as_str()), ("/ws", "/ws/proxy/**"));
    assert_eq!((events.heartbeat.as_ms(), events.max_payload), (Some(30_000), 1024));
    let options = events.events.as_ref().unwrap();
    let intervals: Vec<_> = options.mock.iter().map(|event| event.interval.as_ms()).collect();
    assert_eq!(intervals, [Some(2000), None]);
    assert_eq!(options.stats.as_deref(), Some(STATS));
    let targets = &proxy.proxy.as_ref().unwrap().targets;
    assert_eq!(targets["echo"], TargetOptions::new("wss://echo.websocket.org"));
    assert_eq!(targets["binance"].url, "wss://stream.binance.com:9443");
    assert_eq!(targets["binance"].auth, Some(ProxyAuth::Bearer { token: Secret("s3:cret".to_owned()) }));
}

#[test]
fn nothing_is_added_unasked_and_false_says_so() {
    let (config, added) = add("PORT=1\nWEBSOCKET_PATH=/x").unwrap();
    assert!(!added && config.routes.is_empty() && config.listen.port != 1);
    let (config, added) = add("WEBSOCKET_ENABLED=false\nWEBSOCKET_MOCK_EVENTS=").unwrap();
    assert!(added && config.routes[0].disabled && config.routes.len() == 1);
}

#[test]
fn what_the_environment_says_comes_before_what_a_file_says() {
    let file = "[[routes]]\npattern = '/ws'\ndialect = 'echo'";
    let mut config = Config::from_toml(file).unwrap();
    let variable = |name: &str| (name == "WEBSOCKET_ENABLED").then(|| "true".to_owned());
    assert!(config.add_environment(variable).unwrap());
    let dialects: Vec<_> = config.routes.iter().map(|route| route.dialect().name()).collect();
    assert_eq!(dialects, ["events", "echo"]);
}

#[test]
fn no_statistics_are_served_where_they_are_switched_off() {
    let file = "routes = [{ pattern = '/ws', events = { stats = '/stats', adminToken = 'x' } }]";
    for (text, expected) in [
        ("", Some("/stats")),
        ("ADMIN_ENABLED=perhaps", Some("/stats")),
        ("ADMIN_ENABLED=false", None),
        ("ADMIN_ENABLED=false\nWEBSOCKET_ENABLED=true", None),
    ] {
        let variables = parse_dotenv(text);
        let variable =
            |name: &str| variables.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.clone());
        let mut config = Config::from_toml(file).unwrap();
        // Only with WEBSOCKET_ENABLED does a value that is none stop the start.
        config.add_environment(variable).unwrap();
        config.check().unwrap();
        let last = config.routes.last().and_then(|route| route.events.as_ref()).unwrap();
        assert_eq!(last.stats.as_deref(), expected, "{text}");
    }
}

#[test]
fn tokens_are_asked_for_by_everything() {
    let proxy = "WEBSOCKET_PROXY_ENABLED=true\nWEBSOCKET_PROXY_ROUTES=a:ws://x";
    let admins = |config: &Config| -> Vec<String> {
        let events = config.routes[0].events.as_ref().unwrap();
        events.admin_tokens.iter().map(|Secret(token)| token.clone()).collect()
    };
    let tokens = |text: &str| {
        let (config, _) = add(&format!("WEBSOCKET_ENABLED=true\n{proxy}\n{text}")).unwrap();
        let asked = config.routes.iter().map(|route| match &route.authenticate {
            AuthenticateConfig::Token(token) => token.token.values.keys().cloned().collect(),
            _ => Vec::new(),
        });
        let asked: Vec<Vec<String>> = asked.collect();
        assert_eq!(asked[0], asked[1], "the proxy is no way around");
        (asked[0].clone(), admins(&config))
    };
    let list = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (text, clients, admins) in [
        ("", &[][..], &[][..]),
        ("AUTH_ENABLED=false\nWEBSOCKET_AUTH_TOKENS=a", &[], &[]),
        ("AUTH_ENABLED=true\nWEBSOCKET_AUTH_TOKENS=a, b,", &["a", "b"], &["a", "b"]),
        ("WEBSOCKET_AUTH_TOKENS=a\nWEBSOCKET_ADMIN_TOKEN=c", &["a"], &["c"]),
        ("WEBSOCKET_AUTH_TOKENS=a\nADMIN_ENABLED=false", &["a"], &[]),
    ] {
        assert_eq!(tokens(text), (list(clients), list(admins)), "{text}");
    }
}

#[test]
fn errors_name_the_variable() {
    for (line, expected) in [
        ("WEBSOCKET_ENABLED=maybe", "WEBSOCKET_ENABLED: expected true or false, got \"maybe\""),
        ("WEBSOCKET_PATH=ws", "WEBSOCKET_PATH: "),
        ("WEBSOCKET_MOCK_EVENTS=[{]", "WEBSOCKET_MOCK_EVENTS: not JSON: "),
        ("WEBSOCKET_MOCK_EVENTS={}", "WEBSOCKET_MOCK_EVENTS: expected a list of events"),
        ("WEBSOCKET_MOCK_EVENTS=[{\"name\":\"a\"}]", "WEBSOCKET_MOCK_EVENTS[0]: the key \"data\" is missing"),
        (
            "WEBSOCKET_MOCK_EVENTS=[{\"name\":\"a\",\"data\":\"{message.x}\"}]",
            "WEBSOCKET_MOCK_EVENTS.events.mock[0].data: there is no message here;",
        ),
        ("WEBSOCKET_HEARTBEAT_INTERVAL=30s", "WEBSOCKET_HEARTBEAT_INTERVAL: expected a whole number"),
        ("WEBSOCKET_PROXY_ROUTES=echo", "WEBSOCKET_PROXY_ROUTES: \"echo\" has no colon;"),
        (
            "WEBSOCKET_PROXY_ROUTES=echo:http://x",
            "WEBSOCKET_PROXY_ROUTES.targets.echo.url: \"http://x\" is no URL;",
        ),
        (
            "WEBSOCKET_PROXY_ROUTES=a:ws://x\nWEBSOCKET_PROXY_AUTH_A=s3cret",
            "WEBSOCKET_PROXY_AUTH_A: write bearer:",
        ),
        ("AUTH_ENABLED=true", "AUTH_ENABLED: nobody could come in; write WEBSOCKET_AUTH_TOKENS="),
        ("CORS_ORIGINS=localhost", "CORS_ORIGINS: \"localhost\" is no origin;"),
        ("PORT=70000", "PORT: expected a whole number that is not too large, got \"70000\""),
    ] {
        let text = format!("WEBSOCKET_ENABLED=true\nWEBSOCKET_PROXY_ENABLED=true\n{line}");
        let error = add(&text).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("s3cret"), "{error}");
    }
}
