//! What the testsuite found, and whether that is what it should have found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Host;
use super::testsuite::{AGENT, VERSION};

/// The cases in which RFC 6455 leaves open what a server does: closing after a large message, two free close codes.
const INFORMATIONAL: [&str; 3] = ["7.1.6", "7.13.1", "7.13.2"];

/// The behaviour in each case: of the messages, and of the close.
pub(super) struct Report {
    cases: BTreeMap<Vec<u32>, Case>,
}

struct Case {
    id: String,
    behavior: String,
    close: String,
}

impl Report {
    /// Reads the testsuite's `index.json`.
    pub(super) fn read(index: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(index).context("the testsuite left no report")?;
        let index: Value = serde_json::from_str(&text)?;
        let results = index[AGENT].as_object().context("the report has no results")?;
        let cases = results.iter().map(|(id, result)| {
            let text = |key: &str| result[key].as_str().unwrap_or("none").to_owned();
            let numbers = id.split('.').map(|number| number.parse().unwrap_or(0)).collect();
            (numbers, Case { id: id.clone(), behavior: text("behavior"), close: text("behaviorClose") })
        });
        Ok(Self { cases: cases.collect() })
    }

    /// Such as "517 cases: INFORMATIONAL 3, OK 514".
    pub(super) fn summary(&self) -> String {
        let counts = self.counts(|case| &case.behavior);
        let counts: Vec<String> =
            counts.iter().map(|(behavior, count)| format!("{behavior} {count}")).collect();
        format!("{} cases: {}", self.cases.len(), counts.join(", "))
    }

    /// Whether every case has a result, and every result is the one that is expected.
    pub(super) fn check(&self, cases: usize) -> Result<()> {
        let wrong: Vec<String> = self.cases.values().filter_map(Case::fault).collect();
        if !wrong.is_empty() {
            bail!("not as expected:\n  {}", wrong.join("\n  "));
        }
        if self.cases.len() != cases {
            bail!("only {} of {cases} cases have a result", self.cases.len());
        }
        Ok(())
    }

    /// Writes the short form that is committed.
    pub(super) fn write(&self, file: &Path, host: Host) -> Result<()> {
        let informational: BTreeSet<&str> = self
            .cases
            .values()
            .filter(|case| case.behavior == "INFORMATIONAL")
            .map(|case| &*case.id)
            .collect();
        let result = json!({
            "testsuite": format!("Autobahn|Testsuite {VERSION}"),
            "command": format!("cargo xtask autobahn {}", host.name()),
            "cases": self.cases.len(),
            "behavior": self.counts(|case| &case.behavior),
            "behaviorClose": self.counts(|case| &case.close),
            "informational": informational,
        });
        std::fs::create_dir_all(file.parent().context("no folder for the result")?)?;
        Ok(std::fs::write(file, format!("{result:#}\n"))?)
    }

    fn counts<'a>(&'a self, behavior: impl Fn(&'a Case) -> &'a str) -> BTreeMap<&'a str, usize> {
        let mut counts = BTreeMap::new();
        for case in self.cases.values() {
            *counts.entry(behavior(case)).or_default() += 1;
        }
        counts
    }
}

impl Case {
    /// What is wrong with the result, if anything.
    fn fault(&self) -> Option<String> {
        let expected = if INFORMATIONAL.contains(&&*self.id) { "INFORMATIONAL" } else { "OK" };
        let is_close_fine = matches!(&*self.close, "OK" | "INFORMATIONAL");
        let is_fine = self.behavior == expected && is_close_fine;
        (!is_fine)
            .then(|| format!("{}: {} (expected {expected}), close {}", self.id, self.behavior, self.close))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(results: &[(&str, &str, &str)]) -> Report {
        let results = results.iter().map(|(id, behavior, close)| {
            ((*id).to_owned(), json!({ "behavior": behavior, "behaviorClose": close }))
        });
        let index = json!({ AGENT: results.collect::<serde_json::Map<_, _>>() });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("index.json");
        std::fs::write(&file, index.to_string()).unwrap();
        Report::read(&file).unwrap()
    }

    #[test]
    fn all_that_is_expected_passes() {
        let report = report(&[("1.1.1", "OK", "OK"), ("7.1.6", "INFORMATIONAL", "INFORMATIONAL")]);
        assert!(report.check(2).is_ok());
        assert_eq!(report.summary(), "2 cases: INFORMATIONAL 1, OK 1");
    }

    #[test]
    fn everything_else_is_named() {
        let wrong =
            [("6.4.1", "NON-STRICT", "OK"), ("1.1.1", "INFORMATIONAL", "OK"), ("12.1.1", "OK", "FAILED")];
        for case in wrong {
            let error = report(&[case, ("2.1", "OK", "OK")]).check(2).unwrap_err().to_string();
            assert!(error.contains(case.0) && !error.contains("2.1:"), "{error}");
        }
        assert!(report(&[("1.1.1", "OK", "OK")]).check(2).is_err(), "a case without a result");
    }
}
