//! The results as pictures: bars for every contender, one chart for each family of works.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Style, Text, Title};

use super::results::{Entry, Results, WorkResult};
use super::work::Metric;

/// The picture's measures, in CSS pixels.
const WIDTH: f64 = 760.0;
const MARGIN: f64 = 16.0;
const NAMES: f64 = 140.0;
const VALUES: f64 = 90.0;
const BAR: f64 = 14.0;
const STEP: f64 = 20.0;
const HEAD: f64 = 30.0;
const GAP: f64 = 14.0;

/// Follows the reader's choice of a light or dark page.
const STYLE: &str = "
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.head { font-weight: 600; }
.value { fill: #59636e; }
.ours { fill: #0969da; }
.peer { fill: #afb8c1; }
.limit { fill: #d8dee4; }
.spread { stroke: #59636e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .value { fill: #9198a1; }
  .ours { fill: #4493f8; }
  .peer { fill: #656c76; }
  .limit { fill: #3d444d; }
  .spread { stroke: #9198a1; }
}";

/// Writes one chart for each family into a folder; returns the files.
pub(super) fn write(results: &Results, folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let families: BTreeSet<&str> = results.works.iter().map(|work| family(&work.name)).collect();
    let mut files = Vec::new();
    for name in families {
        let works = results.works.iter().filter(|work| family(&work.name) == name);
        let file = folder.join(format!("{name}.svg"));
        let document = chart(&works.collect::<Vec<_>>(), &results.machine);
        svg::save(&file, &document).with_context(|| format!("cannot write {}", file.display()))?;
        files.push(file);
    }
    Ok(files)
}

/// What is before the first `-`: works of a family are compared with each other.
fn family(work: &str) -> &str {
    work.split('-').next().unwrap_or(work)
}

fn chart(works: &[&WorkResult], machine: &str) -> Document {
    let (mut panels, mut top) = (Vec::new(), MARGIN);
    for work in works {
        let (panel, height) = panel(work);
        panels.push(panel.set("transform", format!("translate({MARGIN} {top})")));
        top += height + GAP;
    }
    let (line, height) = (top + 8.0, top + 26.0 + MARGIN);
    let foot = [
        text("The line on a bar goes from the least to the most of all rounds.", MARGIN, line, "value"),
        text(machine, MARGIN, line + 18.0, "value"),
    ];
    let document = Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("role", "img")
        .add(Title::new(works.iter().map(|work| &*work.title).collect::<Vec<_>>().join("; ")))
        .add(Style::new(STYLE));
    let document = panels.into_iter().fold(document, Document::add);
    foot.into_iter().fold(document, Document::add)
}

/// One work's bars, and how high they are together.
fn panel(work: &WorkResult) -> (Group, f64) {
    let head = format!("{}: {}", work.title, work.metric);
    let mut group = Group::new().add(text(&head, 0.0, 14.0, "head"));
    let most =
        work.contenders.iter().filter_map(|entry| entry.value).map(|value| value.most).fold(0.0, f64::max);
    let metric = Metric::titled(&work.metric);
    for (index, entry) in work.contenders.iter().enumerate() {
        group =
            group.add(bar(entry, most, metric).set("transform", format!("translate(0 {})", offset(index))));
    }
    (group, offset(work.contenders.len()))
}

fn offset(index: usize) -> f64 {
    HEAD + STEP * index as f64
}

fn bar(entry: &Entry, most: f64, metric: Option<Metric>) -> Group {
    let name = text(&entry.contender, NAMES - 8.0, BAR - 3.0, "name").set("text-anchor", "end");
    let group = Group::new().add(name);
    let (Some(value), true) = (entry.value, most > 0.0) else {
        return group.add(text("failed", NAMES, BAR - 3.0, "value"));
    };
    let class = match &*entry.contender {
        ours if ours.starts_with("switchboard") => "ours",
        "raw-epoll" | "raw-uring" => "limit",
        _ => "peer",
    };
    let length = |value: f64| value.max(0.0) / most * (WIDTH - 2.0 * MARGIN - NAMES - VALUES);
    let bar = Rectangle::new()
        .set("x", NAMES)
        .set("width", round(length(value.median).max(1.0)))
        .set("height", BAR)
        .set("class", class);
    let spread = Line::new()
        .set("x1", round(NAMES + length(value.least)))
        .set("x2", round(NAMES + length(value.most)))
        .set("y1", BAR / 2.0)
        .set("y2", BAR / 2.0)
        .set("class", "spread");
    let shown = metric.map_or_else(|| format!("{:.0}", value.median), |metric| metric.show(value.median));
    let behind = round(NAMES + length(value.most.max(value.median)) + 8.0);
    group.add(bar).add(spread).add(text(&shown, behind, BAR - 3.0, "value"))
}

fn text(content: &str, x: f64, y: f64, class: &str) -> Text {
    Text::new(content).set("x", x).set("y", y).set("class", class)
}

/// A tenth of a pixel is enough.
fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Spread;
    use super::*;

    fn entry(contender: &str, median: f64) -> Entry {
        let value = Some(Spread { median, least: median, most: median });
        Entry { value, ..Entry::new(contender) }
    }

    #[test]
    fn every_contender_has_a_bar_in_proportion_and_its_value() {
        let work = WorkResult {
            name: "fanout-128-1".to_owned(),
            title: "128 B × 1,000".to_owned(),
            metric: Metric::Cost.title().to_owned(),
            contenders: vec![entry("bun", 2000.0), entry("switchboard", 1000.0), Entry::new("axum")],
        };
        let picture = chart(&[&work], "a machine").to_string();
        let whole = WIDTH - 2.0 * MARGIN - NAMES - VALUES;
        for part in [
            format!("class=\"peer\" height=\"{BAR}\" width=\"{whole}\""),
            format!("class=\"ours\" height=\"{BAR}\" width=\"{}\"", whole / 2.0),
            "2.00 µs".to_owned(),
            "failed".to_owned(),
            "a machine".to_owned(),
        ] {
            assert!(picture.contains(&part), "{part} in {picture}");
        }
    }

    #[test]
    fn families() {
        assert_eq!(["fanout-4k-16", "accept", "idle-memory"].map(family), ["fanout", "accept", "idle"]);
    }
}
