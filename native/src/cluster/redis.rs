//! Redis 6 or newer, Valkey, and others that speak their protocol.
//!
//! One connection with RESP3: messages of the subscriptions come beside the answers. A lease is a key that expires, with its
//! owner as the value. What is kept of channels is in [`history`].

mod history;

use std::sync::Arc;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, Pipeline, ProtocolVersion, PushInfo, PushKind,
    TlsCertificates, Value,
};
use switchboard_core::cluster::{BackplaneEffect, BackplaneInput};

use super::authority::Authority;
use super::backplane::{Backplane, CarriedOut, Pending, Session};
use super::deliveries::{Deliveries, Delivery};
use super::orders::messages;

/// Takes a lease that nobody holds or keeps one's own, and says whether it is held. Keys: the lease; arguments: the owner, ms.
const LEASE: &str = "local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1";

/// Ends one's own lease. Keys: the lease; arguments: the owner.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0";

/// A broker that was found by its URL.
pub(super) struct Redis {
    client: Client,
}

impl Redis {
    pub(super) fn open(url: &str, authority: Option<Authority>) -> Result<Self, String> {
        // What the library says may contain the URL.
        let invalid = |_| {
            "is not a URL of Redis; write redis://user:password@host:port/database, with % for special characters"
                .to_owned()
        };
        let info = url.into_connection_info().map_err(invalid)?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.set_redis_settings(settings);
        let client = match authority {
            Some(authority) => {
                let certificates = TlsCertificates { client_tls: None, root_cert: Some(authority.pem) };
                Client::build_with_tls(info, certificates)
            }
            None => Client::open(info),
        };
        let client = client.map_err(invalid)?;
        Ok(Self { client })
    }
}

impl Backplane for Redis {
    fn connect<'a>(
        &'a self,
        owner: &'a str,
        deliveries: Deliveries,
    ) -> Pending<'a, Result<Box<dyn Session>, String>> {
        Box::pin(async move {
            // The task of the link has time limits of its own.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None)
                .set_push_sender(move |push: PushInfo| {
                    let Some(delivery) = delivery(push) else { return Ok(()) };
                    deliveries.give(delivery).then_some(()).ok_or(())
                });
            let connected = self.client.get_multiplexed_async_connection_with_config(&config).await;
            let connection = connected.map_err(|error| error.to_string())?;
            let owner = owner.to_owned();
            Ok(Box::new(RedisSession { connection, owner }) as Box<dyn Session>)
        })
    }
}

