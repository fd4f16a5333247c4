//! A configuration becomes settings; mistakes in it are reported.

use super::form::{Form, ParseSize};
use super::node::Node;
use super::table::{Mode, Setting, Settings, TABLE};
use super::SECTION;

/// Reads the settings of a section. `report` gets each mistake as a text that names the key, the
/// value and what is allowed.
pub(super) fn read(
    section: &Node,
    parse_size: ParseSize,
    report: &mut dyn FnMut(String),
) -> Settings {
    let mut settings = Settings::default();
    // The policy may be the one that `custom-policy` makes.
    let (last, first): (Vec<_>, Vec<_>) =
        TABLE.iter().partition(|row| matches!(row.form, Form::Policy { .. }));
    for row in first.into_iter().chain(last) {
        let Some(node) = section.find(row.key).filter(|_| is_used(&settings, row.section())) else {
            continue;
        };
        row.form.read(node, &mut settings, parse_size, &mut |below, mistake| {
            let dot = if below.is_empty() { "" } else { "." };
            report(format!("{SECTION}.{}{dot}{below}: {mistake}", row.key));
        });
    }
    for name in sections().into_iter().filter(|name| is_used(&settings, name)) {
        report_unknown(section, name, report);
    }
    if settings.decryption && settings.key_tables.is_empty() {
        report(format!("{SECTION}.decryption.key-table: no file; nothing is decrypted"));
        settings.decryption = false;
    }
    settings
}

/// Whether the settings of a section matter. The mode is read first: where it turns a part of
/// the plugin off, mistakes in the settings of the part do no harm.
fn is_used(settings: &Settings, section: &str) -> bool {
    match section {
        "sa-tracking" => settings.mode != Mode::Off,
        "decryption" => settings.mode == Mode::On,
        _ => true,
    }
}

impl Setting {
    /// The section of its key; empty for a key that is in none.
    fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }
}

/// The sections of the table; the empty one is for keys that are in none.
fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = TABLE.iter().map(Setting::section).collect();
    sections.sort_unstable();
    sections.dedup();
    sections
}

