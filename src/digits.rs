//! Digits without the machinery of formatting, which costs more than the digits.

/// Text in bytes that numbers are written to.
pub(crate) trait Digits {
    /// Appends a number in decimal.
    fn decimal(&mut self, number: u64);
    /// Appends bytes in lower-case hex.
    fn hex(&mut self, bytes: &[u8]);
}

impl Digits for Vec<u8> {
    fn decimal(&mut self, number: u64) {
        self.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.reserve(2 * bytes.len());
        self.extend(bytes.iter().flat_map(|byte| pair(*byte)));
    }
}

/// The hex digits of bytes, of which there are half as many as digits.
pub(crate) fn hex<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [b'0'; N];
    for (digits, byte) in text.chunks_exact_mut(2).zip(bytes) {
        digits.copy_from_slice(&pair(*byte));
    }
    text
}

/// The two hex digits of a byte.
fn pair(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_lower_case() {
        let bytes = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        assert_eq!(&hex::<16>(&bytes), b"0123456789abcdef");
        let mut text = b"x".to_vec();
        text.hex(&bytes[6..]);
        assert_eq!(text, b"xcdef");
    }
}
