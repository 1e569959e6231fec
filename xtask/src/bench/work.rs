//! What is measured: one table.

use std::time::Duration;

use bench_load::{Accept, Bystanders, Echo, Fairness, FanOut, Idle, Report, Work as Load};

use super::contender::Contender::{
    self, Bun, RawEpoll, Switchboard, SwitchboardInspected, SwitchboardScript, SwitchboardVite,
    SwitchboardViteInspected, Ws,
};

/// One line of the results.
pub(super) struct Work {
    /// How it is asked for; what is before a `-` asks for the whole family.
    pub(super) name: &'static str,
    /// In words.
    pub(super) title: &'static str,
    pub(super) load: Load,
    pub(super) metric: Metric,
    /// The contenders; none: all that are possible.
    pub(super) contenders: &'static [Contender],
    /// What the native server must reach against Bun, and the plugin against `ws`.
    pub(super) targets: [Option<Target>; 2],
    /// How many routes Switchboard has in front of the one that is used.
    pub(super) routes: usize,
}

/// What of a report counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    /// The server's CPU time in ns for each message that was delivered or came back. Less is better.
    Cost,
    /// Connections for each second of the server's CPU time. More is better.
    Accepted,
    /// Resident bytes for each open connection. Less is better.
    Memory,
    /// The 99th percentile of the times from a message's sending to its last receipt, in ns. Less is better.
    LastReceipt,
    /// The longest round trip of an echo, in ns. Less is better.
    Stall,
}

/// How many receive a broadcast by a function.
const RECEIVERS: usize = 10;

/// What has to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    /// At most so much of the reference's.
    AtMost(f64),
    /// At least so much of the reference's.
    AtLeast(f64),
    /// At most so much, whatever the others have.
    Within(f64),
}

impl Work {
    /// Whether a name given on the command line means this work.
    pub(super) fn is_meant(&self, name: &str) -> bool {
        self.name == name || self.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
    }

    /// Whether permessage-deflate is needed.
    pub(super) fn is_deflated(&self) -> bool {
        matches!(
            self.load,
            Load::FanOut(FanOut { deflate: true, .. }) | Load::Idle(Idle { deflate: true, .. })
        )
    }

    /// Whether it is a fan-out.
    pub(super) fn is_fan_out(&self) -> bool {
        matches!(self.load, Load::FanOut(_))
    }
}

impl Work {
    /// How many messages a client's message brings about.
    pub(super) fn receivers(&self) -> usize {
        match &self.load {
            Load::FanOut(work) => work.subscribers,
            _ => 1,
        }
    }
}

impl Metric {
    /// Its value in a report.
    pub(super) fn value(self, report: &Report) -> f64 {
        let nanoseconds = |duration: Duration| duration.as_nanos() as f64;
        match self {
            Metric::Cost => report.cost(),
            Metric::Accepted => 1e9 / report.cost().max(1.0),
            Metric::Memory => report.resident.map_or(0.0, |resident| resident.each()),
            Metric::LastReceipt => report.latency.map_or(0.0, |latency| nanoseconds(latency.p99)),
            Metric::Stall => report.latency.map_or(0.0, |latency| nanoseconds(latency.longest)),
        }
    }

    /// What it is, in words.
    pub(super) fn title(self) -> &'static str {
        match self {
            Metric::Cost => "server CPU per message received",
            Metric::Accepted => "connections accepted per second of server CPU",
            Metric::Memory => "resident memory per idle connection",
            Metric::LastReceipt => "p99 from sending to the last receipt",
            Metric::Stall => "longest echo beside the broadcasts",
        }
    }

    /// The metric with this title.
    pub(super) fn titled(title: &str) -> Option<Self> {
        let all = [Metric::Cost, Metric::Accepted, Metric::Memory, Metric::LastReceipt, Metric::Stall];
        all.into_iter().find(|metric| metric.title() == title)
    }

    /// A value with its unit.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Metric::Cost | Metric::LastReceipt | Metric::Stall if value >= 1e6 => {
                format!("{:.2} ms", value / 1e6)
            }
            Metric::Cost | Metric::LastReceipt | Metric::Stall if value >= 1e3 => {
                format!("{:.2} µs", value / 1e3)
            }
            Metric::Cost | Metric::LastReceipt | Metric::Stall => format!("{value:.0} ns"),
            Metric::Accepted => format!("{value:.0}/s"),
            Metric::Memory if value.abs() >= 1e3 => format!("{:.2} kB", value / 1e3),
            Metric::Memory => format!("{value:.0} B"),
        }
    }
}

