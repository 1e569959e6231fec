//! NATS. A channel is a subject; a lease is an entry of a bucket of JetStream that expires. What is kept of channels is in
//! [`history`].

mod history;
mod leases;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::context::AccountErrorKind;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber, jetstream};
use bytes::Bytes;
use futures_util::future::poll_fn;
use futures_util::stream::Stream;
use percent_encoding::percent_decode_str;
use switchboard_core::cluster::{BackplaneEffect, BackplaneInput};
use tokio::task::JoinHandle;

use super::authority::Authority;
use super::backplane::{Backplane, CarriedOut, Pending, Session};
use super::credentials::CredentialsFile;
use super::deliveries::{Deliveries, Delivery};
use super::subject::{bucket, subject};
use history::Histories;
use leases::Leases;

/// How long JetStream may take to answer. Everything else waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest subject in bytes. A server takes lines of 4096 bytes.
const LONGEST_SUBJECT: usize = 3_500;

/// A broker that was found by its URL.
pub(super) struct Nats {
    /// Without user and password: the library logs it.
    address: ServerAddr,
    credentials: Credentials,
    authority: Option<Authority>,
    bucket: String,
}

enum Credentials {
    None,
    Token(String),
    User { name: String, password: String },
    File(CredentialsFile),
}

impl Nats {
    /// What is in `file` takes the place of user, password and token of the URL.
    pub(super) fn open(
        url: &str,
        prefix: &str,
        authority: Option<Authority>,
        file: Option<CredentialsFile>,
    ) -> Result<Self, String> {
        // What the library says may contain the URL.
        let invalid = || {
            "is not a URL of NATS; write nats://user:password@host:port, with % for special characters"
                .to_owned()
        };
        let address: ServerAddr = url.parse().map_err(|_| invalid())?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = match (address.username(), address.password()) {
            _ if file.is_some() => file.map_or(Credentials::None, Credentials::File),
            (Some(name), Some(password)) => {
                Credentials::User { name: decoded(name), password: decoded(password) }
            }
            (Some(token), None) => Credentials::Token(decoded(token)),
            (None, _) => Credentials::None,
        };
        let mut url = address.into_inner();
        let is_removed = url.set_username("").is_ok() && url.set_password(None).is_ok();
        let address = ServerAddr::from_url(url).ok().filter(|_| is_removed).ok_or_else(invalid)?;
        Ok(Self { address, credentials, authority, bucket: bucket(prefix) })
    }

    fn options(&self) -> Result<ConnectOptions, String> {
        let options = match &self.authority {
            Some(authority) => ConnectOptions::new().add_root_certificates(authority.file.clone()),
            None => ConnectOptions::new(),
        };
        Ok(match &self.credentials {
            Credentials::None => options,
            Credentials::Token(token) => options.token(token.clone()),
            Credentials::User { name, password } => options.user_and_password(name.clone(), password.clone()),
            Credentials::File(file) => {
                file.add_to(options).map_err(|error| format!("the file of cluster.credentials {error}"))?
            }
        })
    }
}

impl Backplane for Nats {
    fn connect<'a>(
        &'a self,
        owner: &'a str,
        deliveries: Deliveries,
    ) -> Pending<'a, Result<Box<dyn Session>, String>> {
        Box::pin(async move {
            let events = deliveries.clone();
            let is_told = Arc::new(AtomicBool::new(false));
            // The link connects again itself, as subscriptions have to be told of.
            let options = self.options()?.max_reconnects(1).event_callback(move |event| {
                let (events, is_told) = (events.clone(), is_told.clone());
                async move {
                    match event {
                        Event::Disconnected | Event::Closed => {
                            // Nobody may listen any more.
                            events.give(Delivery::Gone("the connection has ended".to_owned()));
                        }
                        Event::ServerError(error) if !is_told.swap(true, Ordering::Relaxed) => {
                            tracing::warn!("the broker refuses something: {error}");
                        }
                        _ => {}
                    }
                }
            });
            let connected = options.connect(self.address.clone()).await;
            let client = connected.map_err(|error| told(&error))?;
            let mut jetstream = jetstream::new(client.clone());
            jetstream.set_timeout(PATIENCE);
            let session = NatsSession {
                client,
                deliveries,
                subscriptions: HashMap::new(),
                owner: Bytes::copy_from_slice(owner.as_bytes()),
                leases: Leases::Unknown,
                histories: Histories::default(),
                jetstream,
                has_jetstream: None,
                bucket: self.bucket.clone(),
            };
            Ok(Box::new(session) as Box<dyn Session>)
        })
    }
}

struct NatsSession {
    client: Client,
    deliveries: Deliveries,
    subscriptions: HashMap<Arc<str>, Subscription>,
    owner: Bytes,
    leases: Leases,
    histories: Histories,
    jetstream: jetstream::Context,
    /// Whether the server has it, once that was asked.
    has_jetstream: Option<bool>,
    bucket: String,
}

