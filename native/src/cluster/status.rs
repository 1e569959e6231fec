//! How the link to the broker is, for `/health`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use switchboard_core::cluster::Cluster;
use switchboard_core::time::Instant;
use tokio::sync::watch;

/// What the task of the link tells.
pub(crate) struct Status {
    /// The broker's, without a password.
    address: String,
    /// How often there has been a link.
    links: AtomicU64,
    /// Messages that the broker did not get, beside those that the engine counts.
    unsent: AtomicU64,
    /// Why there is no link, or why there was none the last time.
    error: Mutex<Option<String>>,
    first: watch::Sender<Option<Result<(), String>>>,
}

impl Status {
    pub(super) fn new(address: String) -> Self {
        let (links, unsent, error) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::default());
        Self { address, links, unsent, error, first: watch::Sender::new(None) }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn count_unsent(&self, messages: u64) {
        self.unsent.fetch_add(messages, Ordering::Relaxed);
    }

    pub(super) fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }

    /// There is a link.
    pub(super) fn up(&self) {
        self.links.fetch_add(1, Ordering::Relaxed);
        self.attempted(Ok(()));
    }

    /// There is no link any more, or the attempt to make one has failed. True: for another reason than the last time.
    pub(super) fn down(&self, error: &str) -> bool {
        self.attempted(Err(error.to_owned()));
        let mut last = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = last.as_deref() != Some(error);
        *last = Some(error.to_owned());
        is_new
    }

    /// Waits for the outcome of the first attempt.
    pub(super) async fn first_attempt(&self) -> Result<(), String> {
        let mut first = self.first.subscribe();
        let outcome = first.wait_for(Option::is_some).await;
        // Its sender is here.
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or(Ok(()))
    }

    /// Whether the node is cut off, and what `/health` says.
    pub(super) fn health(&self, cluster: &Cluster, now: Instant) -> (bool, Value) {
        let (stats, down_since) = (cluster.stats(), cluster.down_since());
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Where it is, is not for everybody who may ask.
        let scheme = self.address.split(':').next();
        let mut others: Vec<&str> = cluster.others().map(|node| &*node.name).collect();
        others.sort_unstable();
        let health = json!({
            "node": &*cluster.me().name,
            "broker": scheme,
            "links": self.links.load(Ordering::Relaxed),
            "downForMs": down_since.map(|since| now.ms_since(since)),
            "error": error.filter(|_| down_since.is_some()),
            "nodes": stats.nodes,
            "others": others,
            "incomplete": stats.incomplete,
            "channels": stats.channels,
            "published": stats.published,
            "unsent": stats.unsent + self.unsent(),
            "received": stats.received,
            "lost": stats.lost,
            "repeated": stats.repeated,
            "undecodable": stats.undecodable,
        });
        (down_since.is_some(), health)
    }

    fn attempted(&self, outcome: Result<(), String>) {
        self.first.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(outcome);
            is_first
        });
    }
}
