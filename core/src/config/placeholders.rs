//! Checks that the placeholders of a route's rules have a value where they stand.

use super::{ConfigError, Parse, RouteConfig};
use crate::dialect::replay::ScenarioOptions;
use crate::dialect::rules::{ActionTemplate, On, Rule};
use crate::schema::suggest::nearest;
use crate::template::Source;

/// Checks the placeholders of all responses, rules and the relay's room.
pub(super) fn check(route: &RouteConfig) -> Result<(), ConfigError> {
    if let Some(room) = &route.room {
        let checker = Checker { route, on: On::Connect, lets: Vec::new() };
        room.sources().try_for_each(|source| match source {
            Source::RandomId | Source::RandomUuid | Source::Generated(_) => Err(ConfigError::at(
                "room",
                "nobody else could be in a random room; take it from the connection",
            )),
            source => checker.check("room", source),
        })?;
    }
    let checker = Checker { route, on: On::Connect, lets: Vec::new() };
    for (index, event) in route.events.iter().flat_map(|events| events.mock.iter().enumerate()) {
        event.data.check(&mut |source| match source {
            Source::Generated(_) => Ok(()),
            source => checker.check(&format!("events.mock[{index}].data"), source),
        })?;
    }
    if let Some(ScenarioOptions::Script(script)) = &route.scenario {
        let checker = Checker { route, on: On::Message, lets: Vec::new() };
        script.check_sources(&mut |path, source| match source {
            // Its own check knows them.
            Source::Let(..) => Ok(()),
            source => checker.check(path, source).map_err(|error| error.under("scenario")),
        })?;
    }
    for (index, response) in route.responses.iter().enumerate() {
        let rule = response.rule();
        check_rule(route, &rule, |_| "response".to_owned())
            .map_err(|error| error.under(&format!("responses[{index}]")))?;
    }
    for (index, rule) in route.rules.iter().enumerate() {
        check_rule(route, rule, |action| format!("do[{action}]"))
            .map_err(|error| error.under(&format!("rules[{index}]")))?;
    }
    Ok(())
}

fn check_rule(
    route: &RouteConfig,
    rule: &Rule,
    action_path: impl Fn(usize) -> String,
) -> Result<(), ConfigError> {
    let mut checker = Checker { route, on: rule.on, lets: Vec::new() };
    for source in rule.matching.sources() {
        checker.check("match", source)?;
    }
    for (name, value) in &rule.lets {
        value.check(&mut |source| checker.check(&format!("let.{name}"), source))?;
        checker.lets.push(name);
    }
    for (index, action) in rule.actions.iter().enumerate() {
        let path = action_path(index);
        let is_broadcast =
            matches!(action, ActionTemplate::Broadcast { .. } | ActionTemplate::BroadcastAllRooms { .. });
        if rule.on == On::Close && !is_broadcast {
            let message = "the connection has ended; only broadcast and broadcastAllRooms reach anybody";
            return Err(ConfigError::at(path, message));
        }
        action.check(&mut |source| checker.check(&path, source))?;
    }
    Ok(())
}

struct Checker<'r> {
    route: &'r RouteConfig,
    on: On,
    lets: Vec<&'r str>,
}

impl Checker<'_> {
    fn check(&self, path: &str, source: &Source) -> Result<(), ConfigError> {
        let fail = |message: String| Err(ConfigError::at(path, message));
        let known_let = |name: &String| self.lets.contains(&name.as_str());
        match source {
            Source::Message(_) if self.on != On::Message => {
                fail("there is no message here; {message} is for rules on \"message\"".to_owned())
            }
            Source::Message(field) if !field.is_empty() && self.route.parse != Parse::Json => {
                let field = field.join(".");
                fail(format!("{{message.{field}}} needs the message parsed; write parse = \"json\""))
            }
            Source::CloseCode | Source::CloseReason if self.on != On::Close => {
                fail("the connection is not closed here; {close} is for rules on \"close\"".to_owned())
            }
            Source::Generated(generated) if generated.is_series() => {
                fail("counters and walks are for the data of the dialect \"events\"".to_owned())
            }
            Source::Param(name) if !self.route.pattern.names().any(|known| known == name) => {
                let names: Vec<&str> = self.route.pattern.names().collect();
                let pattern = &self.route.pattern;
                self.unknown(path, format!("the pattern {pattern} has no parameter {name:?}"), name, &names)
            }
            Source::Let(name, _) if !known_let(name) => {
                let message = format!("{name:?} is not set aside by this rule's \"let\" before this point");
                self.unknown(path, message, name, &self.lets)
            }
            _ => Ok(()),
        }
    }

    fn unknown(&self, path: &str, message: String, name: &str, known: &[&str]) -> Result<(), ConfigError> {
        let suggestion = nearest(name, known.iter().copied()).map(str::to_owned);
        Err(ConfigError { suggestion, ..ConfigError::at(path, message) })
    }
}
