//! What the plugin costs in the real Suricata: `make bench`.
//!
//! Captures are generated and read with no IKE parser, with the built-in one, with
//! the plugin, and with the plugin and the whole rule pack, in turn and several times.
//! The least of each counts, as what else the machine does only adds. Times are of
//! this machine: compare them with each other only. Instructions hardly differ
//! between machines; callgrind counts them over smaller captures.
//!
//! Then come messages that are made to cost, one table of all: `SHAPES=only` measures them
//! alone, `SHAPES=no` leaves them out.
//!
//! With `UPDATE_DOCS=1` the tables go into `docs/performance.md` too. HANDSHAKES,
//! ESP_MB, RULES and REPETITIONS in the environment make it smaller or larger.

mod handshake;
mod payload_rules;
mod report;
mod run;
mod shapes;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};

use handshake::Handshake;
use report::{table, Against, Row};
use run::{Bench, Parser};
use testkit::project::{project, target};
use testkit::rules::rule_pack;
use testkit::suricata::Suricata;

/// The capture with strongSwan's default offer: 85 transforms in two proposals.
const DEFAULT_OFFER: &str = "esp-port-500.pcap";
/// The capture with one proposal of three transforms.
const ONE_PROPOSAL: &str = "aes-gcm256-ecp384.pcap";

/// How much callgrind reads: handshakes, or tunnels with ESP.
const FEW: u32 = 500;
const FEW_TUNNELS: u32 = 20;
/// How many tunnels are up at a time.
const TUNNELS: u32 = 100;

const DOCS: &str = "docs/performance.md";
const BEGIN: &str = "<!-- written by make bench with UPDATE_DOCS=1 -->\n";
const END: &str = "<!-- end of what make bench has written -->\n";

/// Writes a capture of a size and returns how many packets it has.
type Write = dyn Fn(&Path, Size) -> u64;

/// One capture, and the set-ups that read it.
struct Workload {
    title: String,
    unit: &'static str,
    against: Against,
    write: Box<Write>,
    set_ups: Vec<(&'static str, Parser, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Full,
    Small,
}

fn main() {
    let folder = target().join("bench");
    fs::create_dir_all(&folder).expect("a folder of the build");
    let bench = Bench::new(&folder);
    let mut text = heading();
    print!("{text}");
    let which = std::env::var("SHAPES").unwrap_or_default();
    if which != "no" {
        let shapes = shapes::table(&bench, &folder, &shape_set_ups());
        print!("{shapes}");
        text.push_str(&shapes);
    }
    if which == "only" {
        return;
    }
    for workload in workloads() {
        let table = measure(&bench, &folder, &workload);
        print!("{table}");
        text.push_str(&table);
    }
    text.push('\n');
    if std::env::var_os("UPDATE_DOCS").is_some() {
        update(&text);
    }
}

/// The rules that shapes are measured with.
fn shape_set_ups() -> Vec<(&'static str, String)> {
    let pack = rule_pack();
    let all = format!("\n{pack}").replace("\n# alert ", "\nalert ");
    vec![("no rules", String::new()), ("rule pack", pack), ("all rules", all)]
}

/// A number from the environment.
fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().expect(name))
}

fn heading() -> String {
    let suricata = Suricata::get().describe("-V").expect("a version");
    format!(
        "\n{}; {}; suricata-ikev2 {}; load of the machine before: {}; \
         the least of {} runs each.\n",
        report::machine(),
        suricata.trim().trim_start_matches("This is "),
        env!("CARGO_PKG_VERSION"),
        report::load(),
        repetitions(),
    )
}

fn repetitions() -> u32 {
    setting("REPETITIONS", 3).max(1)
}

fn workloads() -> Vec<Workload> {
    let count = setting("HANDSHAKES", 100_000);
    let megabytes = setting("ESP_MB", 2048);
    let rules = setting("RULES", 1000);
    vec![
        handshakes(format!("{count} handshakes on port 500"), DEFAULT_OFFER, count, false),
        handshakes(format!("{count} handshakes on ports 500 and 4500"), DEFAULT_OFFER, count, true),
        handshakes(
            format!("{count} handshakes on port 500, one proposal offered"),
            ONE_PROPOSAL,
            count,
            false,
        ),
        esp(megabytes, 0),
        esp(megabytes, setting("PAYLOAD_RULES", 5000)),
        ruled(count, rules),
    ]
}

fn set_ups() -> Vec<(&'static str, Parser, String)> {
    vec![
        ("no IKE parser", Parser::None, String::new()),
        ("built-in `ike`", Parser::BuiltIn, String::new()),
        ("plugin", Parser::Plugin, String::new()),
        ("plugin, rule pack", Parser::Plugin, rule_pack()),
    ]
}

