//! The dialect `events`: named events with made-up data, at intervals and on demand, as the Mock API Server
//! (mock-api-server 1.x) sends them.
//!
//! | Client sends | Server answers |
//! |---|---|
//! | nothing yet | `{"type":"connected","clientId":"client-<ms>-<9>","timestamp":…,"message":…}` |
//! | nothing at all | for each event with an interval, every interval: `{"type":"event","name":…,"data":…,"timestamp":…}` |
//! | `{"type":"subscribe","event":"x"}` | an `event` frame at once, then `{"type":"subscribed","event":"x","timestamp":…}`; its interval starts unless it runs |
//! | `{"type":"unsubscribe","event":"x"}` | `{"type":"unsubscribed","event":"x","timestamp":…}`, also when there is no such event; its interval stops |
//! | `{"type":"request","event":"x"}` | `{"type":"response","event":"x","data":…,"timestamp":…}` |
//! | `{"type":"ping"}` | `{"type":"pong","timestamp":…}` |
//! | anything wrong | `{"type":"error","error":…,"timestamp":…}` |
//!
//! | What is wrong | `error` |
//! |---|---|
//! | no such event, with subscribe and request | `Event 'x' not found` |
//! | no event named | `Event name is required for subscription`, `… unsubscription`, `… request` |
//! | another `type` | `Unknown message type: dance`; without one `… undefined` |
//! | no JSON, or `null` | `Invalid message format` |
//!
//! Binary messages are read as text. Each client has its own intervals, counted from when it connected, and its own
//! counters and walks. The heartbeat is a WebSocket ping at each interval; a client that has not answered the previous
//! one is dropped (1006).

mod frame;
mod options;
mod stats;

use std::time::Duration;

use bytes::Bytes;
use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use http::{Request, Response};
use serde_json::Value;

use crate::dialect::timed_name::timed_name;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::http_endpoint::HttpEndpoint;
use crate::message::Message;
use crate::template::{Scope, Series, ValueTemplate};
use frame::{Ask, Frame, in_javascript, is_truthy};

pub use options::{EventsOptions, MockEvent};

/// The heartbeat's timer; event `n` has the timer `n` + 1.
const HEARTBEAT: u64 = 0;

/// The dialect's handler.
#[derive(Clone, Debug, Default)]
pub struct Events {
    options: EventsOptions,
    heartbeat: Option<Duration>,
    is_switched_off: bool,
}

/// What is known of one client.
struct Session {
    has_answered: bool,
    series: Series,
    random: ChaCha8Rng,
}

/// Hand-written because the generator cannot be cloned, as metadata has to be.
impl Clone for Session {
    fn clone(&self) -> Self {
        let mut random = ChaCha8Rng::from_seed(self.random.get_seed());
        random.set_word_pos(self.random.get_word_pos());
        Self { has_answered: self.has_answered, series: self.series.clone(), random }
    }
}

impl Events {
    /// A handler with these settings, without a heartbeat.
    pub fn new(options: EventsOptions) -> Self {
        Self { options, heartbeat: None, is_switched_off: false }
    }

    /// Pings each client at this interval. The route's own heartbeat has to be off.
    pub fn with_heartbeat(mut self, interval: Option<Duration>) -> Self {
        self.heartbeat = interval;
        self
    }

    /// For a route that is disabled: its statistics say so.
    pub fn switched_off(mut self) -> Self {
        self.is_switched_off = true;
        self
    }

    fn position(&self, name: &Value) -> Option<usize> {
        let name = name.as_str()?;
        self.options.mock.iter().position(|event| event.name == name)
    }

    /// An event's data for the connection in focus, as it is now.
    fn data(&self, cx: &mut Context<'_>, index: usize) -> Value {
        if let ValueTemplate::Constant(data) = &self.options.mock[index].data {
            return data.clone();
        }
        let now = cx.now().wall;
        let Some(connection) = cx.connection_mut() else {
            return Value::Null;
        };
        let Some(mut session) = connection.metadata_mut().remove::<Session>() else {
            return Value::Null;
        };
        let rooms = || connection.rooms().map(ToString::to_string).collect();
        let mut fill = |bytes: &mut [u8]| session.random.fill_bytes(bytes);
        let mut scope = Scope::new(connection.scope(&rooms), now, &mut fill);
        scope.series = Some(&mut session.series);
        let data = self.options.mock[index].data.value(&mut scope).unwrap_or_default();
        connection.metadata_mut().insert(session);
        data
    }

    fn send_event(&self, cx: &mut Context<'_>, index: usize) {
        let data = self.data(cx, index);
        let name = &self.options.mock[index].name;
        cx.send(Frame::Event { name, data, timestamp: timestamp(cx) }.encode());
    }

    fn start(&self, cx: &mut Context<'_>, index: usize) {
        if let Some(interval) = self.options.mock[index].interval.duration()
            && !cx.has_timer(timer(index))
        {
            cx.set_timer(timer(index), interval);
        }
    }

