//! Whether a record is JSON, and bounded.

use serde_json::Value;

/// The deepest that a record nests.
const DEEPEST: usize = 8;

/// The most that a record has.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// The elements of an array.
    pub elements: usize,
    /// The bytes of a text.
    pub text: usize,
}

/// Checks the members of a record, without the braces around them: but for the characters
/// that only the plugin escapes, they are what another writer makes of what another reader
/// takes them for, so no key is there twice and no text is ambiguous.
///
/// # Panics
///
/// When something is wrong with the record.
pub fn check(members: &[u8], most: Most) {
    let record = [b"{", members, b"}"].concat();
    let value = serde_json::from_slice(&record).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&record));
    });
    check_bounds(&value, most, DEEPEST);
    let record = String::from_utf8(record).expect("text");
    assert_eq!(value.to_string(), without_own_escapes(&record));
}

/// The text with the characters themselves where they are escaped and need not be.
fn without_own_escapes(record: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(record.len()), record);
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escaped, length) = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(high @ 0xd800..0xdc00), Some(low)) => {
                (char::decode_utf16([high, low]).next().and_then(Result::ok), 12)
            }
            (Some(unit), _) => (char::from_u32(unit.into()).filter(|it| *it >= '\u{7f}'), 6),
            (None, _) => (None, 2),
        };
        match escaped {
            Some(character) => plain.push(character),
            None => plain.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    plain + rest
}

/// The number of an escape `\uNNNN` at the beginning of a text.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

fn check_bounds(value: &Value, most: Most, depth: usize) {
    assert!(depth > 0, "nested too deeply: {value}");
    match value {
        Value::Object(members) => members.values().for_each(|it| check_bounds(it, most, depth - 1)),
        Value::Array(elements) => {
            assert!(elements.len() <= most.elements, "{} elements", elements.len());
            elements.iter().for_each(|it| check_bounds(it, most, depth - 1));
        }
        Value::String(text) => assert!(text.len() <= most.text, "{} bytes", text.len()),
        _ => {}
    }
}
