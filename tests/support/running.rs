//! A Suricata that runs while a test does something: what it writes, how it ends, and the
//! socket through which it is given jobs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::suricata::signal;

/// Longer than anything takes on a slow machine.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(90);

/// A Suricata that runs beside the test and ends with the test.
pub(crate) struct Running {
    pub(crate) folder: PathBuf,
    /// None of a daemon.
    pub(crate) child: Option<Child>,
    pub(crate) pid: i64,
}

impl Running {
    pub(crate) fn start(folder: &Path, command: &mut Command) -> Self {
        let output = |name: &str| File::create(folder.join(name)).expect("a file");
        let child = command.stdout(output("stdout")).stderr(output("stderr")).spawn();
        let child = child.expect("Suricata starts");
        Self { folder: folder.to_owned(), pid: child.id().into(), child: Some(child) }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        match &mut self.child {
            Some(child) => child.try_wait().expect("a child").is_some(),
            None => !Path::new("/proc").join(self.pid.to_string()).exists(),
        }
    }

    /// Waits until something can be seen in a file of the folder.
    pub(crate) fn wait_for(&mut self, what: &str, file: &str, seen: impl Fn(&str) -> bool) {
        let begin = Instant::now();
        loop {
            let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            if seen(&text) {
                return;
            }
            let ended = self.has_ended();
            let log = || fs::read_to_string(self.folder.join("stdout")).unwrap_or_default();
            assert!(!ended, "Suricata ended before {what}: {}", log());
            assert!(begin.elapsed() < TIME_LIMIT, "no {what}: {}", log());
            sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as an operator would; it has to end by itself then.
    pub(crate) fn end(mut self) {
        assert!(signal("-INT", self.pid), "Suricata has ended");
        let begin = Instant::now();
        while !self.has_ended() {
            assert!(begin.elapsed() < TIME_LIMIT, "Suricata does not end");
            sleep(Duration::from_millis(20));
        }
        if let Some(child) = &mut self.child {
            let status = child.wait().expect("a child");
            assert!(status.success(), "{status}");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        // The test has failed.
        signal("-KILL", self.pid);
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

/// The records of a type.
pub(crate) fn records(text: &str, event_type: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str::<Value>(line).ok();
    text.lines().filter_map(parse).filter(|it| it["event_type"] == event_type).collect()
}

/// Suricata's socket for commands.
pub(crate) struct Jobs(BufReader<UnixStream>);

impl Jobs {
    pub(crate) fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("Suricata listens");
        stream.set_read_timeout(Some(TIME_LIMIT)).expect("a socket");
        let mut jobs = Self(BufReader::new(stream));
        jobs.say(&json!({ "version": "0.2" }));
        jobs
    }

    pub(crate) fn give(&mut self, folder: &Path, name: &str) {
        let capture = folder.join("captures").join(name).with_extension("pcap");
        let arguments = json!({ "filename": capture, "output-dir": folder.join("log").join(name) });
        self.say(&json!({ "command": "pcap-file", "arguments": arguments }));
    }

    /// Whether it has no job any more, and has tidied up after the last one.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.say(&json!({ "command": "pcap-current" })).contains("None")
    }

    fn say(&mut self, message: &Value) -> String {
        // All at once: Suricata takes what it reads first for the whole.
        let line = format!("{message}\n");
        self.0.get_mut().write_all(line.as_bytes()).expect("Suricata reads");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("Suricata answers");
        assert!(answer.contains("\"OK\""), "{message}: {answer}");
        answer
    }
}
