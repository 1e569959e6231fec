//! The dialects that callbacks belong to.

use switchboard_core::config::{Dialect, Example, NeededCallback, RouteConfig};
use switchboard_core::dialect::commands::{Commands, CommandsOptions, ServerEventKind};
use switchboard_core::dialect::phoenix::{self, ChannelOptions, Phoenix, TopicPattern};
use switchboard_core::dialect::proxy::ProxyHooks;
use switchboard_core::{Deferred, Handler, Hooks, Pattern, Receiving, WithCallbacks};

use super::{Callbacks, CommandsEvents};

impl Callbacks {
    /// The callbacks for messages that pass a proxy.
    pub(crate) fn proxied(&self) -> ProxyHooks {
        ProxyHooks { client: self.client_message.is_some(), target: self.target_message.is_some() }
    }

    /// The dialect that these callbacks give to a route without a configuration.
    pub(crate) fn dialect(&self) -> Dialect {
        match (self.channels.is_empty(), &self.commands) {
            (false, _) => Dialect::Phoenix,
            (true, Some(_)) => Dialect::Commands,
            (true, None) => Dialect::Handlers,
        }
    }

    /// Checks that all of them can be called on a route of this dialect.
    pub(crate) fn check(&self, dialect: Dialect) -> Result<(), String> {
        // What functions in another language belong to is checked with the route that they come with.
        if self.foreign.is_some() {
            return Ok(());
        }
        let belongs = |what: &str, owner: Dialect| {
            let (owner, name) = (owner.name(), dialect.name());
            Err(format!("{what} belong to the dialect {owner:?}, but this route's dialect is {name:?}"))
        };
        if !self.channels.is_empty() && dialect != Dialect::Phoenix {
            return belongs("channels", Dialect::Phoenix);
        }
        if self.commands.is_some() && dialect != Dialect::Commands {
            return belongs("commands", Dialect::Commands);
        }
        if self.proxied() != ProxyHooks::default() && dialect != Dialect::Proxy {
            return belongs("functions for what passes a proxy", Dialect::Proxy);
        }
        self.topics().map(drop)
    }

    /// Whether the callback that a configured route needs is among them.
    pub(crate) fn has(&self, needed: NeededCallback<'_>) -> bool {
        if let Some(foreign) = &self.foreign {
            return foreign.set().has(needed);
        }
        match needed {
            NeededCallback::Event(event) => self.events().contains(&event),
            NeededCallback::Channel(topic) => self.channels.iter().any(|(known, _)| known == topic),
        }
    }

    /// Adds to a configured route what its dialect has to know of them.
    pub(crate) fn declare(&self, route: &mut RouteConfig) -> Result<(), String> {
        self.check(route.dialect())?;
        // Their route says it itself.
        if self.foreign.is_some() {
            return Ok(());
        }
        if let Some(events) = &self.commands {
            route.commands.get_or_insert_default().events = events.kinds();
        }
        for topic in self.topics()? {
            let channels = &mut route.phoenix.get_or_insert_default().channels;
            match channels.iter_mut().find(|known| known.topic == topic) {
                Some(known) => known.callbacks = true,
                None => channels.push(ChannelOptions::with_callbacks(topic)),
            }
        }
        Ok(())
    }

    /// The handler of a route without a configuration.
    pub(crate) fn handler(&self) -> Box<dyn Handler> {
        let hooks = self.hooks();
        if self.task.is_some() {
            return Box::new(Receiving::new(hooks.authenticate));
        }
        let dialect: Box<dyn Handler> = match self.dialect() {
            Dialect::Phoenix => {
                let topics = self.topics().unwrap_or_default();
                Box::new(topics.into_iter().fold(Phoenix::new(), |phoenix, topic| {
                    let channel = phoenix::CallbackChannel::new(topic.as_str());
                    phoenix.with_channel(topic, channel)
                }))
            }
            Dialect::Commands => {
                let events = self.events();
                Box::new(Commands::new(CommandsOptions { events, ..CommandsOptions::default() }))
            }
            _ => return Box::new(Deferred::new(hooks)),
        };
        match hooks == Hooks::default() {
            true => dialect,
            false => Box::new(WithCallbacks::new(dialect, hooks, true)),
        }
    }

    /// An example of a path and a message for such a route, or what is wrong with the callbacks.
    pub(crate) fn example(&self, pattern: &Pattern) -> Result<Example, String> {
        let mut route = RouteConfig { dialect: Some(self.dialect()), ..RouteConfig::new(pattern.clone()) };
        self.declare(&mut route)?;
        Ok(Example::of(&route))
    }

    fn events(&self) -> Vec<ServerEventKind> {
        self.commands.as_ref().map(CommandsEvents::kinds).unwrap_or_default()
    }

    fn topics(&self) -> Result<Vec<TopicPattern>, String> {
        self.channels.iter().map(|(topic, _)| topic.parse()).collect()
    }
}
