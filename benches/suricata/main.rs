//! What the plugin costs in the real Suricata: `make bench`.
//!
//! Captures are generated and read in several set-ups, in turn and several times: no IKE
//! parser, the built-in one, the plugin with and without rules, and with other settings.
//! The least of each counts, as what else the machine does only adds. Times are of
//! this machine: compare them with each other only. Instructions hardly differ
//! between machines; callgrind counts them over smaller captures.
//!
//! Then come messages that are made to cost, one table of all: `SHAPES=only` measures them
//! alone, `SHAPES=no` leaves them out.
//!
//! With `UPDATE_DOCS=1` the tables go into `docs/performance.md` too. HANDSHAKES,
//! ESP_MB, TUNNELS, MINUTES, RULES, PAYLOAD_RULES, COUNTED and REPETITIONS in the environment make it
//! smaller or larger. `TIMES=no` counts only instructions and records, for a machine with
//! other work. WORKLOAD is a word of the titles of those that are measured; the documentation
//! stays as it is then.

mod handshake;
mod payload_rules;
mod report;
mod run;
mod set_up;
mod shapes;
mod shuffle;
mod tunnels;
mod workload;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use handshake::Handshake;
use report::{table, Against, Row};
use run::{Bench, Cost};
use set_up::SetUp;
use testkit::project::{project, target};
use testkit::rules::rule_pack;
use testkit::suricata::Suricata;

/// The capture with strongSwan's default offer: 85 transforms in two proposals.
const DEFAULT_OFFER: &str = "esp-port-500.pcap";
/// The capture with one proposal of three transforms.
const ONE_PROPOSAL: &str = "aes-gcm256-ecp384.pcap";

/// How many tunnels callgrind reads: with ESP, and those that are up for some time.
const FEW_TUNNELS: u32 = 20;
const FEW_QUIET_TUNNELS: u32 = 5;
/// How many tunnels with ESP are up at a time.
const TUNNELS: u32 = 100;

const DOCS: &str = "docs/performance.md";
const BEGIN: &str = "<!-- written by make bench with UPDATE_DOCS=1 -->\n";
const END: &str = "<!-- end of what make bench has written -->\n";

/// Writes a capture of a size and returns how many packets or other units it has.
type Write = dyn Fn(&Path, Size) -> u64;

/// One capture, and the set-ups that read it.
struct Workload {
    title: String,
    unit: &'static str,
    against: Against,
    write: Box<Write>,
    set_ups: Vec<SetUp>,
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
    let word = std::env::var("WORKLOAD").unwrap_or_default();
    for workload in workloads().iter().filter(|workload| workload.title.contains(&word)) {
        let table = measure(&bench, &folder, workload);
        print!("{table}");
        text.push_str(&table);
    }
    text.push('\n');
    if word.is_empty() && std::env::var_os("UPDATE_DOCS").is_some() {
        update(&text);
    }
}

/// The rules that shapes are measured with.
fn shape_set_ups() -> Vec<SetUp> {
    let pack = rule_pack();
    let all = format!("\n{pack}").replace("\n# alert ", "\nalert ");
    [("no rules", String::new()), ("rule pack", pack), ("all rules", all)]
        .map(|(name, rules)| SetUp::ruled(name, rules))
        .into()
}

/// A number from the environment.
fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().expect(name))
}

/// Whether seconds and memory are measured too.
fn times() -> bool {
    std::env::var("TIMES").map_or(true, |value| value != "no")
}

fn heading() -> String {
    let suricata = Suricata::get().describe("-V").expect("a version");
    let mut text = format!(
        "\n{}; {}; suricata-ikev2 {}. Instructions and records are of {} handshakes, {} \
         tunnels or {} thousand packets of ESP.\n",
        report::machine(),
        suricata.trim().trim_start_matches("This is "),
        env!("CARGO_PKG_VERSION"),
        counted(),
        FEW_QUIET_TUNNELS,
        FEW_TUNNELS,
    );
    if times() {
        let _ = writeln!(
            text,
            "CPU seconds and memory are of {} handshakes, {} tunnels or {} MB of ESP, the least of \
             {} runs each; load of the machine before: {}.",
            handshakes(),
            quiet_tunnels(),
            megabytes(),
            repetitions(),
            report::load(),
        );
    }
    text
}

/// How many handshakes seconds and memory are of.
fn handshakes() -> u32 {
    setting("HANDSHAKES", 100_000)
}

/// How many handshakes instructions are of.
fn counted() -> u32 {
    setting("COUNTED", 500)
}

/// How many tunnels seconds and memory are of.
fn quiet_tunnels() -> u32 {
    setting("TUNNELS", 500)
}

/// How much ESP seconds and memory are of.
fn megabytes() -> u32 {
    setting("ESP_MB", 2048)
}

fn repetitions() -> u32 {
    setting("REPETITIONS", 3).max(1)
}

