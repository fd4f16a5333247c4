//! Hex dumps that a daemon writes to its log, 16 bytes on each line.

use zeroize::Zeroizing;

use crate::decrypt::clean_line::hex_bytes;

/// The number of bytes on a full line of a dump.
const PER_LINE: usize = 16;

/// A dump that is being read. Some of its lines may not have been read yet.
pub(super) struct Dump {
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
}

impl Dump {
    /// An empty dump for `length` bytes. All memory is reserved at once, because growing
    /// would leave a copy of a key that is not wiped.
    pub(super) fn new(length: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(length)), length }
    }

    /// Whether all bytes have been read.
    pub(super) fn is_complete(&self) -> bool {
        self.bytes.len() == self.length
    }

    /// The bytes that have been read.
    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    /// Adds the next line of a charon dump, for example `  16: 0A 1B ..  text`. False if
    /// the line is not the next line of this dump.
    pub(super) fn add_with_offset(&mut self, line: &[u8]) -> bool {
        let text = line.trim_ascii_start();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (offset, rest) = text.split_at(digits);
        let fits = number(offset) == Some(self.bytes.len() as u64);
        fits && rest.strip_prefix(b":").is_some_and(|rest| self.add(rest))
    }

    /// Adds the next line of a dump without offsets, for example `0a 1b ..  text`. False if
    /// the line does not have as many bytes as expected.
    pub(super) fn add(&mut self, line: &[u8]) -> bool {
        let wanted = PER_LINE.min(self.length.saturating_sub(self.bytes.len()));
        let mut rest = line;
        for _ in 0..wanted {
            let [high, low, after @ ..] = rest.trim_ascii_start() else { return false };
            let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return false };
            if !matches!(after, [] | [b' ' | b':', ..]) {
                return false;
            }
            self.bytes.push(high << 4 | low);
            rest = after.strip_prefix(b":").unwrap_or(after);
        }
        wanted != 0
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| value.try_into().ok())
}

/// Parses decimal digits.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Parses hex digits.
pub(super) fn from_hex(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let found = hex_bytes(digits)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    bytes.extend(found);
    Some(bytes)
}

/// Parses an SPI of 16 hex digits.
pub(super) fn spi(digits: &[u8]) -> Option<[u8; 8]> {
    from_hex(digits)?.as_slice().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_charon_must_follow_each_other() {
        let first = b"   0: 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F  ................";
        let second = b"  16: FF 7F                                            ..";
        let mut dump = Dump::new(18);
        assert!(!dump.add_with_offset(second));
        assert!(dump.add_with_offset(first) && !dump.is_complete());
        assert!(!dump.add_with_offset(first));
        assert!(dump.add_with_offset(second) && dump.is_complete());
        assert!(!dump.add_with_offset(b"  18: 00"));
        assert_eq!(dump.into_bytes()[14..], [14, 15, 0xff, 0x7f]);
    }

    #[test]
    fn lines_of_pluto_have_gaps_and_no_offset() {
        let mut dump = Dump::new(16);
        assert!(dump.add(b"  b9 0a 31 42  00 00 00 00  00 00 00 00  00 00 00 ff   ..1B"));
        assert_eq!(dump.into_bytes()[..4], [0xb9, 0x0a, 0x31, 0x42]);
    }

    #[test]
    fn a_truncated_line_is_rejected() {
        let line = b"   0: 21 20 22 08 00 00 00 00 00 00 01 28 22 00 00 28";
        for length in 0..line.len() {
            assert!(!Dump::new(16).add_with_offset(&line[..length]), "{length}");
        }
        for line in
            [&b"   0: 21 2"[..], b"   0: 2120", b"   0: 2g 20", b"0 21 20", b"", b"1: 21 20"]
        {
            assert!(!Dump::new(2).add_with_offset(line));
        }
    }

    #[test]
    fn hex_digits_come_in_pairs() {
        assert_eq!(from_hex(b"00fF").as_deref(), Some(&vec![0, 255]));
        assert_eq!(spi(b"0102030405060708"), Some([1, 2, 3, 4, 5, 6, 7, 8]));
        for digits in [&b"0"[..], b"000", b"0g", b"-1"] {
            assert!(from_hex(digits).is_none());
        }
        assert_eq!(spi(b"01020304050607"), None);
        assert_eq!((number(b"16"), number(b"")), (Some(16), None));
    }
}