/// What a push of the server means.
fn delivery(push: PushInfo) -> Option<Delivery> {
    match push.kind {
        PushKind::Disconnection => Some(Delivery::Gone("the connection has ended".to_owned())),
        PushKind::Message => {
            let mut data = push.data.into_iter();
            match (data.next(), data.next()) {
                (Some(Value::BulkString(channel)), Some(Value::BulkString(payload))) => {
                    let channel = String::from_utf8(channel).ok()?.into();
                    Some(Delivery::Message { channel, payload: Bytes::from(payload) })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

struct RedisSession {
    connection: MultiplexedConnection,
    owner: String,
}

impl Session for RedisSession {
    fn carry_out<'a>(&'a mut self, orders: Vec<BackplaneEffect>) -> Pending<'a, Result<CarriedOut, String>> {
        Box::pin(async move {
            let mut done = CarriedOut::default();
            let mut rest = orders.into_iter().peekable();
            while let Some(order) = rest.next() {
                // Subscriptions are answered otherwise than commands, so each run of one kind is one round trip.
                match order {
                    BackplaneEffect::Subscribe { channel } => {
                        let mut channels = vec![channel];
                        while let Some(BackplaneEffect::Subscribe { channel }) =
                            rest.next_if(|next| matches!(next, BackplaneEffect::Subscribe { .. }))
                        {
                            channels.push(channel);
                        }
                        let subscribed = self.connection.subscribe(names(&channels)).await;
                        subscribed.map_err(|error| error.to_string())?;
                    }
                    BackplaneEffect::Unsubscribe { channel } => {
                        let mut channels = vec![channel];
                        while let Some(BackplaneEffect::Unsubscribe { channel }) =
                            rest.next_if(|next| matches!(next, BackplaneEffect::Unsubscribe { .. }))
                        {
                            channels.push(channel);
                        }
                        let unsubscribed = self.connection.unsubscribe(names(&channels)).await;
                        unsubscribed.map_err(|error| error.to_string())?;
                    }
                    first => {
                        let is_command = |next: &BackplaneEffect| {
                            !matches!(
                                next,
                                BackplaneEffect::Subscribe { .. } | BackplaneEffect::Unsubscribe { .. }
                            )
                        };
                        let mut commands = vec![first];
                        while let Some(next) = rest.next_if(is_command) {
                            commands.push(next);
                        }
                        self.pipeline(&commands, &mut done).await?;
                    }
                }
            }
            Ok(done)
        })
    }
}

impl RedisSession {
    async fn pipeline(&mut self, orders: &[BackplaneEffect], done: &mut CarriedOut) -> Result<(), String> {
        let mut pipeline = Pipeline::with_capacity(orders.len());
        // One command that is refused says nothing about the others.
        pipeline.ignore_errors();
        let mut is_script_known = false;
        for command in orders.iter().filter_map(|order| self.command(order, &mut is_script_known)) {
            pipeline.add_command(command);
        }
        let answers: Vec<Result<Value, redis::RedisError>> =
            pipeline.query_async(&mut self.connection).await.map_err(|error| error.to_string())?;
        for (order, answer) in orders.iter().zip(answers) {
            match (order, answer) {
                (BackplaneEffect::Lease { name, .. }, Ok(answer)) => {
                    let is_held = answer == Value::Int(1);
                    done.answers.push(BackplaneInput::Lease { name: name.clone(), is_held });
                }
                (BackplaneEffect::Read { channel, .. }, Ok(answer)) => {
                    done.answers.push(history::kept(channel.clone(), answer));
                }
                // It was published, and not kept.
                (BackplaneEffect::PublishAndKeep { .. }, Ok(Value::BulkString(reason))) => {
                    done.reason = Some(String::from_utf8_lossy(&reason).into_owned());
                }
                (_, Ok(_)) => {}
                (order, Err(error)) => {
                    done.refused += messages(std::slice::from_ref(order));
                    done.reason = Some(error.to_string());
                    if let BackplaneEffect::Read { channel, .. } = order {
                        done.answers.push(history::kept(channel.clone(), Value::Nil));
                    }
                }
            }
        }
        Ok(())
    }

    fn command(&self, order: &BackplaneEffect, is_script_known: &mut bool) -> Option<Cmd> {
        let mut command = Cmd::new();
        match order {
            BackplaneEffect::PublishAndKeep { channel, payload, bounds } => {
                let is_known = std::mem::replace(is_script_known, true);
                return Some(history::publish_and_keep(channel, payload, *bounds, is_known));
            }
            BackplaneEffect::Note { channel, key, note, bounds } => {
                return Some(history::note(channel, key, note, *bounds));
            }
            BackplaneEffect::Read { channel, after, bounds } => {
                return Some(history::read(channel, after.as_ref(), *bounds));
            }
            BackplaneEffect::Publish { channel, payload } => {
                command.arg("PUBLISH").arg(&**channel).arg(&payload[..]);
            }
            BackplaneEffect::Lease { name, ttl } => {
                command.arg("EVAL").arg(LEASE).arg(1).arg(&**name).arg(&self.owner).arg(*ttl);
            }
            BackplaneEffect::Release { name } => {
                command.arg("EVAL").arg(RELEASE).arg(1).arg(&**name).arg(&self.owner);
            }
            BackplaneEffect::Subscribe { .. } | BackplaneEffect::Unsubscribe { .. } => return None,
        }
        Some(command)
    }
}

fn names(channels: &[Arc<str>]) -> Vec<&str> {
    channels.iter().map(|channel| &**channel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_url_does_not_show_it() {
        for url in ["redis://u:s3cret@h:99999/", "redis://u:s3cret@h/x", "redis://u:s3cret@[h/"] {
            let error = Redis::open(url, None).err().expect(url);
            assert!(error.starts_with("is not a URL of Redis") && !error.contains("s3cret"), "{error}");
        }
        assert!(Redis::open("rediss://user:p%40ss@example.com:6380/3", None).is_ok());
    }
}