impl Target {
    /// Whether a value reaches it, with the reference's value if there is one.
    pub(super) fn is_met(self, value: f64, reference: Option<f64>) -> Option<bool> {
        match self {
            Target::AtMost(ratio) => reference.map(|reference| value <= ratio * reference),
            Target::AtLeast(ratio) => reference.map(|reference| value >= ratio * reference),
            Target::Within(most) => Some(value <= most),
        }
    }

    /// In the form of the table.
    pub(super) fn show(self, metric: Metric) -> String {
        match self {
            Target::AtMost(ratio) => format!("≤ {ratio:.2}"),
            Target::AtLeast(ratio) => format!("≥ {ratio:.2}"),
            Target::Within(most) => format!("≤ {}", metric.show(most)),
        }
    }
}

/// Everything that can be measured, in the order in which it is.
pub(super) fn all() -> Vec<Work> {
    use Target::{AtLeast, AtMost, Within};

    let mut works = vec![
        fan_out("fanout-128-1", "128 B × 1,000, one at a time", 128, 1000, 1, AtMost(0.80), AtMost(0.72)),
        fan_out("fanout-128-16", "128 B × 1,000, 16 in flight", 128, 1000, 16, AtMost(0.75), AtMost(0.08)),
        fan_out("fanout-4k-16", "4 KiB × 1,000, 16 in flight", 4096, 1000, 16, AtMost(0.65), AtMost(0.20)),
        deflated(
            "fanout-4k-deflate-1",
            "4 KiB deflated × 1,000, one at a time",
            1,
            AtMost(0.12),
            AtMost(0.15),
        ),
        deflated(
            "fanout-4k-deflate-16",
            "4 KiB deflated × 1,000, 16 in flight",
            16,
            AtMost(0.02),
            AtMost(0.03),
        ),
        fan_out("fanout-128-5000", "128 B × 5,000, one at a time", 128, 5000, 1, AtMost(0.92), AtMost(0.75)),
        echo("echo-64-1", "echo 64 B × 100 connections, 1 deep", 64, 1, AtMost(0.88), AtMost(0.90)),
        echo("echo-64-16", "echo 64 B × 100 connections, 16 deep", 64, 16, AtMost(0.62), AtMost(0.30)),
        echo("echo-64k", "echo 64 KiB × 100 connections", 65536, 1, AtMost(0.45), AtMost(0.80)),
        idle("idle-memory", "10,000 idle connections", false, Within(1500.0), Within(6000.0)),
        idle(
            "idle-memory-deflate",
            "10,000 idle connections, deflate used once",
            true,
            Within(1500.0),
            Within(6000.0),
        ),
        Work {
            metric: Metric::Accepted,
            load: Load::Accept(Accept { path: "/echo".to_owned(), at_once: 64 }),
            targets: [Some(AtLeast(1.0)), Some(AtLeast(1.0))],
            ..plain("accept", "connections opened and dropped")
        },
    ];
    works.extend(growth());
    works.extend(rooms());
    works.extend(functions());
    works.extend([
        Work {
            contenders: &[Switchboard, SwitchboardVite],
            metric: Metric::Accepted,
            load: Load::Accept(Accept { path: "/room/bench".to_owned(), at_once: 64 }),
            ..plain("routes-4", "connections opened and dropped, 4 routes")
        },
        Work {
            contenders: &[Switchboard, SwitchboardVite],
            metric: Metric::Accepted,
            load: Load::Accept(Accept { path: "/room/bench".to_owned(), at_once: 64 }),
            routes: 1000,
            ..plain("routes-1000", "connections opened and dropped, 1,000 more routes")
        },
        Work {
            metric: Metric::LastReceipt,
            load: Load::FanOut(FanOut {
                pace: Duration::from_millis(10),
                rest: Duration::ZERO,
                ..room(128, 1000, 1)
            }),
            targets: [Some(AtMost(1.0)), Some(AtMost(1.0))],
            ..plain("latency", "128 B × 1,000, a message every 10 ms")
        },
        Work {
            contenders: &[RawEpoll, Bun, Switchboard, Ws, SwitchboardVite],
            metric: Metric::Stall,
            load: Load::Fairness(Fairness {
                path: "/room/bench".to_owned(),
                echo_path: "/echo".to_owned(),
                subscribers: 9990,
                payload: 128,
                pace: Duration::from_millis(150),
            }),
            targets: [Some(Within(20e6)), Some(Within(20e6))],
            ..plain("fairness", "an echo beside broadcasts to 10,000")
        },
        Work {
            contenders: &[Switchboard, SwitchboardInspected, SwitchboardVite, SwitchboardViteInspected],
            load: Load::FanOut(room(128, 1000, 1)),
            ..plain("inspected", "128 B × 1,000, with the inspector open and without it")
        },
    ]);
    works
}

