//! Instructions of `Table::observe`, and of an ESP packet, with few and with very many SAs:
//! `cargo bench --bench sa` (needs valgrind, 1 GB and some minutes).
//!
//! Counts hardly differ between runs, whatever else the machine does: only the keys
//! of the hashes do. The program fills a table under callgrind, once without
//! messages to measure and once with, and divides the difference. A message may take
//! at most half as much again among a million SAs as among a thousand.

use std::hint::black_box;
use std::net::IpAddr;
use std::process::{Command, ExitCode};

use suricata_ikev2::pipeline::{on_datagram, track, track_other, FlowContext};
use suricata_ikev2::sa::{Endpoint, Limits, Observation, Table};
use suricata_ikev2::tx::{Direction, Transaction, Transport};

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const MEASURED: u64 = 2_000;
/// When every message is seen.
const TIME: u64 = 1_700_000_000_000_000;
const MOST: f64 = 1.5;

type Subject = (&'static str, fn(u64, u64) -> Transaction);

/// What is measured, by name: the message number `n`, with `total` SAs in the table.
const SUBJECTS: &[Subject] = &[
    // Spread over all SAs, so that no record is warm.
    ("known SA", |n, total| informational(n * (total / FEW) % total, 1 + (n / FEW) as u32)),
    ("new SA", |n, total| sa_init(total + n)),
];

/// The name of the other measurement: ESP packets of one SA's flow.
const ESP: &str = "ESP packet";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[1..] {
        [command, subject, total, measured] if command == "run" => {
            run(subject, number(total), number(measured));
            ExitCode::SUCCESS
        }
        _ => measure(),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn run(subject: &str, total: u64, measured: u64) {
    let table = Table::new(Limits { memcap: 1 << 30, ..Limits::default() });
    for spi in 0..total {
        observe(&table, &informational(spi, 0));
    }
    assert_eq!(table.counters().active, total);
    if subject == ESP {
        return carry(&table, measured);
    }
    let (_, message) = SUBJECTS.iter().find(|(name, _)| *name == subject).expect("a subject");
    let messages: Vec<_> = (0..MEASURED).map(|n| message(n, total)).collect();
    for message in &messages[..measured as usize] {
        observe(&table, message);
    }
}

/// ESP behind a message of a known SA, what is handed over to the table included.
fn carry(table: &Table, measured: u64) {
    let end = |last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 4500 };
    let mut flow = FlowContext::new(Transport::Udp4500);
    let message = [&[0; 4], informational(0, 1).message()].concat();
    let mut tx = on_datagram(&mut flow, Direction::ToServer, &message).expect("a message");
    track(&mut flow, &mut tx, table, end(10), end(20), TIME);
    let packet = [0xc0; 1400];
    for _ in 0..measured {
        let found = on_datagram(&mut flow, Direction::ToServer, black_box(&packet));
        assert!(found.is_none());
        track_other(&mut flow, Direction::ToServer, &packet, table);
    }
}

fn observe(table: &Table, tx: &Transaction) {
    let end = |last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 4500 };
    let observation = Observation { tx, from: end(10), to: end(20), time: TIME };
    black_box(table.observe(black_box(&observation)));
}

/// A request of the initiator in an SA that is in use.
fn informational(spi: u64, id: u32) -> Transaction {
    let mut bytes = header(spi, !spi, [46, 0x20, 37, 0x08], id);
    bytes.extend([42, 0, 0, 36]);
    bytes.extend([id as u8; 32]);
    message(bytes)
}

/// The request of a new SA: KE, nonce, two notifies.
fn sa_init(spi: u64) -> Transaction {
    let mut bytes = header(spi, 0, [34, 0x20, 34, 0x08], 0);
    bytes.extend([40, 0, 0, 40, 0, 31, 0, 0]);
    bytes.extend([1; 32]);
    bytes.extend([41, 0, 0, 36]);
    bytes.extend([2; 32]);
    bytes.extend([41, 0, 0, 28, 0, 0, 0x40, 4]);
    bytes.extend([3; 20]);
    bytes.extend([0, 0, 0, 28, 0, 0, 0x40, 5]);
    bytes.extend([4; 20]);
    message(bytes)
}

fn header(init_spi: u64, resp_spi: u64, fields: [u8; 4], id: u32) -> Vec<u8> {
    // No initiator's SPI is zero.
    let mut bytes = (init_spi + 1).to_be_bytes().to_vec();
    bytes.extend(resp_spi.to_be_bytes());
    bytes.extend(fields);
    bytes.extend(id.to_be_bytes());
    bytes.extend([0; 4]);
    bytes
}

fn message(mut bytes: Vec<u8>) -> Transaction {
    let length = bytes.len() as u32;
    bytes[24..28].copy_from_slice(&length.to_be_bytes());
    let mut flow = FlowContext::new(Transport::Udp500);
    on_datagram(&mut flow, Direction::ToServer, &bytes).expect("a message")
}

fn measure() -> ExitCode {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: valgrind is not installed");
        return ExitCode::SUCCESS;
    }
    let mut within = true;
    println!("{:<10} {:>12} {:>14} {:>6}", "message", "1,000 SAs", "1,000,000 SAs", "ratio");
    for subject in SUBJECTS.iter().map(|(name, _)| *name).chain([ESP]) {
        let [few, many] = [FEW, MANY].map(|total| instructions(subject, total));
        let ratio = many as f64 / few as f64;
        println!("{subject:<10} {few:>12} {many:>14} {ratio:>6.2}");
        within &= ratio <= MOST;
    }
    if within {
        return ExitCode::SUCCESS;
    }
    eprintln!("more than {MOST} times as much");
    ExitCode::FAILURE
}

fn instructions(subject: &str, total: u64) -> u64 {
    let [none, all] = [0, MEASURED].map(|measured| collected(subject, total, measured));
    all.saturating_sub(none) / MEASURED
}

fn collected(subject: &str, total: u64, measured: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["run", subject, &total.to_string(), &measured.to_string()])
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected :")).expect("callgrind's count");
    number(line.rsplit(' ').next().expect("a count"))
}
