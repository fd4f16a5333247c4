//! The Extensible Authentication payload
//! ([RFC 7296, section 3.16](https://www.rfc-editor.org/rfc/rfc7296#section-3.16)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{EapCode, EapMethod};

/// The size of Code, Identifier and Length in bytes.
const FIXED_LENGTH: usize = 4;

/// An EAP message (RFC 3748, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eap<'a> {
    /// The Code field.
    pub code: EapCode,
    /// The Identifier field. A response has the same value as its request.
    pub identifier: u8,
    /// The Type field. Success and Failure have none.
    pub method: Option<EapMethod>,
    /// The Type-Data field, or what follows the length if there is no type.
    pub data: &'a [u8],
    /// The fault of a message that could be parsed.
    pub fault: Option<ParseError>,
}

impl<'a> Eap<'a> {
    /// Parses the body of an EAP payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete. Other faults are
    /// in [`Eap::fault`]: the length differs from the length of the body, Success or
    /// Failure has data (RFC 3748, 4.2), or a request or response has no type.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let code = EapCode(r.u8("Code")?);
        let identifier = r.u8("Identifier")?;
        let length_field = r;
        let length = usize::from(r.u16("Length")?);
        let is_whole = length == body.len();
        let mut fault = (!is_whole).then(|| length_field.error("Length"));
        let mut method = None;
        match code {
            EapCode::REQUEST | EapCode::RESPONSE => match r.u8("Type") {
                Ok(number) => method = Some(EapMethod(number)),
                Err(error) => fault = fault.or(Some(error)),
            },
            EapCode::SUCCESS | EapCode::FAILURE if length != FIXED_LENGTH => {
                fault = Some(length_field.error("Length"));
            }
            _ => {}
        }
        // Bytes after the end of the message are not part of its data.
        let excess = body.len().saturating_sub(length);
        let vendor_field = r;
        let data = r.take(r.remaining().saturating_sub(excess), "Length").unwrap_or(&[]);
        let eap = Self { code, identifier, method, data, fault };
        let cut_off = method == Some(EapMethod::EXPANDED) && eap.expanded().is_none();
        Ok(Self { fault: fault.or(cut_off.then(|| vendor_field.error("Vendor-Type"))), ..eap })
    }

    /// Vendor-Id, Vendor-Type and the data after them, for the type Expanded (RFC 3748,
    /// 5.7).
    pub fn expanded(&self) -> Option<(u32, u32, &'a [u8])> {
        self.method.filter(|method| *method == EapMethod::EXPANDED)?;
        let (vendor, rest) = self.data.split_first_chunk::<3>()?;
        let (kind, data) = rest.split_first_chunk::<4>()?;
        let vendor = vendor.iter().fold(0, |high, low| high << 8 | u32::from(*low));
        Some((vendor, u32::from_be_bytes(*kind), data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_identity_response() {
        let eap = Eap::parse(b"\x02\x07\x00\x0a\x01alice", 32).unwrap();
        assert_eq!((eap.code, eap.identifier), (EapCode::RESPONSE, 7));
        assert_eq!(eap.method, Some(EapMethod::IDENTITY));
        assert_eq!(eap.data, b"alice");
    }

    #[test]
    fn success_has_no_type() {
        let eap = Eap::parse(&[3, 9, 0, 4], 32).unwrap();
        assert_eq!((eap.code, eap.method), (EapCode::SUCCESS, None));
    }

    #[test]
    fn a_wrong_length_is_a_fault_at_every_length() {
        let body = b"\x02\x07\x00\x0a\x01alice";
        assert_eq!(Eap::parse(body, 32).unwrap().fault, None);
        for cut in 0..body.len() {
            match Eap::parse(&body[..cut], 32) {
                Err(_) => assert!(cut < FIXED_LENGTH, "{cut} bytes"),
                Ok(eap) => {
                    assert_eq!(eap.fault.unwrap().field, "Length", "{cut} bytes");
                    assert_eq!(eap.data, body.get(5..cut).unwrap_or(&[]), "{cut} bytes");
                }
            }
        }
    }

    #[test]
    fn bytes_after_the_message_are_not_its_data() {
        let eap = Eap::parse(b"\x02\x07\x00\x0a\x01aliceXYZ", 32).unwrap();
        assert_eq!((eap.data, eap.fault.unwrap().offset), (&b"alice"[..], 34));
    }

    #[test]
    fn success_and_failure_are_four_bytes() {
        for code in [3, 4] {
            assert_eq!(Eap::parse(&[code, 9, 0, 4], 32).unwrap().fault, None);
            for body in [&[code, 9, 0, 5, 0][..], &[code, 9, 0, 3], &[code, 9, 0, 4, 0]] {
                let eap = Eap::parse(body, 32).unwrap();
                assert_eq!((eap.code.0, eap.fault.unwrap().field), (code, "Length"));
            }
        }
    }

    #[test]
    fn expanded_types_have_a_vendor() {
        let body = [1, 9, 0, 14, 254, 0, 0x28, 0xaf, 0, 0, 0, 3, 1, 0];
        let eap = Eap::parse(&body, 32).unwrap();
        assert_eq!((eap.expanded(), eap.fault), (Some((10415, 3, &[1, 0][..])), None));
        for length in 5..12 {
            let mut cut = body[..length].to_vec();
            cut[3] = length as u8;
            let eap = Eap::parse(&cut, 32).unwrap();
            assert_eq!((eap.expanded(), eap.fault.unwrap().field), (None, "Vendor-Type"));
        }
        assert_eq!(Eap::parse(b"\x02\x07\x00\x0d\x01alice678", 32).unwrap().expanded(), None);
    }

    #[test]
    fn a_request_has_a_type() {
        let eap = Eap::parse(&[1, 9, 0, 4], 32).unwrap();
        assert_eq!((eap.method, eap.fault.unwrap().field), (None, "Type"));
    }
}
