//! The server as a node of a cluster: the client of the broker that the nodes share.
//!
//! The core decides what is published and to what a node subscribes. Here that is carried to the broker, by one task for the
//! whole server ([`link`]), and what comes from there is given to the engine. Each broker is a [`Backplane`].
#![cfg_attr(not(any(feature = "nats", feature = "redis")), allow(dead_code, reason = "there is no broker"))]

mod authority;
mod backplane;
#[cfg(feature = "nats")]
mod credentials;
mod deliveries;
mod link;
mod name;
#[cfg(feature = "nats")]
mod nats;
mod orders;
#[cfg(feature = "redis")]
mod redis;
mod refusal;
mod status;
#[cfg(feature = "nats")]
mod subject;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use switchboard_core::config::ClusterConfig;

use crate::error::ServerError;
use crate::host::Host;
use link::Link;
pub(crate) use orders::BackplaneOrders;
use status::Status;

/// How long a stopping server waits until the others are told.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a starting server waits for what other nodes have said.
const READING: Duration = Duration::from_secs(2);

/// A server's part in a cluster.
pub(crate) struct Membership {
    orders: BackplaneOrders,
    status: Arc<Status>,
    is_required: bool,
}

impl Membership {
    /// Makes the engine a node, and starts the task that keeps the link to the broker. Has to run before the first client is
    /// served.
    ///
    /// # Errors
    ///
    /// The configuration's URL cannot be used.
    pub(crate) fn start(config: &ClusterConfig, host: &Arc<Host>) -> Result<Self, ServerError> {
        let backplane = backplane::open(config)?;
        let settings = config.settings(&name::of_this_process());
        let probe = format!("{}:probe:{}", settings.prefix, settings.name).into();
        let status = Arc::new(Status::new(config.address()));
        let (orders, receiver) = orders::channel(status.clone());
        let incarnation = host.join_cluster(settings, orders.clone());
        let owner = format!("{probe}:{incarnation}");
        let link = Link { host: Arc::downgrade(host), backplane, status: status.clone(), probe, owner };
        host.runtime().spawn(link.run(receiver));
        Ok(Self { orders, status, is_required: config.required })
    }

    /// Waits for the first attempt to reach the broker, if the configuration requires that it succeeds.
    ///
    /// Where there is a link, waits for a moment until what other nodes have said is known, so that the first clients that come
    /// back get what they missed.
    pub(crate) async fn joined(&self, host: &Host) -> Result<(), ServerError> {
        self.reached().await?;
        let reading = async {
            while host.is_reading_histories() {
                if self.status.first_attempt().await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // It serves all the same: who is too early is told so.
        let _ = tokio::time::timeout(READING, reading).await;
        Ok(())
    }

    async fn reached(&self) -> Result<(), ServerError> {
        match self.is_required {
            true => self.status.first_attempt().await.map_err(|error| {
                ServerError::Cluster(format!(
                    "cluster.required: {} cannot be reached: {error}; start it, or write cluster.required = false to serve \
                     without the other nodes meanwhile",
                    self.status.address()
                ))
            }),
            false => Ok(()),
        }
    }

    /// Tells the other nodes that this one ends, if they can be told.
    pub(crate) async fn leave(&self, host: &Arc<Host>) {
        host.leave_cluster();
        // Without a link there is nobody to tell.
        let _ = tokio::time::timeout(FAREWELL, self.orders.carried_out()).await;
    }

    /// Whether the node is cut off, and what `/health` says about the cluster. `None` once the node has left.
    pub(crate) fn health(&self, host: &Host) -> Option<(bool, Value)> {
        host.look_at_cluster(|cluster, now| self.status.health(cluster, now))
    }
}
