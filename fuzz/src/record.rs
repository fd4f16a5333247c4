//! Whether a record is JSON, and bounded. The tests of the project use this too.

use serde_json::Value;
use suricata_ikev2::json::Text;
use suricata_ikev2::render::{render, MAX_ELEMENTS, MAX_TEXT};
use suricata_ikev2::tx::Transaction;

/// The deepest that a record nests.
const DEEPEST: usize = 8;

/// Renders a transaction and checks the record: it is what another writer makes of what
/// another reader takes it for, so no key is there twice and no text is ambiguous.
pub fn check(tx: &Transaction) {
    let mut text = Text::default();
    render(tx, &mut text);
    let record = [b"{", text.as_bytes(), b"}"].concat();
    let value = serde_json::from_slice(&record).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&record));
    });
    check_bounds(&value, DEEPEST);
    assert_eq!(value.to_string().as_bytes(), record);
}

fn check_bounds(value: &Value, depth: usize) {
    assert!(depth > 0, "nested too deeply: {value}");
    match value {
        Value::Object(members) => members.values().for_each(|it| check_bounds(it, depth - 1)),
        Value::Array(elements) => {
            assert!(elements.len() <= MAX_ELEMENTS, "{} elements", elements.len());
            elements.iter().for_each(|it| check_bounds(it, depth - 1));
        }
        Value::String(text) => assert!(text.len() <= MAX_TEXT, "{} bytes", text.len()),
        _ => {}
    }
}
