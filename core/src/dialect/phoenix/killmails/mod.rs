//! The killmail channel of WandererKills: one topic, on which each client hears the kills of the systems and
//! characters it named. Kills come from a feed.
//!
//! | client's event | payload | reply |
//! |---|---|---|
//! | `phx_join` | `{systems?, characters?, preload?}` | `{subscription_id, subscribed_systems, subscribed_characters, status:"connected"}` |
//! | `subscribe_systems` | `{systems}` | `{subscribed_systems}`, or `{message}` when there is nothing new |
//! | `unsubscribe_systems` | `{systems}` | the same |
//! | `subscribe_characters` | `{characters}` | `{subscribed_characters}` or `{message}` |
//! | `unsubscribe_characters` | `{characters}` | the same |
//! | `get_status` | anything | the subscription, `connected_at`, `user_id` |
//!
//! | server's push | when |
//! |---|---|
//! | `killmail_update` | a kill in a system, or with a character, that the client named: once; with `preload: true` the recent kills of systems just subscribed |
//! | `kill_count_update` | how many kills a subscribed system has had, after each |
//! | `preload_status`, `preload_batch`, `preload_complete` | what a join with `preload` asked for, in batches at their pace |
//!
//! `character_ids` is understood wherever `characters` is. Wrong ids are refused with the reason that the
//! original has words for; the original's channel crashes on them once joined, which `strict` emulates.

mod options;
mod pages;
mod preload;
mod rate_limit;
mod subscription;
mod validation;
mod visitor;

use std::any::Any;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

pub use options::{KillmailsOptions, RateLimitOptions};

use super::Phoenix;
use super::channel::{Channel, ChannelContext, Reply, refusal};
use super::topic::TopicPattern;
use crate::feed::FeedValue;
use crate::handler::context::Context;
use crate::handler::{HandlerError, HandlerResult};
use crate::interface::channel::{Status, Termination};
use crate::interface::http_endpoint::HttpEndpoint;
use crate::interface::payload::Payload;
use crate::time::Instant;
use preload::{Delivery, PreloadRequest};
use rate_limit::Bucket;
use subscription::{Subject, Subscription, Subscriptions};
use validation::Invalid;
use visitor::Visitor;

/// The timer for the next batch of a preload.
const NEXT_BATCH: u32 = 1;

/// The channel.
#[derive(Debug)]
pub struct Killmails {
    options: KillmailsOptions,
    path: String,
    timeout: Duration,
    subscriptions: Subscriptions,
    /// When the first thing happened here, for the uptime.
    started: Option<Instant>,
}

impl Killmails {
    /// A channel on the feed that the options name.
    pub fn new(options: KillmailsOptions) -> Self {
        let (path, timeout) = ("/socket".into(), Phoenix::TIMEOUT);
        Self { options, path, timeout, subscriptions: Subscriptions::default(), started: None }
    }

    /// What `GET /websocket` tells of the socket: its path without `/websocket`, by default `/socket`, and its
    /// timeout, by default 45 s.
    pub fn with_socket(mut self, path: impl Into<String>, timeout: Duration) -> Self {
        (self.path, self.timeout) = (path.into(), timeout);
        self
    }

    /// The topics it answers for: joining any but its own crashes, as in the original.
    pub fn topics(&self) -> TopicPattern {
        match self.options.topic.split_once(':') {
            Some((prefix, _)) => TopicPattern::below(&format!("{prefix}:")),
            None => TopicPattern::only(&self.options.topic),
        }
    }

