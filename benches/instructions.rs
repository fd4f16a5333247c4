//! Instructions a message: `cargo bench --bench instructions` (needs valgrind).
//!
//! Counts are the same on every run, whatever else the machine does. The program
//! runs itself under callgrind, once for no message and once for many, and
//! divides the difference.

#[path = "../tests/support/capture.rs"]
mod capture;

use std::hint::black_box;
use std::process::Command;

use capture::{datagrams, datagrams_of, Datagram};
use suricata_ikev2::pipeline::{on_datagram, FlowContext};
use suricata_ikev2::tx::Direction;
use suricata_ikev2::wire::{classify, detect, Carrier, Datagram as Kind, Message, Proposals};
use suricata_ikev2::wire::{ExchangeType, PayloadType};

const REPETITIONS: u64 = 1000;

type Subject = (&'static str, fn(&Datagram));

/// What is measured, by name.
const SUBJECTS: &[Subject] = &[
    ("detection", |datagram| {
        black_box(detect(&datagram.data));
    }),
    ("parsing", parse),
    ("pipeline", |datagram| {
        let mut flow = FlowContext::new(datagram.transport);
        black_box(on_datagram(&mut flow, Direction::ToServer, &datagram.data));
    }),
];

/// Walks header, payloads, proposals, transforms and their attributes.
fn parse(datagram: &Datagram) {
    let Kind::Message { bytes, .. } = classify(&datagram.data, Carrier::default()) else { return };
    let Ok(message) = Message::parse(bytes) else { return };
    for payload in message.payloads().flatten() {
        if payload.kind != PayloadType::SA {
            black_box(payload);
            continue;
        }
        for proposal in Proposals::new(payload.body, payload.body_offset()).flatten() {
            proposal.transforms().flatten().for_each(|transform| {
                black_box(transform);
            });
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[1..] {
        [command, subject, place, times] if command == "run" => run(subject, place, times),
        _ => measure(),
    }
}

fn run(subject: &str, place: &str, times: &str) {
    let (capture, _) = place.split_once(',').expect("a capture and a packet of it");
    let datagrams = datagrams_of(capture);
    let datagram = datagrams.iter().find(|datagram| datagram.place == place).expect("a message");
    let (_, work) = SUBJECTS.iter().find(|(name, _)| *name == subject).expect("a subject");
    for _ in 0..times.parse::<u64>().expect("a number") {
        work(black_box(datagram));
    }
}

fn measure() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: valgrind is not installed");
        return;
    }
    println!(
        "{:<45} {:>6} {:>10} {:>10} {:>10}",
        "message", "bytes", "detection", "parsing", "pipeline"
    );
    for (label, datagram) in samples() {
        let counts: Vec<_> =
            SUBJECTS.iter().map(|(subject, _)| instructions(subject, &datagram.place)).collect();
        println!(
            "{:<45} {:>6} {:>10} {:>10} {:>10}",
            format!("{label} ({})", datagram.place),
            datagram.data.len(),
            counts[0],
            counts[1],
            counts[2]
        );
    }
}

/// The first message of each exchange type and direction in the captures.
fn samples() -> Vec<(String, Datagram)> {
    let mut samples: Vec<(String, Datagram)> = Vec::new();
    for datagram in datagrams() {
        let mut flow = FlowContext::new(datagram.transport);
        let tx = on_datagram(&mut flow, Direction::ToServer, &datagram.data);
        let Some(header) = tx.and_then(|tx| tx.header) else { continue };
        let direction = if header.flags.response() { "response" } else { "request" };
        let exchange = header.exchange_type;
        let label = format!("{exchange} {direction}");
        let known = exchange.name().is_some() && exchange != ExchangeType::default();
        if known && !samples.iter().any(|(existing, _)| *existing == label) {
            samples.push((label, datagram));
        }
    }
    samples
}

fn instructions(subject: &str, place: &str) -> u64 {
    collected(subject, place, REPETITIONS).saturating_sub(collected(subject, place, 0))
        / REPETITIONS
}

fn collected(subject: &str, place: &str, times: u64) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["run", subject, place, &times.to_string()])
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected :")).expect("callgrind's count");
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a count")
}
