//! What stands beside the plugin in `suricata.yaml` does not change what it finds: the
//! captures of all cases at once, under settings that have to do with how Suricata
//! recognises protocols and looks for rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::capture;
use testkit::eve;
use testkit::merge::merge;
use testkit::project::{entries, fresh_folder, project};
use testkit::rules::rule_pack;
use testkit::suricata::{self, Suricata};
use testkit::work::{on_all_cores, say};

/// What `--set` takes. Pattern matchers come first: protocols are recognised with the one
/// that rules have. Which is the usual one depends on the processor.
const SETTINGS: &[&str] = &[
    "mpm-algo=ac",
    "mpm-algo=ac-ks",
    HYPERSCAN,
    "spm-algo=bm",
    "detect.prefilter.default=auto",
    "detect.sgh-mpm-context=full",
    "detect.sgh-mpm-context=single",
    "detect.profile=low",
    "app-layer.protocols.ike.enabled=no",
    "app-layer.protocols.ike.enabled=detection-only",
    "app-layer.protocols.ikev2.rule-prefilter=no",
    "stream.inline=yes",
    "vlan.use-for-tracking=false",
    BYPASS,
    FULL,
];

/// The values of `encryption-handling` that are not the default.
const BYPASS: &str = "app-layer.protocols.ikev2.encryption-handling=bypass";
const FULL: &str = "app-layer.protocols.ikev2.encryption-handling=full";

/// Not in every Suricata.
const HYPERSCAN: &str = "mpm-algo=hs";

/// The captures of all cases.
fn captures() -> Vec<PathBuf> {
    let cases = entries(&project().join("tests/verify")).into_iter();
    cases.map(|case| case.join("input.pcap")).filter(|file| file.exists()).collect()
}

/// Everything of the plugin's that a run says: how often there is each line.
type Findings = BTreeMap<String, usize>;

fn run(suricata: &Suricata, folder: &Path, setting: Option<&str>) -> Findings {
    let log = folder.join(setting.unwrap_or("none"));
    fresh_folder(&log).expect("a folder");
    let mut command = suricata.command();
    command.arg("-l").arg(&log).arg("-S").arg(folder.join("all.rules"));
    command.args(["-k", "none", "--runmode", "single", "-r"]).arg(folder.join("all.pcap"));
    if let Some(setting) = setting {
        command.args(["--set", setting]);
    }
    let status = suricata::run(&mut command, &log).expect("a run");
    assert!(status.success(), "{status}; see {}", log.display());
    let mut findings = Findings::new();
    for mut record in eve::records(&log.join("eve.json")).expect("records") {
        let kind = record["event_type"].as_str().unwrap_or_default();
        if eve::is_message(&record) || kind == "alert" || record["anomaly"]["app_proto"] == "ikev2"
        {
            // The first is made of chance. The second counts records of SAs that ended without a
            // message too, and chance says which flow carries them.
            let members = record.as_object_mut().expect("a record");
            members.retain(|key, _| !["flow_id", "tx_id"].contains(&key.as_str()));
            if let Some(alert) = members.get_mut("alert").and_then(Value::as_object_mut) {
                alert.remove("tx_id");
            }
            *findings.entry(record.to_string()).or_default() += 1;
        }
    }
    findings
}

/// How many packets Suricata skipped.
fn skipped(folder: &Path, setting: &str) -> u64 {
    let records = eve::records(&folder.join(setting).join("eve.json")).expect("records");
    let counts =
        records.iter().filter_map(|it| it["stats"]["flow_bypassed"]["local_pkts"].as_u64());
    counts.max().expect("a counter")
}

fn is_there(suricata: &Suricata, setting: &str) -> bool {
    let info = suricata.describe("--build-info").expect("a description");
    let hyperscan = info.lines().any(|it| it.contains("Hyperscan support") && it.ends_with("yes"));
    setting != HYPERSCAN || hyperscan
}

