//! Public values that give a known shared secret. [RFC
//! 6989](https://www.rfc-editor.org/rfc/rfc6989) forbids them.
//!
//! For a MODP group with the prime p, these are 0, 1, p-1 and all values congruent to them,
//! because their powers are always 0, 1 or p-1. For Curve25519 and Curve448, these are the
//! points of low order, whose shared secret is zero (RFC 7748, section 6; RFC 8031). The
//! value zero is not checked here, because it is invalid for every method and the caller
//! checks it.

use super::registry::KeyExchangeMethod;

/// Whether this public value gives a shared secret that everybody can compute.
pub fn gives_known_secret(method: KeyExchangeMethod, value: &[u8]) -> bool {
    match method {
        KeyExchangeMethod::CURVE25519 => is_of_low_order_25519(value),
        KeyExchangeMethod::CURVE448 => is_of_low_order_448(value),
        _ => of_modp(method).is_some_and(|prime| is_one(value) || is_at_end(value, &prime)),
    }
}

/// Whether the value is 1, with any number of leading zeros.
fn is_one(value: &[u8]) -> bool {
    matches!(value.split_last(), Some((1, front)) if front.iter().all(|byte| *byte == 0))
}

/// Whether a value as long as the prime p is at least p-1. The values above are p,
/// congruent to 0, p+1, congruent to 1, and others that are not valid either.
fn is_at_end(value: &[u8], prime: &Prime) -> bool {
    match prime {
        Prime::Digits(digits) => is_at_least_one_less(value, digits),
        Prime::OfPi { bytes, increment } => {
            // This holds for one in 2^64 honest values, so the prime is almost never
            // computed.
            value.len() == *bytes
                && value.starts_with(&ONES)
                && is_at_least_one_less(value, &prime_of_pi(*bytes, *increment))
        }
    }
}

/// Whether a value as long as the prime is at least the prime minus 1. The prime is odd.
fn is_at_least_one_less(value: &[u8], prime: &[u8]) -> bool {
    let Some((last, front)) = prime.split_last() else { return false };
    let Some((value_last, value_front)) = value.split_last() else { return false };
    value.len() == prime.len() && (value_front, *value_last) >= (front, last - 1)
}

