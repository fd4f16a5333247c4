//! Compares the plugin with an independent decoder over real captures.
//!
//! The captures and what tshark reads in them are not part of the project; they
//! are looked for beside it, in `../shared/pcaps`. Where that folder is missing
//! there is nothing to compare, and the test says so.
//!
//! Every message, and every field that both know, has to be the same.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

use testkit::eve;
use testkit::project::{files, fresh_folder, project};
use testkit::suricata::{self, Suricata};
use testkit::work::{on_all_cores, say};

/// A field of a message: its name, its text in the truth and in a record.
type Field = (&'static str, fn(&Row) -> String, fn(&Value) -> String);

/// Every field that is compared. Addresses of IPv6 are not in the truth.
const FIELDS: &[Field] = &[
    ("source", |row| row.text(1), |record| text(&record["src_ip"])),
    ("destination", |row| row.text(2), |record| text(&record["dest_ip"])),
    ("source port", |row| row.text(3), |record| text(&record["src_port"])),
    ("destination port", |row| row.text(4), |record| text(&record["dest_port"])),
    ("init_spi", |row| row.text(5), |record| text(&record["ikev2"]["init_spi"])),
    ("resp_spi", |row| row.text(6), |record| text(&record["ikev2"]["resp_spi"])),
    ("exchange_type", |row| row.text(7), |record| text(&record["ikev2"]["exchange_type"])),
    ("flags", |row| flag_names(row.hex(8)), |record| list(&record["ikev2"]["flags"], |f| f)),
    ("message_id", |row| row.hex(9).to_string(), |record| text(&record["ikev2"]["message_id"])),
    ("length", |row| row.text(10), |record| text(&record["ikev2"]["length"])),
    ("payloads", Row::payloads, |record| list(&record["ikev2"]["payloads"], |p| &p["type"])),
    ("encr", |row| row.text(12), |record| transforms(record, "encr")),
    ("prf", |row| row.text(13), |record| transforms(record, "prf")),
    ("integ", |row| row.text(14), |record| transforms(record, "integ")),
    ("dh", |row| row.text(15), |record| transforms(record, "dh")),
    ("esn", |row| row.text(16), |record| transforms(record, "esn")),
    ("key lengths", |row| row.text(17), key_lengths),
    ("key exchange", |row| row.text(18), |record| text(&record["ikev2"]["key_exchange"]["group"])),
    ("notify", |row| row.text(19), |record| list(&record["ikev2"]["notify"], |n| &n["type"])),
];

/// A message in the truth: what tshark says of one frame.
struct Row(Vec<String>);

impl Row {
    fn parse(line: &str) -> Self {
        Self(line.split('\t').map(str::to_owned).collect())
    }

    fn text(&self, column: usize) -> String {
        self.0.get(column).cloned().unwrap_or_default()
    }

    fn frame(&self) -> u64 {
        self.text(0).parse().expect("the first column is the frame")
    }

    /// Whether a record is of this frame. One made of IP fragments has no frame;
    /// it is known by what identifies a message.
    fn is_of(&self, record: &Value) -> bool {
        let ikev2 = &record["ikev2"];
        match record["pcap_cnt"].as_u64() {
            Some(frame) => frame == self.frame(),
            None => {
                text(&ikev2["init_spi"]) == self.text(5)
                    && text(&ikev2["exchange_type"]) == self.text(7)
                    && text(&ikev2["message_id"]) == self.hex(9).to_string()
                    && list(&ikev2["flags"], |flag| flag) == flag_names(self.hex(8))
            }
        }
    }

    fn hex(&self, column: usize) -> u32 {
        let text = self.text(column);
        u32::from_str_radix(text.trim_start_matches("0x"), 16).expect("a hexadecimal column")
    }

    /// The types of payloads, without 2 and 3: tshark counts proposals and
    /// transforms among them.
    fn payloads(&self) -> String {
        let text = self.text(11);
        let types = text.split(',').filter(|kind| !["2", "3"].contains(kind));
        types.collect::<Vec<_>>().join(",")
    }
}

fn flag_names(flags: u32) -> String {
    let names = [(0x08, "initiator"), (0x10, "version"), (0x20, "response")];
    let set = names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name);
    set.collect::<Vec<_>>().join(",")
}

/// A value as text; nothing when there is none.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn list(items: &Value, part: fn(&Value) -> &Value) -> String {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().map(|item| text(part(item))).collect::<Vec<_>>().join(",")
}

/// The values of a part of all algorithms of a kind, in all proposals.
fn algorithms<'a>(
    record: &'a Value,
    kind: &'a str,
    part: &'a str,
) -> impl Iterator<Item = String> + 'a {
    let proposals = record["ikev2"]["proposals"].as_array().into_iter().flatten();
    let algorithms = proposals.filter_map(move |proposal| proposal[kind].as_array()).flatten();
    algorithms.filter_map(move |algorithm| algorithm.get(part)).map(text)
}

