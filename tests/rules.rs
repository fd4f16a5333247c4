//! The rule pack: every file loads, every rule fires on what it is for, and honest
//! peers fire none of the rules against attackers.
//!
//! Which rule fires where is printed, and written to `target/rule-matrix.md`.
//! Rules that are off by default are on in these runs, and `noalert` is taken out,
//! so that a rule which only sets a flowbit is seen too. So is `ikev2.once`, by which
//! one rule speaks for all that match a message; a test of its own looks at that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use suricata_ikev2::message::Event;
use testkit::craft::hidden::hideouts;
use testkit::craft::rules::{scenarios, Scenario, UNREACHABLE};
use testkit::craft::sealed::{sealed_scenarios, SealedScenario};
use testkit::project::{entries, files, fresh_folder, project, target};
use testkit::rules::{each_by_itself, pack, text_of, Rule, DECRYPTED, FILES, HIDDEN, OFF};
use testkit::suricata::{self, Suricata};
use testkit::work::{on_all_cores, say};
use testkit::{capture, eve, flow, keys};

/// Protocols that have rules of Suricata's own and are off in its own configuration.
const OFF_IN_STOCK: [&str; 4] = ["dnp3", "enip", "modbus", "pgsql"];

#[test]
fn every_rule_is_complete_and_has_a_sid_of_its_file() {
    let mut sids = BTreeSet::new();
    for rule in pack() {
        let (_, first) = FILES.iter().find(|(file, _)| *file == rule.file).expect("its file");
        assert!((*first..first + 100).contains(&rule.sid), "{}: sid {}", rule.file, rule.sid);
        assert!(sids.insert(rule.sid), "sid {} stands twice", rule.sid);
        assert!(rule.one("msg").starts_with("IKEv2 "), "sid {}", rule.sid);
        assert!(rule.one("rev").parse::<u32>().is_ok(), "sid {}", rule.sid);
        assert!(!rule.one("classtype").is_empty(), "sid {}", rule.sid);
        let only_remembers = rule.all("flowbits").any(|bits| bits.starts_with("set,"));
        assert_eq!(rule.all("noalert").count() == 1, only_remembers, "sid {}", rule.sid);
    }
    let there = fs::read_dir(project().join("rules")).expect("the rules");
    let there: BTreeSet<_> = there.map(|entry| entry.expect("a file").file_name()).collect();
    assert_eq!(there, FILES.iter().map(|(file, _)| (*file).into()).collect());
}

/// The flow's direction is not who sent a message: either gateway may begin an SA in a flow
/// between two ports 500, and one forged response turns a flow round.
#[test]
fn no_rule_takes_the_flows_direction_for_the_sender() {
    for rule in pack() {
        assert_eq!(rule.all("flow").count(), 0, "sid {}", rule.sid);
    }
}

/// Suricata skips a rule whose keywords it does not know if the rule says that it requires
/// them, and otherwise says two errors for each rule.
#[test]
fn every_rule_requires_the_keywords_that_it_uses() {
    for rule in pack() {
        let required = rule.one("requires").split(", ");
        let required: Vec<_> =
            required.map(|one| one.strip_prefix("keyword ").expect("a keyword")).collect();
        // The name `ikev2` alone is there without the plugin too, for another parser.
        let of_hidden = vec!["ikev2.exchange_type"];
        let used = if rule.file == HIDDEN { of_hidden } else { rule.keywords() };
        assert_eq!(required, used, "sid {}", rule.sid);
    }
}

#[test]
fn every_event_has_one_rule_for_each_side_it_is_asked_for() {
    let pack = pack();
    for event in Event::ALL {
        let name = event.name().to_str().expect("a word");
        let rules: Vec<_> = pack.iter().filter(|rule| rule.event() == Some(name)).collect();
        assert!(!rules.is_empty(), "no rule for the event {name}");
        for side in [0, 1] {
            let count = rules.iter().filter(|rule| rule.sides()[side]).count();
            assert!(count <= 1, "{count} rules for the event {name}");
        }
    }
}

#[test]
fn every_vulnerability_that_a_rule_names_is_a_reference() {
    let mut named = 0;
    for rule in pack() {
        let references = rule.all("reference").filter_map(|text| text.strip_prefix("cve,"));
        let references: BTreeSet<_> = references.map(str::to_owned).collect();
        assert_eq!(rule.vulnerabilities(), references, "sid {}", rule.sid);
        let message = rule.one("msg");
        for number in message.split("CVE-").skip(1) {
            let number = number.trim_end_matches(|c: char| !c.is_ascii_digit());
            let number = number.split([',', ')', ' ']).next().unwrap_or_default();
            assert!(references.contains(number), "sid {}: CVE-{number}", rule.sid);
            named += 1;
        }
    }
    assert!(named > 10, "only {named} vulnerabilities are named");
}