fn growth() -> impl Iterator<Item = Work> {
    let sizes = [
        ("growth-100", "128 B × 100, one at a time", 100),
        ("growth-300", "128 B × 300, one at a time", 300),
        ("growth-1000", "128 B × 1,000, one at a time", 1000),
        ("growth-3000", "128 B × 3,000, one at a time", 3000),
        ("growth-5000", "128 B × 5,000, one at a time", 5000),
    ];
    sizes.into_iter().map(|(name, title, subscribers)| Work {
        contenders: &[RawEpoll, Bun, Switchboard, Ws, SwitchboardVite],
        load: Load::FanOut(room(128, subscribers, 1)),
        ..plain(name, title)
    })
}

fn rooms() -> impl Iterator<Item = Work> {
    let sizes = [
        ("rooms-20", "a room of 10 among 20 connections", 1, 10),
        ("rooms-1000x10", "a room of 10 among 1,000 rooms of 10", 998, 10),
        ("rooms-10000x1", "a room of 10 among 10,000 rooms of 1", 9980, 1),
    ];
    sizes.into_iter().map(|(name, title, rooms, members)| Work {
        contenders: &[RawEpoll, Bun, Switchboard, Ws, SwitchboardVite],
        load: Load::FanOut(FanOut {
            bystanders: Bystanders { rooms, members },
            // So short a round that the generator must not look away.
            rest: Duration::ZERO,
            ..room(128, 9, 1)
        }),
        ..plain(name, title)
    })
}

/// What a message costs more when a function in JavaScript gets it: the same routes by dialect and by function.
fn functions() -> impl Iterator<Item = Work> {
    let contenders: &[Contender] = &[RawEpoll, Switchboard, SwitchboardScript, SwitchboardVite];
    let echoes = [
        ("function-echo-1", "echo 64 B by a function, 1 deep", 1),
        ("function-echo-16", "echo 64 B by a function, 16 deep", 16),
    ];
    let echoes = echoes.map(|(name, title, depth)| {
        let load = Load::Echo(Echo { path: "/echo".to_owned(), connections: 100, depth, payload: 64 });
        Work { contenders, load, ..plain(name, title) }
    });
    let room = Work {
        contenders,
        load: Load::FanOut(FanOut { rest: Duration::ZERO, ..room(128, RECEIVERS, 1) }),
        ..plain("function-room", "128 B × 10 by a function, one at a time")
    };
    let only = |name, title, path: &str| {
        let load = Load::Echo(Echo { path: path.to_owned(), connections: 100, depth: 1, payload: 64 });
        Work { contenders: &[SwitchboardScript], load, ..plain(name, title) }
    };
    let others = [only("function-awaited", "echo 64 B by an async function", "/awaited")];
    echoes.into_iter().chain([room]).chain(others)
}

