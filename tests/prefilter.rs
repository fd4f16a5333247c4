//! The prefilter of rules changes no alert: rules of every keyword raise the same alerts with it
//! and without it, with each pattern matcher.
//!
//! The rules are made of the examples in docs/keywords.md. So those of a new keyword come in by
//! themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use testkit::keys;
use testkit::merge::merge;
use testkit::project::{entries, fresh_folder, project};
use testkit::suricata::{self, Suricata};
use testkit::work::on_all_cores;

/// The most alerts of a packet that Suricata allows. With as many rules none is lost.
const MAX_RULES: usize = 255;

/// The least number of rules that Suricata loads, and of those that raise alerts.
const LEAST_RULES: usize = 1600;
const LEAST_RULES_WITH_ALERTS: usize = 800;

const WITHOUT: &str = "app-layer.protocols.ikev2.rule-prefilter=no";

/// In how many surroundings each example stands.
const TURNS: usize = 5;

/// What must not matter. The first one shows what is right.
const SETTINGS: &[&[&str]] = &[
    &[WITHOUT],
    &[],
    &["mpm-algo=ac"],
    &["mpm-algo=ac-ks"],
    &["detect.sgh-mpm-context=full"],
    &["detect.sgh-mpm-context=single"],
    &["detect.prefilter.default=auto"],
];

/// Options around those of an example, which stand at `@`. Some rules are refused, because an
/// example and its surroundings do not fit. They are refused with and without the prefilter.
const SURROUNDINGS: &[&str] = &[
    "@",
    "@ ikev2.exchange_type:ike_sa_init;",
    "ikev2.flags:!response; @",
    "ikev2.sa.state:!failed; @ ikev2.message_id:<3;",
    "ikev2.init_spi; content:\"A\"; @ nocase;",
    "ikev2.vendor_id; content:\"strongSwan\"; nocase; @",
    "ikev2.payload.data; content:!\"|00 01 02 03 04|\"; @",
    "ikev2.payload.data; content:\"|00 00|\"; fast_pattern; @",
    "@ content:\"|20 22|\"; offset:17; depth:2;",
    "@ dsize:>100;",
    "ikev2.notify.data; base64_decode:bytes 8,offset 0; base64_data; content:\"|00|\"; @",
    "ikev2.notify.data; to_sha256; content:\"|00|\"; @",
    "@ ikev2.resp_spi; bsize:16;",
    "@ ikev2.event:retransmission,auth_failed,weak_crypto_dh;",
    "@ app-layer-event:ikev2.malformed_data;",
    "@ flow:to_client;",
    "@ flowbits:isset,nobody.sets.it;",
    "@ prefilter;",
];

/// Options that an example must not be followed by, with or without the prefilter. They need a
/// content, and the rule has none.
const MODIFIERS: &[&str] = &[
    "nocase;",
    "depth:4;",
    "offset:1;",
    "distance:1;",
    "within:4;",
    "startswith;",
    "endswith;",
    "fast_pattern;",
    "rawbytes;",
];

/// The examples of docs/keywords.md.
fn examples() -> Vec<String> {
    let text = fs::read_to_string(project().join("docs/keywords.md")).expect("docs/keywords.md");
    let (_, reference) = text.split_once("\n## Reference\n").expect("a reference");
    let lines = reference.lines().filter_map(|line| line.strip_prefix("    "));
    lines
        .filter(|line| line.starts_with("ikev2.") && !line.contains("once"))
        .map(str::to_owned)
        .collect()
}

/// Other arguments for the keyword of an example, most of which match something.
fn variants(example: &str) -> Vec<String> {
    let mut all = vec![example.to_owned()];
    let alone = example.strip_suffix(';').filter(|rest| !rest.contains(';'));
    if let Some((keyword, _)) = alone.and_then(|option| option.split_once(':')) {
        let arguments = ["0", "1", "2", "4", ">0", "<3", "!0", "0x22", "34-37", "no", "!response"];
        all.extend(arguments.iter().map(|argument| format!("{keyword}:{argument};")));
    }
    all
}

/// The rules, each with a number of its own. Each example stands alone, and in some of the
/// surroundings in turn.
fn rules() -> String {
    let all: BTreeSet<_> = examples().iter().flat_map(|it| variants(it)).collect();
    let mut text = String::new();
    let mut sid = 0;
    for (place, example) in all.iter().enumerate() {
        let turns = (1..TURNS).map(|turn| (place * TURNS + turn) % SURROUNDINGS.len());
        for surroundings in [0].into_iter().chain(turns) {
            let options = SURROUNDINGS[surroundings].replace('@', example);
            sid += 1;
            let direction = if sid % 29 == 0 { "<>" } else { "->" };
            let header = format!("alert ikev2 any any {direction} any any");
            let _ = writeln!(text, "{header} (msg:\"{sid}\"; {options} sid:{sid};)");
        }
    }
    text
}

/// The captures of all cases in one file.
fn capture(folder: &Path) -> PathBuf {
    let cases = entries(&project().join("tests/verify")).into_iter();
    let all: Vec<_> =
        cases.map(|case| case.join("input.pcap")).filter(|file| file.exists()).collect();
    let merged = folder.join("all.pcap");
    merge(&all, &merged);
    merged
}

/// What a run said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// How often there is each alert.
    alerts: BTreeMap<String, usize>,
    /// The rules that Suricata refused.
    refused: BTreeSet<String>,
}