fn transforms(record: &Value, kind: &str) -> String {
    algorithms(record, kind, "id").collect::<Vec<_>>().join(",")
}

/// Only ciphers have key lengths in these captures; on others they would be
/// missed here and stand out as a difference.
fn key_lengths(record: &Value) -> String {
    algorithms(record, "encr", "key_length").collect::<Vec<_>>().join(",")
}

struct Difference {
    capture: String,
    frame: u64,
    field: &'static str,
    expected: String,
    found: String,
}

impl Difference {
    fn is_of_a_field(&self) -> bool {
        ![EXTRA, MISSING].contains(&self.field)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capture, frame, field, expected, found } = self;
        write!(f, "{capture} frame {frame}: {field}: expected '{expected}', found '{found}'")
    }
}

/// What comparing one capture gave.
#[derive(Default)]
struct Comparison {
    messages: usize,
    fields: usize,
    differences: Vec<Difference>,
    invalid: Vec<String>,
}

#[test]
fn agrees_with_an_independent_decoder() {
    let folder = project().join("../shared/pcaps");
    if !folder.is_dir() {
        return say("truth: skipped: there is no folder ../shared/pcaps beside the project");
    }
    let suricata = Suricata::get();
    let captures = [files(&folder, "pcap"), files(&folder, "pcapng")].concat();
    let comparisons = on_all_cores(&captures, |capture| {
        let comparison = compare(suricata, &folder, capture);
        comparison.unwrap_or_else(|error| panic!("{}: {error}", capture.display()))
    });
    let differences: Vec<_> = comparisons.iter().flat_map(|one| &one.differences).collect();
    let invalid: Vec<_> = comparisons.iter().flat_map(|one| &one.invalid).collect();
    let fields: usize = comparisons.iter().map(|one| one.fields).sum();
    say(&format!(
        "truth: {} captures, {} messages; {fields} fields compared, {} agree; {}",
        captures.len(),
        comparisons.iter().map(|one| one.messages).sum::<usize>(),
        fields - differences.iter().filter(|difference| difference.is_of_a_field()).count(),
        suricata.describe("-V").expect("it ran before").trim(),
    ));
    differences.iter().for_each(|difference| say(&format!("truth: {difference}")));
    invalid.iter().for_each(|fault| say(&format!("truth: {fault}")));
    assert!(differences.is_empty() && invalid.is_empty(), "differences; see above");
    assert!(fields > 0, "nothing was compared");
}

/// A message that only the plugin has, and one that only the truth has.
const EXTRA: &str = "extra message";
const MISSING: &str = "missing message";

/// A capture without truth has no IKEv2 in it.
fn compare(suricata: &Suricata, folder: &Path, capture: &Path) -> Result<Comparison, String> {
    let name = capture.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = suricata.root.join("output").join(format!("truth-{name}"));
    fresh_folder(&output).map_err(|error| error.to_string())?;
    let mut command = suricata.command();
    command.args(["--init-errors-fatal", "--disable-detection", "-k", "none"]);
    command.arg("-l").arg(&output).arg("-r").arg(capture);
    let status = suricata::run(&mut command, &output)?;
    if !status.success() {
        return Err(format!("{status}; see {}", output.display()));
    }
    let eve = output.join("eve.json");
    let truth = fs::read_to_string(folder.join("truth").join(format!("{name}.tsv")));
    let rows: Vec<_> = truth.unwrap_or_default().lines().map(Row::parse).collect();
    let mut comparison = compare_records(&name, &rows, eve::records(&eve)?);
    comparison.invalid = eve::validate(&eve)?.1;
    Ok(comparison)
}

fn compare_records(capture: &str, rows: &[Row], records: Vec<Value>) -> Comparison {
    let mut records: Vec<_> = records.into_iter().filter(eve::is_message).collect();
    let mut comparison = Comparison { messages: rows.len(), ..Comparison::default() };
    let mut differ = |frame, field, expected, found| {
        let capture = capture.to_owned();
        comparison.differences.push(Difference { capture, frame, field, expected, found });
    };
    for row in rows {
        let Some(place) = records.iter().position(|record| row.is_of(record)) else {
            differ(row.frame(), MISSING, row.0.join(" "), String::new());
            continue;
        };
        for (field, expected, found) in fields(row, &records.remove(place)) {
            comparison.fields += 1;
            if expected != found {
                differ(row.frame(), field, expected, found);
            }
        }
    }
    for record in records {
        let frame = record["pcap_cnt"].as_u64().unwrap_or(0);
        differ(frame, EXTRA, String::new(), record["ikev2"].to_string());
    }
    comparison
}

/// What both say of each field that the truth has.
fn fields(row: &Row, record: &Value) -> Vec<(&'static str, String, String)> {
    let both = FIELDS.iter().map(|(field, expected, found)| (*field, expected(row), found(record)));
    let is_known = |field, expected: &String| {
        !expected.is_empty() || !["source", "destination"].contains(&field)
    };
    both.filter(|(field, expected, _)| is_known(*field, expected)).collect()
}
