//! The table of settings in docs/configuration.md, and the sample configuration.
//! `UPDATE_DOCS=1 cargo test --lib docs` writes the table; without that the test fails when it is
//! stale.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::table::TABLE;
use crate::documentation::assert_current;

const FILE: &str = "docs/configuration.md";
const BEGIN: &str = "<!-- from the table of settings, by a test: do not edit -->\n";
const END: &str = "<!-- end of the table of settings -->\n";

#[test]
fn configuration_md_has_the_table_of_settings() {
    let mut text = "\n| setting | allowed | default | meaning |\n|---|---|---|---|\n".to_owned();
    for row in TABLE {
        let (key, allowed, meaning) = (row.key, row.form.allowed(), row.meaning);
        let default = match row.default {
            "" => "none".to_owned(),
            default => format!("`{default}`"),
        };
        let _ = writeln!(text, "| `{key}` | {allowed} | {default} | {meaning} |");
    }
    text.push('\n');
    assert_current(FILE, BEGIN, END, &text);
}

/// The keys of the sample with their values, whether they are commented out or not. Comments
/// in words have a blank behind the `#`.
fn sample() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("suricata-config/ikev2.yaml");
    let text = fs::read_to_string(path).expect("the sample");
    let (mut keys, mut sample) = (Vec::new(), BTreeMap::new());
    for line in text.lines().skip_while(|line| *line != "ikev2:").skip(1) {
        let start = line.trim_start();
        let depth = (line.len() - start.len()) / 2;
        let code = start.strip_prefix('#').unwrap_or(start);
        let Some((key, value)) = code.split_once(':').filter(|_| !code.starts_with(' ')) else {
            continue;
        };
        keys.truncate(depth - 1);
        keys.push(key);
        sample.insert(keys.join("."), value.trim().to_owned());
    }
    sample
}

#[test]
fn the_sample_has_every_setting_with_its_default() {
    let sample = sample();
    for row in TABLE {
        // Of a section of Suricata's the key below it stands with the default.
        let key = row.default.split_once(": ").map(|(key, _)| format!("{}.{key}", row.key));
        let default = row.default.split_once(": ").map_or(row.default, |(_, default)| default);
        let value = sample.get(key.as_deref().unwrap_or(row.key));
        let value = value.unwrap_or_else(|| panic!("{} is missing in the sample", row.key));
        assert!(default.is_empty() || value == default, "{}: {value}", row.key);
    }
}
