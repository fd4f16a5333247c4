//! Compares what the plugin finds inside encrypted messages with what tshark finds.
//!
//! All captures that have keys are read at once, by the real Suricata with the plugin and,
//! where it is installed, by tshark with the same keys. What tshark found is kept in
//! `tests/capture/inside.txt`, so that there is something to compare with where it is not;
//! `UPDATE_INSIDE=1 cargo test --test inside` writes that anew.
//!
//! Wireshark's own captures are not part of the project; they are looked for beside it, in
//! `../shared/pcaps`. What tshark finds in them is in `tests/capture/inside-wireshark.txt`.
//!
//! Every message that tshark opens, and every field that both know, has to be the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use testkit::merge::merge;
use testkit::message::NEXT_PAYLOAD;
use testkit::project::{files, fresh_folder, project};
use testkit::registry::SKF;
use testkit::suricata::{self, Suricata};
use testkit::tshark::Messages;
use testkit::work::say;
use testkit::{capture, eve, keys};

/// The keys of the capture whose fragments come in any order.
const LOSSY: &str = "lossy-fragments.ikev2_decryption_table";

/// The length of two SPIs in hex digits with what is between them.
const SPIS: usize = 33;

/// Captures, the tables that open them, and where it is kept what tshark finds.
struct Set {
    name: &'static str,
    captures: Vec<PathBuf>,
    /// For tshark, which has one set of keys for an IKE SA: each is given to a run of it.
    tables: Vec<Vec<PathBuf>>,
    /// With algorithms that tshark has no names for.
    extensions: Vec<PathBuf>,
    expected: PathBuf,
}

/// Those that have this in their names, and the others.
fn split(paths: Vec<PathBuf>, part: &str) -> (Vec<PathBuf>, Vec<PathBuf>) {
    paths.into_iter().partition(|path| path.to_string_lossy().contains(part))
}

impl Set {
    fn of_the_project() -> Self {
        let folder = project().join("tests/capture");
        let (extensions, tables) = split(keys::tables(), ".extension.");
        let (first, last) = split(tables, ".first.");
        Self {
            name: "project",
            captures: files(&capture::folder(), "pcap"),
            tables: vec![last, first],
            extensions,
            expected: folder.join("inside.txt"),
        }
    }

    fn of_wireshark() -> Option<Self> {
        let folder = project().join("../shared/pcaps");
        let table = folder.join("wireshark-ikev2_decryption_table");
        if !table.exists() {
            return None;
        }
        let captures = ["pcap", "pcapng"].into_iter().flat_map(|form| files(&folder, form));
        let is_wanted = |path: &PathBuf| path.to_string_lossy().contains("/wireshark-decrypt-");
        Some(Self {
            name: "wireshark",
            captures: captures.filter(is_wanted).collect(),
            tables: vec![vec![table]],
            extensions: Vec::new(),
            expected: project().join("tests/capture/inside-wireshark.txt"),
        })
    }

    /// The SPIs of IKE SAs that tshark has no names of algorithms for, or whose fragments
    /// come out of order, with which it does not do.
    fn unreadable_to_tshark(&self) -> BTreeSet<String> {
        let spis = |line: &str| line.get(..SPIS).map(|spis| spis.replace(',', " "));
        let lossy = self.tables.iter().flatten().filter(|path| path.ends_with(LOSSY));
        let files: Vec<_> = self.extensions.iter().chain(lossy).cloned().collect();
        concat(&files).lines().filter_map(spis).collect()
    }
}

fn concat(files: &[PathBuf]) -> String {
    files.iter().map(|file| fs::read_to_string(file).expect("a key table")).collect()
}

/// What the plugin finds, with all keys at once.
fn ask_suricata(set: &Set, capture: &Path, folder: &Path) -> Messages {
    let suricata = Suricata::get();
    let files: Vec<_> = set.tables.iter().flatten().chain(&set.extensions).cloned().collect();
    fs::write(folder.join("keys.txt"), concat(&files)).expect("a key table");
    let mut command = suricata.command();
    command.arg("-l").arg(folder).args(["-S", "/dev/null", "-k", "none", "--runmode", "single"]);
    let decryption = "app-layer.protocols.ikev2.decryption";
    command.args(["--set", &format!("{decryption}.enabled=yes")]);
    command.args(["--set", &format!("{decryption}.key-table=keys.txt")]);
    let status = suricata::run(command.current_dir(folder).arg("-r").arg(capture), folder);
    assert!(status.expect("a run").success(), "see {}", folder.display());
    let records = folder.join("eve.json");
    assert_eq!(eve::validate(&records).expect("records").1, Vec::<String>::new());
    Messages::of_records(&eve::records(&records).expect("records"))
}

