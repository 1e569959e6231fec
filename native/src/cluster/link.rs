//! The task that keeps the link to the broker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use switchboard_core::Input;
use switchboard_core::cluster::{BackplaneEffect, BackplaneInput};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::backplane::{Backplane, CarriedOut, Session};
use super::deliveries::{self, Delivery, DeliveryReceiver};
use super::orders::{Batch, OrderReceiver, messages};
use super::refusal::explained;
use super::status::Status;
use crate::host::Host;

/// How long the broker may take to accept a connection, or to answer orders.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a message of our own is sent that has to come back.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// How long messages of our own may stay away before the link counts as down.
const PROBE_LATE: Duration = Duration::from_secs(5);

/// The shortest and the longest time between two attempts.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How many messages are given to the engine in one turn at most.
const TOGETHER: usize = 256;

/// The link of one server.
pub(super) struct Link {
    pub(super) host: Weak<Host>,
    pub(super) backplane: Box<dyn Backplane>,
    pub(super) status: Arc<Status>,
    /// The channel of the messages that have to come back. Nobody else uses it.
    pub(super) probe: Arc<str>,
    /// Who holds the leases of this node.
    pub(super) owner: String,
}

/// Why there is no link any more.
enum End {
    /// The server has ended.
    OfServer,
    /// The connection is gone, or never was there.
    OfConnection(String),
}

impl Link {
    /// Connects, again and again, as long as the server is there.
    pub(super) async fn run(self, mut orders: OrderReceiver) {
        let mut attempts = 0;
        while self.host.strong_count() > 0 {
            let End::OfConnection(error) = self.connection(&mut orders, &mut attempts).await else { return };
            let error = explained(&error);
            if self.status.down(&error) {
                tracing::warn!("no link to the broker {}: {error}", self.status.address());
            }
            sleep(pause(attempts, random())).await;
            attempts += 1;
        }
    }

