//! Identities (RFC 7296, 3.5) as text.

use x509_parser::prelude::{FromDer, GeneralName};
use x509_parser::x509::X509Name;

use super::{address, cert, hex, text_or_hex};
use crate::wire::registry::IdType;
use crate::wire::Identification;

/// The identity as text: an address, a name, or a DN such as `C=CH, O=Example, CN=gw`. A key
/// id that is not text, and an unknown form, are hex digits. ID_NULL is `null`.
pub fn text(id: &Identification<'_>) -> String {
    match id.kind {
        IdType::ID_IPV4_ADDR | IdType::ID_IPV6_ADDR => {
            address(id.data).map_or_else(|| hex(id.data), |address| address.to_string())
        }
        IdType::ID_DER_ASN1_DN => distinguished_name(id.data),
        IdType::ID_DER_ASN1_GN => match GeneralName::from_der(id.data) {
            Ok((_, name)) => cert::general_name(&name),
            Err(_) => hex(id.data),
        },
        IdType::ID_NULL => "null".to_owned(),
        _ => text_or_hex(id.data),
    }
}

fn distinguished_name(der: &[u8]) -> String {
    match X509Name::from_der(der) {
        Ok(([], name)) => cert::name(&name),
        _ => hex(der),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(kind: IdType, data: &[u8]) -> String {
        text(&Identification { kind, data })
    }

    /// C=CH, O=test, CN=gw
    const DN: [u8; 47] = [
        0x30, 0x2d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, b'C', b'H',
        0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x04, b't', b'e', b's', b't',
        0x31, 0x0f, 0x30, 0x0d, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x06, b'g', b'w', b'.', b'e',
        b'x', b'a',
    ];

    #[test]
    fn every_type_has_its_form() {
        for (kind, data, expected) in [
            (IdType::ID_IPV4_ADDR, &[192, 0, 2, 1][..], "192.0.2.1"),
            (IdType::ID_FQDN, b"gw.example", "gw.example"),
            (IdType::ID_RFC822_ADDR, b"carol@example", "carol@example"),
            (
                IdType::ID_IPV6_ADDR,
                &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                "2001:db8::1",
            ),
            (IdType::ID_DER_ASN1_DN, &DN, "C=CH, O=test, CN=gw.exa"),
            (IdType::ID_DER_ASN1_GN, b"\x82\x0agw.example", "DNS:gw.example"),
            (IdType::ID_KEY_ID, b"group1", "group1"),
            (IdType::ID_KEY_ID, &[1, 2, 0xff], "0102ff"),
            (IdType::ID_FC_NAME, &[0x50, 0, 0, 1], "50000001"),
            (IdType::ID_NULL, b"", "null"),
            (IdType(77), b"\n", "0a"),
        ] {
            assert_eq!(text_of(kind, data), expected, "{kind}");
        }
    }

    #[test]
    fn names_that_are_cut_off_at_any_length_are_hex() {
        for length in 0..DN.len() {
            let cut = &DN[..length];
            assert_eq!(text_of(IdType::ID_DER_ASN1_DN, cut), hex(cut));
            assert!(!text_of(IdType::ID_DER_ASN1_GN, cut).is_empty() || length == 0);
        }
        assert_eq!(text_of(IdType::ID_IPV4_ADDR, &[192, 0, 2]), "c00002");
    }
}
