//! The handler of both dialects.

mod conversation;
mod opening;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chacha20::ChaCha8Rng;

use super::material::{Material, name_of};
use super::options::ReplayOptions;
use super::player::Player;
use super::scenario::ScenarioOptions;
use super::track::{Pace, Track};
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Level;
use crate::interface::file_part::{FilePart, ReadId};
use crate::message::{CloseCode, CloseFrame, Message};
use conversation::Conversation;
use opening::{Chosen, Readiness, Source};

/// The timer of the route.
const TIMER: u64 = 0;

/// The dialects `replay` and `scenario`: plays the server's side of each conversation.
pub struct Replay {
    source: Source,
    readiness: Readiness,
    /// Opening handshakes that wait until the file was read.
    waiting: Vec<ConnectionId>,
    conversations: HashMap<ConnectionId, Conversation>,
    /// How many clients each path, or path and query, has had; the last is for paths that were not recorded.
    turns: HashMap<Box<str>, usize>,
    other_turns: usize,
    /// Seeded from the engine's generator when it is first needed.
    random: Option<ChaCha8Rng>,
}

impl Replay {
    /// Plays a recording.
    pub fn new(options: ReplayOptions) -> Self {
        Self::with(Source::Recording(options), Readiness::Unread)
    }

    /// Plays a scenario; `key` is its place in the configuration, for reports.
    pub fn scenario(options: ScenarioOptions, key: &str) -> Self {
        match options {
            ScenarioOptions::File(file) => Self::with(Source::Scenario { file }, Readiness::Unread),
            ScenarioOptions::Script(script) => {
                // The configuration was checked: it compiles.
                let readiness = match script.compile(key) {
                    Ok(program) => Readiness::Ready(Material::Scenario(Arc::new(program))),
                    Err(_) => Readiness::Failed,
                };
                Self::with(Source::Inline, readiness)
            }
        }
    }

    fn with(source: Source, readiness: Readiness) -> Self {
        Self {
            source,
            readiness,
            waiting: Vec::new(),
            conversations: HashMap::new(),
            turns: HashMap::new(),
            other_turns: 0,
            random: None,
        }
    }
}

impl Handler for Replay {
    fn wants_preparation(&self) -> bool {
        matches!(self.readiness, Readiness::Unread)
    }

    fn prepare(&mut self, cx: &mut Context<'_>) {
        self.begin(cx);
    }

    fn delays_handshake(&mut self, cx: &mut Context<'_>) -> Result<bool, HandlerError> {
        self.begin(cx);
        self.answer_opening(cx);
        Ok(true)
    }

    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let Some(id) = cx.id() else { return Ok(()) };
        let chosen = cx.connection_mut().and_then(|connection| connection.metadata_mut().remove::<Chosen>());
        let now = cx.now();
        let conversation = match (chosen, &self.source, &self.readiness) {
            (Some(Chosen { index, content, place }), Source::Recording(options), _) => {
                let pace =
                    Pace { speed: options.speed, start_at: options.start_at, repeats: options.repeats };
                let captured = options.capture.as_slice().into();
                let file: Arc<str> = options.file.as_str().into();
                let player =
                    Player::of_recording(name_of(&file).into(), options.matching, captured, now.instant);
                let track = Some(Track::new(index.connections[place].clone(), pace));
                let source = Some((file, content));
                let mismatch = options.mismatch;
                Conversation { player, mismatch, track, source, read: None, is_due: false, is_held: false }
            }
            (_, _, Readiness::Ready(Material::Scenario(program))) => {
                let player = Player::of_scenario(program.clone(), now.instant);
                let mismatch = program.mismatch;
                Conversation {
                    player,
                    mismatch,
                    track: None,
                    source: None,
                    read: None,
                    is_due: false,
                    is_held: false,
                }
            }
            // Its file was changed between its opening handshake and now.
            _ => return Ok(cx.close(CloseCode::SERVICE_RESTART, "")?),
        };
        self.conversations.insert(id, conversation);
        self.go_on(cx);
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        self.play(cx, |player, _, orders| player.hear(message, orders));
        self.go_on(cx);
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, _: &CloseFrame, _: CloseCause) -> HandlerResult {
        cx.id().and_then(|id| self.conversations.remove(&id));
        Ok(())
    }

    /// What was recorded has no such message.
    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        cx.log(Level::Debug, format!("a client of a replay: {error}"));
        Ok(())
    }

    fn timeout(&mut self, cx: &mut Context<'_>, _: u64) -> HandlerResult {
        let Some(id) = cx.id() else {
            self.answer_waiting(cx);
            return Ok(());
        };
        if let Some(part) = self.part_in_memory(id) {
            return self.continued(cx, Ok(part));
        }
        self.go_on(cx);
        Ok(())
    }

    fn drained(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let is_held = |id| self.conversations.get(&id).is_some_and(|conversation| conversation.is_held);
        if cx.id().is_some_and(is_held) {
            self.go_on(cx);
        }
        Ok(())
    }

    fn file_part(
        &mut self,
        cx: &mut Context<'_>,
        read: ReadId,
        content: Result<FilePart, String>,
    ) -> HandlerResult {
        match cx.id() {
            Some(id) if self.conversations.get(&id).is_some_and(|it| it.read == Some(read)) => {
                self.continued(cx, content)
            }
            None if matches!(&self.readiness, Readiness::Reading { read: awaited, .. } if *awaited == read) =>
            {
                self.loaded(cx, content);
                Ok(())
            }
            // Its conversation or its handler is gone.
            _ => Ok(()),
        }
    }

    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        let Some(before) = predecessor.get::<Self>() else { return false };
        self.conversations = std::mem::take(&mut before.conversations);
        self.waiting = std::mem::take(&mut before.waiting);
        self.turns = std::mem::take(&mut before.turns);
        self.random = before.random.take();
        self.begin(cx);
        if !self.waiting.is_empty() {
            cx.set_route_timer(TIMER, Duration::ZERO);
        }
        true
    }
}
