//! Bytes as lower-case hex digits.

/// The two digits of a byte.
pub(crate) const fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]
}

/// The digits of bytes, of which there are half as many as digits.
pub(crate) fn text<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [b'0'; N];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&digits(*byte));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn digits_are_lower_case() {
        let bytes = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        assert_eq!(&text::<16>(&bytes), b"0123456789abcdef");
    }
}
