//! The handler of both dialects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::index::{Index, Opening};
use super::material::{Loading, Material, Progress};
use super::mismatch::Mismatch;
use super::options::{ConnectionChoice, MismatchOption, ReplayOptions};
use super::player::{Order, Player, Stage};
use super::scenario::ScenarioOptions;
use super::track::{Pace, Track};
use crate::handler::command::Command;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Level;
use crate::interface::file_part::{FilePart, ReadId};
use crate::message::{CloseCode, CloseFrame, Message};

/// How much of a file is read at a time for what is in it, in bytes.
const INDEX_PART: u64 = 1 << 20;

/// The same for one conversation.
const PART: u64 = 128 << 10;

/// The timer of a conversation.
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

/// What is played.
enum Source {
    Recording(ReplayOptions),
    Scenario {
        file: String,
    },
    /// A scenario of the configuration itself, which is ready.
    Inline,
}

enum Readiness {
    Unread,
    Reading {
        read: ReadId,
        offset: u64,
        /// The file beside the other one that is read now.
        beside: Option<String>,
        loading: Loading,
    },
    Ready(Material),
    Failed,
}

/// What is kept of an open connection.
struct Conversation {
    player: Player,
    mismatch: MismatchOption,
    track: Option<Track>,
    /// The file of the recording, and its bytes if they are in memory.
    source: Option<(Arc<str>, Option<Bytes>)>,
    /// The part that was asked for.
    read: Option<ReadId>,
    /// Whether the next part is to be taken from memory.
    is_due: bool,
    /// The player goes on when the client has taken what waits for it.
    is_held: bool,
}

/// The recorded connection that a client gets, kept from its opening handshake until it is open.
#[derive(Clone)]
struct Chosen {
    index: Arc<Index>,
    content: Option<Bytes>,
    place: usize,
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

    fn file(&self) -> Option<&str> {
        match &self.source {
            Source::Recording(options) => Some(&options.file),
            Source::Scenario { file } => Some(file),
            Source::Inline => None,
        }
    }

    /// Begins to read the file, unless that was done.
    fn begin(&mut self, cx: &mut Context<'_>) {
        let (Readiness::Unread, Some(file)) = (&self.readiness, self.file()) else { return };
        let loading = match &self.source {
            Source::Recording(_) => Loading::of_recording(file),
            _ => Loading::of_scenario(),
        };
        let read = cx.read_file_part_for_route(file, 0, INDEX_PART);
        self.readiness = Readiness::Reading { read, offset: 0, beside: None, loading };
    }

    /// A part of the file was read, to learn what is in it.
    fn loaded(&mut self, cx: &mut Context<'_>, content: Result<FilePart, String>) {
        let Some(file) = self.file().map(str::to_owned) else { return };
        let Readiness::Reading { read, offset, beside, loading } = &mut self.readiness else { return };
        let content = content.map_err(|error| match beside {
            Some(name) => format!("{name}, which belongs to it: {error}"),
            None => error,
        });
        let progress = content.and_then(|part| {
            *offset += part.bytes.len() as u64;
            loading.push(&file, &part.bytes, part.is_last)
        });
        match progress {
            Ok(Progress::Continue) => {
                let present = beside.as_ref().map_or_else(|| file.clone(), |name| file_beside(&file, name));
                *read = cx.read_file_part_for_route(&present, *offset, INDEX_PART);
                return;
            }
            Ok(Progress::Beside(name)) => {
                *offset = 0;
                *read = cx.read_file_part_for_route(&file_beside(&file, &name), 0, INDEX_PART);
                *beside = Some(name);
                return;
            }
            Ok(Progress::Done(material)) => {
                if let Material::Recording { index, .. } = &material {
                    for warning in &index.warnings {
                        cx.log(Level::Warn, format!("{file}: {warning}"));
                    }
                }
                self.readiness = Readiness::Ready(material);
            }
            Err(error) => {
                let what = if matches!(self.source, Source::Recording(_)) { "replayed" } else { "played" };
                let label = cx.route_label().to_owned();
                cx.log(
                    Level::Error,
                    format!("{label}: {file} cannot be {what}, clients are answered 503: {error}"),
                );
                self.readiness = Readiness::Failed;
            }
        }
        self.answer_waiting(cx);
    }