    fn update(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        subject: Subject,
        subscribe: bool,
        payload: &Payload,
    ) -> Result<Reply, HandlerError> {
        let Some(id) = cx.id() else {
            return Ok(Reply::None);
        };
        if let Some(limit) = &self.options.rate_limit
            && let Err(reason) = Bucket::take(cx.context(), limit)
        {
            return Ok(Reply::Error(refusal(reason)));
        }
        let given = subject.list_in(payload.json()).ok_or_else(|| Invalid::no_list(subject));
        let ids = match given.and_then(|list| self.options.validate(subject, list)) {
            Ok(ids) => ids,
            Err(invalid) if self.options.strict => return Err(invalid.to_string().into()),
            Err(invalid) => return Ok(Reply::Error(refusal(invalid.to_string()))),
        };
        let changed = match subscribe {
            true => self.subscriptions.add(id, subject, &ids),
            false => self.subscriptions.remove(id, subject, &ids),
        };
        if changed.is_empty() {
            return Ok(Reply::Ok(json!({ "message": subject.nothing_changed(subscribe) }).into()));
        }
        let all = self.subscriptions.get(id).map(|subscription| subscription.list(subject));
        cx.reply(Status::Ok, json!({ subject.reply_key(): all.unwrap_or_default() }));
        if subscribe && subject == Subject::Systems {
            preload::push_recent(cx, &self.options, &changed);
        }
        Ok(Reply::None)
    }

    fn deliver(&mut self, cx: &mut ChannelContext<'_, '_>) {
        if let Some(subscription) = cx.id().and_then(|id| self.subscriptions.get_mut(id))
            && let Some(delivery) = &mut subscription.delivery
        {
            match delivery.advance(cx) {
                Some(ms) => cx.set_timer(NEXT_BATCH, Duration::from_millis(ms)),
                None => subscription.delivery = None,
            }
        }
    }

    fn status(&self, cx: &ChannelContext<'_, '_>) -> Value {
        let subscription = cx.id().and_then(|id| self.subscriptions.get(id));
        let visitor = Visitor::of(cx.connection());
        json!({
            "subscription_id": subscription.map(|subscription| &*subscription.id),
            "subscribed_systems": subscription.map(|found| found.list(Subject::Systems)),
            "subscribed_characters": subscription.map(|found| found.list(Subject::Characters)),
            "connected_at": visitor.map(|visitor| visitor.connected_at.to_iso_us()),
            "user_id": visitor.map(|visitor| &*visitor.user_id),
        })
    }
}

impl Channel for Killmails {
    fn connect(&mut self, cx: &mut Context<'_>) {
        self.started.get_or_insert(cx.now().instant);
        Visitor::welcome(cx);
    }

    fn join(&mut self, cx: &mut ChannelContext<'_, '_>, payload: &Payload) -> Result<Reply, HandlerError> {
        let (Some(id), Some(object)) = (cx.id(), payload.json().as_object()) else {
            return Err("a join's payload is an object".into());
        };
        if cx.topic() != self.options.topic {
            return Err(format!("there is no topic {:?}, only {:?}", cx.topic(), self.options.topic).into());
        }
        // What is no list counts as absent here.
        let ids = |subject: Subject| {
            subject
                .list_in(payload.json())
                .map_or(Ok(Vec::new()), |list| self.options.validate(subject, list))
        };
        let (systems, characters) = match (ids(Subject::Systems), ids(Subject::Characters)) {
            (Ok(systems), Ok(characters)) => (systems, characters),
            (Err(invalid), _) | (_, Err(invalid)) => {
                return Ok(Reply::Error(refusal(invalid.to_string())));
            }
        };
        let mut subscription = Subscription::new(visitor::token::<16>(cx.context()));
        subscription.preload = PreloadRequest::parse(object.get("preload"));
        let response = json!({
            "subscription_id": &*subscription.id,
            "subscribed_systems": systems,
            "subscribed_characters": characters,
            "status": "connected",
        });
        self.subscriptions.insert(id, subscription);
        self.subscriptions.add(id, Subject::Systems, &systems);
        self.subscriptions.add(id, Subject::Characters, &characters);
        Ok(Reply::Ok(response.into()))
    }