#[test]
fn the_documentation_has_every_rule() {
    let file = project().join("docs/rules.md");
    let text = fs::read_to_string(&file).expect("docs/rules.md");
    let rows: BTreeSet<_> = text.lines().filter_map(documented).collect();
    let default = |rule: &Rule| if rule.on { "" } else { " (off)" };
    let rules = pack();
    let rules =
        rules.iter().map(|rule| (rule.sid, format!("{}{}", rule.one("msg"), default(rule))));
    assert_eq!(rows, rules.collect(), "docs/rules.md is not of these rules");
}

/// The sid and the message of a row `| SID | MESSAGE | … |`.
fn documented(line: &str) -> Option<(u32, String)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let sid = cells.next()?.parse().ok()?;
    Some((sid, cells.next()?.to_owned()))
}

/// A folder for a run, in that of the tests.
fn folder(suricata: &Suricata, name: &str) -> PathBuf {
    let folder = suricata.root.join("rules").join(name);
    fresh_folder(&folder).expect("a folder");
    folder
}

fn command(suricata: &Suricata, folder: &Path, rules: &Path) -> Command {
    let mut command = suricata.command();
    command.arg("-l").arg(folder).arg("-S").arg(rules);
    command
}

/// Loads what a pattern names; what Suricata complained about, if anything.
fn complaints(suricata: &Suricata, folder: &Path, rules: &Path, count: usize) -> Vec<String> {
    let mut command = command(suricata, folder, rules);
    command.args(["-T", "-v"]);
    for protocol in OFF_IN_STOCK {
        command.arg("--set").arg(format!("app-layer.protocols.{protocol}.enabled=yes"));
    }
    let (status, said) = said(&mut command, folder);
    let mut complaints: Vec<_> = said.lines().filter(is_complaint).map(str::to_owned).collect();
    let loaded = format!("{count} rules successfully loaded, 0 rules failed, 0 rules skipped");
    if !status.success() || !said.contains(&loaded) {
        complaints.push(format!("{status}, and it did not say '{loaded}'"));
    }
    complaints
}

/// Runs Suricata to its end; how it ended and what it said.
fn said(command: &mut Command, folder: &Path) -> (ExitStatus, String) {
    let status = suricata::run(command, folder).expect("a run");
    let said = ["stdout", "stderr"].map(|name| fs::read_to_string(folder.join(name)));
    (status, said.map(|text| text.expect("what Suricata said")).concat())
}

fn is_complaint(line: &&str) -> bool {
    line.starts_with("Error") || line.starts_with("Warning")
}

/// The text of rules with those on that are off by default.
fn all_on(text: &str) -> String {
    text.replace(&format!("\n{OFF}"), "\nalert ")
}

/// The number of rules of a file: of lines that are neither empty nor a comment, nor go on
/// with the line before.
fn count_rules(text: &str) -> usize {
    let text = text.replace("\\\n", " ");
    text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).count()
}

#[test]
fn every_file_loads_alone_with_its_rules_off_or_on() {
    let suricata = Suricata::get();
    for (file, _) in FILES {
        let text = text_of(file);
        for (name, text) in [("as-shipped", text.clone()), ("all-on", all_on(&text))] {
            let folder = folder(suricata, &format!("{file}-{name}"));
            let rules = folder.join(file);
            fs::write(&rules, &text).expect("a file");
            let count = count_rules(&text);
            if count == 0 {
                say(&format!("load {file}, {name} ... has no rule"));
                continue;
            }
            let complaints = complaints(suricata, &folder, &rules, count);
            assert!(complaints.is_empty(), "{file}, {name}:\n{}", complaints.join("\n"));
            say(&format!("load {file}, {name} ... {count} rules"));
        }
    }
}

