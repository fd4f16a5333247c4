//! Cleans lines that were copied from an editor, a terminal or another program. These may
//! add a byte order mark, colours, or a prefix and colons in hex digits.

use core::ops::Deref;

use zeroize::Zeroizing;

/// The byte order mark of UTF-8.
const MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The first byte of an escape sequence, such as a terminal's colour.
const ESCAPE: u8 = 0x1b;

/// A line without byte order mark and escape sequences. A copy is wiped when it is dropped,
/// because it may contain keys.
pub(super) enum CleanLine<'a> {
    /// The original line, or a part of it.
    Borrowed(&'a [u8]),
    /// A copy without the escape sequences.
    Copied(Zeroizing<Vec<u8>>),
}

impl Deref for CleanLine<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(line) => line,
            Self::Copied(line) => line,
        }
    }
}

/// Removes a byte order mark and escape sequences from a line.
pub(super) fn clean_line(line: &[u8]) -> CleanLine<'_> {
    let line = line.strip_prefix(MARK).unwrap_or(line);
    if !line.contains(&ESCAPE) {
        return CleanLine::Borrowed(line);
    }
    let mut copy = Zeroizing::new(Vec::with_capacity(line.len()));
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == ESCAPE {
            rest = after_escape_sequence(after);
        } else {
            copy.push(*byte);
        }
    }
    // The byte order mark may follow a colour.
    if copy.starts_with(MARK) {
        copy.drain(..MARK.len());
    }
    CleanLine::Copied(copy)
}

/// The text after an escape sequence of ECMA-48. The sequence is `[`, parameters and a
/// letter, or a single character. If the sequence has no end, only the bracket is removed.
fn after_escape_sequence(rest: &[u8]) -> &[u8] {
    let Some(parameters) = rest.strip_prefix(b"[") else { return rest.get(1..).unwrap_or(&[]) };
    let length = parameters.iter().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
    match parameters.get(length) {
        Some(0x40..=0x7e) => parameters.get(length + 1..).unwrap_or(&[]),
        _ => parameters,
    }
}

/// Whether a line begins with the byte order mark of UTF-16.
pub(super) fn is_utf_16(line: &[u8]) -> bool {
    matches!(line, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// The bytes of a text of hex digits. The text may begin with `0x` and may have colons
/// between bytes. `None` if it contains anything else.
pub(super) fn hex_bytes(text: &[u8]) -> Option<impl Iterator<Item = u8> + Clone + '_> {
    let digits = text.strip_prefix(b"0x").or(text.strip_prefix(b"0X")).unwrap_or(text);
    let is_part = |part: &[u8]| {
        !part.is_empty() && part.len().is_multiple_of(2) && part.iter().all(u8::is_ascii_hexdigit)
    };
    let mut parts = digits.split(|byte| *byte == b':');
    if !digits.is_empty() && !parts.all(is_part) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).map_or(0, |value| value as u8);
    let pairs = digits.split(|byte| *byte == b':').flat_map(|part| part.chunks_exact(2));
    Some(pairs.map(move |pair| pair.iter().fold(0, |high, low| high << 4 | value(*low))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_and_colours_are_removed() {
        for (line, expected) in [
            ("a b", "a b"),
            ("\u{feff}a", "a"),
            ("\x1b[31ma\x1b[0m b\x1b[1;38;5;9m", "a b"),
            ("\x1b[m\u{feff}a", "a"),
            ("a\x1b", "a"),
            ("a\x1b[", "a"),
            ("a\x1b[3", "a3"),
            ("a\x1bMb", "ab"),
        ] {
            assert_eq!(&*clean_line(line.as_bytes()), expected.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn hex_digits_may_have_a_prefix_and_colons() {
        let bytes = |text: &str| hex_bytes(text.as_bytes()).map(Iterator::collect::<Vec<_>>);
        for text in ["0aff10", "0x0AFF10", "0X0aff10", "0a:ff:10", "0x0a:ff10"] {
            assert_eq!(bytes(text), Some(vec![10, 255, 16]), "{text}");
        }
        assert_eq!((bytes(""), bytes("0x")), (Some(vec![]), Some(vec![])));
        for text in ["0", "0af", "0a:", ":0a", "0a::ff", "a:f", "0g", "0a 0b", "00x0a", "-1"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
