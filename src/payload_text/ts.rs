//! Traffic selectors (RFC 7296, 3.13) as text.

use super::{address, hex};
use crate::wire::registry::TsType;
use crate::wire::TrafficSelector;

/// A traffic selector as text for rules and records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorText {
    /// `10.1.0.0-10.1.255.255 proto 0 ports 0-65535`. A type without addresses, such as a
    /// security label or an unknown type, has the name of its type and hex digits.
    pub text: String,
    /// The logarithm to base 2 of the number of addresses, rounded down. None without
    /// addresses.
    pub width: Option<u8>,
}

impl SelectorText {
    /// The text of a selector.
    pub fn of(selector: &TrafficSelector<'_>) -> Self {
        let Some(range) = selector.address_range() else {
            if let Some(length) = selector.address_length() {
                return Self { text: part_of_range(selector, length), width: None };
            }
            let text = match selector.kind {
                TsType::TS_SECLABEL => format!("label {}", hex(selector.body)),
                kind => format!("{kind} {}", hex(selector.body)),
            };
            return Self { text, width: None };
        };
        let shown = |bytes| address(bytes).map(|address| address.to_string()).unwrap_or_default();
        let text = format!(
            "{}-{} proto {} ports {}-{}",
            shown(range.start),
            shown(range.end),
            selector.ip_protocol,
            range.start_port,
            range.end_port
        );
        Self { text, width: width(range.start, range.end) }
    }
}

/// A range that is cut off, with `?` for the missing parts.
fn part_of_range(selector: &TrafficSelector<'_>, length: usize) -> String {
    let field = |start: usize, size| selector.body.get(start..start + size);
    let missing = || "?".to_owned();
    let port = |start| {
        let bytes = field(start, 2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
        bytes.map_or_else(missing, |bytes| u16::from_be_bytes(bytes).to_string())
    };
    let shown = |start| {
        let found = field(start, length).and_then(address);
        found.map_or_else(missing, |address| address.to_string())
    };
    let (start, end, protocol) = (shown(4), shown(4 + length), selector.ip_protocol);
    format!("{start}-{end} proto {protocol} ports {}-{}", port(0), port(2))
}

/// The width of a range. None if the range ends before it begins.
fn width(start: &[u8], end: &[u8]) -> Option<u8> {
    let number = |bytes: &[u8]| bytes.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    let others = number(end).checked_sub(number(start))?;
    // The number of all IPv6 addresses is one more than the type can hold.
    let logarithm = others.checked_add(1).map_or(128, u128::ilog2);
    u8::try_from(logarithm).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(kind: TsType, ip_protocol: u8, body: &[u8]) -> (String, Option<u8>) {
        let SelectorText { text, width } =
            SelectorText::of(&TrafficSelector { kind, ip_protocol, body, fault: None });
        (text, width)
    }

    const V4: TsType = TsType::TS_IPV4_ADDR_RANGE;

    #[test]
    fn ranges_have_addresses_protocol_ports_and_width() {
        for (protocol, body, text, width) in [
            (
                0,
                [0, 0, 255, 255, 10, 1, 0, 0, 10, 1, 255, 255],
                "10.1.0.0-10.1.255.255 proto 0 ports 0-65535",
                Some(16),
            ),
            (
                17,
                [1, 244, 1, 244, 192, 0, 2, 1, 192, 0, 2, 1],
                "192.0.2.1-192.0.2.1 proto 17 ports 500-500",
                Some(0),
            ),
            (
                0,
                [0, 0, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255],
                "0.0.0.0-255.255.255.255 proto 0 ports 0-65535",
                Some(32),
            ),
            // Opaque ports (RFC 7296, 3.13.1), and three addresses.
            (
                6,
                [255, 255, 0, 0, 10, 0, 0, 0, 10, 0, 0, 2],
                "10.0.0.0-10.0.0.2 proto 6 ports 65535-0",
                Some(1),
            ),
            (
                0,
                [0, 0, 255, 255, 10, 0, 0, 1, 10, 0, 0, 0],
                "10.0.0.1-10.0.0.0 proto 0 ports 0-65535",
                None,
            ),
        ] {
            assert_eq!(text_of(V4, protocol, &body), (text.to_owned(), width));
        }
    }

    #[test]
    fn all_of_ipv6_is_128_bits_wide() {
        let body = [&[0, 0, 255, 255][..], &[0; 16], &[255; 16]].concat();
        let (text, width) = text_of(TsType::TS_IPV6_ADDR_RANGE, 0, &body);
        assert_eq!(text, "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff proto 0 ports 0-65535");
        assert_eq!(width, Some(128));
    }

    #[test]
    fn what_has_no_addresses_is_hex() {
        assert_eq!(text_of(TsType::TS_SECLABEL, 0, b"ab"), ("label 6162".to_owned(), None));
    }

    #[test]
    fn what_is_cut_off_has_a_question_mark() {
        let body = [0, 7, 255, 255, 10, 1, 0, 0, 10, 1, 255, 255];
        for (length, text) in [
            (0, "?-? proto 6 ports ?-?"),
            (3, "?-? proto 6 ports 7-?"),
            (7, "?-? proto 6 ports 7-65535"),
            (8, "10.1.0.0-? proto 6 ports 7-65535"),
            (11, "10.1.0.0-? proto 6 ports 7-65535"),
        ] {
            assert_eq!(text_of(V4, 6, &body[..length]), (text.to_owned(), None));
        }
    }
}
