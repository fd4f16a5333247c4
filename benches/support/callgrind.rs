//! Instructions that a part of the running program takes, counted by callgrind.

use std::process::Command;

const REPETITIONS: u64 = 1000;

/// Whether valgrind is installed.
pub(crate) fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok()
}

/// Runs this program with `run`, these arguments and a number of repetitions, once with
/// none and once with many: the difference of a repetition.
pub(crate) fn instructions(arguments: &[&str]) -> u64 {
    collected(arguments, REPETITIONS).saturating_sub(collected(arguments, 0)) / REPETITIONS
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
    let line = text.lines().find(|line| line.contains("Collected :")).expect("callgrind's count");
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a count")
}