/// Whether there are fragments in a capture.
fn has_fragments(capture: &Path) -> bool {
    capture::read(capture).iter().any(|it| it.unmarked().get(NEXT_PAYLOAD) == Some(&SKF))
}

/// What tshark finds; none where it is not installed. It puts fragments together by their
/// Message ID, whosever they are, so captures with fragments are read alone.
fn ask_tshark(set: &Set, folder: &Path) -> Option<Messages> {
    let (mut captures, others): (Vec<_>, Vec<_>) =
        set.captures.iter().cloned().partition(|capture| has_fragments(capture));
    captures.push(folder.join("others.pcap"));
    merge(&others, &captures[captures.len() - 1]);
    let mut all = Messages::default();
    for (tables, capture) in
        set.tables.iter().flat_map(|it| captures.iter().map(move |to| (it, to)))
    {
        fs::write(folder.join("ikev2_decryption_table"), concat(tables)).expect("a key table");
        let mut command = Command::new("tshark");
        command.env("WIRESHARK_CONFIG_DIR", folder).arg("-r").arg(capture);
        // It looks at ports, not at contents.
        command.args(["-d", "udp.port==5500,udpencap"]);
        command.args(["-T", "json", "--no-duplicate-keys", "-J", "isakmp"]);
        let output = command.stdin(Stdio::null()).output().ok()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !complaint.contains("ikev2_dec"), "tshark: {complaint}");
        let packets = serde_json::from_slice(&output.stdout).expect("JSON of tshark");
        all.merge(Messages::of_packets(&packets));
    }
    Some(all)
}

/// What one of them found otherwise; of messages that it opened.
fn differences(tshark: &Messages, ours: &Messages) -> Vec<String> {
    let differ = tshark.0.iter().filter_map(|(message, fields)| match ours.0.get(message) {
        None => Some(format!("{message}: tshark opens it")),
        Some(found) if found == fields => None,
        Some(found) => Some(format!("{message}\n  tshark {fields:#?}\n  plugin {found:#?}")),
    });
    differ.take(10).collect()
}

/// Compares, and says how many messages were opened.
fn compare(set: &Set) -> usize {
    let folder = Suricata::get().root.join("inside").join(set.name);
    fresh_folder(&folder).expect("a folder");
    let capture = folder.join("all.pcap");
    merge(&set.captures, &capture);
    let ours = ask_suricata(set, &capture, &folder);
    match ask_tshark(set, &folder) {
        None => say(&format!("{}: tshark is not installed, so what it found is read", set.name)),
        Some(found) => {
            assert_eq!(differences(&found, &ours), Vec::<String>::new());
            if env::var_os("UPDATE_INSIDE").is_some() {
                fs::write(&set.expected, found.to_string()).expect("a file that can be written");
            }
        }
    }
    let expected = fs::read_to_string(&set.expected).expect("what tshark found");
    let expected = Messages::parse(&expected);
    assert_eq!(differences(&expected, &ours), Vec::<String>::new());
    let unknown = set.unreadable_to_tshark();
    for message in ours.0.keys().filter(|message| !expected.0.contains_key(*message)) {
        assert!(unknown.contains(&message[..SPIS]), "{message}: tshark does not open it");
    }
    say(&format!("{}: {} messages as tshark finds them", set.name, expected.0.len()));
    expected.0.len()
}

#[test]
fn what_is_inside_the_captures_is_what_tshark_finds() {
    assert!(compare(&Set::of_the_project()) > 500);
}

#[test]
fn what_is_inside_wiresharks_captures_is_what_tshark_finds() {
    match Set::of_wireshark() {
        Some(set) => assert_eq!((set.captures.len(), compare(&set)), (4, 14)),
        None => say("skipped: there is no folder ../shared/pcaps beside the project"),
    }
}