/// Without the plugin `ikev2` is another name of the built-in parser, and the keywords are
/// unknown: the rules are skipped, and nothing is an error.
#[test]
fn the_pack_is_skipped_where_the_plugin_is_not_loaded() {
    let suricata = Suricata::get();
    let folder = folder(suricata, "without-the-plugin");
    let rules = folder.join("pack.rules");
    let text = FILES.map(|(file, _)| all_on(&text_of(file))).concat();
    // One that needs no plugin, so that the rest is all that is skipped.
    let other = "alert udp any any -> any any (msg:\"any\"; sid:1;)";
    fs::write(&rules, format!("{text}\n{other}\n")).expect("a file");
    let mut command = Command::new(suricata.binary());
    command.arg("-c").arg(suricata.stock()).args(suricata.file_options());
    command.arg("-l").arg(&folder).arg("-S").arg(&rules);
    command.args(["-T", "-v", "--init-errors-fatal"]);
    let (status, said) = said(&mut command, &folder);
    let wanted =
        format!("1 rules successfully loaded, 0 rules failed, {} rules skipped", pack().len());
    assert!(status.success() && said.contains(&wanted), "{status}, and not '{wanted}'");
    let complaints: Vec<_> = said.lines().filter(is_complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    say(&format!("load the pack without the plugin ... {} rules skipped", pack().len()));
}

/// The rule files that come with the Suricata that was found, as name and text.
fn stock() -> Vec<(String, String)> {
    let script = project().join("scripts/suricata.sh");
    let output = Command::new(script).arg("--rules").output().expect("the script runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let read = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a rule file"))
    };
    let files: Vec<_> = files(&folder, "rules").iter().map(read).collect();
    assert!(files.len() > 10, "only {} rule files in {}", files.len(), folder.display());
    files
}

#[test]
fn the_pack_loads_beside_the_stock_rules() {
    let suricata = Suricata::get();
    let folder = folder(suricata, "beside-stock");
    let pack = FILES.map(|(file, _)| (file.to_owned(), all_on(&text_of(file))));
    let mut count = 0;
    for (name, text) in stock().into_iter().chain(pack) {
        count += count_rules(&text);
        fs::write(folder.join(name), text).expect("a file");
    }
    let complaints = complaints(suricata, &folder, &folder.join("*.rules"), count);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    say(&format!("load the pack beside the stock rules ... {count} rules"));
}

#[test]
fn the_rules_in_the_documentation_load() {
    let suricata = Suricata::get();
    let folder = folder(suricata, "documentation");
    let text = fs::read_to_string(project().join("docs/migration.md")).expect("docs/migration.md");
    let rules =
        text.lines().filter(|line| line.starts_with("alert ")).map(|line| format!("{line}\n"));
    let rules: String = rules.collect();
    let file = folder.join("migration.rules");
    fs::write(&file, &rules).expect("a file");
    let count = count_rules(&rules);
    assert!(count > 10, "only {count} rules in docs/migration.md");
    let complaints = complaints(suricata, &folder, &file, count);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    say(&format!("load docs/migration.md ... {count} rules"));
}

/// What fired: how often each sid, by the name of a capture.
type Fired = BTreeMap<String, BTreeMap<u32, usize>>;

/// Runs rules over a capture; the records of alerts. Every record of the plugin is
/// held against the schema on the way.
fn alerts(
    suricata: &Suricata,
    folder: &Path,
    capture: &Path,
    rules: &Path,
) -> Vec<serde_json::Value> {
    alerts_with(suricata, folder, capture, rules, &[])
}

/// The same with other settings than the default.
fn alerts_with(
    suricata: &Suricata,
    folder: &Path,
    capture: &Path,
    rules: &Path,
    settings: &[String],
) -> Vec<serde_json::Value> {
    let mut command = command(suricata, folder, rules);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.arg("-r").arg(capture).args(["-k", "none", "--runmode", "single"]);
    command.args(["--set", "packet-alert-max=100"]);
    let status = suricata::run(&mut command, folder).expect("a run");
    assert!(status.success(), "{}: {status}; see {}", capture.display(), folder.display());
    let records = folder.join("eve.json");
    let (_, faults) = eve::validate(&records).expect("records");
    let first = &faults[..faults.len().min(10)];
    assert!(
        faults.is_empty(),
        "{}, first of {}:\n{}",
        capture.display(),
        faults.len(),
        first.join("\n")
    );
    let records = eve::records(&records).expect("records");
    records.into_iter().filter(|record| record["event_type"] == "alert").collect()
}

fn sid(alert: &serde_json::Value) -> u32 {
    let sid = alert["alert"]["signature_id"].as_u64().expect("a sid");
    sid.try_into().expect("a sid has 32 bits")
}

/// Rules that have no threshold take a group, as the last that they ask for, and there are so
/// many groups that a message has few alerts.
#[test]
fn every_rule_without_a_threshold_is_one_of_a_group() {
    let others = ["requires", "threshold", "reference", "classtype", "priority", "sid", "rev"];
    for rule in pack().iter().filter(|rule| rule.file != HIDDEN) {
        let silent = rule.all("threshold").count() + rule.all("noalert").count() > 0;
        let groups: Vec<_> = rule.all("ikev2.once").collect();
        let inside = rule.file == DECRYPTED && rule.sid != 7_296_500;
        let wanted = if inside { "inside" } else { "message" };
        assert_eq!(groups, if silent { vec![] } else { vec![wanted] }, "sid {}", rule.sid);
        let behind = rule.options.iter().skip_while(|(name, _)| name != "ikev2.once").skip(1);
        for (name, _) in behind {
            let is_behind = others.contains(&name.as_str()) || name == "metadata";
            assert!(is_behind, "sid {}: {name} behind ikev2.once", rule.sid);
        }
    }
}

