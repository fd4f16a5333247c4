//! What was measured, as tables.

use std::fmt::Write as _;
use std::fs;

use crate::run::{Cost, Parser};

/// One set-up and what it cost.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) parser: Parser,
    pub(crate) cost: Cost,
    pub(crate) instructions: Option<f64>,
    /// Bytes of records for one packet.
    pub(crate) records: f64,
}

/// What the cost that a set-up adds is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// With what the built-in parser adds.
    BuiltIn,
    /// With the cost of all the rest.
    None,
}

/// A table of the rows; the first is that without a parser. Seconds are of the whole
/// capture, instructions of one `unit` of it.
pub(crate) fn table(title: &str, unit: &str, against: Against, rows: &[Row]) -> String {
    let share = match against {
        Against::BuiltIn => "of the built-in's",
        Against::None => "of no parser's",
    };
    let mut text = format!(
        "\n### {title}\n\n| set-up | CPU s | adds | {share} | MB | adds | {share} | \
         instructions a {unit} | adds | {share} | bytes of EVE |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for row in rows {
        let _ = write!(text, "| {} ", row.name);
        for (digits, value) in VALUES {
            let values: Option<Vec<_>> = rows.iter().map(value).collect();
            match values.zip(value(row)) {
                Some((all, value)) => cells(&mut text, digits, value, &all, rows, against),
                None => text.push_str("| | | "),
            }
        }
        let _ = writeln!(text, "| {:.0} |", row.records);
    }
    text
}

type Value = fn(&Row) -> Option<f64>;

/// What is compared, with the digits that are shown behind the point.
const VALUES: [(usize, Value); 3] = [
    (2, |row| Some(row.cost.seconds)),
    (0, |row| Some(row.cost.memory as f64 / f64::from(1 << 20))),
    (0, |row| row.instructions),
];

/// The value, what it is above that without a parser, and the share that this is.
fn cells(
    text: &mut String,
    digits: usize,
    value: f64,
    all: &[f64],
    rows: &[Row],
    against: Against,
) {
    let none = all[0];
    let built_in = rows.iter().position(|row| row.parser == Parser::BuiltIn);
    let whole = match against {
        Against::BuiltIn => built_in.map(|place| all[place] - none),
        Against::None => Some(none),
    };
    let added = value - none;
    // No share of what is too little to show.
    let least = 0.5 / 10_f64.powi(digits as i32);
    let share = whole.filter(|whole| *whole >= least).map(|whole| 100.0 * added / whole);
    let share = share.map_or(String::new(), |share| format!("{share:.0} %"));
    let _ = write!(text, "| {value:.digits$} | {added:.digits$} | {share} ");
}

/// The processor, the kernel and the number of cores.
pub(crate) fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |line| line.trim_start_matches(['\t', ':', ' ']));
    let kernel = read("/proc/sys/kernel/osrelease");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}

/// How much else runs: the mean of the last minute.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}
