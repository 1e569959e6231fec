//! What a broker has to be able to do.

use std::pin::Pin;
use std::sync::Arc;

use switchboard_core::cluster::{BackplaneEffect, BackplaneInput};
use switchboard_core::config::{Broker, ClusterConfig};

use super::authority::Authority;
use super::deliveries::Deliveries;
use crate::error::ServerError;

/// The way to one broker.
pub(super) trait Backplane: Send + Sync {
    /// Makes a connection, whose subscriptions deliver to `deliveries`. `owner` holds its leases.
    fn connect<'a>(
        &'a self,
        owner: &'a str,
        deliveries: Deliveries,
    ) -> Pending<'a, Result<Box<dyn Session>, String>>;
}

/// One connection to a broker. Dropping it ends it.
pub(super) trait Session: Send {
    /// Carries these out in their order, in as few round trips as possible. What the broker refuses is logged and goes on;
    /// an error ends the connection.
    fn carry_out<'a>(&'a mut self, orders: Vec<BackplaneEffect>) -> Pending<'a, Result<CarriedOut, String>>;
}

/// What became of orders.
#[derive(Default)]
pub(super) struct CarriedOut {
    /// The answers to leases.
    pub(super) answers: Vec<BackplaneInput>,
    /// Leases that this broker cannot give.
    pub(super) undecided: Vec<Arc<str>>,
    /// How many messages the broker has refused.
    pub(super) refused: u64,
    /// The reason of the last refusal.
    pub(super) reason: Option<String>,
}

/// A future of a trait that is used as an object.
pub(super) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The broker of the configuration.
pub(super) fn open(config: &ClusterConfig) -> Result<Box<dyn Backplane>, ServerError> {
    let invalid = |message: String| ServerError::Cluster(format!("cluster.url: {message}"));
    let authority = config.ca.as_deref().map(Authority::read).transpose();
    #[cfg_attr(not(any(feature = "nats", feature = "redis")), allow(unused_variables))]
    let authority = authority.map_err(|message| ServerError::Cluster(format!("cluster.ca: {message}")))?;
    let broker = config.broker().map_err(|error| invalid(error.message))?;
    match broker {
        #[cfg(feature = "redis")]
        Broker::Redis => Ok(Box::new(super::redis::Redis::open(&config.url.0, authority).map_err(invalid)?)),
        #[cfg(feature = "nats")]
        Broker::Nats => {
            let file =
                config.credentials.as_deref().map(super::credentials::CredentialsFile::open).transpose();
            let file =
                file.map_err(|message| ServerError::Cluster(format!("cluster.credentials: {message}")))?;
            let nats = super::nats::Nats::open(&config.url.0, &config.prefix, authority, file);
            Ok(Box::new(nats.map_err(invalid)?))
        }
        #[allow(unreachable_patterns)]
        Broker::Redis => Err(invalid(missing("redis"))),
        #[allow(unreachable_patterns)]
        Broker::Nats => Err(invalid(missing("nats"))),
        #[allow(unreachable_patterns)]
        _ => Err(invalid("this broker is not known here".to_owned())),
    }
}

#[cfg_attr(all(feature = "nats", feature = "redis"), allow(dead_code))]
fn missing(feature: &str) -> String {
    format!("this program was built without the feature \"{feature}\"; build it with --features {feature}")
}
