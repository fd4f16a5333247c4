//! Instructions that a part of the running program takes, counted by callgrind.

use std::process::Command;

/// Whether valgrind is installed.
pub fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok()
}

/// Runs this program with `run`, these arguments and a number of repetitions, once with
/// none and once with so many: the difference for one repetition.
///
/// # Panics
///
/// When valgrind does not run.
pub fn instructions(arguments: &[&str], repetitions: u64) -> u64 {
    collected(arguments, repetitions).saturating_sub(collected(arguments, 0)) / repetitions
}

fn collected(arguments: &[&str], times: u64) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg("run")
        .args(arguments)
        .arg(times.to_string())
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let count = counts(&text).next();
    count.expect("callgrind's count")
}

/// The counts in what callgrind says: one of each process.
pub fn counts(text: &str) -> impl Iterator<Item = u64> + '_ {
    let lines = text.lines().filter(|line| line.contains("Collected :"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse().ok())
}
