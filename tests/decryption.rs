//! Keys that come while Suricata runs.
//!
//! The real Suricata reads the beginning of an IKE SA and has no keys for it; then the
//! key table grows, and the rest of the SA comes.

#[path = "support/suricata.rs"]
#[allow(dead_code)] // Nothing runs side by side here.
mod suricata;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pcap_file::pcap::{PcapReader, PcapWriter};
use serde_json::Value;

use suricata::{fresh_folder, project, signal, target, Suricata};

/// Longer than anything takes on a slow machine.
const TIME_LIMIT: Duration = Duration::from_secs(90);

const RULES: &str = r#"
alert ikev2 any any -> any any (msg:"late"; ikev2.decrypted; ikev2.exchange_type:ike_auth; ikev2.payload.type:auth; sid:1; rev:1;)
alert ikev2 any any -> any any (msg:"too early"; ikev2.decrypted:no; ikev2.exchange_type:ike_auth; sid:2; rev:1;)
"#;

/// A Suricata that watches a folder of captures, and ends with the test.
struct Running {
    folder: PathBuf,
    child: Child,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let suricata = Suricata::get();
        let path = |name: &str| folder.join(name).into_os_string();
        let output = |name: &str| File::create(folder.join(name)).expect("a file");
        let child = Command::new(suricata.binary())
            .arg("-c")
            .arg(suricata.configuration())
            .args(suricata.file_options())
            .args(["-k", "none", "-v", "--runmode", "single", "--pcap-file-continuous", "-r"])
            .arg(path("captures"))
            .arg("-l")
            .arg(path("log"))
            .arg("-S")
            .arg(path("test.rules"))
            .args(["--set", "pcap-file.delay=1", "--set", "pcap-file.poll-interval=1"])
            .args(["--set", "app-layer.protocols.ikev2.decryption.enabled=yes"])
            .args(["--set", "app-layer.protocols.ikev2.decryption.key-table=keys.txt"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"))
            .spawn()
            .expect("Suricata starts");
        Self { folder: folder.to_owned(), child }
    }

    /// Waits until something can be seen in a file of the folder.
    fn wait_for(&mut self, what: &str, file: &str, seen: impl Fn(&str) -> bool) {
        let begin = Instant::now();
        loop {
            let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            if seen(&text) {
                return;
            }
            let ended = self.child.try_wait().expect("a child");
            let log = || fs::read_to_string(self.folder.join("stdout")).unwrap_or_default();
            assert_eq!(ended, None, "Suricata ended before {what}: {}", log());
            assert!(begin.elapsed() < TIME_LIMIT, "no {what}: {}", log());
            sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as an operator would; it has to end by itself then.
    fn end(mut self) {
        assert!(signal("-INT", self.child.id().into()), "Suricata has ended");
        let begin = Instant::now();
        while begin.elapsed() < TIME_LIMIT {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return assert!(status.success(), "{status}");
            }
            sleep(Duration::from_millis(20));
        }
        panic!("Suricata does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes some packets of a capture; the file is there all at once.
fn write_part(from: &str, packets: core::ops::Range<usize>, to: &Path) {
    let from = project().join("tests/capture/pcap").join(from);
    let mut reader = PcapReader::new(File::open(from).expect("a capture")).expect("a capture");
    let other = to.with_extension("part");
    let file = File::create(&other).expect("a file");
    let mut writer = PcapWriter::with_header(file, reader.header()).expect("a header");
    let mut number = 0;
    while let Some(packet) = reader.next_packet() {
        if packets.contains(&number) {
            writer.write_packet(&packet.expect("a packet")).expect("a packet is written");
        }
        number += 1;
    }
    drop(writer);
    fs::rename(other, to).expect("the capture gets its name");
}

fn records(text: &str, event_type: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str::<Value>(line).ok();
    text.lines().filter_map(parse).filter(|it| it["event_type"] == event_type).collect()
}

/// What Suricata writes of the first four packets of a capture, keys, and further packets,
/// until there are so many records of messages.
fn run(folder: &str, name: &str, rest: core::ops::Range<usize>, messages: usize) -> String {
    let folder = target().join(folder);
    fresh_folder(&folder).expect("a folder");
    fs::create_dir(folder.join("captures")).expect("a folder");
    fs::create_dir(folder.join("log")).expect("a folder");
    fs::write(folder.join("test.rules"), RULES).expect("rules");
    fs::write(folder.join("keys.txt"), "# None yet.\n").expect("a key table");
    fs::set_permissions(folder.join("keys.txt"), Permissions::from_mode(0o600)).expect("rights");
    let capture = format!("{name}.pcap");
    write_part(&capture, 0..4, &folder.join("captures/1.pcap"));
    let mut running = Running::start(&folder);
    running.wait_for("four messages", "log/eve.json", |eve| records(eve, "ikev2").len() == 4);

    let keys = project().join(format!("tests/capture/keys/{name}.ikev2_decryption_table"));
    let keys = fs::read_to_string(keys).expect("keys");
    fs::write(folder.join("keys.txt"), format!("# Now.\n{keys}")).expect("a key table");
    running.wait_for("keys", "stdout", |log| log.contains("more lines with keys"));
    write_part(&capture, rest, &folder.join("captures/2.pcap"));
    let is_all = |eve: &str| records(eve, "ikev2").len() == messages;
    running.wait_for("the rest", "log/eve.json", is_all);
    running.end();
    fs::read_to_string(folder.join("log/eve.json")).expect("records")
}

/// The records of messages that were opened late.
fn late(eve: &str) -> Vec<Value> {
    let mut records = records(eve, "ikev2");
    records.retain(|record| record["ikev2"]["decrypted"]["late"] == true);
    records
}

/// ESP of the SA's flow brings its handshake; no message of the SA follows.
#[test]
fn late_messages_come_with_esp() {
    let eve = run("decryption-esp", "aes-gcm256-ecp384", 4..5, 6);
    assert_eq!(late(&eve).len(), 2);
    let states: Vec<_> =
        late(&eve).iter().map(|it| it["ikev2"]["sa"]["confirmed"].clone()).collect();
    assert_eq!(states, [false, true]);
}

/// The next attempt in the same flow, another IKE SA, brings the name of the first failure.
#[test]
fn a_late_refusal_has_its_name() {
    let eve = run("decryption-refused", "wrong-psk-repeated", 4..8, 10);
    let failures: Vec<_> = late(&eve)
        .iter()
        .map(|record| {
            let failure = &record["ikev2"]["sa"]["failure"];
            (failure["reason"].clone(), failure["inferred"].clone())
        })
        .collect();
    // The request says nothing yet: what was inferred when its answer went by holds.
    assert_eq!(
        failures,
        [
            ("refused_by_responder".into(), true.into()),
            ("AUTHENTICATION_FAILED".into(), false.into()),
        ]
    );
}

#[test]
fn keys_that_come_late_are_read_and_open_what_was_held() {
    let eve = run("decryption", "aes-gcm256-ecp384", 4..usize::MAX, 8);
    let late: Vec<_> = late(&eve)
        .iter()
        .map(|record| {
            let ikev2 = &record["ikev2"];
            (ikev2["role"].clone(), ikev2["decrypted"]["payloads"][0]["name"].clone())
        })
        .collect();
    assert_eq!(late, [("initiator".into(), "IDi".into()), ("responder".into(), "IDr".into())]);
    let alerts = records(&eve, "alert");
    let count = |sid: u64| alerts.iter().filter(|it| it["alert"]["signature_id"] == sid).count();
    assert_eq!((count(1), count(2)), (2, 2));
}
