//! The handler: from a client's frames to its channels and back.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::channel::{Channel, ChannelContext, Reply, refusal};
use super::message::{ClientMessage, Outgoing};
use super::presence::Presence;
use super::serializer::Version;
use super::sockets::{ReplyTo, Sockets};
use super::step::{Joining, Stage, Step};
use super::topic::TopicPattern;
use crate::cluster::{EntryChange, Node};
use crate::feed::FeedValue;
use crate::handler::context::Context;
use crate::handler::succession::Predecessor;
use crate::handler::{Handler, HandlerError, HandlerResult};
use crate::interface::channel::{Status, Termination};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::hook::{Answer, CallId, HookKind};
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::payload::Payload;
use crate::message::{CloseCode, CloseFrame, Message};
use crate::protocol::Refusal;
use crate::routing::authentication::query_value;
use crate::routing::route::RouteSettings;

/// The timer for silence; channels' timers have a join's number above the low 32 bits.
pub(super) const IDLE: u64 = 0;

/// A Phoenix socket with its channels.
pub struct Phoenix {
    pub(super) timeout: Option<Duration>,
    pub(super) mounts: Vec<Mount>,
    pub(super) sockets: Sockets,
    pub(super) presence: Presence,
    /// Steps whose hook has not come back.
    pub(super) pending: HashMap<CallId, Step>,
    /// The step under way, so that an error or a panic in it is known to be its.
    pub(super) running: Option<Step>,
}

pub(super) struct Mount {
    pub(super) topic: TopicPattern,
    pub(super) channel: Box<dyn Channel>,
}

impl Default for Phoenix {
    fn default() -> Self {
        Self {
            timeout: Some(Self::TIMEOUT),
            mounts: Vec::new(),
            sockets: Sockets::default(),
            presence: Presence::default(),
            pending: HashMap::new(),
            running: None,
        }
    }
}

impl Phoenix {
    /// The default of [`with_timeout`](Self::with_timeout).
    pub const TIMEOUT: Duration = Duration::from_secs(45);

    /// A socket without channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Closes a client with 1000 that has sent no frame, pings and pongs included, for this long. Default 45 s;
    /// `None`: never.
    pub fn with_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds a channel. The first one whose pattern matches a topic serves it.
    pub fn with_channel(mut self, topic: TopicPattern, channel: impl Channel + 'static) -> Self {
        self.mounts.push(Mount { topic, channel: Box::new(channel) });
        self
    }

    fn dispatch(&mut self, cx: &mut Context<'_>, id: ConnectionId, message: ClientMessage) -> HandlerResult {
        match (&*message.topic, &*message.event) {
            ("phoenix", "heartbeat") => {
                let to = ReplyTo { join_ref: &Value::Null, ..ReplyTo::new(&message) };
                self.sockets.reply(cx, id, to, Status::Ok, &Payload::empty());
            }
            (_, "phx_join") => return self.join(cx, id, message),
            (_, "phx_leave") => self.leave(cx, id, &message),
            _ => match self.sockets.joined(id, &message.topic) {
                Some(joined) => {
                    let mount = joined.mount;
                    let ClientMessage { reference, topic, event, payload, .. } = message;
                    let step = Step { id, topic, mount, reference, stage: Stage::In };
                    return self.run(cx, step, |channel, cx| channel.handle_in(cx, &event, payload));
                }
                None => self.unmatched(cx, id, &message),
            },
        }
        Ok(())
    }

    pub(super) fn unmatched(&self, cx: &mut Context<'_>, id: ConnectionId, message: &ClientMessage) {
        let to = ReplyTo { join_ref: &Value::Null, ..ReplyTo::new(message) };
        self.sockets.reply(cx, id, to, Status::Error, &refusal("unmatched topic"));
    }

    /// One step of a channel, up to its reply or its hook.
    pub(super) fn run(
        &mut self,
        cx: &mut Context<'_>,
        step: Step,
        method: impl FnOnce(&mut dyn Channel, &mut ChannelContext<'_, '_>) -> Result<Reply, HandlerError>,
    ) -> HandlerResult {
        let (mount, topic, reference) = (step.mount, step.topic.clone(), step.reference.clone());
        self.running = Some(step);
        let reply = self.on_channel(cx, mount, &topic, &reference, method)?;
        let Some(step) = self.running.take() else {
            return Ok(());
        };
        match (reply, step.stage) {
            (Reply::Later(call), stage) => {
                self.pending.insert(call, Step { stage, ..step });
                Ok(())
            }
            (reply, Stage::Join(joining)) => {
                let step = Step { stage: Stage::In, ..step };
                self.conclude_join(cx, step, joining, reply)
            }
            (reply, Stage::In) => {
                self.conclude_in(cx, &step.topic, &step.reference, step.id, reply);
                Ok(())
            }
        }
    }