enum Prime {
    /// A prime from the digits of pi: 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) +
    /// increment), where n is its length in bits.
    OfPi { bytes: usize, increment: u32 },
    /// A prime that is stored in full.
    Digits(&'static [u8]),
}

/// The prime of a MODP group: RFC 7296, appendix B (groups 1 and 2), RFC 3526 (5, 14 to 18)
/// and RFC 5114 (22 to 24).
fn of_modp(method: KeyExchangeMethod) -> Option<Prime> {
    Some(match method.0 {
        1 => Prime::OfPi { bytes: 96, increment: 149_686 },
        2 => Prime::OfPi { bytes: 128, increment: 129_093 },
        5 => Prime::OfPi { bytes: 192, increment: 741_804 },
        14 => Prime::OfPi { bytes: 256, increment: 124_476 },
        15 => Prime::OfPi { bytes: 384, increment: 1_690_314 },
        16 => Prime::OfPi { bytes: 512, increment: 240_904 },
        17 => Prime::OfPi { bytes: 768, increment: 929_484 },
        18 => Prime::OfPi { bytes: 1024, increment: 4_743_158 },
        22 => Prime::Digits(P22),
        23 => Prime::Digits(P23),
        24 => Prime::Digits(P24),
        _ => return None,
    })
}

/// The primes from pi begin and end with 64 one bits.
const ONES: [u8; 8] = [0xff; 8];

fn prime_of_pi(bytes: usize, increment: u32) -> Vec<u8> {
    let mut digits = PI.get(..bytes.saturating_sub(2 * ONES.len())).unwrap_or(PI).to_vec();
    // Subtracting 1 makes the last 64 bits ones and borrows 1 from the digits of pi.
    let mut carry = increment - 1;
    for digit in digits.iter_mut().rev() {
        let sum = u32::from(*digit) + (carry & 0xff);
        *digit = sum as u8;
        carry = (carry >> 8) + (sum >> 8);
    }
    [&ONES[..], &digits, &ONES].concat()
}

/// The points of low order of Curve25519 and of its twist, without zero. They are
/// little-endian, and the highest bit is ignored.
const LOW_ORDER_25519: [[u8; 32]; 6] = [
    [
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00,
    ],
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
];

fn is_of_low_order_25519(value: &[u8]) -> bool {
    let Ok(mut value) = <[u8; 32]>::try_from(value) else { return false };
    value[31] &= 0x7f;
    LOW_ORDER_25519.contains(&value)
}

/// Whether a value is a point of low order of Curve448. These are 1, p-1, p and p+1, with p
/// = 2^448 - 2^224 - 1, little-endian.
fn is_of_low_order_448(value: &[u8]) -> bool {
    let Ok(value) = <[u8; 56]>::try_from(value) else { return false };
    let (low, high) = value.split_at(28);
    let is = |half: &[u8], first, others| {
        half.split_first()
            .is_some_and(|(byte, rest)| *byte == first && rest.iter().all(|byte| *byte == others))
    };
    (is(high, 0, 0) && is(low, 1, 0))
        || (is(high, 0xfe, 0xff) && (is(low, 0xfe, 0xff) || is(low, 0xff, 0xff)))
        || (is(high, 0xff, 0xff) && is(low, 0, 0))
}

/// The first 8064 bits of pi.
const PI: &[u8] = b"\
    \xc9\x0f\xda\xa2\x21\x68\xc2\x34\xc4\xc6\x62\x8b\x80\xdc\x1c\xd1\x29\x02\x4e\x08\
    \x8a\x67\xcc\x74\x02\x0b\xbe\xa6\x3b\x13\x9b\x22\x51\x4a\x08\x79\x8e\x34\x04\xdd\
    \xef\x95\x19\xb3\xcd\x3a\x43\x1b\x30\x2b\x0a\x6d\xf2\x5f\x14\x37\x4f\xe1\x35\x6d\
    \x6d\x51\xc2\x45\xe4\x85\xb5\x76\x62\x5e\x7e\xc6\xf4\x4c\x42\xe9\xa6\x37\xed\x6b\
    \x0b\xff\x5c\xb6\xf4\x06\xb7\xed\xee\x38\x6b\xfb\x5a\x89\x9f\xa5\xae\x9f\x24\x11\
    \x7c\x4b\x1f\xe6\x49\x28\x66\x51\xec\xe4\x5b\x3d\xc2\x00\x7c\xb8\xa1\x63\xbf\x05\
    \x98\xda\x48\x36\x1c\x55\xd3\x9a\x69\x16\x3f\xa8\xfd\x24\xcf\x5f\x83\x65\x5d\x23\
    \xdc\xa3\xad\x96\x1c\x62\xf3\x56\x20\x85\x52\xbb\x9e\xd5\x29\x07\x70\x96\x96\x6d\
    \x67\x0c\x35\x4e\x4a\xbc\x98\x04\xf1\x74\x6c\x08\xca\x18\x21\x7c\x32\x90\x5e\x46\
    \x2e\x36\xce\x3b\xe3\x9e\x77\x2c\x18\x0e\x86\x03\x9b\x27\x83\xa2\xec\x07\xa2\x8f\
    \xb5\xc5\x5d\xf0\x6f\x4c\x52\xc9\xde\x2b\xcb\xf6\x95\x58\x17\x18\x39\x95\x49\x7c\
    \xea\x95\x6a\xe5\x15\xd2\x26\x18\x98\xfa\x05\x10\x15\x72\x8e\x5a\x8a\xaa\xc4\x2d\
    \xad\x33\x17\x0d\x04\x50\x7a\x33\xa8\x55\x21\xab\xdf\x1c\xba\x64\xec\xfb\x85\x04\
    \x58\xdb\xef\x0a\x8a\xea\x71\x57\x5d\x06\x0c\x7d\xb3\x97\x0f\x85\xa6\xe1\xe4\xc7\
    \xab\xf5\xae\x8c\xdb\x09\x33\xd7\x1e\x8c\x94\xe0\x4a\x25\x61\x9d\xce\xe3\xd2\x26\
    \x1a\xd2\xee\x6b\xf1\x2f\xfa\x06\xd9\x8a\x08\x64\xd8\x76\x02\x73\x3e\xc8\x6a\x64\
    \x52\x1f\x2b\x18\x17\x7b\x20\x0c\xbb\xe1\x17\x57\x7a\x61\x5d\x6c\x77\x09\x88\xc0\
    \xba\xd9\x46\xe2\x08\xe2\x4f\xa0\x74\xe5\xab\x31\x43\xdb\x5b\xfc\xe0\xfd\x10\x8e\
    \x4b\x82\xd1\x20\xa9\x21\x08\x01\x1a\x72\x3c\x12\xa7\x87\xe6\xd7\x88\x71\x9a\x10\
    \xbd\xba\x5b\x26\x99\xc3\x27\x18\x6a\xf4\xe2\x3c\x1a\x94\x68\x34\xb6\x15\x0b\xda\
    \x25\x83\xe9\xca\x2a\xd4\x4c\xe8\xdb\xbb\xc2\xdb\x04\xde\x8e\xf9\x2e\x8e\xfc\x14\
    \x1f\xbe\xca\xa6\x28\x7c\x59\x47\x4e\x6b\xc0\x5d\x99\xb2\x96\x4f\xa0\x90\xc3\xa2\
    \x23\x3b\xa1\x86\x51\x5b\xe7\xed\x1f\x61\x29\x70\xce\xe2\xd7\xaf\xb8\x1b\xdd\x76\
    \x21\x70\x48\x1c\xd0\x06\x91\x27\xd5\xb0\x5a\xa9\x93\xb4\xea\x98\x8d\x8f\xdd\xc1\
    \x86\xff\xb7\xdc\x90\xa6\xc0\x8f\x4d\xf4\x35\xc9\x34\x02\x84\x92\x36\xc3\xfa\xb4\
    \xd2\x7c\x70\x26\xc1\xd4\xdc\xb2\x60\x26\x46\xde\xc9\x75\x1e\x76\x3d\xba\x37\xbd\
    \xf8\xff\x94\x06\xad\x9e\x53\x0e\xe5\xdb\x38\x2f\x41\x30\x01\xae\xb0\x6a\x53\xed\
    \x90\x27\xd8\x31\x17\x97\x27\xb0\x86\x5a\x89\x18\xda\x3e\xdb\xeb\xcf\x9b\x14\xed\
    \x44\xce\x6c\xba\xce\xd4\xbb\x1b\xdb\x7f\x14\x47\xe6\xcc\x25\x4b\x33\x20\x51\x51\
    \x2b\xd7\xaf\x42\x6f\xb8\xf4\x01\x37\x8c\xd2\xbf\x59\x83\xca\x01\xc6\x4b\x92\xec\
    \xf0\x32\xea\x15\xd1\x72\x1d\x03\xf4\x82\xd7\xce\x6e\x74\xfe\xf6\xd5\x5e\x70\x2f\
    \x46\x98\x0c\x82\xb5\xa8\x40\x31\x90\x0b\x1c\x9e\x59\xe7\xc9\x7f\xbe\xc7\xe8\xf3\
    \x23\xa9\x7a\x7e\x36\xcc\x88\xbe\x0f\x1d\x45\xb7\xff\x58\x5a\xc5\x4b\xd4\x07\xb2\
    \x2b\x41\x54\xaa\xcc\x8f\x6d\x7e\xbf\x48\xe1\xd8\x14\xcc\x5e\xd2\x0f\x80\x37\xe0\
    \xa7\x97\x15\xee\xf2\x9b\xe3\x28\x06\xa1\xd5\x8b\xb7\xc5\xda\x76\xf5\x50\xaa\x3d\
    \x8a\x1f\xbf\xf0\xeb\x19\xcc\xb1\xa3\x13\xd5\x5c\xda\x56\xc9\xec\x2e\xf2\x96\x32\
    \x38\x7f\xe8\xd7\x6e\x3c\x04\x68\x04\x3e\x8f\x66\x3f\x48\x60\xee\x12\xbf\x2d\x5b\
    \x0b\x74\x74\xd6\xe6\x94\xf9\x1e\x6d\xbe\x11\x59\x74\xa3\x92\x6f\x12\xfe\xe5\xe4\
    \x38\x77\x7c\xb6\xa9\x32\xdf\x8c\xd8\xbe\xc4\xd0\x73\xb9\x31\xba\x3b\xc8\x32\xb6\
    \x8d\x9d\xd3\x00\x74\x1f\xa7\xbf\x8a\xfc\x47\xed\x25\x76\xf6\x93\x6b\xa4\x24\x66\
    \x3a\xab\x63\x9c\x5a\xe4\xf5\x68\x34\x23\xb4\x74\x2b\xf1\xc9\x78\x23\x8f\x16\xcb\
    \xe3\x9d\x65\x2d\xe3\xfd\xb8\xbe\xfc\x84\x8a\xd9\x22\x22\x2e\x04\xa4\x03\x7c\x07\
    \x13\xeb\x57\xa8\x1a\x23\xf0\xc7\x34\x73\xfc\x64\x6c\xea\x30\x6b\x4b\xcb\xc8\x86\
    \x2f\x83\x85\xdd\xfa\x9d\x4b\x7f\xa2\xc0\x87\xe8\x79\x68\x33\x03\xed\x5b\xdd\x3a\
    \x06\x2b\x3c\xf5\xb3\xa2\x78\xa6\x6d\x2a\x13\xf8\x3f\x44\xf8\x2d\xdf\x31\x0e\xe0\
    \x74\xab\x6a\x36\x45\x97\xe8\x99\xa0\x25\x5d\xc1\x64\xf3\x1c\xc5\x08\x46\x85\x1d\
    \xf9\xab\x48\x19\x5d\xed\x7e\xa1\xb1\xd5\x10\xbd\x7e\xe7\x4d\x73\xfa\xf3\x6b\xc3\
    \x1e\xcf\xa2\x68\x35\x90\x46\xf4\xeb\x87\x9f\x92\x40\x09\x43\x8b\x48\x1c\x6c\xd7\
    \x88\x9a\x00\x2e\xd5\xee\x38\x2b\xc9\x19\x0d\xa6\xfc\x02\x6e\x47\x95\x58\xe4\x47\
    \x56\x77\xe9\xaa\x9e\x30\x50\xe2\x76\x56\x94\xdf\xc8\x1f\x56\xe8\x80\xb9\x6e\x71\
    \x60\xc9\x80\xdd\x98\xa5\x73\xea";

/// The prime of group 22.
const P22: &[u8] = b"\
    \xb1\x0b\x8f\x96\xa0\x80\xe0\x1d\xde\x92\xde\x5e\xae\x5d\x54\xec\x52\xc9\x9f\xbc\
    \xfb\x06\xa3\xc6\x9a\x6a\x9d\xca\x52\xd2\x3b\x61\x60\x73\xe2\x86\x75\xa2\x3d\x18\
    \x98\x38\xef\x1e\x2e\xe6\x52\xc0\x13\xec\xb4\xae\xa9\x06\x11\x23\x24\x97\x5c\x3c\
    \xd4\x9b\x83\xbf\xac\xcb\xdd\x7d\x90\xc4\xbd\x70\x98\x48\x8e\x9c\x21\x9a\x73\x72\
    \x4e\xff\xd6\xfa\xe5\x64\x47\x38\xfa\xa3\x1a\x4f\xf5\x5b\xcc\xc0\xa1\x51\xaf\x5f\
    \x0d\xc8\xb4\xbd\x45\xbf\x37\xdf\x36\x5c\x1a\x65\xe6\x8c\xfd\xa7\x6d\x4d\xa7\x08\
    \xdf\x1f\xb2\xbc\x2e\x4a\x43\x71";

/// The prime of group 23.
const P23: &[u8] = b"\
    \xad\x10\x7e\x1e\x91\x23\xa9\xd0\xd6\x60\xfa\xa7\x95\x59\xc5\x1f\xa2\x0d\x64\xe5\
    \x68\x3b\x9f\xd1\xb5\x4b\x15\x97\xb6\x1d\x0a\x75\xe6\xfa\x14\x1d\xf9\x5a\x56\xdb\
    \xaf\x9a\x3c\x40\x7b\xa1\xdf\x15\xeb\x3d\x68\x8a\x30\x9c\x18\x0e\x1d\xe6\xb8\x5a\
    \x12\x74\xa0\xa6\x6d\x3f\x81\x52\xad\x6a\xc2\x12\x90\x37\xc9\xed\xef\xda\x4d\xf8\
    \xd9\x1e\x8f\xef\x55\xb7\x39\x4b\x7a\xd5\xb7\xd0\xb6\xc1\x22\x07\xc9\xf9\x8d\x11\
    \xed\x34\xdb\xf6\xc6\xba\x0b\x2c\x8b\xbc\x27\xbe\x6a\x00\xe0\xa0\xb9\xc4\x97\x08\
    \xb3\xbf\x8a\x31\x70\x91\x88\x36\x81\x28\x61\x30\xbc\x89\x85\xdb\x16\x02\xe7\x14\
    \x41\x5d\x93\x30\x27\x82\x73\xc7\xde\x31\xef\xdc\x73\x10\xf7\x12\x1f\xd5\xa0\x74\
    \x15\x98\x7d\x9a\xdc\x0a\x48\x6d\xcd\xf9\x3a\xcc\x44\x32\x83\x87\x31\x5d\x75\xe1\
    \x98\xc6\x41\xa4\x80\xcd\x86\xa1\xb9\xe5\x87\xe8\xbe\x60\xe6\x9c\xc9\x28\xb2\xb9\
    \xc5\x21\x72\xe4\x13\x04\x2e\x9b\x23\xf1\x0b\x0e\x16\xe7\x97\x63\xc9\xb5\x3d\xcf\
    \x4b\xa8\x0a\x29\xe3\xfb\x73\xc1\x6b\x8e\x75\xb9\x7e\xf3\x63\xe2\xff\xa3\x1f\x71\
    \xcf\x9d\xe5\x38\x4e\x71\xb8\x1c\x0a\xc4\xdf\xfe\x0c\x10\xe6\x4f";

/// The prime of group 24.
const P24: &[u8] = b"\
    \x87\xa8\xe6\x1d\xb4\xb6\x66\x3c\xff\xbb\xd1\x9c\x65\x19\x59\x99\x8c\xee\xf6\x08\
    \x66\x0d\xd0\xf2\x5d\x2c\xee\xd4\x43\x5e\x3b\x00\xe0\x0d\xf8\xf1\xd6\x19\x57\xd4\
    \xfa\xf7\xdf\x45\x61\xb2\xaa\x30\x16\xc3\xd9\x11\x34\x09\x6f\xaa\x3b\xf4\x29\x6d\
    \x83\x0e\x9a\x7c\x20\x9e\x0c\x64\x97\x51\x7a\xbd\x5a\x8a\x9d\x30\x6b\xcf\x67\xed\
    \x91\xf9\xe6\x72\x5b\x47\x58\xc0\x22\xe0\xb1\xef\x42\x75\xbf\x7b\x6c\x5b\xfc\x11\
    \xd4\x5f\x90\x88\xb9\x41\xf5\x4e\xb1\xe5\x9b\xb8\xbc\x39\xa0\xbf\x12\x30\x7f\x5c\
    \x4f\xdb\x70\xc5\x81\xb2\x3f\x76\xb6\x3a\xca\xe1\xca\xa6\xb7\x90\x2d\x52\x52\x67\
    \x35\x48\x8a\x0e\xf1\x3c\x6d\x9a\x51\xbf\xa4\xab\x3a\xd8\x34\x77\x96\x52\x4d\x8e\
    \xf6\xa1\x67\xb5\xa4\x18\x25\xd9\x67\xe1\x44\xe5\x14\x05\x64\x25\x1c\xca\xcb\x83\
    \xe6\xb4\x86\xf6\xb3\xca\x3f\x79\x71\x50\x60\x26\xc0\xb8\x57\xf6\x89\x96\x28\x56\
    \xde\xd4\x01\x0a\xbd\x0b\xe6\x21\xc3\xa3\x96\x0a\x54\xe7\x10\xc3\x75\xf2\x63\x75\
    \xd7\x01\x41\x03\xa4\xb5\x43\x30\xc1\x98\xaf\x12\x61\x16\xd2\x27\x6e\x11\x71\x5f\
    \x69\x38\x77\xfa\xd7\xef\x09\xca\xdb\x09\x4a\xe9\x1e\x1a\x15\x97";

#[cfg(test)]
mod tests {
    use super::*;

