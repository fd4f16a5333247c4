//! What was measured, as tables.

use std::fmt::Write as _;
use std::fs;

use crate::run::Cost;
use crate::set_up::Parser;

/// One set-up and what it cost.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) parser: Parser,
    /// Whether it is compared with the built-in parser with as many rules.
    pub(crate) integers: bool,
    /// None if only instructions are counted.
    pub(crate) cost: Option<Cost>,
    pub(crate) instructions: Option<f64>,
    /// Bytes of records for one unit.
    pub(crate) bytes: f64,
    /// Records for one unit.
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

/// What is compared.
struct Column {
    title: String,
    /// How many digits are shown behind the point.
    digits: usize,
    value: fn(&Row) -> Option<f64>,
}

/// A table of the rows; the first is that without a parser. Seconds and memory are of the
/// whole capture, instructions and records of one `unit` of it.
pub(crate) fn table(title: &str, unit: &str, against: Against, rows: &[Row]) -> String {
    let share = match against {
        Against::BuiltIn => "of the built-in's",
        Against::None => "of no parser's",
    };
    let columns = columns(unit, rows);
    let mut text = format!("\n### {title}\n\n| set-up |");
    for column in &columns {
        let _ = write!(text, " {} | adds | {share} |", column.title);
    }
    let _ = write!(text, " bytes of EVE | records |\n|---|");
    let _ = writeln!(text, "{}--:|--:|", "--:|--:|--:|".repeat(columns.len()));
    for row in rows {
        let _ = write!(text, "| {} ", row.name);
        for column in &columns {
            cells(&mut text, column, row, rows, against);
        }
        let _ = writeln!(text, "| {:.0} | {:.2} |", row.bytes, row.records);
    }
    text
}

/// Those that were measured.
fn columns(unit: &str, rows: &[Row]) -> Vec<Column> {
    let column = |title: &str, digits, value| Column { title: title.to_owned(), digits, value };
    let mut columns = vec![
        column("CPU s", 2, |row| Some(row.cost?.seconds)),
        column("MB", 0, |row| Some(row.cost?.memory as f64 / f64::from(1 << 20))),
        column(&format!("instructions a {unit}"), 0, |row| row.instructions),
    ];
    columns.retain(|column| rows.iter().all(|row| (column.value)(row).is_some()));
    columns
}

/// The value, what it is above that without a parser, and the share that this is.
fn cells(text: &mut String, column: &Column, row: &Row, rows: &[Row], against: Against) {
    let of = |row| (column.value)(row).expect("a column that was measured");
    let none = of(&rows[0]);
    let reference =
        |other: &&Row| other.parser == Parser::BuiltIn && other.integers == row.integers;
    let whole = match against {
        Against::BuiltIn => rows.iter().find(reference).map(|built_in| of(built_in) - none),
        Against::None => Some(none),
    };
    let (digits, value) = (column.digits, of(row));
    let added = value - none;
    // No share of what is too little to show.
    let least = 0.5 / 10_f64.powi(digits as i32);
    let share = whole.filter(|whole| *whole >= least).map(|whole| 100.0 * added / whole);
    // Adding zero to a rounded -0 makes it 0.
    let share = share.map_or(String::new(), |share| format!("{:.0} %", share.round() + 0.0));
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
