//! What Suricata's threads make of the same packets: all captures of real peers at
//! once, read by one thread and by many, which are at different places of it.
//!
//! docs/sa-tracking.md says what depends on the order that threads come in. All else has
//! to be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Value};

use testkit::eve::{self, EVENTS_OF_ORDER};
use testkit::merge::merge;
use testkit::project::{entries, fresh_folder};
use testkit::suricata::{self, Suricata};
use testkit::work::say;
use testkit::{capture, keys};

/// How much of a message there is room for depends on what was known of its SA by then.
const WHOLE_RECORDS: &str = "app-layer.protocols.ikev2.max-record-size=65536";

/// More threads than machines have that build this, so that they overtake each other.
const THREADS: &str = "threading.detect-thread-ratio=4";
/// How often the packets are given to many threads.
const RUNS: usize = 3;

/// All captures of real peers side by side in one file.
fn all_at_once(file: &Path) -> usize {
    let captures = entries(&capture::folder());
    merge(&captures, file);
    captures.len()
}

/// What a run says.
struct Run {
    /// The plugin's objects by the time and the source of their packet.
    messages: BTreeMap<String, Value>,
    /// The events of a packet.
    events: BTreeSet<(String, String)>,
}

/// The keys of all captures in one table.
fn all_keys(file: &Path) {
    let tables = keys::tables().into_iter();
    let lines: String = tables.map(|it| fs::read_to_string(it).expect("keys") + "\n").collect();
    fs::write(file, lines).expect("a key table");
}

fn run(
    suricata: &Suricata,
    (capture, keys): (&Path, Option<&Path>),
    mode: &str,
    number: usize,
) -> Run {
    let keyed = if keys.is_some() { "keys-" } else { "" };
    let folder = suricata.root.join("run-modes").join(format!("{keyed}{mode}-{number}"));
    fresh_folder(&folder).expect("a folder");
    let mut command = suricata.command();
    command.arg("-l").arg(&folder).args(["-S", "/dev/null", "-k", "none", "--set", THREADS]);
    command.args(["--set", WHOLE_RECORDS, "--runmode", mode, "-r"]).arg(capture);
    if let Some(keys) = keys {
        let section = "app-layer.protocols.ikev2.decryption";
        command.args(["--set", &format!("{section}.enabled=yes"), "--set"]);
        command.arg(format!("{section}.key-table={}", keys.display()));
    }
    let status = suricata::run(&mut command, &folder).expect("a run");
    assert!(status.success(), "{status}; see {}", folder.display());
    let mut run = Run { messages: BTreeMap::new(), events: BTreeSet::new() };
    let records = folder.join("eve.json");
    let (_, faults) = eve::validate(&records).expect("records");
    assert_eq!(faults, Vec::<String>::new());
    for record in eve::records(&records).expect("records") {
        // What IP fragments were put together to has no number of a packet.
        let packet = ["timestamp", "src_ip", "src_port"].map(|key| record[key].to_string());
        let packet = packet.join(" ");
        if eve::is_message(&record) {
            let before = run.messages.insert(packet, record["ikev2"].clone());
            assert!(before.is_none(), "two messages at once: {record}");
        } else if record["anomaly"]["app_proto"] == "ikev2" {
            let event = record["anomaly"]["event"].as_str().expect("an event");
            run.events.insert((packet, event.to_owned()));
        }
    }
    run
}

impl Run {
    fn sa_of(&self, packet: &str) -> String {
        self.messages.get(packet).map_or(String::new(), |message| message["sa"]["id"].to_string())
    }

    /// Each message without what is known of its SA.
    fn decoded(&self) -> BTreeMap<String, Value> {
        let mut messages = self.messages.clone();
        for message in messages.values_mut() {
            message["sa"] = message["sa"]["id"].clone();
            // Those of the sequence, which are compared by themselves, are among them.
            message.as_object_mut().map(|message| message.remove("events"));
        }
        messages
    }