/// A message of many faults is a few alerts, and that of an exploit is among them whatever
/// else is on.
#[test]
fn a_message_has_few_alerts_and_the_most_serious_one() {
    let suricata = Suricata::get();
    let shipped = FILES.map(|(file, _)| text_of(file)).concat();
    for (name, text) in [("as-shipped", shipped.clone()), ("all-on", all_on(&shipped))] {
        let folder = folder(suricata, &format!("few-{name}"));
        let rules = folder.join("pack.rules");
        fs::write(&rules, text).expect("a file");
        for (case, wanted) in [("amplification", 7_296_204), ("exploit-in-noise", 7_296_200)] {
            let capture = project().join(format!("tests/verify/{case}/input.pcap"));
            let own = self::folder(suricata, &format!("few-{name}-{case}"));
            let found = alerts(suricata, &own, &capture, &rules);
            let found: Vec<_> = found.iter().map(sid).collect();
            assert!(found.contains(&wanted) && found.len() <= 3, "{case}, {name}: {found:?}");
        }
        let scenarios: Vec<_> = scenarios();
        let conversations: Vec<_> = scenarios.iter().map(|one| &one.datagrams[..]).collect();
        let capture = folder.join("crafted.pcap");
        fs::write(&capture, flow::capture(&conversations)).expect("a file");
        let mut counts: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for alert in alerts(suricata, &folder, &capture, &rules) {
            let packet = alert["pcap_cnt"].as_u64().expect("a number");
            counts.entry(packet).or_default().push(sid(&alert));
        }
        assert!(counts.len() > 50, "{name}: only {} messages", counts.len());
        let pack = pack();
        let is_limited = |sid: &u32| {
            let rule = pack.iter().find(|rule| rule.sid == *sid).expect("a rule");
            rule.all("threshold").count() > 0
        };
        for sids in counts.values() {
            assert!(name == "all-on" || sids.len() <= 3, "{name}: {sids:?}");
            // Of those that no threshold limits one: nothing in the capture is decrypted.
            let others: Vec<_> = sids.iter().filter(|sid| !is_limited(sid)).collect();
            assert!(others.len() <= 1, "{name}: {others:?}");
        }
    }
}

/// Writes the whole pack to a folder, all of it on and none of it silent.
fn write_pack(folder: &Path) -> PathBuf {
    let rules = folder.join("pack.rules");
    let text: String = FILES.map(|(file, _)| all_on(&text_of(file))).concat();
    fs::write(&rules, each_by_itself(&text.replace(" noalert;", ""))).expect("a file");
    rules
}

/// What some rules fire on in the crafted conversations, all in one run.
fn on_crafted(suricata: &Suricata, folder: &Path, scenarios: &[Scenario], rules: &Path) -> Fired {
    let conversations: Vec<_> = scenarios.iter().map(|one| &one.datagrams[..]).collect();
    let capture = folder.join("crafted.pcap");
    fs::write(&capture, flow::capture(&conversations)).expect("a file");
    let mut fired: Fired =
        scenarios.iter().map(|scenario| (scenario.name.to_owned(), BTreeMap::new())).collect();
    assert_eq!(fired.len(), scenarios.len(), "two scenarios have one name");
    for alert in alerts(suricata, folder, &capture, rules) {
        let address = alert["src_ip"].as_str().expect("an address");
        let number = flow::conversation(address).expect("a crafted address");
        let fired = fired.get_mut(scenarios[number].name).expect("a scenario");
        *fired.entry(sid(&alert)).or_default() += 1;
    }
    fired
}

/// What the pack fires on in the captures of real peers, by their names.
fn on_real(suricata: &Suricata, rules: &Path) -> Fired {
    let captures = entries(&capture::folder());
    assert!(captures.len() > 30, "only {} captures", captures.len());
    let run = |capture: &PathBuf| {
        let name = capture.file_stem().expect("a name").to_string_lossy().into_owned();
        let folder = folder(suricata, &format!("real/{name}"));
        let mut fired = BTreeMap::new();
        for alert in alerts(suricata, &folder, capture, rules) {
            *fired.entry(sid(&alert)).or_default() += 1;
        }
        (name, fired)
    };
    on_all_cores(&captures, run).into_iter().collect()
}

