//! A kit to test handlers with, behind the feature `testing`: the engine without a network, a clock that only moves when
//! told, and clients made of lists.
//!
//! ```
//! use switchboard_core::testing::{World, route};
//! use switchboard_core::{Context, Handler, HandlerResult, Message, RouteSettings};
//!
//! /// Tells everyone else what each client says, and who has been silent for a minute.
//! struct Shout;
//!
//! impl Handler for Shout {
//!     fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
//!         cx.set_timer(0, std::time::Duration::from_secs(60));
//!         cx.broadcast(message.as_text().ok_or("only text can be shouted")?.to_uppercase());
//!         Ok(())
//!     }
//!
//!     fn timeout(&mut self, cx: &mut Context<'_>, _key: u64) -> HandlerResult {
//!         cx.broadcast_to_all("somebody is silent");
//!         Ok(())
//!     }
//! }
//!
//! let mut world = World::new(vec![route("/shout", RouteSettings::default(), Shout)]);
//! let (ada, bob) = (world.connect("/shout"), world.connect("/shout"));
//! world.text(ada, "hi");
//! assert_eq!(world.received(bob), ["HI"]);
//! assert_eq!(world.run_next(), Some(60_000)); // or world.advance(60_000), which runs all that is due by then
//! assert_eq!(world.received(ada), ["somebody is silent"]);
//! world.close(bob, 1000, "");
//! assert_eq!(world.received(bob), ["somebody is silent", "<close 1000>"]);
//! ```
//!
//! A test that asks for what cannot be, such as a pattern that is none or a client that was never there, panics, and so
//! does an engine that breaks its word: an effect for a client that was not accepted, or a deadline that does not move.

mod client;
mod target;
mod user_code;
mod world;

use crate::{Handler, Pattern, Route, RouteKey, RouteSettings};

pub use client::Client;
pub use world::World;

/// One route of a [`World`].
pub fn route(pattern: &str, settings: RouteSettings, handler: impl Handler + 'static) -> (RouteKey, Route) {
    let key = RouteKey::new(Pattern::new(pattern).expect("a pattern"));
    (key, Route { settings, handler: Box::new(handler) })
}
