//! One run of Suricata over a capture, and what it cost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use testkit::callgrind;
use testkit::running::kilobytes;
use testkit::suricata::{plugin, Suricata};

use crate::set_up::{Parser, SetUp};

/// How often a running Suricata's memory is looked at.
const INTERVAL: Duration = Duration::from_millis(5);

/// The function of Suricata that reads a capture, packet by packet, and the whole of
/// what is done with them in it.
const READER: &str = "PcapFileDispatch";

/// The records of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records {
    pub(crate) bytes: u64,
    pub(crate) count: u64,
}

/// The cost of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// CPU seconds of all threads, in user and in system mode.
    pub(crate) seconds: f64,
    /// The most memory it had at a time, in bytes.
    pub(crate) memory: u64,
}

impl Cost {
    /// The least of several runs: what else the machine does only adds.
    pub(crate) fn least(self, other: Self) -> Self {
        Self { seconds: self.seconds.min(other.seconds), memory: self.memory.min(other.memory) }
    }
}

/// Suricata with a configuration for runs.
pub(crate) struct Bench {
    folder: PathBuf,
    plugin: PathBuf,
}

impl Bench {
    pub(crate) fn new(folder: &Path) -> Self {
        let stock = fs::read_to_string(Suricata::get().stock()).expect("a stock configuration");
        fs::write(folder.join("suricata.yaml"), with_outputs(&stock)).expect("a writable folder");
        Self { folder: folder.to_owned(), plugin: plugin().expect("the plugin") }
    }

    /// Runs Suricata over a capture and counts what it takes.
    pub(crate) fn cost(&self, set_up: &SetUp, capture: &Path) -> Cost {
        let before = seconds_of_children();
        let mut command = Command::new(Suricata::get().binary());
        let mut child = self.complete(&mut command, set_up, capture).spawn().expect("Suricata");
        let memory = watch(&mut child);
        Cost { seconds: seconds_of_children() - before, memory }
    }

    /// The instructions that reading a capture takes, by callgrind; none without
    /// valgrind.
    pub(crate) fn instructions(&self, set_up: &SetUp, capture: &Path) -> Option<u64> {
        let mut command = Command::new("valgrind");
        // The private Suricata is started by a script.
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        command.arg("--trace-children=yes").arg(format!("--toggle-collect={READER}"));
        command.arg(Suricata::get().binary());
        let command = self.complete(&mut command, set_up, capture);
        let output = command.stderr(Stdio::piped()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr);
        // The script has processes of its own, which read no capture.
        callgrind::counts(&text).max()
    }

    /// The records that Suricata writes of a capture.
    pub(crate) fn records(&self, set_up: &SetUp, capture: &Path) -> Records {
        let eve = self.folder.join("eve.json");
        let mut command = Command::new(Suricata::get().binary());
        self.complete(&mut command, set_up, capture);
        command.arg("--set").arg(format!("outputs.0.eve-log.filename={}", eve.display()));
        let _ = fs::remove_file(&eve);
        assert!(command.status().expect("Suricata").success());
        let text = fs::read(&eve).unwrap_or_default();
        let _ = fs::remove_file(&eve);
        let count = text.iter().filter(|byte| **byte == b'\n').count() as u64;
        Records { bytes: text.len() as u64, count }
    }

    /// The same with the records of all types that speak of a message, as a stock
    /// configuration has them.
    pub(crate) fn all_records(&self, set_up: &SetUp, capture: &Path) -> Records {
        let few = self.folder.join("suricata.yaml");
        let text = fs::read_to_string(&few).expect("a configuration");
        let types = "types:\n        - alert\n        - anomaly\n        - flow\n        - ike\n";
        let all = text.replacen("types:\n        - ike\n", types, 1);
        fs::write(&few, all).expect("a writable folder");
        let records = self.records(set_up, capture);
        fs::write(&few, text).expect("a writable folder");
        records
    }

    /// What the command needs to read a capture in one thread.
    fn complete<'a>(
        &self,
        command: &'a mut Command,
        set_up: &SetUp,
        capture: &Path,
    ) -> &'a mut Command {
        let file = self.folder.join("bench.rules");
        fs::write(&file, &set_up.rules).expect("a writable folder");
        command.args(["--runmode", "single", "-c"]);
        command.arg(self.folder.join("suricata.yaml")).arg("-S").arg(file);
        command.arg("-r").arg(capture).arg("-l").arg(&self.folder);
        command.args(Suricata::get().file_options());
        match set_up.parser {
            Parser::None => {
                command.args(["--set", "app-layer.protocols.ike.enabled=no"]);
            }
            Parser::BuiltIn => {}
            Parser::Plugin => {
                command.arg("--set").arg(format!("plugins.0={}", self.plugin.display()));
            }
        }
        if let Some((name, value)) = set_up.setting {
            command.arg("--set").arg(format!("app-layer.protocols.ikev2.{name}={value}"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
    }
}

/// The stock configuration with one log, of the messages that a parser makes out. It
/// goes nowhere, so that no disk is measured.
fn with_outputs(stock: &str) -> String {
    const OUTPUTS: &str = "outputs:\n  - eve-log:\n      enabled: yes\n      \
        filetype: regular\n      filename: /dev/null\n      types:\n        - ike\n";
    let mut text = String::new();
    let mut inside = false;
    for line in stock.lines() {
        let begins = line.starts_with(|first: char| first.is_ascii_lowercase());
        inside = if begins { line.starts_with("outputs:") } else { inside };
        match (inside, begins) {
            (true, true) => text.push_str(OUTPUTS),
            (true, false) => {}
            (false, _) => text.extend([line, "\n"]),
        }
    }
    text
}

/// Waits for the end and returns the most memory seen.
fn watch(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        most = most.max(kilobytes(&text, "VmHWM:").unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "Suricata: {status}");
            return most;
        }
        thread::sleep(INTERVAL);
    }
}

/// What the kernel charges for all children that have ended: the fields 16 and 17 of
/// `/proc/self/stat`, in hundredths of a second.
fn seconds_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("a Linux");
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let ticks = fields.split(' ').skip(13).take(2).filter_map(|field| field.parse::<u64>().ok());
    ticks.sum::<u64>() as f64 / 100.0
}