/// The rules of the default that fire on real peers, who really chose or offered what
/// is weak. All other captures are clean, but for [`SEQUENCES`].
const WEAK_PEERS: &[(&str, &[u32])] = &[
    ("aes-cbc-sha1-modp1024", &[7_296_005, 7_296_103, 7_296_110]),
    ("downgrade", &[7_296_002, 7_296_005, 7_296_100, 7_296_103, 7_296_107, 7_296_110]),
    ("many-proposals", WEAK_OFFERS),
    ("no-proposal-chosen", &[7_296_103]),
    ("outcome-3des-sha1-right", &[7_296_002, 7_296_100, 7_296_107]),
    ("outcome-3des-sha1-wrong", &[7_296_002, 7_296_100, 7_296_107]),
    ("outcome-aes-cbc-xcbc-right", &[7_296_212]),
    ("outcome-aes-cbc-xcbc-wrong", &[7_296_212]),
    ("weak-chosen-3des-md5-modp768", WEAK_CHOICES),
    ("weak-chosen-des-md5-modp768", WEAK_CHOICES),
    ("weak-offered", WEAK_OFFERS),
];

/// Encryption, PRF, integrity and key exchange offered.
const WEAK_OFFERS: &[u32] = &[7_296_100, 7_296_101, 7_296_102, 7_296_103];

/// The same offered and chosen, with the events of the choice and the rule for PRF_HMAC_MD5.
#[rustfmt::skip]
const WEAK_CHOICES: &[u32] = &[
    7_296_002, 7_296_003, 7_296_004, 7_296_005,
    7_296_100, 7_296_101, 7_296_102, 7_296_103,
    7_296_107, 7_296_108, 7_296_109, 7_296_110,
    7_296_210,
];

/// Captures of peers that offer 3DES beside sound algorithms, as strongSwan does unless told
/// otherwise.
const OFFER_3DES: &[&str] = &[
    "cert-ecdsa-p256",
    "childless-port-500",
    "cookie",
    "crossing-exchanges",
    "default-proposals-vendor-id",
    "eap-mschapv2",
    "eap-mschapv2-wrong-password",
    "esp-port-500",
    "ipv6",
    "libreswan-responder",
    "libreswan-restart",
    "libreswan-wrong-psk",
    "liveness-delete",
    "mobike",
    "nat-both",
    "nat-esp-keepalive",
    "nat-initiator",
    "nat-initiator-inside",
    "nat-masquerade",
    "nat-responder",
    "nat-responder-inside",
    "no-answer",
    "port-5000-no-marker",
    "port-5500-marker",
    "ppk",
    "ts-unacceptable",
    "two-sas-same-ports",
    "virtual-ip",
    "wrong-cert",
    "wrong-cert-responder",
    "wrong-psk",
];

/// Captures of peers that sent again, were refused, failed, flooded or settled for less: the
/// rules about sequences, on or off by default, that fire on them.
const SEQUENCES: &[(&str, &[u32])] = &[
    ("downgrade", &[7_296_417, 7_296_419]),
    ("eap-md5-wrong-password", &[REFUSED]),
    ("eap-mschapv2-wrong-password", &[SENT_AGAIN, REFUSED]),
    ("half-open-flood", &[7_296_432]),
    ("libreswan-restart", &[SENT_AGAIN]),
    ("libreswan-wrong-psk", &[REFUSED]),
    ("lossy-fragments", &[SENT_AGAIN]),
    ("lossy-link", &[SENT_AGAIN]),
    ("mobike", &[SENT_AGAIN]),
    ("no-answer", &[SENT_AGAIN]),
    ("no-proposal-chosen", &[7_296_408]),
    ("outcome-eap-aes-cbc-sha1-wrong", &[SENT_AGAIN]),
    ("outcome-eap-aes-cbc-sha256-wrong", &[SENT_AGAIN]),
    ("outcome-eap-aes-ccm-16-wrong", &[SENT_AGAIN]),
    ("outcome-eap-aes-gcm-16-wrong", &[SENT_AGAIN]),
    ("outcome-eap-chacha20poly1305-wrong", &[SENT_AGAIN]),
    ("peer-restart", &[SENT_AGAIN]),
    ("wrong-cert", &[REFUSED]),
    ("wrong-cert-responder", &[REFUSED]),
    ("wrong-psk", &[REFUSED]),
    ("wrong-psk-repeated", &[REFUSED, 7_296_430, 7_296_431, 7_296_436]),
];

const SENT_AGAIN: u32 = 7_296_400;
const REFUSED: u32 = 7_296_407;

/// The rules that are to fire on a capture of real peers: of the default, or about attacks
/// and sequences.
fn wanted(capture: &str) -> BTreeSet<u32> {
    let lists = WEAK_PEERS.iter().chain(SEQUENCES).filter(|(name, _)| *name == capture);
    let mut wanted: BTreeSet<_> = lists.flat_map(|(_, sids)| *sids).copied().collect();
    if OFFER_3DES.contains(&capture) {
        wanted.insert(7_296_100);
    }
    // Pairs of captures whose peers have the right credentials and wrong ones.
    if capture.starts_with("outcome-") && capture.ends_with("-wrong") {
        wanted.insert(REFUSED);
    }
    wanted
}