    /// One connection from its beginning to its end.
    async fn connection(&self, orders: &mut OrderReceiver, attempts: &mut u32) -> End {
        let (sender, mut deliveries) = deliveries::channel();
        let connected = timeout(PATIENCE, self.backplane.connect(&self.owner, sender)).await;
        let mut session = match connected {
            Ok(Ok(session)) => session,
            Ok(Err(error)) => return End::OfConnection(error),
            Err(_) => return End::OfConnection(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        if let Err(error) = self.prove(&mut *session, &mut deliveries).await {
            return End::OfConnection(error);
        }
        if !self.tell([BackplaneInput::Up]) {
            return End::OfServer;
        }
        *attempts = 0;
        self.status.up();
        tracing::info!("linked to the broker {}", self.status.address());
        let seen = AtomicU64::new(0);
        let end = tokio::select! {
            end = self.receive(&mut deliveries, &seen) => end,
            end = self.send(&mut *session, orders, &seen) => end,
        };
        if !self.tell([BackplaneInput::Down]) {
            return End::OfServer;
        }
        // From here on the engine gives no orders; these were for the connection that is gone.
        self.status.count_unsent(orders.give_up());
        end
    }

    /// Sends a message of our own and waits for it, so that a link is told to be up only if messages come through.
    async fn prove(
        &self,
        session: &mut dyn Session,
        deliveries: &mut DeliveryReceiver,
    ) -> Result<(), String> {
        let subscribe = BackplaneEffect::Subscribe { channel: self.probe.clone() };
        let proof = async {
            let CarriedOut { refused, reason, .. } =
                session.carry_out(vec![subscribe, self.probe_message(0)]).await?;
            if refused > 0 {
                return Err(reason.unwrap_or_else(|| "it refuses messages".to_owned()));
            }
            loop {
                match deliveries.next().await {
                    Some(Delivery::Message { channel, .. }) if channel == self.probe => return Ok(()),
                    Some(Delivery::Message { .. }) => {}
                    Some(Delivery::Gone(reason)) => return Err(reason),
                    None => return Err("the connection has ended".to_owned()),
                }
            }
        };
        let late = || format!("a message of our own has not come back within {} s", PROBE_LATE.as_secs());
        timeout(PROBE_LATE, proof).await.unwrap_or_else(|_| Err(late()))
    }

    /// Gives the engine what comes.
    async fn receive(&self, deliveries: &mut DeliveryReceiver, seen: &AtomicU64) -> End {
        let mut together = Vec::new();
        loop {
            if deliveries.take(TOGETHER, &mut together).await == 0 {
                return End::OfConnection("the connection has ended".to_owned());
            }
            let mut inputs = Vec::with_capacity(together.len());
            let mut gone = None;
            for delivery in together.drain(..) {
                match delivery {
                    Delivery::Message { channel, payload } if channel == self.probe => {
                        let sequence = payload.as_ref().try_into().map_or(0, u64::from_be_bytes);
                        seen.fetch_max(sequence, Ordering::Relaxed);
                    }
                    Delivery::Message { channel, payload } => {
                        inputs.push(BackplaneInput::Message { channel, payload });
                    }
                    Delivery::Gone(reason) => gone = gone.or(Some(reason)),
                }
            }
            if !inputs.is_empty() && !self.tell(inputs) {
                return End::OfServer;
            }
            if let Some(reason) = gone {
                return End::OfConnection(reason);
            }
        }
    }

    /// Carries orders out, and sends messages of our own that have to come back.
    async fn send(&self, session: &mut dyn Session, orders: &mut OrderReceiver, seen: &AtomicU64) -> End {
        let mut ticks = interval(PROBE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut sent, mut last_seen, mut away_since) = (0, 0, None);
        let mut is_told = false;
        loop {
            let Batch { effects, told } = tokio::select! {
                batch = orders.next() => match batch {
                    Some(batch) => batch,
                    None => return End::OfServer,
                },
                _ = ticks.tick() => {
                    let now_seen = seen.load(Ordering::Relaxed);
                    if now_seen > last_seen || sent == 0 {
                        (last_seen, away_since) = (now_seen, Some(Instant::now()));
                    }
                    if away_since.is_some_and(|since: Instant| since.elapsed() > PROBE_LATE) {
                        let late = PROBE_LATE.as_secs();
                        return End::OfConnection(format!("messages of our own have not come back for {late} s"));
                    }
                    sent += 1;
                    Batch { effects: vec![self.probe_message(sent)], ..Batch::default() }
                }
            };
            let count = messages(&effects);
            let carried_out = match timeout(PATIENCE, session.carry_out(effects)).await {
                Ok(Ok(carried_out)) => carried_out,
                Ok(Err(error)) => {
                    self.status.count_unsent(count);
                    return End::OfConnection(error);
                }
                Err(_) => {
                    self.status.count_unsent(count);
                    return End::OfConnection(format!("no answer within {} s", PATIENCE.as_secs()));
                }
            };
            let CarriedOut { mut answers, undecided, refused, reason } = carried_out;
            answers.extend(undecided.into_iter().map(|name| self.decided(name)));
            self.status.count_unsent(refused);
            if let Some(reason) = reason.filter(|_| !is_told) {
                is_told = true;
                let reason = explained(&reason);
                tracing::warn!("the broker {} refuses something: {reason}", self.status.address());
            }
            if !answers.is_empty() && !self.tell(answers) {
                return End::OfServer;
            }
            for sender in told {
                // Nobody may wait any more.
                let _ = sender.send(());
            }
        }
    }

    /// A lease that the broker cannot give is held by the node whose name comes first among those that live.
    fn decided(&self, name: Arc<str>) -> BackplaneInput {
        let is_held = self.host.upgrade().is_some_and(|host| {
            let is_first = host.look_at_cluster(|cluster, _| {
                let me = &cluster.me().name;
                cluster.others().all(|other| other.name > *me)
            });
            is_first.unwrap_or(false)
        });
        BackplaneInput::Lease { name, is_held }
    }

    fn probe_message(&self, sequence: u64) -> BackplaneEffect {
        let payload = bytes::Bytes::copy_from_slice(&sequence.to_be_bytes());
        BackplaneEffect::Publish { channel: self.probe.clone(), payload }
    }

    /// Tells the engine. False: there is none any more.
    fn tell(&self, inputs: impl IntoIterator<Item = BackplaneInput>) -> bool {
        let Some(host) = self.host.upgrade() else { return false };
        host.turn(|turn| inputs.into_iter().for_each(|input| turn.input(Input::Backplane(input))));
        true
    }
}

/// The time until the next attempt: twice as long each time, and half of it by chance, so that many nodes do not come back in
/// the same moment.
fn pause(attempts: u32, random: u8) -> Duration {
    let (shortest, longest) = BACKOFF;
    let whole = longest.min(shortest * 2_u32.saturating_pow(attempts.min(16)));
    whole / 2 + whole / 2 * u32::from(random) / u32::from(u8::MAX)
}

fn random() -> u8 {
    let mut byte = [0];
    // The middle does as well.
    getrandom::fill(&mut byte).map_or(128, |()| byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_up_to_a_limit() {
        let ms = |attempts, random| pause(attempts, random).as_millis();
        assert_eq!((ms(0, 0), ms(0, 255)), (50, 100));
        assert_eq!((ms(3, 0), ms(3, 255)), (400, 800));
        assert_eq!((ms(40, 0), ms(u32::MAX, 255)), (2_500, 5_000));
    }
}
