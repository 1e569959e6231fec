//! What NATS keeps of channels: a stream of JetStream for each of them takes what is published on its subject, and one stream
//! for all of them has the latest note of each node.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use async_nats::jetstream::stream::{Config, StorageType, Stream};
use bytes::Bytes;
use futures_util::future::poll_fn;
use futures_util::stream::Stream as _;
use switchboard_core::cluster::{KeepBounds, KeptMessage};

use super::super::subject::{note_subject, notes_stream, stream, subject};
use super::{NatsSession, PATIENCE, checked_subject, told};

/// How many messages are read together.
const PART: usize = 500;

/// How many nodes' notes are read at most.
const MOST_NOTES: usize = 1_000;

/// How long notes are kept at least.
const NOTES_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest name of a stream in bytes: a server may make a folder of it.
const LONGEST_NAME: usize = 200;

/// The streams that were found or made on this connection.
#[derive(Default)]
pub(super) struct Histories {
    of_channels: HashMap<Arc<str>, Stream>,
    notes: Option<Stream>,
}

/// A part of what is kept, where it ends unless it is the last one, and the notes.
type Part = (Vec<KeptMessage>, Option<Bytes>, Vec<Bytes>);

impl NatsSession {
    /// Has a channel's messages kept, if the server can do that.
    pub(super) async fn open_history(
        &mut self,
        channel: &Arc<str>,
        bounds: KeepBounds,
    ) -> Result<(), String> {
        if self.histories.of_channels.contains_key(channel) || !self.has_jetstream().await? {
            return Ok(());
        }
        let name = stream(channel);
        if name.len() > LONGEST_NAME {
            return Err(format!(
                "the name of a route has more than {LONGEST_NAME} bytes as a stream of NATS"
            ));
        }
        let most = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let config = Config {
            name,
            subjects: vec![checked_subject(channel)?],
            max_age: Duration::from_millis(bounds.ttl),
            max_messages: most(bounds.messages),
            max_bytes: most(bounds.bytes),
            ..Config::default()
        };
        let stream = self.open_stream(config).await?;
        self.histories.of_channels.insert(channel.clone(), stream);
        Ok(())
    }

    /// Keeps a note, and waits until it is kept.
    pub(super) async fn note(
        &mut self,
        channel: &str,
        key: &str,
        note: Bytes,
        bounds: KeepBounds,
    ) -> Result<(), String> {
        if !self.has_jetstream().await? {
            return Ok(());
        }
        self.open_notes(channel, bounds).await?;
        let published = self.jetstream.publish(note_subject(channel, key), note).await;
        published.map_err(|error| told(&error))?.await.map(drop).map_err(|error| told(&error))
    }

    /// Reads what is kept after a message, by its number.
    pub(super) async fn read(
        &mut self,
        channel: &Arc<str>,
        after: Option<Bytes>,
        bounds: KeepBounds,
    ) -> Result<Part, String> {
        if !self.has_jetstream().await? {
            return Ok(Part::default());
        }
        // What is published before there is a stream is not kept.
        self.open_history(channel, bounds).await?;
        self.open_notes(channel, bounds).await?;
        let Some(stream) = self.histories.of_channels.get(channel) else { return Ok(Part::default()) };
        let after = after.and_then(|after| after.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes);
        let from = DeliverPolicy::ByStartSequence { start_sequence: after.saturating_add(1) };
        let read = fetch(stream, from, subject(channel), PART).await?;
        let now = SystemTime::now();
        let (mut messages, mut next) = (Vec::with_capacity(read.len()), None);
        for message in read {
            let info = message.info().map_err(|error| error.to_string())?;
            next = (info.pending > 0).then(|| Bytes::copy_from_slice(&info.stream_sequence.to_be_bytes()));
            let age = now.duration_since(info.published.into()).unwrap_or_default();
            let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            messages.push(KeptMessage { age, payload: message.message.payload });
        }
        let notes = match &self.histories.notes {
            Some(stream) if next.is_none() => {
                let notes = fetch(stream, DeliverPolicy::All, note_subject(channel, "*"), MOST_NOTES).await?;
                notes.into_iter().map(|note| note.message.payload).collect()
            }
            _ => Vec::new(),
        };
        Ok((messages, next, notes))
    }

    async fn open_notes(&mut self, channel: &str, bounds: KeepBounds) -> Result<(), String> {
        if self.histories.notes.is_some() {
            return Ok(());
        }
        let (name, subjects) = notes_stream(channel);
        let config = Config {
            name,
            subjects: vec![subjects],
            max_age: NOTES_TTL.max(Duration::from_millis(bounds.ttl.saturating_mul(10))),
            max_messages_per_subject: 1,
            ..Config::default()
        };
        self.histories.notes = Some(self.open_stream(config).await?);
        Ok(())
    }

    /// The stream of this name: in memory, as the leases are, or where the server lets it be.
    async fn open_stream(&self, config: Config) -> Result<Stream, String> {
        if let Ok(stream) = self.jetstream.get_stream(&config.name).await {
            let known = &stream.cached_info().config;
            let is_same = known.max_age == config.max_age
                && known.max_messages == config.max_messages
                && known.max_bytes == config.max_bytes
                && known.subjects == config.subjects;
            if !is_same {
                let changed = Config { storage: known.storage, num_replicas: known.num_replicas, ..config };
                self.jetstream.update_stream(&changed).await.map_err(|error| told(&error))?;
            }
            return Ok(stream);
        }
        let mut last = String::new();
        for storage in [StorageType::Memory, StorageType::File] {
            match self.jetstream.create_stream(Config { storage, ..config.clone() }).await {
                Ok(_) => break,
                Err(error) => last = told(&error),
            }
        }
        // Another node may have made it in this moment.
        self.jetstream.get_stream(&config.name).await.map_err(|_| last)
    }
}

/// What a stream has of a subject from there on, so many messages at most.
async fn fetch(
    stream: &Stream,
    deliver_policy: DeliverPolicy,
    filter_subject: String,
    most: usize,
) -> Result<Vec<Message>, String> {
    let config = pull::Config {
        deliver_policy,
        filter_subject,
        ack_policy: AckPolicy::None,
        inactive_threshold: PATIENCE * 5,
        memory_storage: true,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(|error| told(&error))?;
    let mut batch = consumer.fetch().max_messages(most).messages().await.map_err(|error| told(&error))?;
    let mut messages = Vec::new();
    while let Some(message) = poll_fn(|context| std::pin::Pin::new(&mut batch).poll_next(context)).await {
        messages.push(message.map_err(|error| error.to_string())?);
    }
    Ok(messages)
}