/// Captures that are opened with their keys, right ones or not, and the rules for what is
/// inside that are to fire then, on or off by default.
const WITH_KEYS: &[(&str, bool, &[u32])] = &[
    ("aes-gcm256-ecp384", true, &[7_296_520, 7_296_550, 7_296_552]),
    ("aes-gcm256-ecp384", false, &[7_296_500]),
    ("cert-ecdsa-p256", true, &[7_296_520, 7_296_521, 7_296_552]),
    ("cert-rsa4096-fragmented", true, &[7_296_520, 7_296_521, 7_296_552, 7_296_572]),
    ("eap-md5", true, &[7_296_520, 7_296_521, 7_296_550, 7_296_552, 7_296_553]),
    ("ts-unacceptable", true, &[7_296_520, 7_296_541, 7_296_550, 7_296_552]),
    ("virtual-ip", true, &[7_296_520, 7_296_550, 7_296_552]),
    ("wrong-psk", true, &[7_296_520, 7_296_540, 7_296_550, 7_296_552]),
];

fn run_name(capture: &str, right: bool) -> String {
    format!("{capture} with {} keys", if right { "its" } else { "wrong" })
}

/// What the pack fires on in captures of real peers that are opened.
fn on_opened(suricata: &Suricata, rules: &Path) -> Fired {
    let run = |(name, right, _): &(&str, bool, &[u32])| {
        let folder = folder(suricata, &format!("opened/{name}-{right}"));
        let mut keys = fs::read_to_string(keys::table(name)).expect("the keys of a capture");
        if !right {
            keys = keys.lines().map(exchange_keys).collect();
        }
        let file = folder.join("keys.txt");
        fs::write(&file, keys).expect("a file");
        let capture = capture::folder().join(format!("{name}.pcap"));
        let mut fired = BTreeMap::new();
        for alert in alerts_with(suricata, &folder, &capture, rules, &decryption(&file)) {
            *fired.entry(sid(&alert)).or_default() += 1;
        }
        (run_name(name, *right), fired)
    };
    on_all_cores(WITH_KEYS, run).into_iter().collect()
}

/// What the pack fires on in crafted conversations that are opened, all in one run.
fn on_sealed(suricata: &Suricata, scenarios: &[SealedScenario], keys: &str, rules: &Path) -> Fired {
    let folder = folder(suricata, "sealed");
    let conversations: Vec<_> = scenarios.iter().map(|one| &one.datagrams[..]).collect();
    let (capture, table) = (folder.join("sealed.pcap"), folder.join("sealed-keys.txt"));
    fs::write(&capture, flow::capture(&conversations)).expect("a file");
    fs::write(&table, keys).expect("a file");
    let mut fired: Fired =
        scenarios.iter().map(|one| (one.name.to_owned(), BTreeMap::new())).collect();
    for alert in alerts_with(suricata, &folder, &capture, rules, &decryption(&table)) {
        let address = alert["src_ip"].as_str().expect("an address");
        let number = flow::conversation(address).expect("a crafted address");
        let fired = fired.get_mut(scenarios[number].name).expect("a scenario");
        *fired.entry(sid(&alert)).or_default() += 1;
    }
    fired
}

/// The settings that open messages with a key table.
fn decryption(table: &Path) -> [String; 2] {
    [
        "app-layer.protocols.ikev2.decryption.enabled=yes".to_owned(),
        format!("app-layer.protocols.ikev2.decryption.key-table={}", table.display()),
    ]
}

/// A line of a key table with the initiator's and the responder's key in the wrong places.
fn exchange_keys(line: &str) -> String {
    let mut fields: Vec<_> = line.split(',').collect();
    fields.swap(2, 3);
    fields.join(",") + "\n"
}