    fn conclude_in(
        &mut self,
        cx: &mut Context<'_>,
        topic: &str,
        reference: &Value,
        id: ConnectionId,
        reply: Reply,
    ) {
        let (status, response) = match reply {
            Reply::Ok(response) => (Status::Ok, response),
            Reply::Error(response) => (Status::Error, response),
            Reply::Stop => return self.finish(cx, id, topic, Termination::Stopped),
            Reply::None | Reply::Later(_) => return,
        };
        let join_ref = self.sockets.joined(id, topic).map_or(&Value::Null, |joined| &joined.join_ref);
        self.sockets.reply(cx, id, ReplyTo { join_ref, reference, topic }, status, &response);
    }

    pub(super) fn on_channel<T>(
        &mut self,
        cx: &mut Context<'_>,
        mount: usize,
        topic: &str,
        reference: &Value,
        run: impl FnOnce(&mut dyn Channel, &mut ChannelContext<'_, '_>) -> T,
    ) -> T {
        let (sockets, presence) = (&self.sockets, &mut self.presence);
        let mut cx = ChannelContext { cx, sockets, presence, mount, topic, reference };
        run(self.mounts[mount].channel.as_mut(), &mut cx)
    }

    /// Takes note that a frame came.
    fn touch(&mut self, cx: &Context<'_>) {
        if let Some(socket) = cx.id().and_then(|id| self.sockets.get_mut(id)) {
            socket.active = cx.now().instant;
        }
    }
}

impl Handler for Phoenix {
    /// Newer clients offer the subprotocol `phoenix` beside their token.
    fn settings(&self, mut settings: RouteSettings) -> RouteSettings {
        if settings.subprotocols.is_empty() {
            settings.subprotocols.push("phoenix".into());
        }
        settings.history_by_handler = true;
        settings
    }

    fn admit(&self, _: &RouteSettings, request: &http::Request<()>) -> Result<(), Refusal> {
        let query = request.uri().query().unwrap_or_default();
        version(query).map(drop).ok_or_else(|| Refusal::new(StatusCode::FORBIDDEN, ""))
    }

    fn connect(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        let (Some(id), Some(connection)) = (cx.id(), cx.connection()) else {
            return Ok(());
        };
        let version = version(connection.query()).ok_or("the route takes any vsn")?;
        self.sockets.insert(id, version, cx.now().instant);
        if let Some(timeout) = self.timeout {
            cx.set_timer(IDLE, timeout);
        }
        self.mounts.iter_mut().for_each(|mount| mount.channel.connect(cx));
        Ok(())
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) -> HandlerResult {
        self.touch(cx);
        let Some((id, socket)) = cx.id().and_then(|id| Some((id, self.sockets.get_mut(id)?))) else {
            return Ok(());
        };
        match socket.version.decode(&message) {
            Ok((form, message)) => {
                socket.form = form;
                self.dispatch(cx, id, message)
            }
            Err(_) => Ok(cx.close(CloseCode::INTERNAL_ERROR, "")?),
        }
    }

    fn ping(&mut self, cx: &mut Context<'_>, _: Bytes) -> HandlerResult {
        self.touch(cx);
        Ok(())
    }

    fn pong(&mut self, cx: &mut Context<'_>, _: Bytes) -> HandlerResult {
        self.touch(cx);
        Ok(())
    }

    fn close(&mut self, cx: &mut Context<'_>, _: &CloseFrame, _: CloseCause) -> HandlerResult {
        let Some(id) = cx.id() else {
            return Ok(());
        };
        while let Some(topic) =
            self.sockets.get(id).and_then(|socket| socket.channels.keys().next_back().cloned())
        {
            self.end(cx, id, &topic, Termination::Closed);
        }
        self.sockets.remove(id);
        self.pending.retain(|_, step| step.id != id);
        Ok(())
    }

