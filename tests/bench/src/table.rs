//! The report: the table, the growth with the number of plugins, and the targets.

use crate::design::Design;
use crate::phase::Phase;
use crate::record::Row;
use crate::target;

/// The notes below every report.
const NOTES: &str = "\
G, M: thousands of millions, and millions, of instructions of rustc on the leaf crate alone (valgrind; linker not
  included), dependencies built, not incremental. x: times the figure of `hand`.
start+close: the best of ten rounds of fifty, median of several runs. KiB: the stripped release binary.
shaku and nject have no lifecycle: their plugins are only made and dropped, without init, time-outs, rollback or close.
  So only the wiring is compared; nject holds its shared instances in cells that the program declares by hand.
  shaku is not measured above 200 plugins, where rustc takes minutes and more.
";

/// The whole report.
pub fn report(rows: &[Row]) -> String {
    [main_table(rows), growth(rows), targets(rows), NOTES.to_owned()].join("\n")
}

/// One line for each size and design.
fn main_table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:>7}  {:<12}{:>9}{:>7}{:>10}{:>7}{:>12}{:>7}{:>14}{:>7}{:>8}\n",
        "plugins", "design", "check G", "x", "debug G", "x", "release G", "x", "start+close", "x", "KiB"
    );
    let mut plugins = 0;
    for row in rows {
        if plugins != 0 && plugins != row.plugins {
            text += "\n";
        }
        plugins = row.plugins;
        let hand = find(rows, plugins, Design::Hand);
        text += &format!("{plugins:>7}  {:<12}", row.design.name());
        for (phase, width) in Phase::ALL.into_iter().zip([9, 10, 12]) {
            let figure = |row: &Row| row.instructions(phase).map(|n| n as f64);
            text += &cell(figure(row).map(|n| n / 1e9), width, 2, "");
            text += &cell(hand.and_then(|hand| ratio(row, hand, figure)), 7, 2, "");
        }
        text += &cell(row.start_close, 14, 1, " us");
        text += &cell(hand.and_then(|hand| ratio(row, hand, |row| row.start_close)), 7, 2, "");
        text += &cell(row.binary.map(|bytes| bytes as f64 / 1024.0), 8, 0, "");
        text += if row.failed { "  FAILED\n" } else { "\n" };
    }
    text
}

/// Shows whether the compiler's work grows linearly: for each design and phase, the instructions per plugin at the
/// smallest size from 50 up and at the largest, and the cost of one more plugin between adjacent sizes.
fn growth(rows: &[Row]) -> String {
    let mut text = String::from("growth, in M per plugin (one more plugin):\n");
    for design in Design::ALL {
        for phase in Phase::ALL {
            let measured = rows
                .iter()
                .filter(|row| row.design == design && row.plugins >= target::FROM)
                .filter_map(|row| Some((row.plugins as f64, row.instructions(phase)? as f64 / 1e6)));
            let points: Vec<(f64, f64)> = measured.collect();
            let [first, .., last] = points[..] else {
                continue;
            };
            let ratio = (last.1 / last.0) / (first.1 / first.0);
            let verdict = match ratio <= target::LINEAR {
                true => "linear",
                false => "MORE THAN LINEAR",
            };
            let steps = points.windows(2).map(|pair| {
                let more = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
                format!("{}-{}: {more:.1}", pair[0].0, pair[1].0)
            });
            text += &format!(
                "  {:<20}{:.1} at {}, {:.1} at {}: {ratio:.2} x, {verdict}  ({})\n",
                format!("{} {}", design.name(), phase.name()),
                first.1 / first.0,
                first.0,
                last.1 / last.0,
                last.0,
                steps.collect::<Vec<_>>().join(", ")
            );
        }
    }
    if text.lines().count() == 1 {
        text += &format!("  needs two sizes from {} up\n", target::FROM);
    }
    text
}

/// All targets, with the measured figures.
fn targets(rows: &[Row]) -> String {
    let mut text = String::new();
    for target in target::TARGETS {
        text += &format!("target: {} of {} <= {} x hand: ", target.what, target.design.name(), target.most);
        let found: Vec<(usize, f64)> = rows
            .iter()
            .filter(|row| row.design == target.design && target.sizes.contains(&row.plugins))
            .filter_map(|row| Some((row.plugins, ratio(row, find(rows, row.plugins, Design::Hand)?, target.figure)?)))
            .collect();
        let verdicts = found.iter().map(|(plugins, ratio)| {
            let verdict = if *ratio <= target.most { "MET" } else { "MISSED" };
            format!("{verdict} at {plugins} ({ratio:.2})")
        });
        text += &match found.len() {
            0 => "not measured".to_owned(),
            _ => verdicts.collect::<Vec<_>>().join(", "),
        };
        text += "\n";
    }
    text
}

/// The row of a size and design.
fn find(rows: &[Row], plugins: usize, design: Design) -> Option<&Row> {
    rows.iter().find(|row| row.plugins == plugins && row.design == design)
}

/// The ratio of a row's figure to the baseline's.
fn ratio(row: &Row, hand: &Row, figure: impl Fn(&Row) -> Option<f64>) -> Option<f64> {
    Some(figure(row)? / figure(hand)?)
}

/// A number, or a dash.
fn cell(number: Option<f64>, width: usize, digits: usize, unit: &str) -> String {
    let text = number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}{unit}"));
    format!("{text:>width$}")
}

#[cfg(test)]
mod tests {
    use super::report;
    use crate::design::Design;
    use crate::record::Row;

    fn row(plugins: usize, design: Design, check: u64, start_close: f64) -> Row {
        let mut row = Row::new(plugins, design);
        row.check = Some(check * 1_000_000);
        row.start_close = Some(start_close);
        row
    }

    #[test]
    fn ratios_growth_and_verdicts() {
        let rows = [
            row(50, Design::Hand, 1000, 10.0),
            row(50, Design::Ours, 1200, 15.0),
            row(100, Design::Hand, 2000, 20.0),
            row(100, Design::Ours, 2800, 50.0),
        ];
        let text = report(&rows);
        for part in [
            "50  ours             1.20   1.20",
            "ours check          24.0 at 50, 28.0 at 100: 1.17 x, MORE THAN LINEAR  (50-100: 32.0)",
            "hand check          20.0 at 50, 20.0 at 100: 1.00 x, linear  (50-100: 20.0)",
            "check of ours <= 1.3 x hand: MET at 50 (1.20), MISSED at 100 (1.40)",
            "start+close of ours <= 2 x hand: MISSED at 100 (2.50)",
            "debug of ours <= 1.5 x hand: not measured",
        ] {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
    }
}