fn run(folder: &Path, capture: &Path, settings: &[&str]) -> Said {
    let name = settings.join(",").replace('/', "_");
    let log = folder.join(if name.is_empty() { "usual" } else { &name });
    fresh_folder(&log).expect("a folder");
    let mut command = Suricata::get().command();
    command
        .arg("-l")
        .arg(&log)
        .arg("-S")
        .arg(folder.join("generated.rules"))
        .arg("-r")
        .arg(capture);
    command.args(["-k", "none", "--runmode", "single"]);
    // The records of that many alerts would be large.
    let options =
        ["packet-alert-max=255", "outputs.0.fast.enabled=yes", "outputs.1.eve-log.enabled=no"];
    for setting in options.iter().chain(settings) {
        command.args(["--set", setting]);
    }
    command.args(key_options());
    let status = suricata::run(&mut command, &log).expect("a run");
    assert!(status.success(), "{status}; see {}", log.display());
    said(&log)
}

/// The keys of all captures.
fn key_options() -> Vec<String> {
    let mut settings = vec!["app-layer.protocols.ikev2.decryption.enabled=yes".to_owned()];
    for (place, table) in keys::tables().iter().enumerate() {
        let key = "app-layer.protocols.ikev2.decryption.key-table";
        settings.push(format!("{key}.{place}={}", table.display()));
    }
    settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]).collect()
}

fn said(log: &Path) -> Said {
    let mut said = Said::default();
    let text = fs::read_to_string(log.join("fast.log")).unwrap_or_default();
    for line in text.lines() {
        *said.alerts.entry(line.to_owned()).or_default() += 1;
    }
    let text = fs::read_to_string(log.join("suricata.log")).unwrap_or_default();
    let refused = text.lines().filter_map(|line| line.split_once("error parsing signature "));
    said.refused = refused
        .map(|(_, rule)| rule.split(" from file ").next().unwrap_or_default().to_owned())
        .collect();
    said
}

#[test]
fn the_prefilter_changes_no_alert() {
    let folder = Suricata::get().root.join("prefilter");
    fs::create_dir_all(&folder).expect("a folder");
    let capture = capture(&folder);
    let rules = rules();
    let lines: Vec<_> = rules.lines().collect();
    let parts = lines.chunks(MAX_RULES).enumerate();
    let runs = |(number, part): (usize, &[&str])| {
        let folder = folder.join(number.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("generated.rules"), part.join("\n") + "\n").expect("a file");
        SETTINGS.iter().map(move |settings| (folder.clone(), *settings))
    };
    let runs: Vec<_> = parts.flat_map(runs).collect();
    let said = on_all_cores(&runs, |(folder, settings)| run(folder, &capture, settings));

    let mut without = Said::default();
    for (part, runs) in said.chunks(SETTINGS.len()).zip(runs.chunks(SETTINGS.len())) {
        for (with, (_, settings)) in part.iter().zip(runs) {
            assert_eq!(difference(&part[0], with), None, "{settings:?}");
        }
        without.refused.extend(part[0].refused.iter().cloned());
        without.alerts.extend(part[0].alerts.clone());
    }
    let loaded = lines.len() - without.refused.len();
    assert!(loaded >= LEAST_RULES, "{loaded} rules are loaded");
    let numbers: BTreeSet<_> = without.alerts.keys().filter_map(|line| sid_of(line)).collect();
    assert!(numbers.len() >= LEAST_RULES_WITH_ALERTS, "{} rules match", numbers.len());
}

/// The number of the rule in a line of `fast.log`.
fn sid_of(line: &str) -> Option<u32> {
    line.split_once("[1:")?.1.split(':').next()?.parse().ok()
}

fn difference(without: &Said, with: &Said) -> Option<String> {
    if without.refused != with.refused {
        let differ = without.refused.symmetric_difference(&with.refused);
        return Some(format!("refused in one run only: {:?}", differ.take(3).collect::<Vec<_>>()));
    }
    let lines: BTreeSet<_> = without.alerts.keys().chain(with.alerts.keys()).collect();
    let differ: Vec<_> = lines
        .into_iter()
        .filter(|line| without.alerts.get(*line) != with.alerts.get(*line))
        .collect();
    let first = differ.first()?;
    let often = [without, with].map(|said| said.alerts.get(*first).copied().unwrap_or_default());
    Some(format!("{} alerts differ; {often:?} times without and with: {first}", differ.len()))
}

/// The content of the prefilter stands behind the keywords of a rule. A modifier must not find it.
#[test]
fn no_modifier_applies_to_the_hidden_content() {
    let folder = Suricata::get().root.join("prefilter-modifiers");
    fs::create_dir_all(&folder).expect("a folder");
    let capture = project().join("tests/verify/aead/input.pcap");
    let file = folder.join("generated.rules");
    let rule = |(place, modifier): (usize, &&str)| {
        let options = format!("ikev2.exchange_type:ike_sa_init; {modifier}");
        format!("alert ikev2 any any -> any any (msg:\"{place}\"; {options} sid:{};)\n", place + 1)
    };
    fs::write(&file, MODIFIERS.iter().enumerate().map(rule).collect::<String>()).expect("a file");
    for settings in [&[][..], &[WITHOUT]] {
        let said = run(&folder, &capture, settings);
        assert_eq!(said.refused.len(), MODIFIERS.len(), "{:?}", said.refused);
        assert!(said.alerts.is_empty(), "{:?}", said.alerts);
    }
}
