//! Unix-socket mode: Suricata is given captures one by one. What is known of one of them does
//! not come up in the next, and each has the plugin's counters.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use serde_json::Value;

use testkit::eve::records_of_type;
use testkit::project::{fresh_folder, project, target};
use testkit::rules::rule_pack;
use testkit::running::{Jobs, Running, TIME_LIMIT};
use testkit::suricata::Suricata;

/// What jobs read, each of them several times: refusals, which are counted by address; flows
/// that begin with ESP; fragments of which one is missing; an SA that is rekeyed, without keys;
/// an attempt that nobody answers.
const CAPTURES: &[&str] = &[
    "sa-wrong-psk-repeated",
    "begins-with-esp",
    "decrypt-held",
    "sa-rekey",
    "sa-no-answer",
    "sa-fragments",
];
const TIMES: usize = 3;

#[test]
fn nothing_of_a_job_is_left_in_the_next() {
    let folder = target().join("jobs");
    prepare(&folder);
    // A name for a socket has to be short.
    let socket = env::temp_dir().join(format!("ikev2-jobs-{}.socket", process::id()));
    let mut command = suricata_in(&folder);
    let mut running =
        Running::start(&folder, command.arg(format!("--unix-socket={}", socket.display())));
    running.wait_for("a socket", "stdout", |_| socket.exists());
    let mut jobs = Jobs::connect(&socket);
    for (name, number) in all_jobs() {
        // In another order each time.
        jobs.give(&folder, &name_of(name, number));
    }
    let begin = Instant::now();
    while !(jobs.is_idle() && all_jobs().all(|job| is_done(&folder, job))) {
        assert!(!running.has_ended(), "Suricata ended; see {}", folder.display());
        assert!(begin.elapsed() < TIME_LIMIT, "the jobs are not done");
        sleep(Duration::from_millis(200));
    }
    running.end();
    for name in CAPTURES {
        let first = said(&folder, name, 0);
        assert!(!first.findings.is_empty(), "{name}: nothing was found");
        for number in 1..TIMES {
            let again = said(&folder, name, number);
            let job = format!("{name}, job {number}");
            assert_eq!(again.findings.len(), first.findings.len(), "{job}");
            for (again, first) in again.findings.iter().zip(&first.findings) {
                assert_eq!(again, first, "{job}");
            }
            assert_eq!(again.counters, first.counters, "{job}");
        }
    }
    let counters = said(&folder, "decrypt-held", 0).counters;
    assert!(counters["sa"]["active"].as_u64() > Some(0), "{counters}");
    assert!(counters["decryption"]["held"].as_u64() > Some(0), "{counters}");
    let _ = fs::remove_file(socket);
}

/// All captures, then all again in an order that puts others before each.
fn all_jobs() -> impl Iterator<Item = (&'static str, usize)> {
    (0..TIMES).flat_map(|number| {
        let mut names = CAPTURES.to_vec();
        names.rotate_left(number);
        if number % 2 == 1 {
            names.reverse();
        }
        names.into_iter().map(move |name| (name, number))
    })
}

fn name_of(name: &str, number: usize) -> String {
    format!("{name}-{number}")
}

fn prepare(folder: &Path) {
    fresh_folder(folder).expect("a folder");
    for name in ["captures", "log"] {
        fs::create_dir(folder.join(name)).expect("a folder");
    }
    for (name, number) in all_jobs() {
        let job = name_of(name, number);
        let capture = project().join("tests/verify").join(name).join("input.pcap");
        fs::create_dir(folder.join("log").join(&job)).expect("a folder");
        fs::copy(capture, folder.join("captures").join(job).with_extension("pcap"))
            .expect("a capture");
    }
    fs::write(folder.join("test.rules"), without_thresholds(&rule_pack())).expect("rules");
    // Keys of none of these SAs, so that messages are held.
    fs::write(folder.join("keys.txt"), "# None.\n").expect("a key table");
    fs::set_permissions(folder.join("keys.txt"), fs::Permissions::from_mode(0o600))
        .expect("rights");
}

/// What thresholds have counted Suricata keeps from job to job.
fn without_thresholds(rules: &str) -> String {
    let mut parts = rules.split("threshold:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(';').map_or(part, |(_, rest)| rest))
}

fn suricata_in(folder: &Path) -> Command {
    let mut command = Suricata::get().command();
    command.args(["-k", "none", "-v"]).arg("-l").arg(folder.join("log"));
    command.arg("-S").arg(folder.join("test.rules"));
    let section = "app-layer.protocols.ikev2.decryption";
    command.args(["--set", &format!("{section}.enabled=yes")]);
    command.args(["--set", &format!("{section}.key-table=keys.txt")]);
    // Else Suricata forbids itself the threads of a job, if it is not root's.
    command.args(["--set", "security.limit-noproc=no"]);
    // In the order of the packets, or findings would depend on which thread comes first.
    command.args(["--set", "runmode=single"]);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// What a job wrote of the plugin's.
struct Said {
    /// Records, alerts and events.
    findings: Vec<Value>,
    /// At its end.
    counters: Value,
}

fn eve(folder: &Path, name: &str, number: usize) -> String {
    let file = folder.join("log").join(name_of(name, number)).join("eve.json");
    fs::read_to_string(file).unwrap_or_default()
}

/// Counters are written last, when the threads have ended.
fn is_done(folder: &Path, (name, number): (&str, usize)) -> bool {
    !records_of_type(&eve(folder, name, number), "stats").is_empty()
}

fn said(folder: &Path, name: &str, number: usize) -> Said {
    let eve = eve(folder, name, number);
    let mut findings: Vec<_> =
        ["ikev2", "alert", "anomaly"].iter().flat_map(|kind| records_of_type(&eve, kind)).collect();
    for finding in &mut findings {
        let fields = finding.as_object_mut().expect("a record");
        // It is made of chance.
        fields.remove("flow_id");
        // Of the time at which Suricata began, not of the packets.
        if let Some(flow) = fields.get_mut("flow").and_then(Value::as_object_mut) {
            flow.remove("start");
        }
    }
    let stats = records_of_type(&eve, "stats").pop().unwrap_or_default();
    Said { findings, counters: stats["stats"]["ikev2"].clone() }
}