#[test]
fn other_settings_change_nothing() {
    let suricata = Suricata::get();
    let folder = suricata.root.join("settings");
    fs::create_dir_all(&folder).expect("a folder");
    let captures = captures();
    merge(&captures, &folder.join("all.pcap"));
    fs::write(folder.join("all.rules"), rule_pack()).expect("a file");

    let usual = run(suricata, &folder, None);
    assert!(usual.values().sum::<usize>() > 3000, "{} findings", usual.len());
    let faults = on_all_cores(SETTINGS, |setting| {
        if is_there(suricata, setting) {
            return difference(&usual, &run(suricata, &folder, Some(setting)));
        }
        say(&format!("skipped: {setting}, which this Suricata lacks"));
        None
    });
    for (setting, fault) in SETTINGS.iter().zip(faults) {
        assert_eq!(fault, None, "{setting}");
    }
}

/// Which messages have a record changes nothing else.
#[test]
fn alerts_and_anomalies_do_not_depend_on_records() {
    let suricata = Suricata::get();
    let folder = suricata.root.join("records");
    fs::create_dir_all(&folder).expect("a folder");
    merge(&captures(), &folder.join("all.pcap"));
    let rules = format!(
        "{}\nalert ikev2 any any -> any any (ikev2.exchange_type:>0; sid:1;)\n",
        rule_pack()
    );
    fs::write(folder.join("all.rules"), rules).expect("a file");

    let all = run(suricata, &folder, None);
    let usual = without_records(&all);
    let count = usual.values().sum::<usize>();
    assert!(count > 3000 && usual.len() < all.len(), "{count} of {}", all.len());
    for (value, has_records) in [("sa", false), ("handshakes", true), ("all", true)] {
        let setting = format!("app-layer.protocols.ikev2.records={value}");
        let other = run(suricata, &folder, Some(&setting));
        let others = without_records(&other);
        assert_eq!(difference(&usual, &others), None, "{value}");
        assert_eq!(others.len() < other.len(), has_records, "{value}");
        assert_eq!(difference(&all, &other).is_none(), value == "all", "{value}");
    }
}

/// What is no record of a message.
fn without_records(findings: &Findings) -> Findings {
    let is_other = |line: &str| !line.contains("\"event_type\":\"ikev2\"");
    let others = findings.iter().filter(|(line, _)| is_other(line));
    others.map(|(line, count)| (line.clone(), *count)).collect()
}

/// The captures of real peers, in which there is ESP of many SAs.
#[test]
fn messages_are_the_same_however_esp_is_handled() {
    let suricata = Suricata::get();
    let folder = suricata.root.join("settings-esp");
    fs::create_dir_all(&folder).expect("a folder");
    merge(&entries(&capture::folder()), &folder.join("all.pcap"));
    fs::write(folder.join("all.rules"), rule_pack()).expect("a file");

    let usual = run(suricata, &folder, None);
    assert!(usual.values().sum::<usize>() > 2000, "{} findings", usual.len());
    let faults = on_all_cores(&[BYPASS, FULL], |setting| {
        difference(&usual, &run(suricata, &folder, Some(setting)))
    });
    assert_eq!(faults, [None, None]);
    let packets = skipped(&folder, BYPASS);
    assert!(packets > 30, "{packets} packets were skipped");
    assert_eq!((skipped(&folder, FULL), skipped(&folder, "none")), (0, 0));
}

fn difference(usual: &Findings, other: &Findings) -> Option<String> {
    let keys: BTreeSet<_> = usual.keys().chain(other.keys()).collect();
    let differ: Vec<_> =
        keys.into_iter().filter(|key| usual.get(*key) != other.get(*key)).collect();
    let first = differ.first()?;
    let often = |findings: &Findings| findings.get(*first).copied().unwrap_or_default();
    let (before, now) = (often(usual), often(other));
    Some(format!("{} findings differ; {before} times usually and {now} now: {first}", differ.len()))
}
