//! Suricata with the plugin and all its rules under hostile conditions.
//!
//! What is shown here: docs/hostile-input.md.

mod capture;
mod endure;
mod fault;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;
use testkit::eve;
use testkit::project::fresh_folder;
use testkit::rules::rule_pack;
use testkit::suricata::{self, Suricata};
use testkit::work::say;

/// An empty folder for a run's output.
fn folder(name: &str) -> PathBuf {
    let folder = Suricata::get().root.join("survival").join(name);
    fresh_folder(&folder).expect("a folder can be made");
    folder
}

/// The whole rule pack in one file.
fn rules(folder: &Path) -> PathBuf {
    let rules = folder.join("all.rules");
    fs::write(&rules, rule_pack()).expect("a file can be written");
    rules
}

/// Suricata with a configuration that has the plugin, and all the rules.
fn command(folder: &Path, configuration: &Path) -> Command {
    let suricata = Suricata::get();
    let mut command = Command::new(suricata.binary());
    command.args(suricata.file_options()).arg("-c").arg(configuration);
    command.arg("-S").arg(rules(folder));
    command.arg("-l").arg(folder).env("TZ", "UTC");
    command
}

/// What Suricata printed.
fn printed(folder: &Path) -> String {
    let files = ["stdout", "stderr"].map(|name| fs::read_to_string(folder.join(name)));
    files.map(|text| text.expect("the output is text")).concat()
}

/// A build for debugging takes minutes to read all records: there it is a part, and
/// `cargo test --release --test survival` does it all.
const SHARE: usize = if cfg!(debug_assertions) { 6 } else { 1 };

/// Writes a capture of a part of the corpora into a folder; how many packets it has.
fn put_capture(folder: &Path, share: usize) -> (PathBuf, u64) {
    let (capture, packets) = capture::of_corpora(share);
    let file = folder.join("input.pcap");
    fs::write(&file, &capture).expect("a file can be written");
    (file, packets)
}

/// Runs a command that ends by itself, and well.
fn run(command: &mut Command, folder: &Path) {
    let status = suricata::run(command, folder).expect("Suricata runs");
    assert!(status.success(), "{status}: see {}", folder.display());
    let printed = printed(folder);
    let errors: Vec<_> = printed.lines().filter(|line| line.starts_with("E:")).collect();
    assert_eq!(errors, [""; 0], "see {}", folder.display());
}

/// The last of Suricata's statistics.
fn stats(folder: &Path) -> Value {
    let records = eve::records(&folder.join("eve.json")).expect("records");
    let last = records.into_iter().rfind(|record| record["event_type"] == "stats");
    last.expect("statistics at the end")["stats"].take()
}

#[test]
fn corpora_are_read_without_an_error_and_every_record_is_valid() {
    for arguments in ["--runmode single", "--runmode autofp --simulate-ips"] {
        let folder = folder(&arguments.replace([' ', '-'], ""));
        let (file, packets) = put_capture(&folder, SHARE);
        let mut command = command(&folder, &Suricata::get().configuration());
        command.arg("--init-errors-fatal");
        run(command.args(arguments.split(' ')).args(["-k", "none", "-r"]).arg(file), &folder);
        let (count, faults) = eve::validate(&folder.join("eve.json")).expect("records");
        let place = folder.display();
        assert_eq!(faults, [""; 0], "see {place}");
        assert!(count as u64 > packets / 2, "{count} records of {packets} packets: see {place}");
        let errors = &stats(&folder)["app_layer"]["error"]["ikev2"];
        for kind in ["alloc", "parser", "internal"] {
            assert_eq!(errors[kind], 0, "{kind}: see {place}");
        }
        say(&format!("{arguments}: {packets} packets, {count} valid records"));
        fs::remove_dir_all(folder).expect("the folder is ours");
    }
}

/// `scripts/memcheck.sh` names a program that runs Suricata under valgrind.
#[test]
fn memcheck_finds_nothing_in_the_plugin() {
    let Some(program) = env::var_os("MEMCHECK") else {
        return say("memcheck ... SKIPPED: `make memcheck` runs it");
    };
    let folder = folder("memcheck");
    let (file, packets) = put_capture(&folder, 8);
    let native = command(&folder, &Suricata::get().configuration());
    let mut command = Command::new(program);
    command.args(native.get_args()).current_dir(&folder);
    run(command.args(["--runmode", "single", "-k", "none", "-r"]).arg(file), &folder);
    let (count, faults) = eve::validate(&folder.join("eve.json")).expect("records");
    assert_eq!(faults, [""; 0]);
    assert!(count as u64 > packets / 2, "{count} records of {packets} packets");
    let log = fs::read_to_string(folder.join("valgrind.log")).expect("valgrind's report");
    assert!(log.contains("ERROR SUMMARY"), "{log}");
    let findings: Vec<_> = memcheck_findings(&log).collect();
    assert_eq!(findings, [""; 0], "see {}", folder.display());
    say(&format!("memcheck: {packets} packets, {count} valid records, nothing in the plugin"));
}

/// The paragraphs of valgrind's report with the plugin among the callers.
fn memcheck_findings(log: &str) -> impl Iterator<Item = String> + '_ {
    let text = |line: &str| line.split_once("== ").map_or("", |(_, text)| text).to_owned();
    let lines: Vec<_> = log.lines().map(text).collect();
    let paragraphs: Vec<_> =
        lines.split(|line| line.trim().is_empty()).map(<[_]>::to_vec).collect();
    let is_ours = |paragraph: &Vec<String>| {
        paragraph.iter().any(|line| line.starts_with("   ") && line.contains("ikev2"))
    };
    paragraphs.into_iter().filter(is_ours).map(|paragraph| paragraph.join("\n"))
}

#[test]
fn findings_are_told_from_those_of_others() {
    let log = "==1== Invalid read of size 1\n==1==    at 0x1: f (in /p/libsuricata_ikev2.so)\n\
               ==1== \n==1== 8 bytes lost\n==1==    at 0x2: malloc (in /usr/lib/m.so)\n==1== \n\
               ==1== Command: suricata -r ikev2.pcap\n";
    let findings: Vec<_> = memcheck_findings(log).collect();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].starts_with("Invalid read"));
}