#[test]
fn every_rule_fires_on_what_it_is_for_and_on_no_honest_peer() {
    let suricata = Suricata::get();
    let folder = folder(suricata, "matrix");
    let rules = write_pack(&folder);
    let (pack, scenarios) = (pack(), scenarios());
    let crafted = on_crafted(suricata, &folder, &scenarios, &rules);
    let real = on_real(suricata, &rules);
    let mut opened = on_opened(suricata, &rules);
    let (sealed_scenarios, keys) = sealed_scenarios();
    let sealed = on_sealed(suricata, &sealed_scenarios, &keys, &rules);
    let version = suricata.describe("-V").expect("a version");
    let all_real: Fired = real.clone().into_iter().chain(opened.clone()).collect();
    let matrix = format!("{}\n{}", version.trim(), matrix(&pack, &crafted, &all_real));
    say(&matrix);
    fs::write(target().join("rule-matrix.md"), matrix).expect("the matrix is written");
    let mut faults = Vec::new();
    faults.extend(faults_of_crafted(&pack, &scenarios, &crafted));
    faults.extend(faults_of_real(&pack, &real));
    let real = WITH_KEYS.iter().map(|(name, right, fires)| (run_name(name, *right), *fires));
    faults.extend(faults_of_opened(&pack, &opened, real));
    let crafted = sealed_scenarios.iter().map(|one| (one.name.to_owned(), one.fires));
    faults.extend(faults_of_opened(&pack, &sealed, crafted));
    opened.extend(sealed);
    faults.extend(faults_of_coverage(&pack, &scenarios, &opened));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// One forged response makes nobody blind, and the offers of the gateway that did not begin the
/// flow are no choices.
#[test]
fn rules_fire_the_same_in_flows_that_are_turned_round() {
    let suricata = Suricata::get();
    let folder = folder(suricata, "turned-round");
    let rules = write_pack(&folder);
    let turned = |(number, scenario): (u8, Scenario)| scenario.turned_round(number);
    // What hides does not do so in a flow that a message of IKEv2 has begun.
    let open = scenarios().into_iter().filter(|scenario| !scenario.name.contains("hidden"));
    let scenarios: Vec<_> = (0..=u8::MAX).zip(open).map(turned).collect();
    let crafted = on_crafted(suricata, &folder, &scenarios, &rules);
    let faults = faults_of_crafted(&pack(), &scenarios, &crafted);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Rules that are on by default fire exactly where a scenario says; the others at least.
fn faults_of_crafted(pack: &[Rule], scenarios: &[Scenario], crafted: &Fired) -> Vec<String> {
    let mut faults = Vec::new();
    for scenario in scenarios {
        for rule in pack {
            let wanted = scenario.fires.contains(&rule.sid);
            let fired = crafted[scenario.name].contains_key(&rule.sid);
            let may = !rule.on && !scenario.quiet.contains(&rule.sid);
            if (wanted && !fired) || (fired && !wanted && !may) {
                let verb = if fired { "fires" } else { "does not fire" };
                faults.push(format!("{} {verb} on {}", rule.sid, scenario.name));
            }
        }
    }
    faults
}

fn faults_of_real(pack: &[Rule], real: &Fired) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, fired) in real {
        let fired = pack.iter().filter(|rule| fired.contains_key(&rule.sid));
        let fired: BTreeSet<_> =
            fired.filter(|rule| rule.on || rule.is_of_attacks()).map(|rule| rule.sid).collect();
        let wanted = wanted(name);
        if fired != wanted {
            faults.push(format!("on {name} fire {fired:?}, not {wanted:?}"));
        }
    }
    let lists = WEAK_PEERS.iter().chain(SEQUENCES);
    let named = lists.map(|(name, _)| name).chain(OFFER_3DES);
    let missing = named.filter(|name| !real.contains_key(**name));
    faults.extend(missing.map(|name| format!("there is no capture {name}")));
    faults
}

/// The rules that need keys fire exactly where they are to.
fn faults_of_opened(
    pack: &[Rule],
    opened: &Fired,
    wanted: impl Iterator<Item = (String, &'static [u32])>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, wanted) in wanted {
        let fired = &opened[&name];
        let fired = pack.iter().filter(|it| it.file == DECRYPTED && fired.contains_key(&it.sid));
        let fired: Vec<_> = fired.map(|rule| rule.sid).collect();
        if fired != wanted {
            faults.push(format!("on {name} fire {fired:?}, not {wanted:?}"));
        }
    }
    faults
}

/// Every rule has a scenario, or a reason why it can have none.
fn faults_of_coverage(pack: &[Rule], scenarios: &[Scenario], opened: &Fired) -> Vec<String> {
    let mut faults = Vec::new();
    for rule in pack {
        let has = scenarios.iter().any(|scenario| scenario.fires.contains(&rule.sid))
            || rule.file == DECRYPTED && opened.values().any(|it| it.contains_key(&rule.sid));
        let reason = UNREACHABLE.iter().find(|(sid, _)| *sid == rule.sid);
        match (has, reason) {
            (false, None) => faults.push(format!("no scenario for {}", rule.sid)),
            (true, Some(_)) => faults.push(format!("{} can be reached", rule.sid)),
            (false, Some((sid, why))) => say(&format!("skipped: {sid} has no capture: {why}")),
            (true, None) => {}
        }
    }
    faults
}

