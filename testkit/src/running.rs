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
pub const TIME_LIMIT: Duration = Duration::from_secs(90);

/// A Suricata that runs beside the test and ends with the test.
///
/// All functions panic, and with that fail the test, when Suricata does not do what is said
/// of them.
pub struct Running {
    folder: PathBuf,
    /// None of a daemon.
    child: Option<Child>,
    process: i64,
}

impl Running {
    /// Starts it, with its output in `stdout` and `stderr` of a folder.
    pub fn start(folder: &Path, command: &mut Command) -> Self {
        let output = |name: &str| File::create(folder.join(name)).expect("a file");
        let child = command.stdout(output("stdout")).stderr(output("stderr")).spawn();
        let child = child.expect("Suricata starts");
        Self { folder: folder.to_owned(), process: child.id().into(), child: Some(child) }
    }

    /// A daemon that somebody has started, with its output in a folder.
    pub fn daemon(folder: &Path, process: i64) -> Self {
        Self { folder: folder.to_owned(), child: None, process }
    }

    /// Whether it runs no more.
    pub fn has_ended(&mut self) -> bool {
        match &mut self.child {
            Some(child) => child.try_wait().expect("a child").is_some(),
            None => !Path::new("/proc").join(self.process.to_string()).exists(),
        }
    }

    /// Kilobytes in memory.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process));
        kilobytes(&status.expect("Suricata runs"), "VmRSS:").expect("a size")
    }

    /// Sends it a signal such as `-USR2`.
    pub fn signal(&self, name: &str) {
        assert!(signal(name, self.process), "Suricata has ended");
    }

    /// Waits until something can be seen in a file of the folder.
    pub fn wait_for(&mut self, what: &str, file: &str, seen: impl Fn(&str) -> bool) {
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
    pub fn end(self) {
        self.end_by("-INT");
    }

    /// Ends it by this signal; it has to end by itself then, and well.
    pub fn end_by(mut self, name: &str) {
        self.signal(name);
        self.wait();
    }

    /// Waits until it has ended, and ended well.
    pub fn wait(&mut self) {
        let begin = Instant::now();
        while !self.has_ended() {
            let place = self.folder.display();
            assert!(begin.elapsed() < TIME_LIMIT, "Suricata does not end; see {place}");
            sleep(Duration::from_millis(20));
        }
        if let Some(child) = &mut self.child {
            let status = child.wait().expect("a child");
            assert!(status.success(), "{status}; see {}", self.folder.display());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        // The test has failed.
        signal("-KILL", self.process);
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

/// A size of memory in the text of a `/proc/PID/status`, by its name: `VmRSS:`, `VmHWM:`.
pub fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Suricata's socket for commands.
///
/// All functions panic, and with that fail the test, when Suricata does not answer.
pub struct Jobs(BufReader<UnixStream>);

impl Jobs {
    /// Connects to the socket, once it is there.
    pub fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("Suricata listens");
        stream.set_read_timeout(Some(TIME_LIMIT)).expect("a socket");
        let mut jobs = Self(BufReader::new(stream));
        jobs.say(&json!({ "version": "0.2" }));
        jobs
    }

    /// Gives the job of reading a capture in `captures` of a folder, with its output in a
    /// folder of its name in `log`.
    pub fn give(&mut self, folder: &Path, name: &str) {
        let capture = folder.join("captures").join(name).with_extension("pcap");
        let arguments = json!({ "filename": capture, "output-dir": folder.join("log").join(name) });
        self.say(&json!({ "command": "pcap-file", "arguments": arguments }));
    }

    /// Whether it has no job any more, and has tidied up after the last one.
    pub fn is_idle(&mut self) -> bool {
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