fn workloads() -> Vec<Workload> {
    let payload_rules = setting("PAYLOAD_RULES", 5000);
    let default = Handshakes { source: DEFAULT_OFFER, nat: false, shuffled: false };
    vec![
        default.workload("Handshakes on port 500"),
        Handshakes { nat: true, ..default }.workload("Handshakes on ports 500 and 4500"),
        Handshakes { source: ONE_PROPOSAL, ..default }
            .workload("Handshakes on port 500, one proposal offered"),
        Handshakes { shuffled: true, ..default }
            .workload("Handshakes on port 500, no offer comes twice"),
        tunnels(setting("MINUTES", 60)),
        esp("ESP in UDP, a handshake each thousand packets", set_up::of_esp(integer_rules())),
        esp(
            &format!("ESP in UDP, {payload_rules} rules about payloads"),
            set_up::of_esp_with(&payload_rules::payload_rules(payload_rules)),
        ),
    ]
}

/// How many rules each set-up with rules about integers has.
fn integer_rules() -> u32 {
    setting("RULES", 1000)
}

/// Copies of a handshake.
#[derive(Clone, Copy)]
struct Handshakes {
    source: &'static str,
    /// Whether IKE_AUTH is on port 4500.
    nat: bool,
    /// Whether each offer is another one.
    shuffled: bool,
}

impl Handshakes {
    fn workload(self, title: &str) -> Workload {
        let write = move |path: &Path, size| {
            let count = if size == Size::Full { handshakes() } else { counted() };
            workload::handshakes(path, &self.handshake(), count, self.nat)
        };
        Workload {
            title: title.to_owned(),
            unit: "message",
            against: Against::BuiltIn,
            write: Box::new(write),
            set_ups: set_up::of_messages(integer_rules()),
        }
    }

    fn handshake(self) -> Handshake {
        let handshake = Handshake::of(self.source);
        if self.shuffled {
            handshake.shuffled()
        } else {
            handshake
        }
    }
}

fn tunnels(minutes: u32) -> Workload {
    let write = move |path: &Path, size| {
        let count = if size == Size::Full { quiet_tunnels() } else { FEW_QUIET_TUNNELS };
        tunnels::tunnels(path, &Handshake::of(DEFAULT_OFFER), count, minutes)
    };
    Workload {
        title: format!("Tunnels for {minutes} minutes, a liveness check each 30 seconds"),
        unit: "tunnel",
        against: Against::BuiltIn,
        write: Box::new(write),
        set_ups: set_up::of_tunnels(integer_rules()),
    }
}

fn esp(title: &str, set_ups: Vec<SetUp>) -> Workload {
    let write = move |path: &Path, size| {
        let (bytes, tunnels) = match size {
            Size::Full => (u64::from(megabytes()) << 20, TUNNELS),
            Size::Small => (1, FEW_TUNNELS),
        };
        workload::esp(path, &Handshake::of(DEFAULT_OFFER), bytes, tunnels)
    };
    Workload {
        title: title.to_owned(),
        unit: "packet",
        against: Against::None,
        write: Box::new(write),
        set_ups,
    }
}

fn measure(bench: &Bench, folder: &Path, workload: &Workload) -> String {
    let costs = if times() {
        costs(bench, folder, workload).into_iter().map(Some).collect()
    } else {
        vec![None; workload.set_ups.len()]
    };
    let small = SmallCapture::write(folder, workload);
    let rows = workload.set_ups.iter().zip(costs);
    let rows: Vec<_> = rows.map(|(set_up, cost)| small.row(bench, set_up, cost)).collect();
    let _ = fs::remove_file(&small.path);
    table(&workload.title, workload.unit, workload.against, &rows)
}

/// What each set-up costs, the least of several runs.
fn costs(bench: &Bench, folder: &Path, workload: &Workload) -> Vec<Cost> {
    let capture = folder.join("capture.pcap");
    (workload.write)(&capture, Size::Full);
    let run = |set_up: &SetUp| bench.cost(set_up, &capture);
    let mut costs: Vec<_> = workload.set_ups.iter().map(run).collect();
    for _ in 1..repetitions() {
        for (cost, set_up) in costs.iter_mut().zip(&workload.set_ups) {
            *cost = cost.least(run(set_up));
        }
    }
    let _ = fs::remove_file(&capture);
    costs
}

/// The capture that callgrind reads.
struct SmallCapture {
    path: PathBuf,
    /// How many packets or tunnels it has.
    units: u64,
}

impl SmallCapture {
    fn write(folder: &Path, workload: &Workload) -> Self {
        let path = folder.join("small.pcap");
        let units = (workload.write)(&path, Size::Small);
        Self { path, units }
    }

    /// A set-up with what it takes for one unit.
    fn row(&self, bench: &Bench, set_up: &SetUp, cost: Option<Cost>) -> Row {
        let one = |all: u64| all as f64 / self.units as f64;
        let records = bench.records(set_up, &self.path);
        Row {
            name: set_up.name.clone(),
            parser: set_up.parser,
            integers: set_up.integers,
            cost,
            instructions: bench.instructions(set_up, &self.path).map(one),
            bytes: one(records.bytes),
            records: one(records.count),
        }
    }
}

fn update(text: &str) {
    let path = project().join(DOCS);
    let present = fs::read_to_string(&path).expect("the documentation");
    let (before, rest) = present.split_once(BEGIN).expect("a mark");
    let (_, after) = rest.split_once(END).expect("a mark");
    fs::write(&path, format!("{before}{BEGIN}{text}{END}{after}")).expect("a writable file");
}
