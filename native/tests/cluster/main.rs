//! Several servers as one, over real brokers that the tests start: `redis-server` and `nats-server` of the `PATH`, or where
//! `NATS_SERVER` says. Where a program is missing, its tests say so and do nothing; with `CI=true` they fail.
#![cfg(all(feature = "redis", feature = "nats"))]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod broker;
mod credentials;
mod failures;
#[cfg(target_os = "linux")]
mod hostile;
mod kept;
mod messages;
#[cfg(target_os = "linux")]
mod network;
mod node;
#[cfg(target_os = "linux")]
mod partition;
mod processes;
mod recovery;
mod restarts;

/// Writes each of these tests once for every broker.
macro_rules! for_each_broker {
    ($($name:ident),* $(,)?) => {
        mod redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(broker) = crate::broker::BrokerProcess::redis().await {
                        super::$name(broker).await;
                    }
                }
            )*
        }
        mod nats {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(broker) = crate::broker::BrokerProcess::nats().await {
                        super::$name(broker).await;
                    }
                }
            )*
        }
    };
}
pub(crate) use for_each_broker;
