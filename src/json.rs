//! JSON text: fast, because a record is the greater part of what a message costs.

use core::ffi::CStr;

use crate::hex;
use crate::render::Sink;

/// JSON text that is being written: the members of an object whose braces are
/// somebody else's.
#[derive(Debug, Default)]
pub struct Text {
    text: Vec<u8>,
    /// Whether something stands before in the object or array, so that a comma is due.
    follows: bool,
    /// The brackets that are open.
    open: Vec<u8>,
}

impl Text {
    /// Starts over and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.open.clear();
        self.follows = false;
    }

    /// What was written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The same with a zero at the end, which counts as written from now on; none
    /// after an earlier call.
    pub fn terminate(&mut self) -> Option<&CStr> {
        self.text.push(0);
        CStr::from_bytes_with_nul(&self.text).ok()
    }

    fn push(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    fn separate(&mut self) {
        if self.follows {
            self.text.push(b',');
        }
        self.follows = true;
    }

    fn key(&mut self, key: &CStr) {
        self.push(if self.follows { b",\"" } else { b"\"" });
        self.follows = true;
        self.push(key.to_bytes());
        self.push(b"\":");
    }

    fn open(&mut self, bracket: u8) {
        self.text.push(bracket);
        self.open.push(bracket);
        self.follows = false;
    }

    fn quoted(&mut self, value: &[u8]) {
        self.text.push(b'"');
        if value.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
            self.push(value);
        } else {
            self.escaped(value);
        }
        self.text.push(b'"');
    }

    /// Bytes that are no UTF-8 become `\xNN`, as in Suricata's own records.
    #[cold]
    fn escaped(&mut self, value: &[u8]) {
        let is_text = core::str::from_utf8(value).is_ok();
        for byte in value {
            match *byte {
                b'"' | b'\\' => self.push(&[b'\\', *byte]),
                b'\n' => self.push(b"\\n"),
                b'\r' => self.push(b"\\r"),
                b'\t' => self.push(b"\\t"),
                0x08 => self.push(b"\\b"),
                0x0c => self.push(b"\\f"),
                0..=0x1f => {
                    self.push(b"\\u00");
                    self.push(&hex::digits(*byte));
                }
                0x80.. if !is_text => {
                    self.push(b"\\\\x");
                    self.push(&hex::digits(*byte));
                }
                _ => self.text.push(*byte),
            }
        }
    }

    fn number(&mut self, mut value: u64) {
        // As many digits as the largest has.
        let mut digits = [0; 20];
        let mut begin = digits.len();
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
            begin -= 1;
            if value == 0 {
                break;
            }
        }
        self.push(&digits[begin..]);
    }
}

/// Whether a byte stands for itself in a JSON string.
fn is_plain(byte: u8) -> bool {
    (b' '..0x80).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

impl Sink for Text {
    fn open_object(&mut self, key: &CStr) {
        self.key(key);
        self.open(b'{');
    }

    fn start_object(&mut self) {
        self.separate();
        self.open(b'{');
    }

    fn open_array(&mut self, key: &CStr) {
        self.key(key);
        self.open(b'[');
    }

    fn close(&mut self) {
        // Both pairs of brackets are two apart in ASCII.
        if let Some(bracket) = self.open.pop() {
            self.text.push(bracket + 2);
        }
        self.follows = true;
    }

    fn uint(&mut self, key: &CStr, value: u64) {
        self.key(key);
        self.number(value);
    }

    fn bool(&mut self, key: &CStr, value: bool) {
        self.key(key);
        self.push(if value { b"true" } else { b"false" });
    }

    fn string(&mut self, key: &CStr, value: &[u8]) {
        self.key(key);
        self.quoted(value);
    }

    fn hex(&mut self, key: &CStr, value: &[u8]) {
        self.key(key);
        self.text.push(b'"');
        self.text.extend(value.iter().flat_map(|byte| hex::digits(*byte)));
        self.text.push(b'"');
    }

    fn push_string(&mut self, value: &[u8]) {
        self.separate();
        self.quoted(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_slice, json, Value};

    /// What stands between the braces, as a reader understands it.
    fn read(text: &Text) -> Value {
        let object = [b"{", text.as_bytes(), b"}"].concat();
        from_slice(&object).unwrap_or_else(|error| panic!("{error}: {object:?}"))
    }

    #[test]
    fn members_and_elements_are_separated() {
        let mut text = Text::default();
        text.open_object(c"ikev2");
        text.uint(c"a", 0);
        text.open_array(c"b");
        text.start_object();
        text.close();
        text.start_object();
        text.bool(c"c", true);
        text.bool(c"d", false);
        text.close();
        text.push_string(b"x");
        text.push_string(b"y");
        text.close();
        text.hex(c"e", &[0, 0xab]);
        text.hex(c"f", &[]);
        text.close();
        text.string(c"g", b"");
        let expected =
            br#""ikev2":{"a":0,"b":[{},{"c":true,"d":false},"x","y"],"e":"00ab","f":""},"g":"""#;
        assert_eq!(text.as_bytes(), expected);
    }

    #[test]
    fn numbers_are_decimal() {
        for value in [0, 1, 9, 10, 99, 100, 12_345, u64::from(u32::MAX), u64::MAX] {
            let mut text = Text::default();
            text.uint(c"n", value);
            assert_eq!(read(&text), json!({ "n": value }));
        }
    }

    #[test]
    fn every_character_is_read_back() {
        let mut all: String = (0..0x80_u8).map(char::from).collect();
        all.push_str("\u{80}\u{e9}\u{20ac}\u{1f511}");
        for text_of in all.chars().map(String::from).chain([all.clone()]) {
            let mut text = Text::default();
            text.string(c"s", text_of.as_bytes());
            assert_eq!(read(&text), json!({ "s": text_of }));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_spelled() {
        let mut text = Text::default();
        text.string(c"s", b"a\xff\n\xc3\xa9");
        assert_eq!(read(&text), json!({ "s": r"a\xff" .to_owned() + "\n" + r"\xc3\xa9" }));
    }

    #[test]
    fn a_text_ends_with_a_zero_once() {
        let mut text = Text::default();
        text.string(c"s", b"a\0b");
        assert_eq!(text.terminate(), Some(c"\"s\":\"a\\u0000b\""));
        assert_eq!(text.terminate(), None);
        text.clear();
        assert_eq!(text.terminate(), Some(c""));
    }
}
