//! Writes digits without the formatting functions of the standard library, which are slower.

use std::net::IpAddr;

/// A text in bytes to which numbers are written.
pub(crate) trait Digits {
    /// Appends a number in decimal digits.
    fn decimal(&mut self, number: u64);
    /// Appends bytes as lower-case hex digits.
    fn hex(&mut self, bytes: &[u8]);
    /// Appends an address as Suricata writes it: an IPv6 address with all its digits.
    fn address(&mut self, address: IpAddr);
    /// Appends a time in Suricata's format, in UTC. It is given in microseconds since the
    /// epoch. Times after the year 9999, which a broken capture may have, become its end.
    fn time(&mut self, microseconds: u64);
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
        let (words, rest) = bytes.as_chunks::<4>();
        words.iter().for_each(|word| self.extend_from_slice(&eight_digits(*word)));
        rest.iter().for_each(|byte| self.extend_from_slice(&pair(*byte)));
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
            IpAddr::V6(address) => {
                for (place, group) in address.octets().chunks_exact(2).enumerate() {
                    if place > 0 {
                        self.push(b':');
                    }
                    self.hex(group);
                }
            }
        }
    }

    fn time(&mut self, microseconds: u64) {
        let microseconds = microseconds.min(LAST_TIME);
        let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
        let (year, month, day) = date(seconds / 86_400);
        let second = seconds % 86_400;
        let mut text = *b"YYYY-MM-DDThh:mm:ss.uuuuuu+0000";
        let places = [0, 2, 5, 8, 11, 14, 17, 20, 22, 24];
        let numbers = [
            year / 100,
            year % 100,
            month,
            day,
            second / 3600,
            second / 60 % 60,
            second % 60,
            fraction / 10_000,
            fraction / 100 % 100,
            fraction % 100,
        ];
        for (place, number) in places.into_iter().zip(numbers) {
            text[place..place + 2].copy_from_slice(&PAIRS[number as usize]);
        }
        self.extend_from_slice(&text);
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

/// The last microsecond of the year 9999.
const LAST_TIME: u64 = 253_402_300_799_999_999;

/// Year, month and day in the Gregorian calendar. `days` are counted from the epoch. Years
/// are taken to begin in March, so that the day that not all of them have is the last one.
fn date(days: u64) -> (u64, u64, u64) {
    // From 1 March of the year 0. 400 years have 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months have 153 days, alternating 31 and 30.
    let month = (5 * day + 2) / 153;
    let first = (153 * month + 2) / 5;
    let (next_year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + next_year, month, day - first + 1)
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
    let (words, rest) = bytes.as_chunks::<4>();
    let (eights, pairs) = text.as_chunks_mut::<8>();
    for (digits, word) in eights.iter_mut().zip(words) {
        *digits = eight_digits(*word);
    }
    for (digits, byte) in pairs.chunks_exact_mut(2).zip(rest) {
        digits.copy_from_slice(&pair(*byte));
    }
    text
}

/// The hex digits of four bytes, all at once.
#[inline]
fn eight_digits(bytes: [u8; 4]) -> [u8; 8] {
    // Each half of a byte gets a byte of its own, the upper half first.
    let word = u64::from(u32::from_le_bytes(bytes));
    let word = (word | word << 16) & 0x0000_ffff_0000_ffff;
    let word = (word | word << 8) & 0x00ff_00ff_00ff_00ff;
    let halves = (word >> 4 | word << 8) & 0x0f0f_0f0f_0f0f_0f0f;
    // From 10 on, letters follow 39 places behind the digits.
    let letters = (halves + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    (halves + 0x3030_3030_3030_3030 + letters * 39).to_le_bytes()
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
        for length in 0..=8 {
            let mut text = b"x".to_vec();
            text.hex(&bytes[..length]);
            assert_eq!(text, b"x0123456789abcdef"[..1 + 2 * length]);
        }
        for byte in 0..=u8::MAX {
            assert_eq!(eight_digits([byte; 4])[..2], pair(byte));
        }
    }

    fn time(microseconds: u64) -> String {
        let mut text = Vec::new();
        text.time(microseconds);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000000+0000");
        assert_eq!(time(951_782_400_000_042), "2000-02-29T00:00:00.000042+0000");
        assert_eq!(time(1_700_000_000_123_456), "2023-11-14T22:13:20.123456+0000");
        assert_eq!(time(u64::MAX), "9999-12-31T23:59:59.999999+0000");
    }

    /// Every day until the year 2400, counted with the lengths of months.
    #[test]
    fn days_follow_each_other() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..160_000 {
            assert_eq!(date(days), (year, month, day));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert!(year > 2399);
    }

    #[test]
    fn addresses_are_as_suricata_writes_them() {
        let long = "2001:0db8:0000:0000:0000:0000:00ff:0010";
        for address in ["0.0.0.0", "192.0.2.10", "255.255.255.255", long] {
            let mut text = Vec::new();
            text.address(address.parse().unwrap());
            assert_eq!(text, address.as_bytes());
        }
    }
}
