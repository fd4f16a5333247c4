//! Generates the table of docs/policies.md from the table of algorithms and from the
//! policies. `UPDATE_DOCS=1 cargo test --lib docs` writes it. Without that variable the
//! test fails if the file is out of date.

use core::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::profile::tests::lists;
use super::table::{Bits, Grade, IkeUse, PolicyRow, TABLE};
use super::Policy;
use crate::documentation::assert_current;
use crate::wire::registry::TransformType;

const FILE: &str = "docs/policies.md";
const BEGIN: &str = "<!-- from the table of algorithms, by a test: do not edit -->\n";
const END: &str = "<!-- end of the table of algorithms -->\n";

#[test]
fn policies_md_matches_the_table() {
    assert_current(FILE, BEGIN, END, &render());
}

#[test]
fn policies_md_has_a_section_for_every_policy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let present = fs::read_to_string(path).expect("docs/policies.md");
    for name in Policy::names() {
        assert!(present.contains(&format!("\n### {name}\n")), "{name}");
    }
}

fn render() -> String {
    let mut text = String::new();
    for (kind, title) in [
        (TransformType::ENCR, "Encryption algorithms (type 1, `encr`)"),
        (TransformType::PRF, "Pseudorandom functions (type 2, `prf`)"),
        (TransformType::INTEG, "Integrity algorithms (type 3, `integ`)"),
        (TransformType::KE, "Key exchange methods (types 4 and 6 to 12, `dh`)"),
        (TransformType::SN, "Sequence numbers (type 5, `esn`)"),
    ] {
        let _ = writeln!(text, "\n### {title}\n");
        let names: Vec<_> = Policy::all().iter().map(Policy::name).collect();
        let _ = writeln!(text, "| id | name | grade | bits | {} | source |", names.join(" | "));
        let _ = writeln!(text, "|---|---|---|---|{}---|", "---|".repeat(names.len()));
        for row in TABLE.iter().filter(|row| row.kind == kind) {
            line(&mut text, row);
        }
    }
    text.push('\n');
    text
}

fn line(text: &mut String, row: &PolicyRow) {
    let bits = match row.bits {
        Bits::Fixed(bits) => bits.to_string(),
        Bits::KeyLength => "key".to_owned(),
        Bits::Unknown => "–".to_owned(),
    };
    let (id, name, grade) = (row.id, row.name().unwrap_or_default(), row.grade.name());
    let _ = write!(text, "| {id} | `{name}` | {grade} | {bits} | {} |", by_grade(row));
    for (_, list) in lists() {
        let _ = write!(text, " {} |", if is_none(row) { "–" } else { list.verdict(row.kind, id) });
    }
    let _ = writeln!(text, " {} |", row.reference);
}

fn by_grade(row: &PolicyRow) -> &'static str {
    let refused = matches!(row.grade, Grade::Forbid | Grade::Weak);
    match (refused, row.unconfirmed) {
        _ if is_none(row) => "–",
        _ if row.ike == IkeUse::NotAllowed => "no",
        (false, _) => "yes",
        (true, false) => "no",
        (true, true) => "no?",
    }
}

/// Whether the rules of composition handle this row: NONE and sequence numbers.
fn is_none(row: &PolicyRow) -> bool {
    row.kind == TransformType::SN || row.name() == Some("NONE")
}