    fn joined(&mut self, cx: &mut ChannelContext<'_, '_>) -> HandlerResult {
        let Some(subscription) = cx.id().and_then(|id| self.subscriptions.get_mut(id)) else {
            return Ok(());
        };
        let systems = subscription.list(Subject::Systems);
        if let Some(request) = subscription.preload.take()
            && !systems.is_empty()
        {
            subscription.delivery = Some(Delivery::new(cx.context(), &self.options.feed, &systems, &request));
        }
        preload::push_recent(cx, &self.options, &systems);
        self.deliver(cx);
        Ok(())
    }

    fn handle_in(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        event: &str,
        payload: Payload,
    ) -> Result<Reply, HandlerError> {
        match event {
            "subscribe_systems" => self.update(cx, Subject::Systems, true, &payload),
            "unsubscribe_systems" => self.update(cx, Subject::Systems, false, &payload),
            "subscribe_characters" => self.update(cx, Subject::Characters, true, &payload),
            "unsubscribe_characters" => self.update(cx, Subject::Characters, false, &payload),
            "get_status" => Ok(Reply::Ok(self.status(cx).into())),
            _ if self.options.strict => Err(format!("unknown event {event:?}").into()),
            _ => {
                let reason = format!("[validation:unknown_event] Unknown event: {event}");
                Ok(Reply::Error(refusal(reason)))
            }
        }
    }

    fn terminate(&mut self, cx: &mut ChannelContext<'_, '_>, _: Termination) {
        if let Some(id) = cx.id() {
            self.subscriptions.forget(id);
        }
    }

    fn publish(&mut self, cx: &mut ChannelContext<'_, '_>, feed: &str, kill: &FeedValue) -> HandlerResult {
        self.started.get_or_insert(cx.context().now().instant);
        if feed != self.options.feed {
            return Ok(());
        }
        let system = subscription::system_of(&kill.value);
        let timestamp = kill.at.to_iso_us();
        let to = self.subscriptions.audience(&kill.value);
        if !to.is_empty() {
            let update = json!({
                "system_id": system,
                "killmails": [&*kill.value],
                "timestamp": timestamp,
                "preload": false,
            });
            cx.push_each(to, &self.options.topic, "killmail_update", update);
        }
        let Some(system) = system.filter(|_| self.options.kill_counts) else {
            return Ok(());
        };
        let to: Vec<_> = self.subscriptions.of_system(system).collect();
        if !to.is_empty() {
            let count = cx.context().feed(feed).map_or(0, |feed| feed.count(&system.to_string()));
            let update = json!({ "system_id": system, "count": count, "timestamp": timestamp });
            cx.push_each(to, &self.options.topic, "kill_count_update", update);
        }
        Ok(())
    }

    fn succeed(&mut self, predecessor: &mut dyn Any) -> bool {
        let Some(predecessor) = predecessor.downcast_mut::<Self>() else {
            return false;
        };
        if predecessor.options.topic != self.options.topic {
            return false;
        }
        self.subscriptions = std::mem::take(&mut predecessor.subscriptions);
        self.started = predecessor.started;
        true
    }

    fn timeout(&mut self, cx: &mut ChannelContext<'_, '_>, key: u32) -> HandlerResult {
        if key == NEXT_BATCH {
            self.deliver(cx);
        }
        Ok(())
    }

    fn endpoints(&self) -> Vec<HttpEndpoint> {
        pages::endpoints(&self.options)
    }

    fn request(
        &mut self,
        cx: &mut ChannelContext<'_, '_>,
        request: &http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HandlerError> {
        let now = cx.context().now();
        let uptime = now.instant.ms_since(*self.started.get_or_insert(now.instant)) / 1000;
        let facts = pages::Facts {
            path: &self.path,
            timeout: self.timeout,
            clients: cx.clients(),
            subscriptions: self.subscriptions.len(),
            kills: cx.context().feed(&self.options.feed).map_or(0, |feed| feed.published()),
            uptime,
            now: now.wall,
        };
        Ok(pages::respond(request, &self.options, &facts))
    }
}
