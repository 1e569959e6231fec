//! The results as tables.

use std::fmt::Write;

use clap::ValueEnum;

use super::contender::Contender;
use super::results::{Entry, Results, WorkResult};
use super::statistics::Spread;
use super::work::{Metric, Target, Work};

/// Beyond this part of a core, the generator may be what is measured.
const BUSY_GENERATOR: f64 = 0.6;

/// Our hosts, each with the contenders that it is compared with.
const PAIRS: [(Contender, Contender); 2] =
    [(Contender::Switchboard, Contender::Bun), (Contender::SwitchboardVite, Contender::Ws)];

/// One work: everyone's median, spread, and ratios to the references.
pub(super) fn work(result: &WorkResult, metric: Metric) -> String {
    let mut rows = vec![
        ["", "median", "least–most", "of bun", "of ws", "server", "generator"].map(str::to_owned).to_vec(),
    ];
    let references = PAIRS.map(|(_, reference)| result.median(reference));
    let mut notes = String::new();
    for entry in &result.contenders {
        rows.push(row(entry, metric, references));
        if let Some(error) = &entry.error {
            let _ = writeln!(notes, "  {}: {error}", entry.contender);
        }
        let load = entry.generator_load.map_or(0.0, |load| load.median);
        if metric == Metric::Cost && load > BUSY_GENERATOR {
            let _ = writeln!(
                notes,
                "  {}: the generator was busy for {:.0} % of the time",
                entry.contender,
                load * 100.0
            );
        }
    }
    format!("{}: {}, {}\n{}{notes}", result.name, result.title, result.metric, columns(&rows))
}

fn row(entry: &Entry, metric: Metric, references: [Option<f64>; 2]) -> Vec<String> {
    let Some(value) = entry.value else {
        return vec![entry.contender.clone(), "failed".to_owned()];
    };
    let ratio =
        |reference: Option<f64>| reference.map_or_else(String::new, |it| format!("{:.3}", value.median / it));
    let percent = |load: f64| format!("{:.0} %", load * 100.0);
    let failed = if entry.error.is_some() { " (then failed)" } else { "" };
    vec![
        entry.contender.clone(),
        format!("{}{failed}", metric.show(value.median)),
        format!("{}–{}", metric.show(value.least), metric.show(value.most)),
        ratio(references[0]),
        ratio(references[1]),
        entry.server_load.map_or_else(String::new, |load| percent(load.median)),
        entry.generator_load.map_or_else(String::new, |load| percent(load.median)),
    ]
}

/// The families in which everything should cost the same, whatever the number in the name.
const FLAT: [&str; 3] = ["growth", "rooms", "routes"];

/// How much dearer, or cheaper, the last of such a family is than the first, the dearest than the cheapest, and the last
/// beyond what the kernel costs: the raw epoll control has next to nothing else.
pub(super) fn growth(results: &Results, works: &[Work]) -> String {
    let mut text = String::new();
    for family in FLAT {
        let results: Vec<&WorkResult> = works
            .iter()
            .filter(|work| work.is_meant(family))
            .filter_map(|work| results.work(work.name))
            .collect();
        let [first, .., last] = results[..] else { continue };
        let ends = format!("{} : {}", last.name, first.name);
        let heads = [family, &ends, "most : least", "beyond raw-epoll"].map(str::to_owned);
        let mut rows = vec![heads.to_vec()];
        let grown = |who: Contender| Some(last.median(who)? / first.median(who)?);
        let kernel = grown(Contender::RawEpoll);
        for contender in Contender::value_variants() {
            let medians = results.iter().filter_map(|result| result.median(*contender));
            if let (Some(grown), Some(spread)) = (grown(*contender), Spread::of(medians)) {
                let beyond = kernel.map_or_else(String::new, |kernel| format!("{:.2}", grown / kernel));
                rows.push(vec![
                    contender.name().to_owned(),
                    format!("{grown:.2}"),
                    format!("{:.2}", spread.most / spread.least),
                    beyond,
                ]);
            }
        }
        let _ = writeln!(text, "{}", columns(&rows));
    }
    text
}

/// How much more CPU time a message may cost because a function in JavaScript gets it, in ns.
const FUNCTION: f64 = 5000.0;

