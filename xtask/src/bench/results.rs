//! What was measured, as it is kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use bench_load::Report;
use serde::{Deserialize, Serialize};
use xshell::cmd;

use super::contender::Contender;
use super::statistics::Spread;
use super::work::Metric;
use crate::project::Project;

/// One run of the bench.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Results {
    /// Where, and what was pinned.
    pub(super) machine: String,
    /// Which commit of ours.
    pub(super) commit: String,
    pub(super) rounds: usize,
    pub(super) measure_ms: u64,
    /// Of the contenders that took part.
    pub(super) versions: BTreeMap<String, String>,
    pub(super) works: Vec<WorkResult>,
}

/// One work, everyone's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WorkResult {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) metric: String,
    pub(super) contenders: Vec<Entry>,
}

/// One work of one contender.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) contender: String,
    /// Why it has no results, or not all.
    pub(super) error: Option<String>,
    /// What the rounds come to.
    pub(super) value: Option<Spread>,
    /// How busy the server was, and how busy the generator: parts of one core.
    pub(super) server_load: Option<Spread>,
    pub(super) generator_load: Option<Spread>,
    /// One for each round.
    pub(super) reports: Vec<Report>,
}

impl Results {
    /// Nothing yet.
    pub(super) fn new(
        project: &Project,
        machine: String,
        rounds: usize,
        measure: Duration,
        peers: &[Contender],
    ) -> Result<Self> {
        let commit = cmd!(project.shell, "git rev-parse --short HEAD").quiet().ignore_stderr().read();
        let mut versions = BTreeMap::new();
        for peer in peers {
            versions.insert(peer.name().to_owned(), peer.version(project)?);
        }
        let commit = commit.unwrap_or_default();
        let measure_ms = measure.as_millis().try_into()?;
        Ok(Self { machine, commit, rounds, measure_ms, versions, works: Vec::new() })
    }

    /// Reads what an earlier run has written.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("no results in {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} holds other results", file.display()))
    }

    /// What was measured of this work.
    pub(super) fn work(&self, name: &str) -> Option<&WorkResult> {
        self.works.iter().find(|result| result.name == name)
    }

    /// Writes them as JSON.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, serde_json::to_string_pretty(self)? + "\n")?)
    }
}

impl WorkResult {
    /// The median of this contender.
    pub(super) fn median(&self, contender: Contender) -> Option<f64> {
        let entry = self.contenders.iter().find(|entry| entry.contender == contender.name())?;
        entry.value.map(|value| value.median)
    }
}

impl Entry {
    /// Nothing yet.
    pub(super) fn new(contender: &str) -> Self {
        Self {
            contender: contender.to_owned(),
            error: None,
            value: None,
            server_load: None,
            generator_load: None,
            reports: Vec::new(),
        }
    }

    /// Sums the rounds up.
    pub(super) fn summarize(&mut self, metric: Metric) {
        self.value = Spread::of(self.reports.iter().map(|report| metric.value(report)));
        self.server_load = Spread::of(self.reports.iter().map(Report::server_load));
        self.generator_load = Spread::of(self.reports.iter().map(Report::generator_load));
    }
}
