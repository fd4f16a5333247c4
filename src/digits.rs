//! Digits without the machinery of formatting, which costs more than the digits.

/// Text in bytes that numbers are written to.
pub(crate) trait Digits {
    /// Appends a number in decimal.
    fn decimal(&mut self, number: u64);
    /// Appends the last so many digits of a number.
    fn padded(&mut self, number: u64, digits: usize);
    /// Appends bytes in lower-case hex.
    fn hex(&mut self, bytes: &[u8]);
}

impl Digits for Vec<u8> {
    #[inline]
    fn decimal(&mut self, number: u64) {
        match number {
            0..10 => self.push(b'0' + number as u8),
            10..100 => self.extend_from_slice(&PAIRS[number as usize]),
            _ => longer(self, number),
        }
    }

    fn padded(&mut self, mut number: u64, digits: usize) {
        let begin = self.len();
        self.resize(begin + digits, b'0');
        for digit in self[begin..].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.reserve(2 * bytes.len());
        self.extend(bytes.iter().flat_map(|byte| pair(*byte)));
    }
}

/// Appends a number of three digits or more.
fn longer(text: &mut Vec<u8>, mut number: u64) {
    // As many digits as the largest has.
    let mut digits = [0; 20];
    let mut begin = digits.len();
    while number >= 100 {
        begin -= 2;
        digits[begin..begin + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
        number /= 100;
    }
    if number >= 10 {
        begin -= 2;
        digits[begin..begin + 2].copy_from_slice(&PAIRS[number as usize]);
    } else {
        begin -= 1;
        digits[begin] = b'0' + number as u8;
    }
    text.extend_from_slice(&digits[begin..]);
}

/// The numbers of two digits.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

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

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, u64::from(u32::MAX), u64::MAX] {
            let mut text = b"x".to_vec();
            text.decimal(number);
            assert_eq!(text, format!("x{number}").into_bytes());
        }
    }
}