fn fan_out(
    name: &'static str,
    title: &'static str,
    payload: usize,
    subscribers: usize,
    in_flight: usize,
    native: Target,
    plugin: Target,
) -> Work {
    let load = Load::FanOut(room(payload, subscribers, in_flight));
    Work { load, targets: [Some(native), Some(plugin)], ..plain(name, title) }
}

fn deflated(
    name: &'static str,
    title: &'static str,
    in_flight: usize,
    native: Target,
    plugin: Target,
) -> Work {
    let room = room(4096, 1000, in_flight);
    let load = Load::FanOut(FanOut { path: "/room-deflate/bench".to_owned(), deflate: true, ..room });
    Work { load, targets: [Some(native), Some(plugin)], ..plain(name, title) }
}

fn echo(
    name: &'static str,
    title: &'static str,
    payload: usize,
    depth: usize,
    native: Target,
    plugin: Target,
) -> Work {
    let load = Load::Echo(Echo { path: "/echo".to_owned(), connections: 100, depth, payload });
    Work { load, targets: [Some(native), Some(plugin)], ..plain(name, title) }
}

fn idle(name: &'static str, title: &'static str, deflate: bool, native: Target, plugin: Target) -> Work {
    let path = if deflate { "/echo-deflate" } else { "/echo" };
    let load = Load::Idle(Idle { path: path.to_owned(), connections: 10_000, deflate });
    Work { load, metric: Metric::Memory, targets: [Some(native), Some(plugin)], ..plain(name, title) }
}

fn plain(name: &'static str, title: &'static str) -> Work {
    let load = Load::FanOut(room(128, 1000, 1));
    Work { name, title, load, metric: Metric::Cost, contenders: &[], targets: [None, None], routes: 0 }
}

fn room(payload: usize, subscribers: usize, in_flight: usize) -> FanOut {
    FanOut {
        path: "/room/bench".to_owned(),
        subscribers,
        in_flight,
        payload,
        deflate: false,
        pace: Duration::ZERO,
        rest: Duration::from_micros(100),
        bystanders: Bystanders::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ask_for_one_or_for_a_family() {
        let meant = |name: &str| all().iter().filter(|work| work.is_meant(name)).count();
        assert_eq!(
            (meant("fanout-128-1"), meant("fanout-128"), meant("growth"), meant("grow")),
            (1, 3, 5, 0)
        );
        // Asked for by the whole name, the family's head stands for the family.
        assert_eq!(meant("idle-memory"), 2);
    }

    #[test]
    fn targets_are_ratios_or_absolute() {
        assert_eq!(Target::AtMost(0.8).is_met(7.9, Some(10.0)), Some(true));
        assert_eq!(Target::AtMost(0.8).is_met(8.1, Some(10.0)), Some(false));
        assert_eq!(Target::AtLeast(1.0).is_met(9.0, Some(10.0)), Some(false));
        assert_eq!(Target::AtMost(0.8).is_met(8.1, None), None);
        assert_eq!(Target::Within(1500.0).is_met(1400.0, None), Some(true));
        assert_eq!(Target::Within(1500.0).show(Metric::Memory), "≤ 1.50 kB");
    }

    #[test]
    fn values_have_units() {
        assert_eq!(Metric::Cost.show(2512.0), "2.51 µs");
        assert_eq!(Metric::Cost.show(151.2), "151 ns");
        assert_eq!(Metric::Stall.show(20.04e6), "20.04 ms");
        assert_eq!(Metric::Accepted.show(24_001.3), "24001/s");
    }
}
