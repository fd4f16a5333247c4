//! Keys that come while Suricata runs: as it reads captures, is given jobs, or is a daemon.
//!
//! The real Suricata reads the beginning of an IKE SA and has no keys for it; then the
//! key table grows, and the rest of the SA comes.

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, process};

use serde_json::Value;

use testkit::capture::{self, datagrams_of, CaptureWriter, Datagram};
use testkit::eve::{message_records, records_of_type};
use testkit::keys;
use testkit::project::{fresh_folder, target};
use testkit::running::{Jobs, Running, TIME_LIMIT};
use testkit::suricata::Suricata;
use testkit::work::say;

const RULES: &str = r#"
alert ikev2 any any -> any any (msg:"late"; ikev2.decrypted; ikev2.exchange_type:ike_auth; ikev2.payload.type:auth; sid:1; rev:1;)
alert ikev2 any any -> any any (msg:"too early"; ikev2.decrypted:no; ikev2.exchange_type:ike_auth; sid:2; rev:1;)
"#;

/// Suricata in a folder with rules and a key table, which its working directory is.
fn suricata_in(folder: &Path) -> Command {
    let mut command = Suricata::get().command();
    command.args(["-k", "none", "-v", "--runmode", "single"]).arg("-l").arg(folder.join("log"));
    command.arg("-S").arg(folder.join("test.rules"));
    command.args(["--set", "app-layer.protocols.ikev2.decryption.enabled=yes"]);
    command.args(["--set", "app-layer.protocols.ikev2.decryption.key-table=keys/keys.txt"]);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Writes some packets of a capture; the file is there all at once.
fn write_part(from: &str, packets: core::ops::Range<usize>, to: &Path) {
    let other = to.with_extension("part");
    let mut writer = CaptureWriter::new(File::create(&other).expect("a file"));
    for (number, packet) in capture::packets(&capture::folder().join(from)).iter().enumerate() {
        if packets.contains(&number) {
            writer.write(packet.time, &packet.data);
        }
    }
    drop(writer);
    fs::rename(other, to).expect("the capture gets its name");
}

/// The capture whose packets come, and how many do before the keys.
const NAME: &str = "aes-gcm256-ecp384";
const BEFORE: usize = 4;

/// A folder with rules, and a table in which there are no keys yet.
fn prepare(folder: &Path) {
    fresh_folder(folder).expect("a folder");
    for name in ["captures", "keys", "log", "log/1", "log/2"] {
        fs::create_dir(folder.join(name)).expect("a folder");
    }
    fs::write(folder.join("test.rules"), RULES).expect("rules");
    fs::write(folder.join("keys/keys.txt"), "# None yet.\n").expect("a key table");
    fs::set_permissions(folder.join("keys/keys.txt"), Permissions::from_mode(0o600))
        .expect("rights");
}

fn put_keys(folder: &Path, name: &str) {
    let keys = fs::read_to_string(keys::table(name)).expect("keys");
    fs::write(folder.join("keys/keys.txt"), format!("# Now.\n{keys}")).expect("a key table");
}

/// Two messages were opened late, and two at once.
fn check_records(eve: &Path) {
    let eve = fs::read_to_string(eve).expect("records");
    let opened: Vec<_> = message_records(&eve)
        .into_iter()
        .map(|record| record["ikev2"].clone())
        .filter(|ikev2| ikev2["decrypted"].is_object())
        .map(|ikev2| {
            format!("{} {} {}", ikev2["role"], ikev2["message_id"], ikev2["decrypted"]["late"])
        })
        .collect();
    let expected = ["1 true", "2 false"]
        .map(|it| ["initiator", "responder"].map(|role| format!("\"{role}\" {it}")));
    assert_eq!(opened, expected.concat());
    let alerts = records_of_type(&eve, "alert");
    let count = |sid: u64| alerts.iter().filter(|it| it["alert"]["signature_id"] == sid).count();
    assert_eq!(count(1), 2);
}

/// What Suricata writes of the first packets of a capture, keys, and further packets, until
/// there are so many records of messages.
fn run(folder: &str, name: &str, rest: core::ops::Range<usize>, messages: usize) -> String {
    let folder = target().join(folder);
    prepare(&folder);
    let capture = format!("{name}.pcap");
    write_part(&capture, 0..BEFORE, &folder.join("captures/1.pcap"));
    let mut command = suricata_in(&folder);
    command.args(["--set", "pcap-file.delay=1", "--set", "pcap-file.poll-interval=1"]);
    command.args(["--pcap-file-continuous", "-r"]).arg(folder.join("captures"));
    let mut running = Running::start(&folder, &mut command);
    running.wait_for("four messages", "log/eve.json", |eve| message_records(eve).len() == 4);
    put_keys(&folder, name);
    running.wait_for("keys", "stdout", |log| log.contains("more lines with keys"));
    write_part(&capture, rest, &folder.join("captures/2.pcap"));
    let is_all = |eve: &str| message_records(eve).len() == messages;
    running.wait_for("the rest", "log/eve.json", is_all);
    running.end();
    fs::read_to_string(folder.join("log/eve.json")).expect("records")
}

/// The records of messages that were opened late.
fn late(eve: &str) -> Vec<Value> {
    let mut records = message_records(eve);
    records.retain(|record| record["ikev2"]["decrypted"]["late"] == true);
    records
}

/// ESP of the SA's flow brings its handshake; no message of the SA follows.
#[test]
fn late_messages_come_with_esp() {
    let eve = run("decryption-esp", NAME, BEFORE..BEFORE + 1, 6);
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
    let eve = run("decryption", NAME, BEFORE..usize::MAX, 8);
    let late: Vec<_> = late(&eve)
        .iter()
        .map(|record| {
            let ikev2 = &record["ikev2"];
            (ikev2["role"].clone(), ikev2["decrypted"]["payloads"][0]["name"].clone())
        })
        .collect();
    assert_eq!(late, [("initiator".into(), "IDi".into()), ("responder".into(), "IDr".into())]);
    let alerts = records_of_type(&eve, "alert");
    let count = |sid: u64| alerts.iter().filter(|it| it["alert"]["signature_id"] == sid).count();
    assert_eq!((count(1), count(2)), (2, 2));
}

/// Jobs that Suricata is given through a socket: a job's packets find the keys that came
/// since the one before, and nothing of that one's messages.
#[test]
fn keys_that_come_between_jobs_are_there_for_the_next() {
    let folder = target().join("decryption-jobs");
    prepare(&folder);
    let capture = format!("{NAME}.pcap");
    write_part(&capture, 0..BEFORE, &folder.join("captures/1.pcap"));
    write_part(&capture, BEFORE..usize::MAX, &folder.join("captures/2.pcap"));
    // A name for a socket has to be short.
    let socket = env::temp_dir().join(format!("ikev2-{}.socket", process::id()));
    let mut command = suricata_in(&folder);
    let option = format!("--unix-socket={}", socket.display());
    // Else Suricata forbids itself the threads of a job, if it is not root's.
    command.args(["--set", "security.limit-noproc=no"]);
    let mut running = Running::start(&folder, command.arg(option));
    running.wait_for("a socket", "stdout", |_| socket.exists());
    let mut jobs = Jobs::connect(&socket);
    jobs.give(&folder, "1");
    running.wait_for("four messages", "log/1/eve.json", |eve| message_records(eve).len() == 4);
    put_keys(&folder, NAME);
    jobs.give(&folder, "2");
    running.wait_for("the rest", "log/2/eve.json", |eve| message_records(eve).len() == 2);
    running.end();
    let eve = fs::read_to_string(folder.join("log/2/eve.json")).expect("records");
    let opened: Vec<_> = message_records(&eve)
        .into_iter()
        .map(|record| record["ikev2"]["decrypted"]["late"].as_bool())
        .collect();
    assert_eq!(opened, [Some(false), Some(false)]);
    let _ = fs::remove_file(socket);
}

/// A daemon that has given up root, and may not even look into the folder of its keys.
#[test]
fn a_daemon_without_rights_reads_keys_on() {
    daemon_reads_keys_on("option", ["--user", "nobody"]);
}

/// The same by the configuration.
#[test]
fn a_daemon_that_runs_as_another_user_reads_keys_on() {
    daemon_reads_keys_on("setting", ["--set", "run-as.user=nobody"]);
}

fn daemon_reads_keys_on(name: &str, as_user: [&str; 2]) {
    if !may_listen_and_give_up_root() {
        return say("skipped: a daemon that listens and gives up root takes root's capabilities");
    }
    let folder = env::temp_dir().join(format!("ikev2-daemon-{name}-{}", process::id()));
    prepare(&folder);
    let ends = [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)]
        .map(|address| UdpSocket::bind((address, 0)).expect("an address of this machine"));
    let mut command = daemon_in(&folder);
    command.args(as_user);
    let ports = ends.each_ref().map(|end| end.local_addr().expect("an address").port());
    command.arg(format!("udp port {} and udp port {}", ports[0], ports[1]));
    let mut starting = Running::start(&folder, &mut command);
    starting.wait();
    let pid = pid_in(&folder);
    let mut running = Running::daemon(&folder, pid);
    running.wait_for("threads", "log/suricata.log", |log| log.contains("Engine started"));
    let user = fs::metadata(format!("/proc/{pid}")).expect("a process").uid();
    assert_ne!(user, 0, "it has given up root");

    let datagrams = datagrams_of(&format!("{NAME}.pcap"));
    let send = |datagram: &Datagram| {
        let sender = usize::from(datagram.source.ip() != datagrams[0].source.ip());
        let to = ends[1 - sender].local_addr().expect("an address");
        ends[sender].send_to(&datagram.data, to).expect("it is sent");
        // In their order: this is no test of reassembly.
        sleep(Duration::from_millis(20));
    };
    datagrams[..BEFORE].iter().for_each(send);
    running.wait_for("four messages", "log/eve.json", |eve| message_records(eve).len() == 4);
    put_keys(&folder, NAME);
    running.wait_for("keys", "log/suricata.log", |log| log.contains("1 more lines with keys"));
    datagrams[BEFORE..].iter().for_each(send);
    running.wait_for("the rest", "log/eve.json", |eve| message_records(eve).len() == 8);
    running.end();
    check_records(&folder.join("log/eve.json"));
    let _ = fs::remove_dir_all(folder);
}