    fn answer_waiting(&mut self, cx: &mut Context<'_>) {
        for id in std::mem::take(&mut self.waiting) {
            if cx.peer(id).is_some() {
                self.answer_opening(&mut cx.with(id));
            }
        }
    }

    /// Answers an opening handshake, if the file was read.
    fn answer_opening(&mut self, cx: &mut Context<'_>) {
        let (index, content) = match &self.readiness {
            Readiness::Unread | Readiness::Reading { .. } => {
                self.waiting.extend(cx.id());
                return cx.postpone();
            }
            Readiness::Failed => return cx.reject(StatusCode::SERVICE_UNAVAILABLE),
            Readiness::Ready(Material::Scenario(_)) => {
                let subprotocol = cx.usual_subprotocol();
                return cx.accept(subprotocol.as_deref());
            }
            Readiness::Ready(Material::Recording { index, content }) => (index.clone(), content.clone()),
        };
        let asked = cx.connection().map(|client| (client.path().to_owned(), client.query().to_owned()));
        let (path, query) = asked.unwrap_or_default();
        let Some(place) = self.choose(&index, &path, &query) else {
            return cx.reject(StatusCode::SERVICE_UNAVAILABLE);
        };
        match &index.connections[place].opening {
            Opening::Refused(status) => {
                cx.reject(StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE));
            }
            Opening::Accepted(subprotocol) => {
                let offered = cx.offered_subprotocols();
                let subprotocol = subprotocol.as_deref().filter(|name| offered.iter().any(|it| it == name));
                cx.accept(subprotocol);
                if let Some(connection) = cx.connection_mut() {
                    connection.metadata_mut().insert(Chosen { index: index.clone(), content, place });
                }
            }
        }
    }

    /// The recorded connection for the next client of a path and a query.
    fn choose(&mut self, index: &Index, path: &str, query: &str) -> Option<usize> {
        let Source::Recording(options) = &self.source else { return None };
        if let ConnectionChoice::Number(number) = options.connection {
            return usize::try_from(number - 1).ok().filter(|place| *place < index.connections.len());
        }
        match index.of_target(path, query) {
            Some((target, places)) => {
                let turn = self.turns.entry(target.into()).or_default();
                let place = places[*turn % places.len()];
                *turn += 1;
                Some(place)
            }
            None => {
                let place = self.other_turns % index.connections.len();
                self.other_turns += 1;
                Some(place)
            }
        }
    }

    /// Lets the player of the connection in focus do something.
    fn play(&mut self, cx: &mut Context<'_>, act: impl FnOnce(&mut Player, &mut Stage<'_>, &mut Vec<Order>)) {
        let Some(id) = cx.id() else { return };
        let random = self.random.get_or_insert_with(|| {
            let mut seed = [0; 32];
            cx.random(&mut seed);
            ChaCha8Rng::from_seed(seed)
        });
        let (Some(conversation), Some(connection)) = (self.conversations.get_mut(&id), cx.connection())
        else {
            return;
        };
        let rooms = || connection.rooms().map(ToString::to_string).collect();
        let mut fill = |bytes: &mut [u8]| random.fill_bytes(bytes);
        let mut stage = Stage { connection: connection.scope(&rooms), now: cx.now(), random: &mut fill };
        let mut orders = Vec::new();
        act(&mut conversation.player, &mut stage, &mut orders);
        for order in orders {
            self.carry_out(cx, id, order);
        }
    }

    /// Lets the player go on, unless the client has to take something first.
    fn go_on(&mut self, cx: &mut Context<'_>) {
        let Some(conversation) = cx.id().and_then(|id| self.conversations.get_mut(&id)) else { return };
        conversation.is_held = cx.is_outbox_full();
        if !conversation.is_held {
            self.play(cx, Player::go_on);
        }
    }

    fn carry_out(&mut self, cx: &mut Context<'_>, id: ConnectionId, order: Order) {
        match order {
            Order::Do(command) => {
                // Templates may give what cannot be carried out, such as the name of a room that is too long.
                if let Err(error) = cx.apply(command) {
                    cx.log_throttled("replay", Level::Warn, || {
                        format!("a step cannot be carried out: {error}")
                    });
                }
            }
            Order::Drop => cx.disconnect(),
            Order::Fault(faults) => cx.add_faults(faults),
            Order::Wake(at) => cx.set_timer_at(TIMER, at),
            Order::Read | Order::Restart => {
                let Some(conversation) = self.conversations.get_mut(&id) else { return };
                if matches!(order, Order::Restart)
                    && let Some(track) = &mut conversation.track
                {
                    track.restart();
                }
                self.read(cx, id);
            }
            Order::Mismatch(mismatch) => self.mismatched(cx, mismatch),
        }
    }

    /// Asks for the next part of a conversation's recording.
    fn read(&mut self, cx: &mut Context<'_>, id: ConnectionId) {
        let Some(conversation) = self.conversations.get_mut(&id).filter(|it| it.read.is_none()) else {
            return;
        };
        let (Some(track), Some((file, content))) = (&conversation.track, &conversation.source) else {
            return;
        };
        let (start, length) = track.wanted();
        if content.is_none() {
            conversation.read = cx.read_file_part(file, start, length.min(PART));
        } else {
            conversation.is_due = true;
            cx.set_timer(TIMER, Duration::from_millis(1));
        }
    }

    /// The next part of a recording that is in memory.
    fn part_in_memory(&mut self, id: ConnectionId) -> Option<FilePart> {
        let conversation = self.conversations.get_mut(&id)?;
        if !std::mem::take(&mut conversation.is_due) {
            return None;
        }
        let (start, length) = conversation.track.as_ref()?.wanted();
        let content = conversation.source.as_ref()?.1.as_ref()?;
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(content.len());
        let end =
            start.saturating_add(usize::try_from(length.min(PART)).unwrap_or(usize::MAX)).min(content.len());
        Some(FilePart { bytes: content.slice(start..end), is_last: end == content.len() })
    }

    /// A part of a conversation's recording was read.
    fn continued(&mut self, cx: &mut Context<'_>, content: Result<FilePart, String>) -> HandlerResult {
        let Some(conversation) = cx.id().and_then(|id| self.conversations.get_mut(&id)) else {
            return Ok(());
        };
        conversation.read = None;
        let Some(track) = &mut conversation.track else { return Ok(()) };
        let steps =
            content.and_then(|part| track.push(&part.bytes, part.is_last).map_err(|error| error.to_string()));
        let steps = match steps {
            Ok(steps) => steps,
            Err(error) => {
                let file = self.file().unwrap_or_default();
                cx.log(Level::Error, format!("{file} cannot be replayed any further: {error}"));
                return Ok(cx.close(CloseCode::INTERNAL_ERROR, "the recording cannot be read")?);
            }
        };
        // A recording that repeats is not over at its end.
        let is_last = track.has_ended();
        conversation.player.add(steps, is_last);
        self.go_on(cx);
        Ok(())
    }

    fn mismatched(&self, cx: &mut Context<'_>, mismatch: Mismatch) {
        let mismatch_option = cx.id().and_then(|id| self.conversations.get(&id)).map(|it| it.mismatch);
        if mismatch_option == Some(MismatchOption::Close) {
            let reason = match &mismatch.differences[..] {
                [first, ..] => format!("not as in {}: {first}", mismatch.place),
                [] => format!("not as in {}", mismatch.place),
            };
            // The code can be sent.
            let _ = cx.apply(Command::Close { code: Some(CloseCode::POLICY_VIOLATION.0), reason });
        }
        cx.mismatched(mismatch);
    }
}

/// A file in the folder of another one.
fn file_beside(file: &str, name: &str) -> String {
    let folder = file.len() - name_of(file).len();
    format!("{}{name}", &file[..folder])
}

/// The name of a file without its folders, for reports that clients may see.
pub(super) fn name_of(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
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
