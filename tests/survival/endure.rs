//! Reloads and shutdowns while traffic flows, a full memcap, a full disk.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use testkit::eve;
use testkit::running::{kilobytes, Running};
use testkit::suricata::{self, Suricata};
use testkit::work::say;

use crate::capture::{flood, of_corpora, one_flow};
use crate::{command, folder, printed, put_capture, rules, run, stats};

/// How often rules are loaded again. Memory may still grow in the first tenth, while
/// Suricata and the allocator find their size.
const RELOADS: usize = 100;

/// A Suricata that reads packets from a pipe as long as it runs.
struct Fed {
    running: Running,
    folder: PathBuf,
    feeder: JoinHandle<()>,
}

/// Writes a capture into a pipe, over and over, until nobody reads.
fn feed(pipe: &Path, capture: &[u8]) {
    /// The header of a capture file, which stands in front of the packets once.
    const HEADER: usize = 24;
    let mut pipe = File::options().write(true).open(pipe).expect("a pipe");
    let mut rest = capture;
    while pipe.write_all(rest).is_ok() {
        rest = &capture[HEADER..];
        thread::sleep(Duration::from_millis(50));
    }
}

impl Fed {
    fn start(name: &str, capture: Vec<u8>) -> Self {
        let folder = folder(name);
        let pipe = folder.join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo runs").success());
        let mut command = Suricata::get().command();
        // What is loaded with -S is not loaded again.
        let rules = rules(&folder);
        command.args(["--set", &format!("default-rule-path={}", folder.display())]);
        command.args(["--set", &format!("rule-files.0={}", rules.display())]);
        command.args(["-k", "none", "-r"]).arg(&pipe).arg("-l").arg(&folder).stdin(Stdio::null());
        let running = Running::start(&folder, &mut command);
        let feeder = thread::spawn(move || feed(&pipe, &capture));
        let mut fed = Self { running, folder, feeder };
        fed.wait_for("Engine started", 1);
        fed
    }

    /// Waits until Suricata has said something so many times.
    fn wait_for(&mut self, words: &str, times: usize) {
        self.running.wait_for(words, "stdout", |text| text.matches(words).count() >= times);
    }

    /// Ends it by a signal, which has to be a good end; the packets that it saw.
    fn end(self, signal: &str) -> u64 {
        self.running.end_by(signal);
        self.feeder.join().expect("the feeder ended");
        let printed = printed(&self.folder);
        assert!(!printed.lines().any(|line| line.starts_with("E:")), "{printed}");
        let (_, faults) = eve::validate(&self.folder.join("eve.json")).expect("records");
        assert_eq!(faults, [""; 0], "see {}", self.folder.display());
        let packets = stats(&self.folder)["decoder"]["pkts"].as_u64().unwrap_or(0);
        fs::remove_dir_all(&self.folder).expect("the folder is ours");
        packets
    }
}

#[test]
fn memory_is_level_while_rules_are_loaded_again_and_again() {
    let (capture, packets) = of_corpora(96);
    let mut suricata = Fed::start("reload", capture);
    let mut sizes = Vec::new();
    for reload in 1..=RELOADS {
        suricata.running.signal("-USR2");
        suricata.wait_for("rule reload complete", reload);
        sizes.push(suricata.running.resident());
    }
    let seen = suricata.end("-INT");
    let (early, late) = (sizes[RELOADS / 5], sizes[RELOADS - 1]);
    say(&format!(
        "{RELOADS} reloads, {seen} packets meanwhile; {} kB after the first, {early} kB after \
         {}, {late} kB at the end",
        sizes[0],
        RELOADS / 5 + 1,
    ));
    assert!(seen > 2 * packets, "{seen} packets");
    assert!(late < early + early / 20, "{sizes:?}");
}

#[test]
fn it_ends_well_in_the_middle_of_handshakes() {
    let (capture, packets) = flood(10);
    for signal in ["-INT", "-TERM"] {
        let suricata = Fed::start(&format!("end{signal}"), capture.clone());
        thread::sleep(Duration::from_millis(500));
        let seen = suricata.end(signal);
        assert!(seen > packets, "{seen} packets");
    }
}

#[test]
fn the_configuration_and_all_rules_pass_its_own_test() {
    let folder = folder("configuration-test");
    let mut command = command(&folder, &Suricata::get().configuration());
    run(command.args(["-T", "--init-errors-fatal"]), &folder);
}

