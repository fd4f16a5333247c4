//! JSON text. The writer is fast, because most of the cost of a message is its record.

use core::ffi::CStr;
use std::net::IpAddr;

use crate::digits::Digits;

/// JSON text in progress: the members of an object. The caller writes the braces of this
/// object.
#[derive(Debug, Default)]
pub struct JsonText {
    text: Vec<u8>,
    /// Whether the object or array already has an element, so that a comma is needed.
    follows: bool,
    /// The open objects (0) and arrays (1), one bit each. The lowest bit is the innermost one.
    /// Records have less than ten levels.
    open: u64,
    /// The number of bytes at which lists end. 0 if the caller does not need it.
    room: usize,
    /// What was omitted, and how many of each.
    left_out: Vec<(&'static CStr, u64)>,
}

/// A position in the text to which the writer can return.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    length: usize,
    follows: bool,
    open: u64,
}

impl JsonText {
    /// Removes the text and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.open = 0;
        self.follows = false;
        self.room = 0;
        self.left_out.clear();
    }

    /// The text so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The text so far with a zero at the end. The zero then belongs to the text.
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

    /// Writes a key and the beginning of its value. Inlined, so that the text is made at compile
    /// time and copied at once.
    #[inline(always)]
    fn key(&mut self, key: &CStr, value: &[u8]) {
        const MOST: usize = 40;
        let key = key.to_bytes();
        let (start, end) = (2 + key.len(), 4 + key.len() + value.len());
        if end > MOST {
            return self.long_key(key, value);
        }
        let mut text = [0; MOST];
        text[..2].copy_from_slice(b",\"");
        text[2..start].copy_from_slice(key);
        text[start..start + 2].copy_from_slice(b"\":");
        text[start + 2..end].copy_from_slice(value);
        if self.follows {
            self.push(&text[..end]);
        } else {
            self.push(&text[1..end]);
            self.follows = true;
        }
    }

    #[cold]
    fn long_key(&mut self, key: &[u8], value: &[u8]) {
        self.separate();
        for part in [b"\"", key, b"\":", value] {
            self.push(part);
        }
    }

    /// Notes that an object or array was begun.
    #[inline(always)]
    fn open(&mut self, is_array: bool) {
        self.open = self.open << 1 | u64::from(is_array);
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

    /// Writes a text that needs escapes. If the bytes are not UTF-8, bytes above 0x7f become
    /// `\xNN`, as in Suricata's own records. Invisible characters, and characters that change
    /// how others are displayed, become `\uNNNN`.
    #[cold]
    fn escaped(&mut self, value: &[u8]) {
        match core::str::from_utf8(value) {
            Ok(text) => text.chars().for_each(|character| self.character(character)),
            Err(_) => value.iter().for_each(|byte| match *byte {
                0x80.. => {
                    self.push(b"\\\\x");
                    self.text.hex(&[*byte]);
                }
                byte => self.character(byte.into()),
            }),
        }
    }

    fn character(&mut self, character: char) {
        match character {
            '"' => self.push(b"\\\""),
            '\\' => self.push(b"\\\\"),
            '\n' => self.push(b"\\n"),
            '\r' => self.push(b"\\r"),
            '\t' => self.push(b"\\t"),
            '\u{8}' => self.push(b"\\b"),
            '\u{c}' => self.push(b"\\f"),
            unseen if is_unseen(unseen) => {
                for unit in unseen.encode_utf16(&mut [0; 2]) {
                    self.push(b"\\u");
                    self.text.hex(&unit.to_be_bytes());
                }
            }
            seen => self.push(seen.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Whether a character is invisible: a control character, or a format character of Unicode.
/// Some format characters change the direction of the text around them (Unicode Technical
/// Report 36). A terminal would then show another record than the real one.
fn is_unseen(character: char) -> bool {
    let format = [
        '\u{ad}'..='\u{ad}',
        '\u{600}'..='\u{605}',
        '\u{61c}'..='\u{61c}',
        '\u{6dd}'..='\u{6dd}',
        '\u{70f}'..='\u{70f}',
        '\u{890}'..='\u{891}',
        '\u{8e2}'..='\u{8e2}',
        '\u{180e}'..='\u{180e}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{110bd}'..='\u{110bd}',
        '\u{110cd}'..='\u{110cd}',
        '\u{13430}'..='\u{1343f}',
        '\u{1bca0}'..='\u{1bca3}',
        '\u{1d173}'..='\u{1d17a}',
        '\u{e0000}'..='\u{e007f}',
    ];
    character.is_control() || format.iter().any(|range| range.contains(&character))
}

/// Whether a byte needs no escape in a JSON string.
fn is_plain(byte: u8) -> bool {
    (b' '..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

impl JsonText {
    /// The current position.
    pub fn mark(&self) -> Mark {
        Mark { length: self.text.len(), follows: self.follows, open: self.open }
    }

    /// Removes everything after a position.
    pub fn return_to(&mut self, mark: Mark) {
        self.text.truncate(mark.length);
        self.open = mark.open;
        self.follows = mark.follows;
    }

    /// The number of bytes at which lists end.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Sets the number of bytes at which lists end.
    pub fn set_room(&mut self, end: usize) {
        self.room = end;
    }

    /// Counts omitted elements or bytes.
    pub fn leave_out(&mut self, what: &'static CStr, count: u64) {
        match self.left_out.iter_mut().find(|(known, _)| *known == what) {
            Some((_, all)) => *all += count,
            None => self.left_out.push((what, count)),
        }
    }

    /// Returns the counts of omitted elements and resets them.
    pub fn left_out(&mut self) -> Vec<(&'static CStr, u64)> {
        core::mem::take(&mut self.left_out)
    }

    /// Begins an object under a key.
    #[inline(always)]
    pub fn open_object(&mut self, key: &CStr) {
        self.key(key, b"{");
        self.open(false);
    }

    /// Begins an object as an element of an array.
    #[inline(always)]
    pub fn start_object(&mut self) {
        if self.follows {
            self.push(b",{");
        } else {
            self.push(b"{");
        }
        self.open(false);
    }

    /// Begins an array under a key.
    #[inline(always)]
    pub fn open_array(&mut self, key: &CStr) {
        self.key(key, b"[");
        self.open(true);
    }

    /// Ends the object or array that was begun last.
    #[inline(always)]
    pub fn close(&mut self) {
        self.text.push(if self.open & 1 == 0 { b'}' } else { b']' });
        self.open >>= 1;
        self.follows = true;
    }

    /// Writes a number.
    #[inline(always)]
    pub fn uint(&mut self, key: &CStr, value: u64) {
        self.key(key, b"");
        self.text.decimal(value);
    }

    /// Writes a Boolean.
    #[inline(always)]
    pub fn bool(&mut self, key: &CStr, value: bool) {
        if value {
            self.key(key, b"true");
        } else {
            self.key(key, b"false");
        }
    }

    /// Writes a text.
    #[inline(always)]
    pub fn string(&mut self, key: &CStr, value: &[u8]) {
        self.key(key, b"");
        self.quoted(value);
    }

    /// Writes JSON as it is. It may have further members after the value.
    #[inline(always)]
    pub fn raw(&mut self, key: &CStr, value: &str) {
        self.key(key, b"");
        self.push(value.as_bytes());
    }

    /// Writes a text that needs no escapes.
    #[inline(always)]
    pub fn word(&mut self, key: &CStr, value: &str) {
        self.plain(key, value.as_bytes());
    }

    /// Writes bytes that are ASCII and need no escapes, as a text.
    #[inline(always)]
    pub fn plain(&mut self, key: &CStr, value: &[u8]) {
        debug_assert!(value.iter().all(|byte| is_plain(*byte)));
        self.key(key, b"\"");
        self.push(value);
        self.text.push(b'"');
    }

    /// Writes an address as text.
    #[inline(always)]
    pub fn address(&mut self, key: &CStr, value: IpAddr) {
        self.key(key, b"\"");
        self.text.address(value);
        self.text.push(b'"');
    }

    /// Writes a time, given in microseconds since the epoch.
    #[inline(always)]
    pub fn time(&mut self, key: &CStr, microseconds: u64) {
        self.key(key, b"\"");
        self.text.time(microseconds);
        self.text.push(b'"');
    }

    /// Writes bytes as hex digits.
    #[inline(always)]
    pub fn hex(&mut self, key: &CStr, value: &[u8]) {
        self.key(key, b"\"");
        self.text.hex(value);
        self.text.push(b'"');
    }

    /// Adds a text to an array.
    pub fn push_string(&mut self, value: &[u8]) {
        self.separate();
        self.quoted(value);
    }

    /// Adds an algorithm to an array. `id` is JSON: its number, and members that follow.
    #[inline]
    pub fn push_algorithm(&mut self, id: &str, key_length: Option<u16>) {
        if self.follows {
            self.push(b",{\"id\":");
        } else {
            self.push(b"{\"id\":");
        }
        self.push(id.as_bytes());
        match key_length {
            None => self.text.push(b'}'),
            Some(128) => self.push(b",\"key_length\":128}"),
            Some(256) => self.push(b",\"key_length\":256}"),
            Some(bits) => {
                self.push(b",\"key_length\":");
                self.text.decimal(bits.into());
                self.text.push(b'}');
            }
        }
        self.follows = true;
    }

    /// Adds a number to an array.
    pub fn push_uint(&mut self, value: u64) {
        self.separate();
        self.text.decimal(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_slice, json, Value};

    /// The text as an object that a JSON parser has read.
    fn read(text: &JsonText) -> Value {
        let object = [b"{", text.as_bytes(), b"}"].concat();
        from_slice(&object).unwrap_or_else(|error| panic!("{error}: {object:?}"))
    }

    #[test]
    fn members_and_elements_are_separated() {
        let mut text = JsonText::default();
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
        text.raw(c"w", "1,\"x\":2");
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
            let mut text = JsonText::default();
            text.string(c"s", text_of.as_bytes());
            assert_eq!(read(&text), json!({ "s": text_of }));
        }
    }

    #[test]
    fn what_cannot_be_seen_is_spelled() {
        let unseen = "a\u{202e}b\u{2066}\u{7f}\u{85}\u{200b}\u{feff}\u{e0041}\u{e9}";
        let mut text = JsonText::default();
        text.string(c"s", unseen.as_bytes());
        let spelled = "\"s\":\"a\\u202eb\\u2066\\u007f\\u0085\\u200b\\ufeff\\udb40\\udc41\u{e9}\"";
        assert_eq!(text.as_bytes(), spelled.as_bytes());
        assert_eq!(read(&text), json!({ "s": unseen }));
    }

    #[test]
    fn bytes_that_are_no_text_are_spelled() {
        let mut text = JsonText::default();
        text.string(c"s", b"a\xff\n\xc3\xa9");
        assert_eq!(read(&text), json!({ "s": r"a\xff" .to_owned() + "\n" + r"\xc3\xa9" }));
    }

    #[test]
    fn a_text_has_no_zero_but_at_its_end() {
        let mut text = JsonText::default();
        text.string(c"s", b"a\0b");
        assert_eq!(text.terminated(), b"\"s\":\"a\\u0000b\"\0");
        text.clear();
        assert_eq!(text.terminated(), b"\0");
    }
}
