//! Writes digits without the formatting functions of the standard library, which are slower.

use std::net::IpAddr;

/// A text in bytes to which numbers are written.
pub(crate) trait Digits {
    /// Appends a number in decimal digits.
    fn decimal(&mut self, number: u64);
    /// Appends bytes as lower-case hex digits.
    fn hex(&mut self, bytes: &[u8]);
    /// Appends an address in its usual form.
    fn address(&mut self, address: IpAddr);
}

impl Digits for Vec<u8> {
    #[inline]
    fn decimal(&mut self, number: u64) {
        match number {
            ..10 => self.push(b'0' + number as u8),
            10..10_000 => {
                let zeros = usize::from(number < 100) + usize::from(number < 1000);
                let digits = u32::from_le_bytes(four_digits(number)) >> (8 * zeros);
                // Of a length that is known, so that no function is called to copy them.
                self.extend_from_slice(&digits.to_le_bytes());
                self.truncate(self.len() - zeros);
            }
            _ => many_digits(number, self),
        }
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.reserve(2 * bytes.len());
        self.extend(bytes.iter().flat_map(|byte| pair(*byte)));
    }

    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => {
                for (place, octet) in address.octets().into_iter().enumerate() {
                    if place > 0 {
                        self.push(b'.');
                    }
                    self.decimal(octet.into());
                }
            }
            IpAddr::V6(address) => self.extend_from_slice(address.to_string().as_bytes()),
        }
    }
}

/// A text of at most eight bytes that is written often: no function is called to copy it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    bytes: [u8; 8],
    length: usize,
}

impl Short {
    /// The text, or its first eight bytes.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(text).for_each(|(place, byte)| *place = *byte);
        Self { bytes, length: text.len().min(8) }
    }

    /// Appends it to a text.
    #[inline]
    pub(crate) fn write(self, text: &mut Vec<u8>) {
        text.extend_from_slice(&self.bytes);
        text.truncate(text.len() - (8 - self.length));
    }
}

/// The digits of numbers below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

/// The digits of a number below 10,000, with zeros before it.
#[inline]
fn four_digits(number: u64) -> [u8; 4] {
    let number = number as usize;
    let ([a, b], [c, d]) = (PAIRS[number / 100 % 100], PAIRS[number % 100]);
    [a, b, c, d]
}

/// Apart, because most numbers are smaller.
#[inline(never)]
fn many_digits(number: u64, text: &mut Vec<u8>) {
    match number {
        ..100_000 => {
            let [a, b, c, d] = four_digits(number % 10_000);
            text.extend_from_slice(&[b'0' + (number / 10_000 % 10) as u8, a, b, c, d]);
        }
        _ => text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// The hex digits of bytes. There must be half as many bytes as digits.
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
    fn decimals_are_as_everywhere() {
        let mut text = Vec::new();
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let around = powers.flat_map(|power| [power - 1, power, power + 1]);
        for number in (0..=u16::MAX.into()).chain(around).chain([98_765_432, u64::MAX]) {
            text.clear();
            text.push(b'x');
            text.decimal(number);
            assert_eq!(text, format!("x{number}").into_bytes());
        }
    }

    #[test]
    fn short_texts_are_written_as_they_are() {
        let mut text = b"x".to_vec();
        for part in ["", "a", "TYPE255-", "too long by far"] {
            Short::of(part.as_bytes()).write(&mut text);
        }
        assert_eq!(text, b"xaTYPE255-too long");
    }

    #[test]
    fn hex_is_lower_case() {
        let bytes = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        assert_eq!(&hex::<16>(&bytes), b"0123456789abcdef");
        let mut text = b"x".to_vec();
        text.hex(&bytes[6..]);
        assert_eq!(text, b"xcdef");
    }

    #[test]
    fn addresses_are_as_everywhere() {
        for address in ["0.0.0.0", "192.0.2.10", "255.255.255.255", "2001:db8::10", "::"] {
            let mut text = Vec::new();
            text.address(address.parse().unwrap());
            assert_eq!(text, address.as_bytes());
        }
    }
}