#[test]
fn more_sas_than_the_memcap_holds_are_parsed_and_logged() {
    const CAP: u64 = 1 << 20;
    let folder = folder("memcap");
    let (capture, packets) = flood(6_000);
    let file = folder.join("input.pcap");
    fs::write(&file, capture).expect("a file can be written");
    let mut command = command(&folder, &Suricata::get().configuration());
    command.args(["--set", "app-layer.protocols.ikev2.sa-tracking.memcap=1mb"]);
    run(command.args(["-k", "none", "-r"]).arg(file), &folder);
    let stats = stats(&folder);
    let sa = &stats["ikev2"]["sa"];
    let count = |name: &str| sa[name].as_u64().unwrap_or_else(|| panic!("no {name}: {sa}"));
    assert!(count("evicted") > 1_000 && count("memuse") <= CAP, "{sa}");
    let records = eve::records(&folder.join("eve.json")).expect("records");
    assert_eq!(records.iter().filter(|record| eve::is_message(record)).count() as u64, packets);
}

/// The most memory that a run on this capture took, in kB, its messages, and its statistics.
fn peak(name: &str, capture: Vec<u8>) -> (u64, u64, Value) {
    let (folder, suricata) = (folder(name), Suricata::get());
    let file = folder.join("input.pcap");
    fs::write(&file, capture).expect("a file can be written");
    let output = |name| File::create(folder.join(name)).expect("a file can be made");
    let mut command = suricata.command();
    command.args(["--runmode", "single", "-S", "/dev/null", "-k", "none", "-r"]).arg(&file);
    command.arg("-l").arg(&folder).stdout(output("stdout")).stderr(output("stderr"));
    let mut child = command.spawn().expect("Suricata starts");
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        peak = peak.max(kilobytes(&status.unwrap_or_default(), "VmHWM:").unwrap_or(0));
        thread::sleep(Duration::from_millis(2));
    }
    assert!(child.wait().expect("a child").success(), "see {}", folder.display());
    let records = eve::records(&folder.join("eve.json")).expect("records");
    let others = records.iter().filter(|record| record["event_type"] == "ike").count();
    assert_eq!(others, 0, "records of the built-in parser");
    let messages = records.iter().filter(|record| eve::is_message(record)).count();
    (peak, messages as u64, stats(&folder))
}

/// CVE-2026-45769: until 8.0.4 the built-in parser kept the transforms of all requests of a
/// flow. It gets none of IKEv2, and the plugin keeps nothing for each message.
#[test]
fn many_messages_in_a_flow_reach_no_built_in_parser_and_leave_memory_level() {
    const FEW: u64 = 1_000;
    const MANY: u64 = 8_000;
    let [few, many] = [("few-in-a-flow", FEW), ("many-in-a-flow", MANY)].map(|(name, count)| {
        let (peak, messages, stats) = peak(name, one_flow(count));
        let app_layer = &stats["app_layer"];
        assert_eq!(app_layer["flow"]["ikev2"], 1, "{app_layer}");
        assert_eq!(messages, count, "{app_layer}");
        for kind in ["flow", "tx"] {
            assert_eq!(app_layer[kind]["ike"].as_u64().unwrap_or(0), 0, "{app_layer}");
        }
        peak
    });
    say(&format!("{FEW} messages in a flow take {few} kB, {MANY} take {many} kB"));
    // Each has 120 transforms; kept, those of 7,000 messages would take 6 MB at 8 bytes.
    assert!(few > 0 && many < few + 3_000, "{few} kB, then {many} kB");
}

#[test]
fn a_full_disk_costs_the_records_only() {
    let folder = folder("disk-full");
    let (file, packets) = put_capture(&folder, 24);
    for log in ["eve.json", "fast.log"] {
        symlink("/dev/full", folder.join(log)).expect("a link can be made");
    }
    let mut command = command(&folder, &Suricata::get().configuration());
    let status = suricata::run(command.args(["-k", "none", "-r"]).arg(file), &folder);
    assert!(status.expect("Suricata runs").success(), "see {}", folder.display());
    let printed = printed(&folder);
    assert!(printed.contains("No space left on device"), "{printed}");
    assert!(!printed.contains("internal error"), "{printed}");
    let log = fs::read_to_string(folder.join("stats.log")).expect("statistics");
    let seen = log.lines().rfind(|line| line.starts_with("decoder.pkts ")).expect("packets");
    assert!(seen.ends_with(&format!(" {packets}")), "{seen}, and not {packets}");
}