fn handshakes(title: String, source: &'static str, count: u32, nat: bool) -> Workload {
    let write = move |path: &Path, size| {
        let count = if size == Size::Full { count } else { FEW.min(count) };
        workload::handshakes(path, &Handshake::of(source), count, nat)
    };
    let (unit, against) = ("message", Against::BuiltIn);
    Workload { title, unit, against, write: Box::new(write), set_ups: set_ups() }
}

/// ESP with so many rules about payloads, for each setting of `encryption-handling`.
fn esp(megabytes: u32, rules: u32) -> Workload {
    let write = move |path: &Path, size| {
        let (bytes, tunnels) = match size {
            Size::Full => (u64::from(megabytes) << 20, TUNNELS),
            Size::Small => (1, FEW_TUNNELS),
        };
        workload::esp(path, &Handshake::of(DEFAULT_OFFER), bytes, tunnels)
    };
    let mut title = format!("{megabytes} MB of ESP in UDP, a handshake each thousand packets");
    let handling = |(name, parser)| (name, parser, payload_rules::payload_rules(rules));
    let mut set_ups: Vec<_> = [
        ("no IKE parser", Parser::None),
        ("built-in `ike`", Parser::BuiltIn),
        ("plugin, `track-only`", Parser::Plugin),
        ("plugin, `bypass`", Parser::Handling("bypass")),
        ("plugin, `full`", Parser::Handling("full")),
    ]
    .into_iter()
    .map(handling)
    .collect();
    match rules {
        0 => set_ups.push(("plugin, rule pack", Parser::Plugin, rule_pack())),
        _ => title.push_str(&format!(", {rules} payload rules")),
    }
    let (unit, against) = ("packet", Against::None);
    Workload { title, unit, against, write: Box::new(write), set_ups }
}

fn ruled(count: u32, rules: u32) -> Workload {
    let set_ups = vec![
        ("no IKE parser, no rules", Parser::None, String::new()),
        ("built-in `ike`, integers", Parser::BuiltIn, workload::built_in_rules(rules)),
        ("plugin, integers", Parser::Plugin, workload::integer_rules(rules)),
        ("plugin, a buffer", Parser::Plugin, workload::buffer_rules(rules)),
    ];
    let title = format!("{count} handshakes on port 500, {rules} rules");
    Workload { set_ups, ..handshakes(title, DEFAULT_OFFER, count, false) }
}

fn measure(bench: &Bench, folder: &Path, workload: &Workload) -> String {
    let capture = folder.join("capture.pcap");
    (workload.write)(&capture, Size::Full);
    let run = |set_up: &(_, Parser, String)| bench.cost(set_up.1, &set_up.2, &capture);
    let mut costs: Vec<_> = workload.set_ups.iter().map(run).collect();
    for _ in 1..repetitions() {
        for (cost, set_up) in costs.iter_mut().zip(&workload.set_ups) {
            *cost = cost.least(run(set_up));
        }
    }
    let small = SmallCapture::write(folder, workload);
    let row = |((name, parser, rules), cost): (&(&str, Parser, String), _)| Row {
        name: (*name).to_owned(),
        parser: *parser,
        cost,
        instructions: small.instructions(bench, *parser, rules),
        records: small.records(bench, *parser, rules),
    };
    let rows: Vec<_> = workload.set_ups.iter().zip(costs).map(row).collect();
    let _ = fs::remove_file(&capture);
    let _ = fs::remove_file(&small.path);
    table(&workload.title, workload.unit, workload.against, &rows)
}

/// The capture that callgrind reads.
struct SmallCapture {
    path: PathBuf,
    packets: u64,
}

impl SmallCapture {
    fn write(folder: &Path, workload: &Workload) -> Self {
        let path = folder.join("small.pcap");
        let packets = (workload.write)(&path, Size::Small);
        Self { path, packets }
    }

    /// The instructions for one packet.
    fn instructions(&self, bench: &Bench, parser: Parser, rules: &str) -> Option<f64> {
        let all = bench.instructions(parser, rules, &self.path)?;
        Some(all as f64 / self.packets as f64)
    }

    /// The bytes of records for one packet.
    fn records(&self, bench: &Bench, parser: Parser, rules: &str) -> f64 {
        bench.records(parser, rules, &self.path) as f64 / self.packets as f64
    }
}

fn update(text: &str) {
    let path = project().join(DOCS);
    let present = fs::read_to_string(&path).expect("the documentation");
    let (before, rest) = present.split_once(BEGIN).expect("a mark");
    let (_, after) = rest.split_once(END).expect("a mark");
    fs::write(&path, format!("{before}{BEGIN}{text}{END}{after}")).expect("a writable file");
}
