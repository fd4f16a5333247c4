//! Instructions a message: `cargo bench --bench instructions` (needs valgrind).
//!
//! Counts are the same on every run, whatever else the machine does. The program
//! runs itself under callgrind, once for no message and once for many, and
//! divides the difference.

#[path = "../tests/support/capture.rs"]
mod capture;
#[path = "support/subject.rs"]
mod subject;

use std::hint::black_box;
use std::process::Command;

use capture::datagrams_of;
use subject::{samples, SUBJECTS};

const REPETITIONS: u64 = 1000;

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
    print!("{:<58} {:>6}", "message", "bytes");
    SUBJECTS.iter().for_each(|(name, _)| print!(" {name:>12}"));
    println!();
    for (label, datagram) in samples() {
        print!("{:<58} {:>6}", format!("{label} ({})", datagram.place), datagram.data.len());
        for (subject, _) in SUBJECTS {
            print!(" {:>12}", instructions(subject, &datagram.place));
        }
        println!();
    }
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