/// A daemon's number, which it writes after its parent has ended.
fn pid_in(folder: &Path) -> i64 {
    let begin = Instant::now();
    loop {
        let text = fs::read_to_string(folder.join("pid")).unwrap_or_default();
        if let Some(pid) = text.strip_suffix('\n').and_then(|number| number.parse().ok()) {
            return pid;
        }
        assert!(begin.elapsed() < TIME_LIMIT, "no daemon: see {}", folder.display());
        sleep(Duration::from_millis(20));
    }
}

/// The bits of CAP_SETGID, CAP_SETUID and CAP_NET_RAW (capabilities(7)).
const CAPABILITIES: u64 = 1 << 6 | 1 << 7 | 1 << 13;

/// Not even root may in every container.
fn may_listen_and_give_up_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("this process");
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    effective.is_some_and(|effective| effective & CAPABILITIES == CAPABILITIES)
}

/// What becomes a daemon that listens at the loopback interface. Another user may write its
/// log, but its keys are in a folder of root's.
fn daemon_in(folder: &Path) -> Command {
    let suricata = Suricata::get();
    let rights = |name: &str, mode| {
        fs::set_permissions(folder.join(name), Permissions::from_mode(mode)).expect("rights");
    };
    rights("", 0o755);
    rights("log", 0o777);
    rights("keys", 0o700);
    let mut command = suricata_in(folder);
    // What it reads when it is no longer root has to be where others can read it.
    for (name, option) in [
        ("classification.config", "classification-file"),
        ("reference.config", "reference-config-file"),
    ] {
        let file = folder.join(name);
        fs::copy(suricata.root.join("etc").join(name), &file).expect("a stock file");
        rights(name, 0o644);
        command.arg("--set").arg(format!("{option}={}", file.display()));
    }
    let binary = suricata.binary().canonicalize().expect("a program");
    let magic = binary.with_file_name("usr/lib/file/magic.mgc");
    if fs::copy(magic, folder.join("magic.mgc")).is_ok() {
        rights("magic.mgc", 0o644);
        command.env("MAGIC", folder.join("magic.mgc"));
    }
    command.args(["--af-packet=lo", "-D", "--pidfile"]).arg(folder.join("pid"));
    command
}