    const MODP: [(u16, usize); 11] = [
        (1, 96),
        (2, 128),
        (5, 192),
        (14, 256),
        (15, 384),
        (16, 512),
        (17, 768),
        (18, 1024),
        (22, 128),
        (23, 256),
        (24, 256),
    ];

    fn prime(method: u16) -> Vec<u8> {
        match of_modp(KeyExchangeMethod(method)).unwrap() {
            Prime::OfPi { bytes, increment } => prime_of_pi(bytes, increment),
            Prime::Digits(digits) => digits.to_vec(),
        }
    }

    /// The value prime + distance, as long as the prime.
    fn beside(prime: &[u8], distance: i32) -> Vec<u8> {
        let mut value = prime.to_vec();
        let mut carry = distance;
        for byte in value.iter_mut().rev() {
            let sum = i32::from(*byte) + carry;
            (*byte, carry) = (sum.rem_euclid(256) as u8, sum.div_euclid(256));
        }
        assert_eq!(carry, 0);
        value
    }

    #[test]
    fn the_ends_of_every_modp_group_are_known_secrets() {
        for (method, length) in MODP {
            let prime = prime(method);
            let known = |value: &[u8]| gives_known_secret(KeyExchangeMethod(method), value);
            assert_eq!((prime.len(), prime[0] >= 0x80, prime[length - 1] & 1), (length, true, 1));
            for distance in [-1, 0, 1] {
                assert!(known(&beside(&prime, distance)), "group {method}, p{distance:+}");
            }
            assert!(!known(&beside(&prime, -2)), "group {method}");
            let mut value = vec![0; length];
            assert!(!known(&value), "zero is for another event");
            value[length - 1] = 1;
            assert!(known(&value) && known(&[1]));
            value[length - 1] = 2;
            assert!(!known(&value), "2 is the generator of most");
            value[0] = 1;
            value[length - 1] = 1;
            assert!(!known(&value) && !known(&[]));
        }
    }