impl Session for NatsSession {
    fn carry_out<'a>(&'a mut self, orders: Vec<BackplaneEffect>) -> Pending<'a, Result<CarriedOut, String>> {
        Box::pin(async move {
            let mut done = CarriedOut::default();
            for order in orders {
                match order {
                    BackplaneEffect::Publish { channel, payload } => {
                        if let Err(reason) = self.publish(&channel, payload).await {
                            done.refused += 1;
                            done.reason = Some(reason);
                        }
                    }
                    BackplaneEffect::PublishAndKeep { channel, payload, bounds } => {
                        if let Err(reason) = self.open_history(&channel, bounds).await {
                            done.reason = Some(reason);
                        }
                        if let Err(reason) = self.publish(&channel, payload).await {
                            done.refused += 1;
                            done.reason = Some(reason);
                        }
                    }
                    BackplaneEffect::Note { channel, key, note, bounds } => {
                        if let Err(reason) = self.note(&channel, &key, note, bounds).await {
                            done.reason = Some(reason);
                        }
                    }
                    BackplaneEffect::Read { channel, after, bounds } => {
                        let read = self.read(&channel, after, bounds).await;
                        let (messages, next, notes) = read.unwrap_or_else(|reason| {
                            done.reason = Some(reason);
                            Default::default()
                        });
                        done.answers.push(BackplaneInput::Kept { channel, messages, next, notes });
                    }
                    BackplaneEffect::Subscribe { channel } => {
                        if let Err(reason) = self.subscribe(channel).await {
                            done.reason = Some(reason);
                        }
                    }
                    BackplaneEffect::Unsubscribe { channel } => drop(self.subscriptions.remove(&channel)),
                    BackplaneEffect::Lease { name, ttl } => match self.lease(&name, ttl).await {
                        Ok(Some(is_held)) => done.answers.push(BackplaneInput::Lease { name, is_held }),
                        Ok(None) => done.undecided.push(name),
                        Err(reason) => done.reason = Some(reason),
                    },
                    BackplaneEffect::Release { name } => {
                        if let Err(reason) = self.release(&name).await {
                            done.reason = Some(reason);
                        }
                    }
                }
            }
            self.client.flush().await.map_err(|error| error.to_string())?;
            Ok(done)
        })
    }
}

impl NatsSession {
    async fn publish(&self, channel: &str, payload: Bytes) -> Result<(), String> {
        let subject = checked_subject(channel)?;
        self.client.publish(subject, payload).await.map_err(|error| told(&error))
    }

    async fn subscribe(&mut self, channel: Arc<str>) -> Result<(), String> {
        let subject = checked_subject(&channel)?;
        let subscriber = self.client.subscribe(subject).await.map_err(|error| told(&error))?;
        let forwarding = forward(channel.clone(), subscriber, self.deliveries.clone());
        self.subscriptions.insert(channel, Subscription(tokio::spawn(forwarding)));
        Ok(())
    }

    /// Whether the server has JetStream. What goes without it is said once.
    async fn has_jetstream(&mut self) -> Result<bool, String> {
        if let Some(has_jetstream) = self.has_jetstream {
            return Ok(has_jetstream);
        }
        let has_jetstream = match self.jetstream.query_account().await.map_err(|error| (error.kind(), error))
        {
            Ok(_) => true,
            Err((AccountErrorKind::JetStreamUnavailable | AccountErrorKind::JetStream(_), _)) => {
                tracing::warn!(
                    "the broker has no JetStream, which leases and histories need: what only one node does is done by the one \
                     whose name comes first among those that this node hears, and the broker keeps no history; start \
                     nats-server with -js"
                );
                false
            }
            Err((_, error)) => return Err(told(&error)),
        };
        self.has_jetstream = Some(has_jetstream);
        Ok(has_jetstream)
    }
}

/// A task that forwards what comes on a channel. Dropping it ends the subscription.
struct Subscription(JoinHandle<()>);

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Never waits for the engine: what the library holds has no limit in bytes.
async fn forward(channel: Arc<str>, mut subscriber: Subscriber, deliveries: Deliveries) {
    while let Some(message) = poll_fn(|context| std::pin::Pin::new(&mut subscriber).poll_next(context)).await
    {
        let delivery = Delivery::Message { channel: channel.clone(), payload: message.payload };
        if !deliveries.give(delivery) {
            return;
        }
    }
}

fn checked_subject(channel: &str) -> Result<String, String> {
    let subject = subject(channel);
    match subject.len() > LONGEST_SUBJECT {
        true => {
            Err(format!("the name of a channel has more than {LONGEST_SUBJECT} bytes as a subject of NATS"))
        }
        false => Ok(subject),
    }
}

/// An error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_not_in_the_address() {
        let nats =
            Nats::open("nats://us%40er:s3cr%2Fet@127.0.0.1:4222", "switchboard", None, None).expect("a URL");
        assert_eq!(nats.address.as_url_str(), "nats://127.0.0.1:4222");
        let Credentials::User { name, password } = &nats.credentials else { panic!("a user") };
        assert_eq!((name.as_str(), password.as_str()), ("us@er", "s3cr/et"));
        let nats = Nats::open("tls://s3cret@example.com", "switchboard", None, None).expect("a URL");
        assert!(matches!(&nats.credentials, Credentials::Token(token) if token == "s3cret"));
        assert!(nats.address.tls_required() && !nats.address.as_url_str().contains("s3cret"));
        let error =
            Nats::open("nats://u:s3cret@h:99999", "switchboard", None, None).err().expect("a wrong port");
        assert!(error.starts_with("is not a URL of NATS") && !error.contains("s3cret"), "{error}");
    }
}
