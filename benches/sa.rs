//! Instructions of `SaTable::observe`, and of an ESP packet, with few and with very many SAs:
//! `cargo bench --bench sa` (needs valgrind, 1 GB and some minutes).
//!
//! Counts hardly differ between runs, whatever else the machine does: only the keys
//! of the hashes do. The program fills a table under callgrind, once without
//! messages to measure and once with, and divides the difference. A message may take
//! at most half as much again among a million SAs as among a thousand.

mod crowd;

use std::hint::black_box;
use std::process::ExitCode;

use suricata_ikev2::message::{Direction, Transport};
use suricata_ikev2::pipeline::{CapturedPacket, Engines, FlowContext};
use suricata_ikev2::sa::SaTable;

use testkit::callgrind;
use testkit::message::marked;

use crowd::{end, informational, observe, table_of, SUBJECTS, TIME};

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const MEASURED: u64 = 2_000;
const MOST: f64 = 1.5;

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
    let table = table_of(total);
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
fn carry(table: &SaTable, measured: u64) {
    let mut flow = FlowContext::new(Transport::Udp4500);
    let message = marked(informational(0, 1).bytes());
    let engines = Engines { sa_table: Some(table), ..Engines::default() };
    let direction = Direction::ToServer;
    let packet = CapturedPacket { direction, source: end(10), destination: end(20), time: TIME };
    assert!(flow.on_datagram(&engines, &packet, &message).is_some());
    let esp = [0xc0; 1400];
    for _ in 0..measured {
        assert!(flow.on_datagram(&engines, &packet, black_box(&esp)).is_none());
    }
}

fn measure() -> ExitCode {
    if !callgrind::is_there() {
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
    callgrind::instructions(&[subject, &total.to_string()], MEASURED)
}
