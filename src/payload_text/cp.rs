//! The Configuration payload (RFC 7296, 3.15) as text.

use core::net::IpAddr;

use super::{address, hex, text_or_hex};
use crate::wire::registry::CfgAttribute;
use crate::wire::ConfigurationAttribute;

/// A configuration attribute as text for rules and records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeText {
    /// Attribute Type.
    pub kind: CfgAttribute,
    /// The value as text: an address with its prefix length if it has one, a name, or hex
    /// digits. Empty if the attribute asks for a value.
    pub value: String,
    /// Whether the attribute is the internal address of a peer.
    pub is_address: bool,
}

impl AttributeText {
    /// The text of an attribute.
    pub fn of(attribute: &ConfigurationAttribute<'_>) -> Self {
        let value = attribute.value;
        let is_address = matches!(
            attribute.kind,
            CfgAttribute::INTERNAL_IP4_ADDRESS | CfgAttribute::INTERNAL_IP6_ADDRESS
        ) && !value.is_empty();
        Self { kind: attribute.kind, value: text(attribute.kind, value), is_address }
    }
}

fn text(kind: CfgAttribute, value: &[u8]) -> String {
    let found = match kind {
        CfgAttribute::INTERNAL_IP4_ADDRESS
        | CfgAttribute::INTERNAL_IP4_NETMASK
        | CfgAttribute::INTERNAL_IP4_DNS
        | CfgAttribute::INTERNAL_IP4_NBNS
        | CfgAttribute::INTERNAL_IP4_DHCP
        | CfgAttribute::P_CSCF_IP4_ADDRESS
        | CfgAttribute::INTERNAL_IP6_DNS
        | CfgAttribute::INTERNAL_IP6_DHCP
        | CfgAttribute::P_CSCF_IP6_ADDRESS => address(value).map(|address| address.to_string()),
        CfgAttribute::INTERNAL_IP6_ADDRESS | CfgAttribute::INTERNAL_IP6_SUBNET => prefix(value),
        CfgAttribute::INTERNAL_IP4_SUBNET => subnet(value),
        CfgAttribute::HOME_AGENT_ADDRESS => home_agent(value),
        CfgAttribute::EXTERNAL_SOURCE_IP4_NAT_INFO => endpoint(value),
        CfgAttribute::FTT_KAT | CfgAttribute::TIMEOUT_PERIOD_FOR_LIVENESS_CHECK => seconds(value),
        CfgAttribute::APPLICATION_VERSION | CfgAttribute::INTERNAL_DNS_DOMAIN => {
            Some(text_or_hex(value))
        }
        _ => None,
    };
    found.unwrap_or_else(|| hex(value))
}

/// An IPv6 address and its prefix length in bits. Some peers omit the prefix length.
fn prefix(value: &[u8]) -> Option<String> {
    match value {
        [front @ .., bits] if front.len() == 16 => Some(format!("{}/{bits}", address(front)?)),
        _ => address(value).map(|address| address.to_string()),
    }
}

/// The IPv6 address of a home agent, and its IPv4 address if there is one (TS 24.302,
/// 8.2.4.1).
fn home_agent(value: &[u8]) -> Option<String> {
    let (v6, v4) = value.split_at_checked(16)?;
    match v4 {
        [] => Some(address(v6)?.to_string()),
        _ => Some(format!("{} {}", address(v6)?, address(v4)?)),
    }
}

/// An IPv4 address and a port (TS 29.139).
fn endpoint(value: &[u8]) -> Option<String> {
    let (front, port) = value.split_first_chunk::<4>()?;
    let port = <[u8; 2]>::try_from(port).ok().map(u16::from_be_bytes)?;
    Some(format!("{}:{port}", address(front)?))
}

/// Seconds in two bytes (RFC 6867) or four bytes (TS 24.302, 8.2.4.2).
fn seconds(value: &[u8]) -> Option<String> {
    let number = value.iter().fold(0, |high, low| high << 8 | u64::from(*low));
    matches!(value.len(), 2 | 4).then(|| number.to_string())
}

/// An IPv4 address and its netmask, written as a prefix length if possible.
fn subnet(value: &[u8]) -> Option<String> {
    let (front, mask) = value.split_first_chunk::<4>()?;
    let IpAddr::V4(mask) = address(mask)? else { return None };
    let (front, bits) = (address(front)?, mask.to_bits().leading_ones());
    Some(match mask.to_bits().checked_shl(bits).unwrap_or(0) {
        0 => format!("{front}/{bits}"),
        _ => format!("{front}/{mask}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(kind: CfgAttribute, value: &[u8]) -> String {
        AttributeText::of(&ConfigurationAttribute { kind, value, fault: None }).value
    }

    const V6: [u8; 17] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 64];

    #[test]
    fn values_have_the_form_of_their_type() {
        for (kind, value, expected) in [
            (CfgAttribute::INTERNAL_IP4_ADDRESS, &[10, 3, 0, 1][..], "10.3.0.1"),
            (CfgAttribute::INTERNAL_IP4_ADDRESS, &[], ""),
            (CfgAttribute::INTERNAL_IP4_DNS, &[192, 0, 2, 53], "192.0.2.53"),
            (CfgAttribute::INTERNAL_IP6_ADDRESS, &V6, "2001:db8::1/64"),
            (CfgAttribute::INTERNAL_IP6_DNS, &V6[..16], "2001:db8::1"),
            (CfgAttribute::INTERNAL_IP4_SUBNET, &[10, 0, 0, 0, 255, 0, 0, 0], "10.0.0.0/8"),
            (CfgAttribute::INTERNAL_IP4_SUBNET, &[0; 8], "0.0.0.0/0"),
            (
                CfgAttribute::INTERNAL_IP4_SUBNET,
                &[10, 0, 0, 0, 255, 0, 255, 0],
                "10.0.0.0/255.0.255.0",
            ),
            (CfgAttribute::APPLICATION_VERSION, b"strongSwan 6", "strongSwan 6"),
            (CfgAttribute::INTERNAL_DNS_DOMAIN, b"corp.example", "corp.example"),
            (CfgAttribute::TIMEOUT_PERIOD_FOR_LIVENESS_CHECK, &[0, 0, 1, 44], "300"),
            (CfgAttribute::FTT_KAT, &[0, 20], "20"),
            (
                CfgAttribute::EXTERNAL_SOURCE_IP4_NAT_INFO,
                &[192, 0, 2, 9, 17, 148],
                "192.0.2.9:4500",
            ),
            (CfgAttribute::HOME_AGENT_ADDRESS, &V6[..16], "2001:db8::1"),
            (CfgAttribute(16384), &[1, 2], "0102"),
        ] {
            assert_eq!(text_of(kind, value), expected, "{kind}");
        }
    }

    #[test]
    fn values_of_a_wrong_length_are_hex() {
        for kind in CfgAttribute::ALL {
            for length in 0..V6.len() {
                let text = text_of(*kind, &V6[..length]);
                assert!(!text.is_empty() || length == 0, "{kind}, {length} bytes");
            }
        }
        assert_eq!(text_of(CfgAttribute::INTERNAL_IP4_ADDRESS, &[10, 3, 0]), "0a0300");
        assert_eq!(text_of(CfgAttribute::INTERNAL_IP4_SUBNET, &[10, 3, 0, 0, 255]), "0a030000ff");
    }
}