/// Reports the keys of a section that the table does not have.
fn report_unknown(root: &Node, section: &str, report: &mut dyn FnMut(String)) {
    let (node, prefix) = match section {
        "" => (Some(root), String::new()),
        _ => (root.find(section), format!("{section}.")),
    };
    let mut known: Vec<_> = TABLE.iter().filter_map(|row| row.key.strip_prefix(&prefix)).collect();
    known.iter_mut().for_each(|key| *key = key.split('.').next().unwrap_or(key));
    known.dedup();
    for child in node.into_iter().flat_map(|node| &node.children) {
        let key = &child.key;
        if !known.contains(&key.as_str()) {
            let known = known.join(", ");
            report(format!("{SECTION}.{prefix}{key}: unknown key; known are {known}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::EncryptionHandling;
    use super::*;
    use crate::host::records::RecordSelection;

    /// A configuration of keys, in which dots separate sections, and values.
    fn section(values: &[(&str, &str)]) -> Node {
        let mut root = Node::default();
        for (key, value) in values {
            let mut node = &mut root;
            for part in key.split('.') {
                let place = node.children.iter().position(|child| child.key == part);
                let place = place.unwrap_or_else(|| {
                    node.children.push(Node { key: part.to_owned(), ..Node::default() });
                    node.children.len() - 1
                });
                node = &mut node.children[place];
            }
            node.value = Some((*value).to_owned());
        }
        root
    }

    fn megabytes(text: &str) -> Option<u64> {
        text.strip_suffix("mb")?.parse::<u64>().ok().map(|number| number << 20)
    }

    fn read_all(values: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let mut mistakes = Vec::new();
        let report = &mut |mistake| mistakes.push(mistake);
        let settings = read(&section(values), megabytes, report);
        (settings, mistakes)
    }

    fn read_one(key: &str, value: &str) -> Settings {
        let (settings, mistakes) = read_all(&[(key, value)]);
        assert_eq!(mistakes, Vec::<String>::new(), "{key}: {value}");
        settings
    }

    #[test]
    fn allowed_values_are_taken() {
        let default = Settings::default;
        assert_eq!(read_all(&[]), (default(), vec![]));
        for (value, mode) in
            [("on", Mode::On), ("NO", Mode::Off), ("Detection-only", Mode::DetectionOnly)]
        {
            assert_eq!(read_one("enabled", value), Settings { mode, ..default() });
        }
        assert_eq!(read_one("max-tx", "12"), Settings { max_tx: 12, ..default() });
        assert_eq!(read_one("max-record-size", "4096"), Settings { max_record: 4096, ..default() });
        let records = RecordSelection::of(&[1]);
        assert_eq!(read_one("records", "handshakes"), Settings { records, ..default() });
        for (value, encryption_handling) in [
            ("Track-Only", EncryptionHandling::TrackOnly),
            ("bypass", EncryptionHandling::Bypass),
            ("full", EncryptionHandling::Full),
        ] {
            let expected = Settings { encryption_handling, ..default() };
            assert_eq!(read_one("encryption-handling", value), expected);
        }
        assert_eq!(read_one("policy", "ANSSI").policy.name(), "anssi");
        assert!(!read_one("sa-tracking.enabled", "no").sa_tracking);
        assert_eq!(read_one("sa-tracking.memcap", "2mb").sa_limits.memcap, 2 << 20);
        assert_eq!(read_one("sa-tracking.window", "9").sa_limits.window, 9);
        assert_eq!(read_one("detection-ports.dp", "[500]"), default());
    }

    #[test]
    fn the_defaults_of_the_table_are_those_of_the_values() {
        for row in TABLE.iter().filter(|row| !row.default.is_empty()) {
            assert_eq!(read_one(row.key, row.default), Settings::default(), "{}", row.key);
        }
    }

    #[test]
    fn key_tables_are_one_file_or_a_list() {
        let on = ("decryption.enabled", "yes");
        let (one, mistakes) = read_all(&[on, ("decryption.key-table", "one")]);
        assert_eq!((one.decryption, one.key_tables, mistakes), (true, vec!["one".into()], vec![]));
        let list = [on, ("decryption.key-table.0", "one"), ("decryption.key-table.1", "two")];
        assert_eq!(read_all(&list).0.key_tables, [PathBuf::from("one"), "two".into()]);
        let (none, mistakes) = read_all(&[on]);
        assert!(!none.decryption);
        assert_eq!(
            mistakes,
            ["app-layer.protocols.ikev2.decryption.key-table: no file; nothing is decrypted"]
        );
    }

    #[test]
    fn a_policy_may_be_the_custom_one_wherever_it_stands() {
        let encr = ("custom-policy.encr.0", "ENCR_AES_CBC");
        let (settings, mistakes) = read_all(&[("policy", "custom"), encr]);
        assert_eq!((settings.policy.name(), mistakes), ("custom", vec![]));
        assert_eq!(Some(settings.policy), settings.custom_policy);
    }

    #[test]
    fn a_mistake_names_the_key_the_value_and_what_is_allowed() {
        for (key, value, message) in [
            ("enabled", "maybe", "\"maybe\" is not yes, no or detection-only; the default is used"),
            ("max-tx", "0", "\"0\" is not a number from 1 to 65535; the default is used"),
            (
                "max-record-size",
                "100",
                "\"100\" is not a number of bytes from 2048 to 1048576; the default is used",
            ),
            (
                "encryption-handling",
                "default",
                "\"default\" is not track-only, bypass or full; the default is used",
            ),
            (
                "policy",
                "lax",
                "\"lax\" is not a known policy (rfc8247, nist-sp800-77r1, bsi-tr-02102-3, anssi, \
                 cnsa-1, cnsa-2, custom); the default is used",
            ),
            (
                "records",
                "none",
                "\"none\" is not sa, handshakes or all, or a list of them; the default is used",
            ),
            (
                "max_tx",
                "1",
                "unknown key; known are enabled, detection-ports, max-tx, records, \
                 encryption-handling, policy, \
                 custom-policy, rule-prefilter, sa-tracking, decryption, max-record-size",
            ),
            ("custom-policy.encr", "AES", "\"AES\" is not a cipher (it is left out)"),
            (
                "sa-tracking.enabled",
                "detection-only",
                "\"detection-only\" is not yes or no; the default is used",
            ),
            (
                "sa-tracking.memcap",
                "many",
                "\"many\" is not a size of at least 1mb, such as 64mb; the default is used",
            ),
            (
                "sa-tracking.window",
                "0",
                "\"0\" is not a number of seconds from 1 to 2419200; the default is used",
            ),
            (
                "sa-tracking.timeout",
                "1",
                "unknown key; known are enabled, memcap, half-open-timeout, \
                 established-timeout, closed-timeout, window",
            ),
            ("decryption.keys", "x", "unknown key; known are enabled, key-table"),
        ] {
            let (settings, mistakes) = read_all(&[(key, value)]);
            assert_eq!(mistakes, [format!("app-layer.protocols.ikev2.{key}: {message}")]);
            assert_eq!(settings, Settings::default(), "{key}");
        }
    }

    #[test]
    fn mistakes_in_what_is_off_are_not_reported() {
        let wrong = [("sa-tracking.window", "0"), ("decryption.keys", "x")];
        let mistakes = |mode| read_all(&[&[("enabled", mode)][..], &wrong].concat()).1.len();
        assert_eq!((mistakes("yes"), mistakes("detection-only"), mistakes("no")), (2, 1, 0));
    }

    #[test]
    fn a_setting_may_be_a_list_of_words() {
        let form = Form::Words {
            words: &["sa", "handshakes", "all"],
            is_list: true,
            set: |it, places| it.max_tx = places.iter().map(|place| 1 << place).sum(),
        };
        let read = |values: &[(&str, &str)]| {
            let (mut settings, mut mistakes) = (Settings::default(), Vec::new());
            let report = &mut |_: &str, mistake| mistakes.push(mistake);
            form.read(&section(values), &mut settings, megabytes, report);
            (settings.max_tx, mistakes)
        };
        assert_eq!(read(&[("0", "SA"), ("1", "all")]), (0b101, vec![]));
        let (default, mistakes) = read(&[("0", "sa"), ("1", "none")]);
        assert_eq!(default, Settings::default().max_tx);
        let message =
            "\"sa, none\" is not sa, handshakes or all, or a list of them; the default is used";
        assert_eq!(mistakes, [message]);
    }
}