    /// The last digits of the primes in RFC 7296, appendix B.2, and RFC 3526, sections 3
    /// and 7.
    #[test]
    fn primes_from_pi_match_the_rfcs() {
        for (method, end) in [
            (1, "a63a3620ffffffffffffffff"),
            (2, "49286651ece65381ffffffffffffffff"),
            (14, "15728e5a8aacaa68ffffffffffffffff"),
            (18, "60c980dd98edd3dfffffffffffffffff"),
        ] {
            let shown: String = prime(method).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(shown.starts_with("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1"));
            assert!(shown.ends_with(end), "group {method}: {shown}");
        }
    }

    #[test]
    fn points_of_low_order_are_known_secrets() {
        let known = |value: &[u8]| gives_known_secret(KeyExchangeMethod::CURVE25519, value);
        for point in LOW_ORDER_25519 {
            assert!(known(&point));
            let mut with_high_bit = point;
            with_high_bit[31] |= 0x80;
            assert!(known(&with_high_bit));
            assert!(!known(&point[..31]));
        }
        // The base point is valid.
        assert!(!known(&[&[9][..], &[0; 31]].concat()));
        let known = |value: &[u8]| gives_known_secret(KeyExchangeMethod::CURVE448, value);
        let halves = |low: u8, others: u8, high: u8, high_others: u8| {
            [&[low][..], &[others; 27], &[high], &[high_others; 27]].concat()
        };
        for point in [
            halves(1, 0, 0, 0),
            halves(0xfe, 0xff, 0xfe, 0xff),
            halves(0xff, 0xff, 0xfe, 0xff),
            halves(0, 0, 0xff, 0xff),
        ] {
            assert!(known(&point));
        }
        assert!(!known(&halves(5, 0, 0, 0)) && !known(&halves(0xfd, 0xff, 0xfe, 0xff)));
        assert!(!known(&[0; 56]) && !known(&[1]));
    }

    #[test]
    fn other_values_have_no_known_secret() {
        for method in [0, 19, 25, 36, 40_000] {
            assert!(!gives_known_secret(KeyExchangeMethod(method), &[1]));
        }
    }
}