    /// The last that is known of each SA: by the record that counts the most messages.
    fn endings(&self) -> BTreeMap<String, Value> {
        let mut last = BTreeMap::<String, &Value>::new();
        for sa in self.messages.values().map(|message| &message["sa"]) {
            let known = last.entry(sa["id"].to_string()).or_insert(sa);
            if sa["messages"].as_u64() >= known["messages"].as_u64() {
                *known = sa;
            }
        }
        let keys = [
            "state",
            "failure",
            "chosen",
            "started",
            "messages",
            "handshake_ms",
            "nat",
            "parent",
            "child_spis",
        ];
        // What is inferred of a rekeyed SA depends on the order: it needs the algorithms of the
        // old SA, which another thread may parse later.
        let is_inferred = |sa: &Value, key: &str| {
            sa["parent_inferred"] == true && ["parent", "chosen"].contains(&key)
        };
        let value =
            |sa: &Value, key| if is_inferred(sa, key) { Value::Null } else { sa[key].clone() };
        let stable = |sa: &Value| keys.iter().map(|key| json!([key, value(sa, key)])).collect();
        last.into_iter().map(|(id, sa)| (id, stable(sa))).collect()
    }

    /// The events of each SA, other than those of order.
    fn sequences(&self) -> BTreeSet<(String, &str)> {
        let events =
            self.events.iter().filter(|(_, event)| !EVENTS_OF_ORDER.contains(&event.as_str()));
        events.map(|(packet, event)| (self.sa_of(packet), event.as_str())).collect()
    }

    fn count(&self, event: &str) -> usize {
        self.events.iter().filter(|(_, other)| other == event).count()
    }
}

/// What one has and the other has not, or has otherwise.
fn differences<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Display>(
    one: &BTreeMap<K, V>,
    other: &BTreeMap<K, V>,
) -> Vec<String> {
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let show = |value: Option<&V>| value.map_or("nothing".to_owned(), ToString::to_string);
    let differ = keys.into_iter().filter(|key| one.get(key) != other.get(key));
    differ
        .map(|key| format!("{key:?}: {}\n  {}", show(one.get(key)), show(other.get(key))))
        .collect()
}

#[test]
fn many_threads_say_what_one_says() {
    let suricata = Suricata::get();
    let folder = suricata.root.join("run-modes");
    fs::create_dir_all(&folder).expect("a folder");
    let capture: PathBuf = folder.join("all.pcap");
    let keys = folder.join("all.ikev2_decryption_table");
    assert!(all_at_once(&capture) > 100);
    all_keys(&keys);
    let without = compare(suricata, (&capture, None));
    let with = compare(suricata, (&capture, Some(&keys)));
    let parents = with.endings().values().filter(|ending| ending[7][1].is_string()).count();
    assert!(without.messages.len() == with.messages.len() && parents > 10, "{parents} parents");
}

/// Compares many threads with one, and returns what that one says.
fn compare(suricata: &Suricata, what: (&Path, Option<&Path>)) -> Run {
    let one = run(suricata, what, "single", 0);
    assert!(one.messages.len() > 1000, "{} messages", one.messages.len());
    for number in 0..RUNS {
        let many = run(suricata, what, "autofp", number);
        let mut faults = differences(&one.decoded(), &many.decoded());
        faults.extend(differences(&one.endings(), &many.endings()));
        let (events, others) = (one.sequences(), many.sequences());
        faults.extend(events.symmetric_difference(&others).map(|event| format!("{event:?}")));
        faults.truncate(20);
        assert!(faults.is_empty(), "run {number}\n{}", faults.join("\n"));
        let counts = EVENTS_OF_ORDER
            .iter()
            .map(|event| format!("{event} {} and {}", one.count(event), many.count(event)));
        say(&format!(
            "one thread and many, events of order: {}",
            counts.collect::<Vec<_>>().join(", ")
        ));
    }
    one
}