/// What a client's message costs more when a function of the native server gets it instead of a dialect.
pub(super) fn functions(results: &Results, works: &[Work]) -> String {
    let heads = ["function", "dialect", "function", "more a message", "target", ""];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for work in works.iter().filter(|work| work.is_meant("function")) {
        let Some(result) = results.work(work.name) else { continue };
        let median = |who| result.median(who);
        let (Some(plain), Some(function)) =
            (median(Contender::Switchboard), median(Contender::SwitchboardScript))
        else {
            continue;
        };
        let more = (function - plain) * work.receivers() as f64;
        let show = |value: f64| work.metric.show(value);
        let target = Target::Within(FUNCTION);
        let met = if target.is_met(more, None) == Some(true) { "met" } else { "MISSED" };
        let cells = [show(plain), show(function), show(more), target.show(work.metric), met.to_owned()];
        rows.push([vec![work.name.to_owned()], cells.to_vec()].concat());
    }
    if rows.len() == 1 { String::new() } else { columns(&rows) }
}

/// Every target, and whether it is met.
pub(super) fn targets(results: &Results, works: &[Work]) -> String {
    let heads = ["", "native", "of bun", "target", "", "plugin", "of ws", "target", ""];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for work in works.iter().filter(|work| work.targets.iter().any(Option::is_some)) {
        let Some(result) = results.work(work.name) else { continue };
        let mut row = vec![work.name.to_owned()];
        for ((ours, reference), target) in PAIRS.into_iter().zip(work.targets) {
            row.extend(target_cells(result.median(ours), result.median(reference), target, work.metric));
        }
        rows.push(row);
    }
    columns(&rows)
}

fn target_cells(
    ours: Option<f64>,
    reference: Option<f64>,
    target: Option<Target>,
    metric: Metric,
) -> [String; 4] {
    let show = |value: f64| metric.show(value);
    let ratio = ours.zip(reference).map_or_else(|| "–".to_owned(), |(ours, it)| format!("{:.3}", ours / it));
    let met = target.zip(ours).and_then(|(target, ours)| target.is_met(ours, reference));
    let met = match met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "–",
    };
    let target = target.map_or_else(|| "–".to_owned(), |target| target.show(metric));
    [ours.map_or_else(|| "–".to_owned(), show), ratio, target, met.to_owned()]
}

/// Cells under each other; the first column to the left, the others to the right.
fn columns(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            let _ =
                if column == 0 { write!(line, "  {cell:width$}") } else { write!(line, "  {cell:>width$}") };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(contender: Contender, value: f64, generator: f64) -> Entry {
        let spread = |value| Some(Spread { median: value, least: value, most: value });
        Entry {
            value: spread(value),
            server_load: spread(0.9),
            generator_load: spread(generator),
            ..Entry::new(contender.name())
        }
    }

    fn result(contenders: Vec<Entry>) -> WorkResult {
        let [name, title, metric] = ["fanout-128-1", "a title", "a metric"].map(str::to_owned);
        WorkResult { name, title, metric, contenders }
    }

    #[test]
    fn ratios_failures_and_a_busy_generator_are_told() {
        let mut lost = Entry::new("axum");
        lost.error = Some("7 of 8 messages arrived".to_owned());
        let result = result(vec![
            entry(Contender::Bun, 2000.0, 0.2),
            entry(Contender::Switchboard, 1500.0, 0.7),
            lost,
        ]);
        let text = work(&result, Metric::Cost);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "fanout-128-1: a title, a metric");
        assert_eq!(lines[3], "  switchboard  1.50 µs  1.50 µs–1.50 µs   0.750           90 %       70 %");
        assert_eq!(lines[4], "  axum          failed");
        assert_eq!(lines[5], "  switchboard: the generator was busy for 70 % of the time");
        assert_eq!(lines[6], "  axum: 7 of 8 messages arrived");
    }

    #[test]
    fn a_target_is_met_missed_or_unknown() {
        let cells = |ours, reference| target_cells(ours, reference, Some(Target::AtMost(0.8)), Metric::Cost);
        assert_eq!(cells(Some(700.0), Some(1000.0)), ["700 ns", "0.700", "≤ 0.80", "met"]);
        assert_eq!(cells(Some(900.0), Some(1000.0))[3], "MISSED");
        assert_eq!(cells(Some(900.0), None), ["900 ns", "–", "≤ 0.80", "–"]);
        assert_eq!(cells(None, None)[0], "–");
    }
}