    fn error(&mut self, cx: &mut Context<'_>, _: &HandlerError) -> HandlerResult {
        let failed =
            cx.answered().and_then(|call| self.pending.remove(&call)).or_else(|| self.running.take());
        let Some(Step { id, topic, reference, stage, .. }) = failed else {
            return Ok(());
        };
        match stage {
            Stage::Join(Joining { join_ref, replaced, .. }) => {
                let to = ReplyTo { join_ref: &join_ref, reference: &reference, topic: &topic };
                self.sockets.reply(cx, id, to, Status::Error, &refusal("join crashed"));
                if let Some(join_ref) = &replaced {
                    self.sockets.send(cx, id, &Outgoing::End { join_ref, topic: &topic, event: "phx_close" });
                }
            }
            Stage::In => self.finish(cx, id, &topic, Termination::Crashed),
        }
        Ok(())
    }

    fn answer(&mut self, cx: &mut Context<'_>, _: HookKind, answer: Answer) -> HandlerResult {
        let Some(step) = cx.answered().and_then(|call| self.pending.remove(&call)) else {
            return Ok(());
        };
        self.run(cx, step, |channel, cx| channel.answer(cx, answer))
    }

    fn succeed(&mut self, cx: &mut Context<'_>, predecessor: &mut Predecessor<'_>) -> bool {
        match predecessor.get::<Self>() {
            Some(predecessor) => self.take_over(cx, predecessor),
            None => return false,
        }
        true
    }

    fn command(&mut self, cx: &mut Context<'_>, name: &str, payload: Value) -> HandlerResult {
        self.carry_out(cx, name, payload)
    }

    fn publish(&mut self, cx: &mut Context<'_>, feed: &str, value: &FeedValue) -> HandlerResult {
        for mount in 0..self.mounts.len() {
            self.on_channel(cx, mount, "", &Value::Null, |channel, cx| channel.publish(cx, feed, value))?;
        }
        Ok(())
    }

    fn node_message(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<&str>,
        header: Bytes,
        message: Message,
    ) -> HandlerResult {
        self.broadcast_of_node(cx, room.unwrap_or_default(), &header, message)
    }

    fn deliver_kept(&mut self, cx: &mut Context<'_>) -> HandlerResult {
        self.sockets.deliver_kept(cx);
        Ok(())
    }

    fn node_entries(
        &mut self,
        cx: &mut Context<'_>,
        node: &Node,
        entries: Vec<EntryChange>,
    ) -> HandlerResult {
        self.presence_of_node(cx, node, entries);
        Ok(())
    }

    fn presence(&self, _: &Context<'_>) -> Vec<(String, Value)> {
        self.presence.topics().map(|topic| (topic.to_owned(), self.presence.state(topic))).collect()
    }

    fn endpoints(&self) -> Vec<HttpEndpoint> {
        self.mounts.iter().flat_map(|mount| mount.channel.endpoints()).collect()
    }

    fn request(
        &mut self,
        cx: &mut Context<'_>,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HandlerError> {
        let (method, path) = (request.method(), request.uri().path());
        let answers =
            |mount: &Mount| mount.channel.endpoints().iter().any(|known| known.matches(method, path));
        let mount = self.mounts.iter().position(answers).ok_or("no channel answers this path")?;
        self.on_channel(cx, mount, "", &Value::Null, |channel, cx| channel.request(cx, request))
    }

    fn timeout(&mut self, cx: &mut Context<'_>, key: u64) -> HandlerResult {
        let Some((id, socket)) = cx.id().and_then(|id| Some((id, self.sockets.get(id)?))) else {
            return Ok(());
        };
        if key == IDLE {
            let Some(timeout) = self.timeout else {
                return Ok(());
            };
            let silent = Duration::from_millis(cx.now().instant.ms_since(socket.active));
            if silent >= timeout {
                return Ok(cx.close(CloseCode::NORMAL, "")?);
            }
            cx.set_timer(IDLE, timeout - silent);
            return Ok(());
        }
        let (join, key) = ((key >> 32) as u32, key as u32);
        let found = socket.channels.iter().find(|(_, joined)| joined.number == join);
        let Some((topic, mount)) = found.map(|(topic, joined)| (topic.clone(), joined.mount)) else {
            return Ok(());
        };
        let step = Step { id, topic, mount, reference: Value::Null, stage: Stage::In };
        self.run(cx, step, |channel, cx| channel.timeout(cx, key).map(|()| Reply::None))
    }
}

fn version(query: &str) -> Option<Version> {
    Version::parse(query_value(query, "vsn").as_deref())
}
