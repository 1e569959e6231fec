//! The callbacks that a configuration needs from its host.

use super::{Config, ConfigError, Dialect};
use crate::dialect::commands::ServerEventKind;

/// A callback that a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeededCallback<'c> {
    /// For an event of the dialect `commands`: `commands.events`.
    Event(ServerEventKind),
    /// For the channel of this topic: `phoenix.channels[].callbacks`.
    Channel(&'c str),
}

impl Config {
    /// Checks that the host has every callback that the configuration names; `has` is asked for each, with the route's
    /// index. Hosts do this before they start, as each call without a callback would be an error for a client.
    pub fn check_callbacks(
        &self,
        index: usize,
        has: impl Fn(NeededCallback<'_>) -> bool,
    ) -> Result<(), ConfigError> {
        let Some(route) = self.routes.get(index) else {
            return Ok(());
        };
        let missing = |path: String, what: String| {
            let message = format!(
                "there is no callback for {what}; remove it, or give the route its callbacks in Rust or in the Vite \
                 plugin"
            );
            Err(ConfigError::at(path, message).under(&format!("routes[{index}]")))
        };
        if route.dialect() == Dialect::Commands
            && let Some(commands) = &route.commands
        {
            for (place, event) in commands.events.iter().enumerate() {
                if !has(NeededCallback::Event(*event)) {
                    let what = format!("the event {:?}", event.name());
                    return missing(format!("commands.events[{place}]"), what);
                }
            }
        }
        if route.dialect() == Dialect::Phoenix
            && let Some(phoenix) = &route.phoenix
        {
            for (place, channel) in
                phoenix.channels.iter().enumerate().filter(|(_, channel)| channel.callbacks)
            {
                let topic = channel.topic.as_str();
                if !has(NeededCallback::Channel(topic)) {
                    let what = format!("the channel {topic:?}");
                    return missing(format!("phoenix.channels[{place}].callbacks"), what);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_that_the_host_does_not_have_is_named_with_its_key() {
        let config = Config::from_toml(
            "[[routes]]
             pattern = '/echo'
             dialect = 'echo'
             [[routes]]
             pattern = '/chat'
             dialect = 'commands'
             commands.events = ['connect', 'receive']
             [[routes]]
             pattern = '/socket/websocket'
             dialect = 'phoenix'
             phoenix.channels = [{ topic = 'a' }, { topic = 'room:*', callbacks = true }]",
        )
        .unwrap();
        let check = |index, has: &dyn Fn(NeededCallback<'_>) -> bool| {
            config.check_callbacks(index, has).map_err(|error| error.to_string())
        };
        let what_to_do = "remove it, or give the route its callbacks in Rust or in the Vite plugin";
        assert_eq!(check(0, &|_| false), Ok(()));
        assert_eq!(
            check(1, &|needed| needed == NeededCallback::Event(ServerEventKind::Connect)),
            Err(format!(
                "routes[1].commands.events[1]: there is no callback for the event \"receive\"; {what_to_do}"
            ))
        );
        assert_eq!(
            check(2, &|_| false),
            Err(format!(
                "routes[2].phoenix.channels[1].callbacks: there is no callback for the channel \"room:*\"; {what_to_do}"
            ))
        );
        assert_eq!(check(2, &|needed| needed == NeededCallback::Channel("room:*")), Ok(()));
        assert_eq!(check(3, &|_| false), Ok(()));
    }
}
