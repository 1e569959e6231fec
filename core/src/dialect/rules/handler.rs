//! The handler that carries out a route's rules.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use super::{On, Parse, Rules};
use crate::dialect::json;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::message::{CloseFrame, Message};
use crate::template::Scope;

/// The dialect `rules`.
#[derive(Debug)]
pub struct RulesHandler {
    rules: Rules,
    parse: Parse,
    json_depth: usize,
    /// Seeded from the engine's generator at the first event, so that evaluating a rule does not need the engine.
    random: Option<ChaCha8Rng>,
}

impl RulesHandler {
    /// A handler by these rules. JSON that nests deeper than `json_depth` is handled as text.
    pub fn new(rules: Rules, parse: Parse, json_depth: usize) -> Self {
        Self { rules, parse, json_depth, random: None }
    }

    fn run(
        &mut self,
        cx: &mut Context<'_>,
        on: On,
        message: Option<&Message>,
        close: Option<&CloseFrame>,
    ) -> HandlerResult {
        let random = self.random.get_or_insert_with(|| {
            let mut seed = [0; 32];
            cx.random(&mut seed);
            ChaCha8Rng::from_seed(seed)
        });
        let Some(connection) = cx.connection() else {
            return Ok(());
        };
        let json = match self.parse {
            Parse::Json => {
                message.and_then(Message::as_text).and_then(|text| json::parse(text, self.json_depth))
            }
            Parse::Text | Parse::None => None,
        };
        let rooms = || connection.rooms().map(ToString::to_string).collect();
        let mut fill = |bytes: &mut [u8]| random.fill_bytes(bytes);
        let mut scope = Scope::new(connection.scope(&rooms), cx.now().wall, &mut fill);
        scope.message = message;
        scope.json = json.as_ref();
        scope.close = close;
        for command in self.rules.evaluate(on, &mut scope) {
            cx.apply(command)?;
        }
        Ok(())
    }
}

impl Handler for RulesHandler {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        self.run(cx, On::Connect, None, None)
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        self.run(cx, On::Message, Some(&message), None)
    }

    fn close(&mut self, cx: &mut Context<'_>, frame: &CloseFrame, _: CloseCause) -> HandlerResult {
        self.run(cx, On::Close, None, Some(frame))
    }

    fn succeed(&mut self, _: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        let Some(predecessor) = predecessor.get::<Self>() else {
            return false;
        };
        self.random = predecessor.random.take();
        true
    }
}
