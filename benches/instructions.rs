//! Instructions a message: `cargo bench --bench instructions` (needs valgrind).
//!
//! Counts are the same on every run, whatever else the machine does. The program
//! runs itself under callgrind, once for no message and once for many, and
//! divides the difference.

mod subject;

use std::hint::black_box;

use subject::{samples, SUBJECTS};
use testkit::callgrind::{instructions, is_there};
use testkit::capture::datagrams_of;

/// How often the work is done under callgrind.
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
    if !is_there() {
        eprintln!("skipped: valgrind is not installed");
        return;
    }
    print!("{:<58} {:>6}", "message", "bytes");
    SUBJECTS.iter().for_each(|(name, _)| print!(" {name:>12}"));
    println!();
    for (label, datagram) in samples() {
        print!("{:<58} {:>6}", format!("{label} ({})", datagram.place), datagram.data.len());
        for (subject, _) in SUBJECTS {
            print!(" {:>12}", instructions(&[subject, &datagram.place], REPETITIONS));
        }
        println!();
    }
}
