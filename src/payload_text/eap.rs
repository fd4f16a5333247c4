//! EAP (RFC 3748) in IKE_AUTH.

use crate::wire::registry::{EapCode, EapMethod};
use crate::wire::Eap;

/// The vendor number of 3GPP.
const VENDOR_3GPP: u32 = 10415;

/// The attribute with an identity (RFC 4186, 10.8; RFC 4187, 10.5; RFC 9048).
const AT_IDENTITY: u8 = 14;

/// The bytes of the subtype and a reserved field before the attributes.
const SUBTYPE_LENGTH: usize = 3;

/// The bytes in a unit of an attribute's length, which is in its second byte.
const UNIT: usize = 4;

/// The bytes of type, length and actual length before the identity.
const FRONT: usize = 4;

/// The identity in a response of type Identity (RFC 3748, 5.1), or in AT_IDENTITY of EAP-SIM,
/// EAP-AKA and EAP-AKA'.
pub fn identity<'a>(eap: &Eap<'a>) -> Option<&'a [u8]> {
    if eap.code != EapCode::RESPONSE {
        return None;
    }
    match eap.method? {
        EapMethod::IDENTITY => Some(eap.data),
        EapMethod::SIM | EapMethod::AKA | EapMethod::AKA_PRIME => at_identity(eap.data),
        _ => None,
    }
}

/// The first AT_IDENTITY. If it is cut off, the captured part of it.
fn at_identity(data: &[u8]) -> Option<&[u8]> {
    let mut rest = data.get(SUBTYPE_LENGTH..)?;
    loop {
        let [kind, units, ..] = *rest else { return None };
        let length = UNIT * usize::from(units);
        let attribute = rest.get(..length).unwrap_or(rest);
        if kind == AT_IDENTITY {
            let [_, _, high, low, value @ ..] = attribute else { return None };
            let actual = usize::from(u16::from_be_bytes([*high, *low]));
            return Some(value.get(..actual).unwrap_or(value));
        }
        // An attribute of length 0 would cause an endless loop.
        rest = rest.get(length..).filter(|_| length >= FRONT)?;
    }
}

/// The names of the vendor and of its type in an EAP message of type Expanded.
pub fn expanded_names(vendor: u32, kind: u32) -> (Option<&'static str>, Option<&'static str>) {
    match (vendor, kind) {
        // The types of RFC 3748 in expanded form.
        (0, kind) => {
            (Some("IETF"), u8::try_from(kind).ok().and_then(|kind| EapMethod(kind).name()))
        }
        // TS 24.502, 9.3.2.
        (VENDOR_3GPP, 3) => (Some("3GPP"), Some("EAP_5G")),
        (VENDOR_3GPP, _) => (Some("3GPP"), None),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity_of(body: &[u8]) -> Option<Vec<u8>> {
        let mut body = body.to_vec();
        body[3] = body.len() as u8;
        Eap::parse(&body, 32).ok().and_then(|eap| identity(&eap).map(<[u8]>::to_vec))
    }

    #[test]
    fn a_response_of_type_identity_has_one() {
        assert_eq!(identity_of(b"\x02\x07\x00\x0a\x01alice"), Some(b"alice".to_vec()));
        assert_eq!(identity_of(b"\x02\x07\x00\x05\x01"), Some(Vec::new()));
        assert_eq!(identity_of(b"\x01\x07\x00\x0a\x01alice"), None);
        assert_eq!(identity_of(b"\x02\x07\x00\x0a\x04alice"), None);
        assert_eq!(identity_of(b"\x03\x07\x00\x04"), None);
    }

    /// AT_ANY_ID_REQ, then AT_IDENTITY of 15 bytes with one byte of padding.
    const AKA: &[u8] = b"\x02\x07\x00\x00\x17\x05\0\0\x0d\x01\0\0\x0e\x05\0\x0f0001010@wlan.eu\0";

    #[test]
    fn identities_of_aka_and_sim_are_found() {
        for method in [18, 23, 50] {
            let mut body = AKA.to_vec();
            body[4] = method;
            assert_eq!(identity_of(&body), Some(b"0001010@wlan.eu".to_vec()), "{method}");
            body[0] = 1;
            assert_eq!(identity_of(&body), None);
        }
        let mut other = AKA.to_vec();
        other[4] = 21;
        assert_eq!(identity_of(&other), None);
    }

    #[test]
    fn identities_that_are_cut_off_are_shown_as_far_as_they_are_there() {
        for length in 8..AKA.len() {
            let expected = (length >= 16).then(|| AKA[16..length.min(31)].to_vec());
            assert_eq!(identity_of(&AKA[..length]), expected, "{length} bytes");
        }
        // A length of 0 units does not cause an endless loop. An actual length that is longer
        // than the attribute ends with the attribute.
        assert_eq!(identity_of(b"\x02\x07\0\0\x17\x05\0\0\x0d\0\0\0\x0e\x01\0\0"), None);
        let long = b"\x02\x07\0\0\x17\x05\0\0\x0e\x02\0\x20abcd\x0d\x01\0\0";
        assert_eq!(identity_of(long), Some(b"abcd".to_vec()));
    }

    #[test]
    fn vendors_have_names() {
        assert_eq!(expanded_names(10415, 3), (Some("3GPP"), Some("EAP_5G")));
        assert_eq!(expanded_names(0, 3), (Some("IETF"), Some("Legacy_Nak")));
        assert_eq!(expanded_names(0, 259), (Some("IETF"), None));
        assert_eq!(expanded_names(9, 3), (None, None));
    }
}
