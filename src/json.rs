//! JSON text: fast, because a record is the greater part of what a message costs.

use core::ffi::CStr;
use std::net::IpAddr;

use crate::digits::Digits;
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

    /// The same with a zero at the end, which counts as written from now on.
    pub fn terminated(&mut self) -> &[u8] {
        self.text.push(0);
        &self.text
    }

    #[inline(always)]
    fn push(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn separate(&mut self) {
        if self.follows {
            self.text.push(b',');
        }
        self.follows = true;
    }

    /// In line, so that the lengths of keys are known.
    #[inline(always)]
    fn key(&mut self, key: &CStr) {
        self.separate();
        self.text.push(b'"');
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
                    self.text.hex(&[*byte]);
                }
                0x80.. if !is_text => {
                    self.push(b"\\\\x");
                    self.text.hex(&[*byte]);
                }
                _ => self.text.push(*byte),
            }
        }
    }
}

/// Whether a byte stands for itself in a JSON string.
fn is_plain(byte: u8) -> bool {
    (b' '..0x80).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

impl Sink for Text {
    fn written(&self) -> &[u8] {
        self.as_bytes()
    }

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

    #[inline(always)]
    fn uint(&mut self, key: &CStr, value: u64) {
        self.key(key);
        self.text.decimal(value);
    }

    fn bool(&mut self, key: &CStr, value: bool) {
        self.key(key);
        self.push(if value { b"true" } else { b"false" });
    }

    fn string(&mut self, key: &CStr, value: &[u8]) {
        self.key(key);
        self.quoted(value);
    }

    #[inline(always)]
    fn json(&mut self, key: &CStr, value: &str) {
        self.key(key);
        self.push(value.as_bytes());
    }

    #[inline(always)]
    fn word(&mut self, key: &CStr, value: &str) {
        self.key(key);
        self.text.push(b'"');
        self.push(value.as_bytes());
        self.text.push(b'"');
    }

    fn address(&mut self, key: &CStr, value: IpAddr) {
        self.key(key);
        self.text.push(b'"');
        self.text.address(value);
        self.text.push(b'"');
    }

    fn hex(&mut self, key: &CStr, value: &[u8]) {
        self.key(key);
        self.text.push(b'"');
        self.text.hex(value);
        self.text.push(b'"');
    }

    fn push_string(&mut self, value: &[u8]) {
        self.separate();
        self.quoted(value);
    }

    fn push_uint(&mut self, value: u64) {
        self.separate();
        self.text.decimal(value);
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
        text.json(c"w", "1,\"x\":2");
        text.word(c"y", "z");
        text.hex(c"e", &[0, 0xab]);
        text.hex(c"f", &[]);
        text.close();
        text.string(c"g", b"");
        let expected = br#""ikev2":{"a":0,"b":[{},{"c":true,"d":false},"x","y"],"w":1,"x":2,"y":"z","e":"00ab","f":""},"g":"""#;
        assert_eq!(text.as_bytes(), expected);
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
    fn a_text_has_no_zero_but_at_its_end() {
        let mut text = Text::default();
        text.string(c"s", b"a\0b");
        assert_eq!(text.terminated(), b"\"s\":\"a\\u0000b\"\0");
        text.clear();
        assert_eq!(text.terminated(), b"\0");
    }
}