/// A row for each rule: the captures it fires on, with the number of alerts.
fn matrix(pack: &[Rule], crafted: &Fired, real: &Fired) -> String {
    let mut text = String::from(
        "\n# Rules and captures\n\n\
         | sid | message | crafted captures | captures of real peers |\n|---|---|---|---|\n",
    );
    for rule in pack {
        let off = if rule.on { "" } else { " (off)" };
        let cells = [crafted, real].map(|fired| captures_of(rule.sid, fired));
        let message = rule.one("msg");
        writeln!(text, "| {} | {message}{off} | {} | {} |", rule.sid, cells[0], cells[1])
            .expect("a text grows");
    }
    text
}

fn captures_of(sid: u32, fired: &Fired) -> String {
    let counts = fired.iter().filter_map(|(name, sids)| Some((name, sids.get(&sid)?)));
    let entries = counts.map(|(name, count)| match count {
        1 => name.clone(),
        _ => format!("{name} ×{count}"),
    });
    entries.collect::<Vec<_>>().join(", ")
}

/// Of whatever is sent each message of IKEv2 is decoded, or a rule of [`HIDDEN`] says that it is
/// not; never both, and nothing of what is sent before.
#[test]
fn a_message_is_decoded_or_an_alert_says_that_it_is_not() {
    let suricata = Suricata::get();
    let folder = folder(suricata, "hidden");
    let hideouts = hideouts();
    let conversations: Vec<_> = hideouts.iter().map(|one| &one.datagrams[..]).collect();
    let (capture, rules) = (folder.join("hidden.pcap"), folder.join("hidden.rules"));
    fs::write(&capture, flow::capture(&conversations)).expect("a file");
    let decoded = "alert ikev2 any any -> any any (msg:\"any\"; ikev2.exchange_type:>0; sid:1;)";
    let every_time = "threshold:type limit,track by_dst,count 1,seconds 60; ";
    let text = text_of(HIDDEN);
    assert_eq!(
        text.matches(every_time).count(),
        pack().iter().filter(|it| it.file == HIDDEN).count()
    );
    fs::write(&rules, format!("{}{decoded}\n", text.replace(every_time, ""))).expect("a file");

    let mut fired: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for alert in alerts(suricata, &folder, &capture, &rules) {
        let packet = alert["pcap_cnt"].as_u64().expect("a packet's number");
        fired.entry(packet).or_default().push(sid(&alert));
    }
    let (mut packet, mut seen, mut faults) = (0, 0, Vec::new());
    for hideout in &hideouts {
        for place in 0..hideout.datagrams.len() {
            packet += 1;
            let fired = fired.remove(&packet).unwrap_or_default();
            let wanted = usize::from(place >= hideout.before);
            let is_ikev1 = fired == [1] && wanted == 0;
            seen += fired.iter().filter(|sid| **sid == 1).count();
            if fired.len() != wanted && !is_ikev1 {
                faults.push(format!("{}, datagram {place}: {fired:?}", hideout.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    say(&format!("hidden: {packet} datagrams, of which {seen} are decoded"));
}

/// The rules of Suricata's own for the built-in parser, and how they become the plugin's.
const BUILTIN: (&str, u32, u32) = ("ipsec-events.rules", 2_224_000, 14);

#[test]
fn the_builtin_parsers_rules_fire_when_renamed() {
    let suricata = Suricata::get();
    let folder = folder(suricata, "renamed");
    let (file, first, count) = BUILTIN;
    let stock = stock().into_iter().find(|(name, _)| name == file);
    let (_, text) = stock.unwrap_or_else(|| panic!("this Suricata has no {file}"));
    let text = text.replace("alert ike ", "alert ikev2 ").replace(":ike.", ":ikev2.");
    assert_eq!(count_rules(&text), count as usize, "{file} has other rules than in 8.0.8");
    let renamed = folder.join(file);
    fs::write(&renamed, &text).expect("a file");
    let complaints = complaints(suricata, &folder, &renamed, count as usize);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let scenarios = scenarios();
    let fired = on_crafted(suricata, &folder, &scenarios, &renamed);
    // The first rules of the pack ask for the same events in the same order.
    for scenario in &scenarios {
        let own = (0..count).filter(|number| scenario.fires.contains(&(FILES[0].1 + number)));
        let own: BTreeSet<_> = own.map(|number| first + number).collect();
        assert_eq!(fired[scenario.name].keys().copied().collect::<BTreeSet<_>>(), own);
    }
    let all: BTreeSet<_> = fired.values().flat_map(BTreeMap::keys).copied().collect();
    assert_eq!(all, (first..first + count).collect(), "rules that fired");
    say(&format!("renamed {file} ... {count} rules load, and each fires"));
}
