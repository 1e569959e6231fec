//! Leases as entries of a bucket of JetStream that expire.

use std::time::Duration;

use async_nats::jetstream::kv::{Config as BucketConfig, CreateErrorKind, Operation, Store, UpdateErrorKind};
use async_nats::jetstream::stream::StorageType;

use super::super::subject::key;
use super::{NatsSession, told};

/// Where the leases are.
pub(super) enum Leases {
    /// Nobody has asked yet.
    Unknown,
    /// In this bucket.
    In(Box<Store>),
    /// The server has no JetStream.
    Nowhere,
}

impl NatsSession {
    /// Takes a lease that nobody holds or keeps one's own, and says whether it is held; `None`: there are no leases.
    pub(super) async fn lease(&mut self, name: &str, ttl: u64) -> Result<Option<bool>, String> {
        if matches!(self.leases, Leases::Unknown) {
            self.leases = self.open_leases(ttl).await?;
        }
        let Leases::In(store) = &self.leases else { return Ok(None) };
        let key = key(name);
        match store.create(&key, self.owner.clone()).await {
            Ok(_) => return Ok(Some(true)),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
            Err(error) => return Err(told(&error)),
        }
        let entry = store.entry(&key).await.map_err(|error| told(&error))?;
        let entry = entry.filter(|entry| entry.operation == Operation::Put && entry.value == self.owner);
        let Some(entry) = entry else { return Ok(Some(false)) };
        match store.update(&key, self.owner.clone(), entry.revision).await {
            Ok(_) => Ok(Some(true)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(Some(false)),
            Err(error) => Err(told(&error)),
        }
    }

    pub(super) async fn release(&self, name: &str) -> Result<(), String> {
        let Leases::In(store) = &self.leases else { return Ok(()) };
        let key = key(name);
        let entry = store.entry(&key).await.map_err(|error| told(&error))?;
        match entry.filter(|entry| entry.operation == Operation::Put && entry.value == self.owner) {
            Some(entry) => {
                store.delete_expect_revision(&key, Some(entry.revision)).await.map_err(|error| told(&error))
            }
            None => Ok(()),
        }
    }

    async fn open_leases(&mut self, ttl: u64) -> Result<Leases, String> {
        if !self.has_jetstream().await? {
            return Ok(Leases::Nowhere);
        }
        if let Ok(store) = self.jetstream.get_key_value(&self.bucket).await {
            return Ok(Leases::In(Box::new(store)));
        }
        let config = BucketConfig {
            bucket: self.bucket.clone(),
            history: 1,
            max_age: Duration::from_millis(ttl),
            storage: StorageType::Memory,
            ..BucketConfig::default()
        };
        match self.jetstream.create_key_value(config).await {
            Ok(store) => Ok(Leases::In(Box::new(store))),
            // Another node may have made it in this moment.
            Err(error) => match self.jetstream.get_key_value(&self.bucket).await {
                Ok(store) => Ok(Leases::In(Box::new(store))),
                Err(_) => Err(told(&error)),
            },
        }
    }
}