    /// Moves the intervals of a client of the predecessor: an event goes on by its name, and a new one starts if it would for
    /// a new client.
    fn take_intervals(&self, cx: &mut Context<'_>, predecessor: &Self) {
        let earlier = &predecessor.options.mock;
        let deadlines: Vec<_> = (0..earlier.len()).map(|index| cx.timer_deadline(timer(index))).collect();
        (0..earlier.len()).for_each(|index| cx.cancel_timer(timer(index)));
        for (index, event) in self.options.mock.iter().enumerate() {
            let known = earlier.iter().position(|known| known.name == event.name);
            let interval = known.and_then(|known| earlier[known].interval.duration());
            match known.and_then(|known| deadlines[known]) {
                Some(deadline) => {
                    cx.set_timer_at(timer(index), deadline);
                    cx.change_timer(timer(index), (interval, event.interval.duration()));
                }
                // The client does not want it.
                None if interval.is_some() => {}
                None if self.options.auto_start => self.start(cx, index),
                None => {}
            }
        }
    }

    fn beat(&self, cx: &mut Context<'_>, interval: Duration) -> HandlerResult {
        match session(cx) {
            Some(session) if session.has_answered => {
                session.has_answered = false;
                cx.set_timer(HEARTBEAT, interval);
                Ok(cx.ping(Bytes::new())?)
            }
            _ => {
                cx.terminate();
                Ok(())
            }
        }
    }
}

impl Handler for Events {
    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let mut seed = [0; 32];
        cx.random(&mut seed);
        let random = self.options.seed.map_or(ChaCha8Rng::from_seed(seed), ChaCha8Rng::seed_from_u64);
        if let Some(connection) = cx.connection_mut() {
            let session = Session { has_answered: true, series: Series::default(), random };
            connection.metadata_mut().insert(session);
        }
        let client_id = timed_name(cx, "client-", '-');
        let message = &self.options.greeting;
        cx.send(Frame::Connected { client_id: &client_id, timestamp: timestamp(cx), message }.encode());
        if self.options.auto_start {
            (0..self.options.mock.len()).for_each(|index| self.start(cx, index));
        }
        if let Some(interval) = self.heartbeat {
            cx.set_timer(HEARTBEAT, interval);
        }
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        let timestamp = timestamp(cx);
        let error = |error: String| Frame::Error { error, timestamp: timestamp.clone() }.encode();
        let unnamed = |what: &str| error(format!("Event name is required for {what}"));
        let unknown = |event: &Value| error(format!("Event '{}' not found", in_javascript(event)));
        let answer = match Ask::decode(&message) {
            Ask::Subscribe(event) if !is_truthy(&event) => unnamed("subscription"),
            Ask::Unsubscribe(event) if !is_truthy(&event) => unnamed("unsubscription"),
            Ask::Request(event) if !is_truthy(&event) => unnamed("request"),
            Ask::Subscribe(event) => match self.position(&event) {
                Some(index) => {
                    self.send_event(cx, index);
                    self.start(cx, index);
                    Frame::Subscribed { event: &event, timestamp }.encode()
                }
                None => unknown(&event),
            },
            Ask::Unsubscribe(event) => {
                if let Some(index) = self.position(&event) {
                    cx.cancel_timer(timer(index));
                }
                Frame::Unsubscribed { event: &event, timestamp }.encode()
            }
            Ask::Request(event) => match self.position(&event) {
                Some(index) => {
                    let data = self.data(cx, index);
                    Frame::Response { event: &event, data, timestamp }.encode()
                }
                None => unknown(&event),
            },
            Ask::Ping => Frame::Pong { timestamp }.encode(),
            Ask::Unknown(kind) => error(format!("Unknown message type: {kind}")),
            Ask::Invalid => error("Invalid message format".to_owned()),
        };
        cx.send(answer);
        Ok(())
    }

    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        let Some(predecessor) = predecessor.get::<Self>() else {
            return false;
        };
        let heartbeat = (predecessor.heartbeat, self.heartbeat);
        for id in cx.everyone() {
            let mut cx = cx.with(id);
            let Some(session) = session(&mut cx) else { continue };
            if heartbeat.0.is_none() {
                session.has_answered = true;
            }
            cx.change_timer(HEARTBEAT, heartbeat);
            self.take_intervals(&mut cx, predecessor);
        }
        true
    }

    fn pong(&mut self, cx: &mut Context<'_>, _: Bytes) -> HandlerResult {
        if let Some(session) = session(cx) {
            session.has_answered = true;
        }
        Ok(())
    }

    fn error(&mut self, cx: &mut Context<'_>, error: &HandlerError) -> HandlerResult {
        let frame = Frame::Error { error: error.to_string(), timestamp: timestamp(cx) };
        cx.send(frame.encode());
        Ok(())
    }

    fn timeout(&mut self, cx: &mut Context<'_>, key: u64) -> HandlerResult {
        if key == HEARTBEAT {
            return self.heartbeat.map_or(Ok(()), |interval| self.beat(cx, interval));
        }
        let index = usize::try_from(key - 1)?;
        if index < self.options.mock.len() {
            self.send_event(cx, index);
            self.start(cx, index);
        }
        Ok(())
    }

    fn endpoints(&self) -> Vec<HttpEndpoint> {
        stats::endpoints(&self.options)
    }

    fn request(
        &mut self,
        cx: &mut Context<'_>,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, HandlerError> {
        Ok(stats::answer(&self.options, !self.is_switched_off, cx, request))
    }
}

fn timer(index: usize) -> u64 {
    index as u64 + 1
}

fn timestamp(cx: &Context<'_>) -> String {
    cx.now().wall.to_string()
}

fn session<'c>(cx: &'c mut Context<'_>) -> Option<&'c mut Session> {
    cx.connection_mut()?.metadata_mut().get_mut::<Session>()
}
