//! Any text is a configuration or explained, and every configuration is a server.
//!
//! Input: JSON if it starts with a brace, TOML otherwise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::Config;
use switchboard_fuzz::script::{Plan, Script};

fuzz_target!(|text: &str| {
    let config = if text.starts_with('{') { Config::from_json(text) } else { Config::from_toml(text) };
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(error.to_string().starts_with(&error.path));
            return;
        }
    };
    let Some(plan) = Plan::new(config.clone()) else { return };
    let mut script = Script::new(plan.serve());
    for (number, route) in config.routes.iter().take(8).enumerate() {
        let prefix = route.prefix.as_ref().unwrap_or(&config.prefix).as_slice();
        let path: String = format!("{}{}", prefix.first().map_or("", String::as_str), route.pattern);
        script.line(&format!("{number} connects {}", path.replace(['{', '}', '*', '?'], "")));
        script.line(&format!("{number} says {{\"type\":\"ping\",\"room\":\"a\",\"message\":{{\"x\":[1]}}}}"));
        script.line(&format!("{number} says ping"));
        script.line("wait 1000");
        script.line(&format!("{number} closes 1000"));
    }
    script.finish();
});
